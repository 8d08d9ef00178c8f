//! `GET /api/v1/gateways/{name}/counters`.

use axum::extract::{Path, Query, State};
use model::Timestamp;
use platform::http::{Json, Problem};
use ports::edge::Dropped;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::GatewayError;
use crate::store::{self, Reading};
use crate::{Gateway, store::find_edge};

/// Readings given at most; the newest.
const MAX_POINTS: i64 = 2_000;

/// Which readings.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct CountersQuery {
    /// Only this device.
    device_mac: Option<String>,
    /// From this wall time (RFC 3339).
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// To this wall time.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
}

/// Readings over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counters {
    /// Oldest first.
    points: Vec<CounterPoint>,
}

/// One reading of one device; counts since the gateway started.
#[derive(Debug, Serialize, ToSchema)]
struct CounterPoint {
    #[schema(value_type = String)]
    at: Timestamp,
    /// Packet time.
    #[schema(value_type = String)]
    event_at: Timestamp,
    mac: String,
    forwarded_packets: u64,
    forwarded_bytes: u64,
    dropped_packets: u64,
    dropped_bytes: u64,
    blocked: bool,
    /// Dropped packets by reason; they add up to `dropped_packets`.
    #[schema(value_type = Object)]
    reasons: Dropped,
}

impl From<Reading> for CounterPoint {
    fn from(reading: Reading) -> Self {
        let line = reading.counters;
        Self {
            at: reading.at,
            event_at: reading.event_at,
            mac: line.mac,
            forwarded_packets: line.forwarded_packets,
            forwarded_bytes: line.forwarded_bytes,
            dropped_packets: line.dropped_packets,
            dropped_bytes: line.dropped_bytes,
            blocked: line.blocked,
            reasons: line.reasons,
        }
    }
}

/// Forwarded and dropped packets of devices over time.
#[utoipa::path(get, path = "/api/v1/gateways/{name}/counters", tag = "gateway",
    params(("name" = String, Path, description = "The gateway"), CountersQuery),
    responses((status = 200, body = Counters), (status = 404, body = Problem)))]
pub(crate) async fn counters(
    State(room): State<Gateway>,
    Path(name): Path<String>,
    Query(query): Query<CountersQuery>,
) -> Result<Json<Counters>, Problem> {
    let mut connection = room.platform.db.read().await?;
    if find_edge(&mut connection, &name).await?.is_none() {
        return Err(GatewayError::NotFound(name).into());
    }
    let from = query.from.unwrap_or_default();
    let to = query.to.unwrap_or(Timestamp::from_micros(i64::MAX));
    let mac = query.device_mac.as_deref();
    let readings = store::readings(&mut connection, &name, mac, from, to, MAX_POINTS).await?;
    Ok(Json(Counters { points: readings.into_iter().map(Into::into).collect() }))
}
