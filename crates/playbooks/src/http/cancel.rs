//! `POST /api/v1/runs/{id}/cancel`: a person stops a run.

use axum::extract::{Path, State};
use platform::http::{Beyond, Caller, Json, Problem};

use super::id;
use super::run::{RunDetail, detail};
use crate::Playbooks;

/// Stops a run. A command that is being carried out is not taken back; its outcome is still recorded.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, body = RunDetail), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn cancel(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
    caller: Caller,
) -> Result<Json<RunDetail>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    room.engine.cancel(run, caller.name).await?;
    Ok(Json(detail(&room, run).await?))
}
