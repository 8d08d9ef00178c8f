//! `POST /api/v1/proposals/{id}/ask`, `POST /api/v1/runs/{id}/steps/{step}/ask`: asks somebody else to answer this one.

use axum::extract::{Path, State};
use model::ProposalId;
use platform::http::{Beyond, Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::id;
use crate::Playbooks;
use crate::approvals::Kind;

/// Whom to ask.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskWanted {
    /// By name of account; must be allowed to answer.
    person: String,
    /// What is said to them, up to 300 characters.
    #[serde(default)]
    comment: String,
}

/// Who was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AskedView {
    /// The name.
    person: String,
    /// Whether a mail is on its way too; otherwise they see it on the console.
    mailed: bool,
}

/// Asks somebody else to answer a proposal; whoever could answer still can.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/ask", tag = "playbooks", operation_id = "pass_proposal_on",
    params(("id" = String, Path, description = "The proposal's id")), request_body = AskWanted,
    responses((status = 200, body = AskedView), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn proposal(
    State(room): State<Playbooks>,
    beyond: Beyond,
    caller: Caller,
    Path(text): Path<String>,
    Json(wanted): Json<AskWanted>,
) -> Result<Json<AskedView>, Problem> {
    let id: ProposalId = super::proposals::found(&room, &beyond, id("proposal", &text)?).await?.id;
    let (person, comment) = (wanted.person, wanted.comment);
    let about = id.to_string();
    let mailed = room.approvals.pass_on(Kind::Proposal, &about, &caller, &person, comment).await?;
    Ok(Json(AskedView { person, mailed }))
}

/// Asks somebody else to answer a manual step; whoever could answer still can.
#[utoipa::path(post, path = "/api/v1/runs/{id}/steps/{step}/ask", tag = "playbooks",
    operation_id = "pass_step_on",
    params(("id" = String, Path, description = "The run's id"),
        ("step" = i64, Path, description = "The step's number in the run")), request_body = AskWanted,
    responses((status = 200, body = AskedView), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn step(
    State(room): State<Playbooks>,
    beyond: Beyond,
    caller: Caller,
    Path((text, step)): Path<(String, String)>,
    Json(wanted): Json<AskWanted>,
) -> Result<Json<AskedView>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    let (person, comment) = (wanted.person, wanted.comment);
    let about = format!("{run}/{}", step.chars().take(20).collect::<String>());
    let mailed = room.approvals.pass_on(Kind::Step, &about, &caller, &person, comment).await?;
    Ok(Json(AskedView { person, mailed }))
}
