//! `POST /api/v1/incidents/{id}/shares`: asks the policy and, if it allows, queues the share.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use model::{EventId, IncidentId, PeerId};
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shares::ShareItem;
use crate::exchange;
use crate::room::Cti;

/// With whom.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ShareRequest {
    /// The recipient.
    #[schema(value_type = String)]
    peer: PeerId,
}

/// Shares an incident. A request with the same `Idempotency-Key` shares once.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/shares", tag = "cti",
    params(("id" = String, Path, description = "The incident")), request_body = ShareRequest,
    responses((status = 201, description = "Decided; see `state`", body = ShareItem),
    (status = 404, description = "No such incident or peer", body = Problem)))]
pub(crate) async fn share_incident(
    State(cti): State<Cti>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<ShareRequest>,
) -> Result<(StatusCode, axum::Json<ShareItem>), Problem> {
    let incident: IncidentId =
        id.parse().map_err(|_| Problem::not_found(format!("incident {id}")))?;
    let given = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let key = match given {
        Some(key) if (1..=100).contains(&key.len()) => format!("http/{}/{key}", caller.id),
        Some(_) => return Err(Problem::bad_request("Idempotency-Key has 1 to 100 characters")),
        None => format!("http/{}", cti.platform().mint::<EventId>()),
    };
    let share = exchange::prepare(&cti, incident, request.peer, &caller.name, &key).await?;
    Ok((StatusCode::CREATED, axum::Json(share.into())))
}
