//! `GET /api/v1/incidents/{id}/share-preview`: what sharing with each peer would do.

use axum::Json;
use axum::extract::{Path, State};
use model::{IncidentId, PeerId};
use platform::http::Problem;
use ports::Exchange;
use serde::Serialize;
use utoipa::ToSchema;

use super::shares::ShareDecisionItem;
use crate::room::Cti;

/// What sharing with one peer would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharePreviewItem {
    /// The recipient.
    #[schema(value_type = String)]
    peer: PeerId,
    /// Its name.
    peer_name: String,
    /// The decision.
    decision: ShareDecisionItem,
    /// STIX objects that would travel.
    objects: u64,
    /// Internal addresses that would be replaced.
    pseudonymised: u64,
    /// Objects that would stay.
    left_out: u64,
    /// Objects that would go changed by rules of redaction.
    redacted: u64,
}

/// Previews sharing.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/share-preview", tag = "cti",
    params(("id" = String, Path, description = "The incident")), responses(
    (status = 200, description = "One line per peer", body = Vec<SharePreviewItem>),
    (status = 404, description = "No such incident", body = Problem)))]
pub(crate) async fn preview(
    State(cti): State<Cti>,
    Path(id): Path<String>,
) -> Result<Json<Vec<SharePreviewItem>>, Problem> {
    let incident: IncidentId =
        id.parse().map_err(|_| Problem::not_found(format!("incident {id}")))?;
    let previews = Exchange::preview(&cti, incident).await?;
    let items = previews.into_iter().map(|preview| SharePreviewItem {
        peer: preview.peer,
        peer_name: preview.peer_name,
        decision: preview.decision.into(),
        objects: preview.objects,
        pseudonymised: preview.pseudonymised,
        left_out: preview.left_out,
        redacted: preview.redacted,
    });
    Ok(Json(items.collect()))
}
