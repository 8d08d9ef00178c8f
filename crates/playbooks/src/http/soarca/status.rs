//! `/soarca/status…`: the node is there.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Refusal;
use crate::Playbooks;

/// How the node is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SoarcaStatus)]
pub(crate) struct Status {
    version: &'static str,
    runtime: &'static str,
    mode: &'static str,
    time: String,
    uptime: Uptime,
}

/// Since when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SoarcaUptime)]
pub(crate) struct Uptime {
    since: String,
    milliseconds: i64,
}

/// How the node is.
#[utoipa::path(get, path = "/soarca/status", tag = "soarca",
    responses((status = 200, body = Status), (status = 403, body = Refusal)))]
pub(crate) async fn status(State(room): State<Playbooks>) -> Json<Status> {
    let now = room.platform().now();
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        runtime: std::env::consts::OS,
        mode: "production",
        time: now.to_string(),
        uptime: Uptime {
            since: room.opened_at.to_string(),
            milliseconds: now.micros_since(room.opened_at) / 1_000,
        },
    })
}

/// Answers "pong".
#[utoipa::path(get, path = "/soarca/status/ping", tag = "soarca",
    responses((status = 200, body = String), (status = 403, body = Refusal)))]
pub(crate) async fn ping() -> &'static str {
    "pong"
}
