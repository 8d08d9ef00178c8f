//! `GET /api/v1/gateways`.

use axum::extract::State;
use platform::http::{Json, Page, Problem};
use ports::edge::{Source, SourceState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Gateway, store};

/// A gateway.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewayView {
    name: String,
    connected: bool,
    #[schema(value_type = String)]
    last_contact: model::Timestamp,
    /// Why orders have no effect here; absent when it enforces.
    not_enforcing: Option<String>,
    /// Where its packets come from.
    #[schema(value_type = Object)]
    source: Source,
    /// Where a replay stands.
    #[schema(value_type = Option<Object>)]
    replay: Option<SourceState>,
    /// Packets its capture had to drop.
    capture_dropped: u64,
    /// Batches of windows that this node could not read.
    refused_batches: u64,
}

/// All gateways that have ever connected.
#[utoipa::path(get, path = "/api/v1/gateways", tag = "gateway",
    responses((status = 200, body = Page<GatewayView>)))]
pub(crate) async fn gateways(
    State(room): State<Gateway>,
) -> Result<Json<Page<GatewayView>>, Problem> {
    let mut connection = room.platform.db.read().await?;
    let edges = store::edges(&mut connection).await?;
    let views = edges.into_iter().map(|edge| {
        let live =
            room.registry.look(&edge.name, |entry| (entry.replay.clone(), entry.capture_dropped));
        GatewayView {
            connected: live.is_some(),
            last_contact: edge.last_contact,
            not_enforcing: edge.not_enforcing,
            source: edge.source,
            capture_dropped: live.as_ref().map_or(0, |(_, dropped)| *dropped),
            replay: live.and_then(|(replay, _)| replay),
            refused_batches: edge.refused_batches.unsigned_abs(),
            name: edge.name,
        }
    });
    Ok(Json(Page::whole(views.collect())))
}
