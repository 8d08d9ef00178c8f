//! `POST /api/v1/runs/{id}/steps/{step}/answer`: a person answers a manual step.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::id;
use super::run::{RunDetail, detail};
use crate::Playbooks;
use crate::engine::Answered;

/// The answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepAnswer {
    /// Done and approved, or declined.
    approve: bool,
    /// What is to be said about it, up to 4,000 characters.
    #[serde(default)]
    text: String,
    /// Values of the variables that the step gives back (`out_args`), by name.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// In whose place, by name of account: needs a delegation from that person.
    #[serde(default, rename = "for")]
    giver: Option<String>,
}

/// Answers the manual step a run waits at.
#[utoipa::path(post, path = "/api/v1/runs/{id}/steps/{step}/answer", tag = "playbooks",
    operation_id = "answer_step",
    params(("id" = String, Path, description = "The run's id"),
        ("step" = String, Path, description = "The step's CACAO id, or its number in the run")),
    request_body = StepAnswer,
    responses((status = 200, body = RunDetail), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn answer(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path((text, step)): Path<(String, String)>,
    caller: Caller,
    Json(answer): Json<StepAnswer>,
) -> Result<Json<RunDetail>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    let StepAnswer { approve, text, variables, giver } = answer;
    let said = room.approvals.said(&caller, giver.as_deref()).await?;
    room.engine.answer(run, step, Answered { approve, text, variables }, said).await?;
    Ok(Json(detail(&room, run).await?))
}
