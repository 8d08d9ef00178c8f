//! `POST /api/v1/gateways/{name}/replay`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Json, Problem};
use ports::edge::{ReplayControl, Source, ToEdge};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::GatewayError;
use crate::{Gateway, store};

/// Speeds a replay can take.
const SPEEDS: std::ops::RangeInclusive<f64> = 1.0..=100_000.0;

/// What the replay should do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    /// `pause`, `resume`, `restart` or `speed`.
    control: String,
    /// For `speed`: times real time, 1 to 100,000.
    factor: Option<f64>,
}

/// Pauses, resumes, restarts or speeds up a replayed source.
#[utoipa::path(post, path = "/api/v1/gateways/{name}/replay", tag = "gateway",
    params(("name" = String, Path, description = "The gateway")), request_body = Control,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn replay(
    State(room): State<Gateway>,
    Path(name): Path<String>,
    Json(body): Json<Control>,
) -> Result<StatusCode, Problem> {
    let control = match (body.control.as_str(), body.factor) {
        ("pause", _) => ReplayControl::Pause,
        ("resume", _) => ReplayControl::Resume,
        ("restart", _) => ReplayControl::Restart,
        ("speed", Some(factor)) if SPEEDS.contains(&factor) => ReplayControl::Speed { factor },
        ("speed", _) => {
            let text = "'factor' must lie between 1 and 100000";
            return Err(GatewayError::Invalid(text.into()).into());
        }
        (other, _) => {
            let text = format!("control '{other}': use pause, resume, restart or speed");
            return Err(GatewayError::Invalid(text).into());
        }
    };
    let mut connection = room.platform.db.read().await?;
    let edge = store::find_edge(&mut connection, &name)
        .await?
        .ok_or_else(|| GatewayError::NotFound(name.clone()))?;
    if !matches!(edge.source, Source::Replay { .. }) {
        return Err(Problem::conflict(format!("gateway {name} watches live traffic"))
            .remedy("Only a replay can be controlled."));
    }
    if room.registry.send(&name, ToEdge::Replay(control)) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(GatewayError::Away(name).into())
}
