//! `/healthz`, `/readyz`, `/metrics`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use platform::http::Problem;

use super::NodeState;
use crate::measure;

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "node", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "alive\n"
}

/// 200 only when the database answers, every consumer runs and every port is open.
#[utoipa::path(get, path = "/readyz", tag = "node",
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub async fn readyz(State(state): State<NodeState>) -> Result<&'static str, Problem> {
    let not_ready = |detail: &str| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", detail)
            .remedy("Wait; `sereno doctor` names the part that is late.")
    };
    if !state.ready.load(Ordering::Acquire) {
        return Err(not_ready("The node is starting or stopping."));
    }
    state.platform.db.read().await.map_err(|_| not_ready("The database does not answer."))?;
    Ok("ready\n")
}

/// Counters, gauges and histograms in the Prometheus text format; `docs/monitoring.md` lists them.
#[utoipa::path(get, path = "/metrics", tag = "node",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub async fn metrics(State(state): State<NodeState>) -> impl IntoResponse {
    let limit = Duration::from_secs(measure::MAX_LOOK_S);
    let look = async {
        let parts = state.health.components().await;
        measure::look(&state.platform, &parts).await;
    };
    if tokio::time::timeout(limit, look).await.is_err() {
        tracing::warn!(
            limit_s = measure::MAX_LOOK_S,
            "the metrics come without a fresh look at the parts"
        );
    }
    let text = state.metrics.as_ref().map(|handle| handle.render()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
