//! `GET /api/v1/routes`: every route with the permission it needs.

use axum::extract::State;
use platform::http::{AccessRule, Json, Page};

use super::NodeState;

/// Every route of this node with its permission. Which role has which: `/api/v1/access-matrix`.
#[utoipa::path(get, path = "/api/v1/routes", tag = "node", responses((status = 200, body = Page<AccessRule>)))]
pub async fn rules(State(state): State<NodeState>) -> Json<Page<AccessRule>> {
    Json(Page::whole(state.access.as_ref().clone()))
}
