//! `GET /api/v1/gateways/{name}`.

use axum::extract::{Path, State};
use model::Timestamp;
use platform::http::{Json, Problem};
use ports::edge::{Standing, Totals};
use serde::Serialize;
use utoipa::ToSchema;

use super::policy::PolicyView;
use crate::error::GatewayError;
use crate::{Gateway, store};

/// A gateway with its policy, its orders in force and its counters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewayDetail {
    name: String,
    connected: bool,
    #[schema(value_type = String)]
    last_contact: Timestamp,
    /// Why orders have no effect here; absent when it enforces.
    not_enforcing: Option<String>,
    policy: PolicyView,
    /// All packets of its device side: `seen = passed + dropped`. Absent while it is away.
    #[schema(value_type = Option<Object>)]
    totals: Option<Totals>,
    /// Orders in force as its kernel shows them: key, verb, target, why, seconds left, what they caught.
    #[schema(value_type = Vec<Object>)]
    standing: Vec<Standing>,
}

/// One gateway: mode, fail mode, orders in force, counters.
#[utoipa::path(get, path = "/api/v1/gateways/{name}", tag = "gateway",
    params(("name" = String, Path, description = "The gateway")),
    responses((status = 200, body = GatewayDetail), (status = 404, body = Problem)))]
pub(crate) async fn gateway(
    State(room): State<Gateway>,
    Path(name): Path<String>,
) -> Result<Json<GatewayDetail>, Problem> {
    let mut connection = room.platform.db.read().await?;
    let edge = store::find_edge(&mut connection, &name).await?;
    let edge = edge.ok_or_else(|| GatewayError::NotFound(name.clone()))?;
    let policy = store::policy(&mut connection, &name).await?;
    let live = room.registry.look(&name, |entry| (entry.totals.clone(), entry.standing.clone()));
    let connected = live.is_some();
    let (totals, standing) =
        live.map_or((None, vec![]), |(totals, standing)| (Some(totals), standing));
    Ok(Json(GatewayDetail {
        name: edge.name,
        connected,
        last_contact: edge.last_contact,
        not_enforcing: edge.not_enforcing,
        policy: policy.into(),
        totals,
        standing,
    }))
}
