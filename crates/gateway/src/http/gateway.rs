//! `GET /api/v1/gateways/{name}`.

use axum::extract::{Path, State};
use model::Timestamp;
use platform::http::{Json, Problem};
use ports::edge::{DeviceCounters, Judging, Standing, Totals};
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
    /// How it judges single packets: packets judged, nanoseconds each, how many wait and may wait, whether a flood goes
    /// on and how many packets are dropped between two looks at it, how many devices are suspects. Absent where it
    /// does not.
    #[schema(value_type = Option<Object>)]
    judging: Option<Judging>,
    /// The newest counters of each device (MAC address, at a router internet address): forwarded, dropped, by reason.
    #[schema(value_type = Vec<Object>)]
    devices: Vec<DeviceCounters>,
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
    let live = room.registry.look(&name, |entry| {
        (entry.totals.clone(), entry.standing.clone(), entry.judging, entry.counters.clone())
    });
    let connected = live.is_some();
    let (totals, standing, judging, devices) = match live {
        Some((totals, standing, judging, devices)) => (Some(totals), standing, judging, devices),
        None => (None, vec![], None, vec![]),
    };
    Ok(Json(GatewayDetail {
        name: edge.name,
        connected,
        last_contact: edge.last_contact,
        not_enforcing: edge.not_enforcing,
        policy: policy.into(),
        totals,
        standing,
        judging,
        devices,
    }))
}
