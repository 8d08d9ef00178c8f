//! `/soarca/manual…`: steps that wait for a person.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::http::Uri;
use bytes::Bytes;
use model::RunId;
use platform::http::{Beyond, Caller, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{LIST_LIMIT, Refusal, refuse, values};
use crate::approvals::Said;
use crate::cacao::variables::bare;
use crate::engine::Answered;
use crate::run::StepState;
use crate::store::runs::{self, Run};
use crate::store::steps;
use crate::{Playbooks, PlaybooksError};

/// A manual command that waits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SoarcaManual)]
pub(crate) struct Waiting {
    #[serde(rename = "type")]
    kind: &'static str,
    execution_id: String,
    playbook_id: String,
    step_id: String,
    description: String,
    command: String,
    command_is_base64: bool,
    #[schema(value_type = Object)]
    targets: Map<String, Value>,
    #[schema(value_type = Object)]
    out_args: Map<String, Value>,
}

/// What a person answers.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SoarcaManualAnswer)]
pub(crate) struct Answer {
    execution_id: String,
    step_id: String,
    /// `success` or `failed`.
    response_status: String,
    /// Variables of the step's `out_args`.
    #[serde(default)]
    #[schema(value_type = Object)]
    response_out_args: Value,
}

async fn of(room: &Playbooks, run: &Run) -> Result<Vec<Waiting>, PlaybooksError> {
    let mut connection = room.platform().db.read().await?;
    let book = room.engine.book(&mut connection, run).await?;
    let rows = steps::open(&mut connection, run.id).await?;
    let mut found = Vec::new();
    for row in rows.into_iter().filter(|row| row.state == StepState::Waiting) {
        let Some(playbook) = book.playbook(row.playbook.as_deref()) else { continue };
        let Some(step) = playbook.workflow.get(&row.step) else { continue };
        let command = row.arguments.as_ref().and_then(|it| it.get("instruction"));
        let targets = step.targets.iter().filter_map(|id| {
            let target = playbook.target_definitions.get(id)?;
            Some((id.clone(), json!({ "type": target.kind, "name": target.name })))
        });
        let out_args = step.out_args.iter().map(|name| {
            let name = bare(name);
            let variable = step.step_variables.get(name);
            let variable = variable.or_else(|| playbook.playbook_variables.get(name));
            let kind = variable.map_or("string", |variable| &variable.kind);
            let value = run.variables.get(name).cloned().unwrap_or_default();
            (name.to_owned(), json!({ "type": kind, "name": name, "value": value }))
        });
        found.push(Waiting {
            kind: "manual-step-information",
            execution_id: run.id.to_string(),
            playbook_id: playbook.id.clone(),
            step_id: row.step.clone(),
            description: step.description.clone().unwrap_or_default(),
            command: command.and_then(Value::as_str).unwrap_or_default().to_owned(),
            command_is_base64: false,
            targets: targets.collect(),
            out_args: out_args.collect(),
        });
    }
    Ok(found)
}

/// Manual commands that wait, of the 100 runs that have waited longest.
#[utoipa::path(get, path = "/soarca/manual", tag = "soarca",
    responses((status = 200, body = Vec<Waiting>), (status = 403, body = Refusal)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    beyond: Beyond,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<Vec<Waiting>>, Refusal> {
    let all = async {
        let waiting = {
            let mut connection = room.platform().db.read().await?;
            runs::waiting(&mut connection, &beyond.0, LIST_LIMIT).await?
        };
        let mut found = Vec::new();
        for run in waiting {
            found.extend(of(&room, &run).await?);
        }
        Ok(found)
    };
    all.await.map(Json).map_err(refuse(&uri))
}

fn run_id(uri: &Uri, text: &str) -> Result<RunId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found(uri, &format!("execution {text}")))
}

/// One manual command that waits.
#[utoipa::path(get, path = "/soarca/manual/{execution}/{step}", tag = "soarca",
    params(("execution" = String, Path, description = "The run's id"),
        ("step" = String, Path, description = "The step's CACAO id")),
    responses((status = 200, body = Waiting), (status = 404, body = Refusal)))]
pub(crate) async fn one(
    State(room): State<Playbooks>,
    beyond: Beyond,
    OriginalUri(uri): OriginalUri,
    Path((execution, step)): Path<(String, String)>,
) -> Result<Json<Waiting>, Refusal> {
    let id = run_id(&uri, &execution)?;
    let found = async {
        let run = {
            let mut connection = room.platform().db.read().await?;
            runs::one(&mut connection, id).await?
        };
        match run.filter(|run| !beyond.hides(run.tlp)) {
            Some(run) => of(&room, &run).await,
            None => Ok(vec![]),
        }
    };
    let found = found.await.map_err(refuse(&uri))?;
    let waiting = found.into_iter().find(|it| it.step_id == step);
    let nothing = || Refusal::not_found(&uri, &format!("a manual command of step {step}"));
    waiting.map(Json).ok_or_else(nothing)
}

/// Answers a manual command; the run goes on.
#[utoipa::path(post, path = "/soarca/manual/continue", tag = "soarca", request_body = Answer,
    responses((status = 200, body = Object), (status = 400, body = Refusal),
        (status = 409, body = Refusal)))]
pub(crate) async fn go_on(
    State(room): State<Playbooks>,
    beyond: Beyond,
    OriginalUri(uri): OriginalUri,
    caller: Caller,
    bytes: Bytes,
) -> Result<Json<Value>, Refusal> {
    let wrong = |text: String| Refusal::of(&uri, Problem::bad_request(text));
    let answer: Answer = serde_json::from_slice(&bytes)
        .map_err(|cause| wrong(format!("the answer cannot be read: {cause}")))?;
    let approve = match answer.response_status.as_str() {
        "success" => true,
        "failed" | "failure" => false,
        other => {
            let shown: String = other.chars().take(64).collect();
            return Err(wrong(format!("response_status is success or failed, not '{shown}'")));
        }
    };
    let given = values(&uri, &answer.response_out_args)?;
    let id = run_id(&uri, &answer.execution_id)?;
    crate::http::run_in_sight(&room, &beyond, id).await.map_err(refuse(&uri))?;
    let answered = Answered { approve, text: String::new(), variables: given };
    let said = Said::own(&caller);
    room.engine.answer(id, answer.step_id, answered, said).await.map_err(refuse(&uri))?;
    Ok(Json(json!({ "execution_id": id.to_string() })))
}
