//! `POST /api/v1/runs/{id}/steps/{step}/settle`: a person says what became of an interrupted command.

use axum::extract::{Path, State};
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::id;
use super::run::{RunDetail, detail};
use crate::Playbooks;
use crate::engine::Settled;

/// What the person says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleWanted {
    /// Done, not done (it is asked once more), or given up (the step fails).
    answer: Settled,
}

/// Says whether a command that was interrupted took effect.
#[utoipa::path(post, path = "/api/v1/runs/{id}/steps/{step}/settle", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id"),
        ("step" = String, Path, description = "The step's CACAO id, or its number in the run")),
    request_body = SettleWanted,
    responses((status = 200, body = RunDetail), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn settle(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path((text, step)): Path<(String, String)>,
    caller: Caller,
    Json(wanted): Json<SettleWanted>,
) -> Result<Json<RunDetail>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    room.engine.settle(run, step, wanted.answer, caller.name).await?;
    Ok(Json(detail(&room, run).await?))
}
