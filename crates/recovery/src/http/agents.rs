//! `GET /api/v1/recovery/agents`: what is protected, asked of every agent now.

use axum::extract::State;
use platform::http::{Json, Page, Problem};
use ports::checkpoint::Listing;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Recovery;

/// An agent and what it protects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentView {
    /// Name of its socket.
    agent: String,
    /// Why it does not answer; nothing when it does.
    error: Option<String>,
    /// Services, checkpoints, intervals with their reasons, and what the counter against rollback is worth.
    #[schema(value_type = Option<Object>)]
    listing: Option<Listing>,
}

/// Checkpoint agents of this machine.
#[utoipa::path(get, path = "/api/v1/recovery/agents", tag = "recovery",
    responses((status = 200, body = Page<AgentView>), (status = 403, body = Problem)))]
pub(crate) async fn agents(State(room): State<Recovery>) -> Json<Page<AgentView>> {
    let all = room.agents.list().await.into_iter();
    let views = all.map(|(agent, listing)| match listing {
        Ok(listing) => AgentView { agent, error: None, listing: Some(listing) },
        Err(error) => AgentView { agent, error: Some(error), listing: None },
    });
    Json(Page::whole(views.collect()))
}
