//! `POST /api/v1/runs/{id}/pause` and `…/resume`: a person holds a run, and lets it go on.

use axum::extract::{Path, State};
use platform::http::{Beyond, Json, Problem};

use super::id;
use super::run::{RunDetail, detail};
use crate::Playbooks;

/// Holds a run: what is being carried out ends, no further step begins. The time of the whole run
/// goes on.
#[utoipa::path(post, path = "/api/v1/runs/{id}/pause", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, body = RunDetail), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn pause(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<RunDetail>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    room.engine.pause(run).await?;
    Ok(Json(detail(&room, run).await?))
}

/// Lets a held run go on; what was waited for gets the time back.
#[utoipa::path(post, path = "/api/v1/runs/{id}/resume", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, body = RunDetail), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn resume(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<RunDetail>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    room.engine.resume(run).await?;
    Ok(Json(detail(&room, run).await?))
}
