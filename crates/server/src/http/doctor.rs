//! `GET /api/v1/doctor`: each part of the node, its state, cause and remedy.

use axum::extract::State;
use platform::health::Component;
use platform::http::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::NodeState;

/// All parts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Doctor {
    /// Worst first.
    components: Vec<Component>,
}

/// Every part of the node with state, cause and remedy; the worst first.
#[utoipa::path(get, path = "/api/v1/doctor", tag = "node", responses((status = 200, body = Doctor)))]
pub async fn doctor(State(state): State<NodeState>) -> Json<Doctor> {
    let mut components = state.health.components().await;
    components.sort_by(|a, b| b.state.cmp(&a.state).then_with(|| a.name.cmp(&b.name)));
    Json(Doctor { components })
}
