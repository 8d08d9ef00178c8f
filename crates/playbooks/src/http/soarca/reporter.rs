//! `/soarca/reporter…`: what became of runs.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Outcome, RunId, Timestamp};
use platform::http::Beyond;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::AnyConnection;
use utoipa::ToSchema;

use super::{LIST_LIMIT, Refusal, refuse};
use crate::cacao::Playbook;
use crate::cacao::variables::bare;
use crate::run::{RunState, StepState};
use crate::store::runs::{self, Run, Which};
use crate::store::steps::{self, StepRow};
use crate::{Playbooks, PlaybooksError};

/// Seconds after which asking again makes sense.
const REQUEST_INTERVAL_S: u32 = 5;
/// What stands for a time that has not come: the zero time of SOARCA's language.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A run as SOARCA reports it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SoarcaExecutionReport)]
pub(crate) struct Report {
    #[serde(rename = "type")]
    kind: &'static str,
    execution_id: String,
    playbook_id: String,
    name: String,
    description: String,
    started: String,
    ended: String,
    status: &'static str,
    status_text: String,
    /// By the step's CACAO id; of a step that was run several times the last one.
    step_results: BTreeMap<String, StepReport>,
    request_interval: u32,
}

/// A step as SOARCA reports it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SoarcaStepReport)]
pub(crate) struct StepReport {
    execution_id: String,
    step_id: String,
    name: String,
    description: String,
    started: String,
    ended: String,
    status: &'static str,
    status_text: String,
    executed_by: String,
    commands_b64: Vec<String>,
    #[schema(value_type = Object)]
    variables: Map<String, Value>,
    automated_execution: bool,
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NO_TIME.to_owned(), |at| at.to_string())
}

fn run_status(run: &Run) -> (&'static str, String) {
    let (status, text) = match run.state {
        RunState::Running => ("ongoing", "this playbook is currently being executed"),
        RunState::Paused => ("ongoing", "a person holds this playbook's execution"),
        RunState::Waiting => ("await_user_input", "the execution waits for a person"),
        RunState::Succeeded => {
            ("successfully_executed", "playbook execution completed successfully")
        }
        RunState::Failed => ("failed", "something went wrong in the execution of this playbook"),
        RunState::Cancelled => ("failed", "a person stopped the execution of this playbook"),
    };
    let note = run.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    (status, format!("{text}{note}"))
}

fn step_status(row: &StepRow) -> (&'static str, String) {
    let said = match &row.outcome {
        Some(Outcome::Done { summary, .. }) => summary.clone(),
        Some(Outcome::NotEnforced { reason, .. }) => format!("not enforced: {reason}"),
        Some(Outcome::Failed { reason, .. }) => reason.clone(),
        None => row.state.word().to_owned(),
    };
    let status = match row.state {
        StepState::Pending | StepState::Running => "ongoing",
        StepState::Waiting | StepState::Unsure => "await_user_input",
        StepState::Done => "successfully_executed",
        StepState::Failed if said.contains("ACTION_TIMEOUT") => "timeout_error",
        // Understood without effect is no success.
        StepState::NotEnforced | StepState::Failed | StepState::Skipped => "failed",
    };
    (status, said)
}

fn step_report(run: &Run, playbook: &Playbook, row: &StepRow) -> StepReport {
    let step = playbook.workflow.get(&row.step);
    let (status, status_text) = step_status(row);
    let commands = step.into_iter().flat_map(|step| &step.commands);
    let commands_b64 = commands
        .filter_map(|command| {
            let plain = command.command.as_ref().map(|text| STANDARD.encode(text));
            plain.or_else(|| command.command_b64.clone())
        })
        .collect();
    let out = step.into_iter().flat_map(|step| &step.out_args).map(|name| bare(name));
    let variables = out
        .filter_map(|name| {
            let value = run.variables.get(name)?;
            let kind = playbook.playbook_variables.get(name).map_or("string", |it| &it.kind);
            Some((name.to_owned(), json!({ "type": kind, "name": name, "value": value })))
        })
        .collect();
    let manual = step.is_some_and(|it| it.commands.iter().any(|command| command.kind == "manual"));
    StepReport {
        execution_id: run.id.to_string(),
        step_id: row.step.clone(),
        name: row.name.clone(),
        description: step.and_then(|step| step.description.clone()).unwrap_or_default(),
        started: time(row.started_at),
        ended: time(row.ended_at),
        status,
        status_text,
        executed_by: row.actuator.clone().unwrap_or_else(|| "sereno".to_owned()),
        commands_b64,
        variables,
        automated_execution: !manual,
    }
}

async fn report(
    room: &Playbooks,
    connection: &mut AnyConnection,
    run: &Run,
) -> Result<Report, PlaybooksError> {
    let book = room.engine.book(connection, run).await?;
    let rows = steps::of(connection, run.id).await?;
    let own = book.own();
    let step_results = rows
        .iter()
        .filter(|row| row.state != StepState::Skipped && row.playbook.is_none())
        .map(|row| (row.step.clone(), step_report(run, own, row)))
        .collect();
    let (status, status_text) = run_status(run);
    Ok(Report {
        kind: "execution_status",
        execution_id: run.id.to_string(),
        playbook_id: own.id.clone(),
        name: run.name.clone(),
        description: own.description.clone().unwrap_or_default(),
        started: time(Some(run.started_at)),
        ended: time(run.ended_at),
        status,
        status_text,
        step_results,
        request_interval: REQUEST_INTERVAL_S,
    })
}

/// Runs, newest first, at most 100; rehearsals are left out, because nothing was executed.
#[utoipa::path(get, path = "/soarca/reporter", tag = "soarca",
    responses((status = 200, body = Vec<Report>), (status = 403, body = Refusal)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    beyond: Beyond,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<Vec<Report>>, Refusal> {
    let all = async {
        let mut connection = room.platform().db.read().await?;
        let mut reports = Vec::new();
        let which = Which { beyond: beyond.0, ..Which::default() };
        for run in runs::list(&mut connection, &which, None, LIST_LIMIT).await? {
            if !run.rehearsal {
                reports.push(report(&room, &mut connection, &run).await?);
            }
        }
        Ok(reports)
    };
    all.await.map(Json).map_err(refuse(&uri))
}

/// One run.
#[utoipa::path(get, path = "/soarca/reporter/{id}", tag = "soarca",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, body = Report), (status = 404, body = Refusal)))]
pub(crate) async fn one(
    State(room): State<Playbooks>,
    beyond: Beyond,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
) -> Result<Json<Report>, Refusal> {
    let wanted: RunId =
        id.parse().map_err(|_| Refusal::not_found(&uri, &format!("execution {id}")))?;
    let found = async {
        let mut connection = room.platform().db.read().await?;
        let run = runs::one(&mut connection, wanted).await?;
        match run.filter(|run| !run.rehearsal && !beyond.hides(run.tlp)) {
            Some(run) => Ok(Some(report(&room, &mut connection, &run).await?)),
            None => Ok(None),
        }
    };
    let found = found.await.map_err(refuse(&uri))?;
    found.map(Json).ok_or_else(|| Refusal::not_found(&uri, &format!("execution {id}")))
}
