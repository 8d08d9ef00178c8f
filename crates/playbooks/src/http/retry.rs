//! `POST /api/v1/runs/{id}/retry`: a run that ended is tried again from a step.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::id;
use super::run::{RunDetail, detail};
use crate::Playbooks;

/// Where to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryWanted {
    /// The step's CACAO id; where the run failed when absent. A step inside of a parallel branch or
    /// a loop begins again with that whole.
    #[serde(default)]
    step: Option<String>,
}

/// Tries an ended run again: a new run with the same playbook version, incident and variables.
#[utoipa::path(post, path = "/api/v1/runs/{id}/retry", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id")), request_body = RetryWanted,
    responses((status = 201, body = RunDetail), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn retry(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
    caller: Caller,
    Json(wanted): Json<RetryWanted>,
) -> Result<(StatusCode, Json<RunDetail>), Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    let run = room.engine.retry(run, wanted.step, caller.name).await?;
    Ok((StatusCode::CREATED, Json(detail(&room, run).await?)))
}
