//! `GET /api/v1/runs/{id}`: one run step by step.

use std::collections::{BTreeMap, HashSet};

use axum::extract::{Path, State};
use model::{Outcome, RunId, Timestamp};
use platform::db::DbError;
use platform::http::{Beyond, Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{RunView, id};
use crate::run::StepState;
use crate::store::runs::Run;
use crate::store::steps::StepRow;
use crate::{Playbooks, PlaybooksError, cacao, store};

/// One step of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepView {
    /// Its number in this run; steps that were not reached have none.
    position: Option<i64>,
    /// Number of the step it is inside of.
    parent: Option<i64>,
    /// The playbook called that it belongs to (CACAO id).
    playbook: Option<String>,
    /// The CACAO id.
    step: String,
    /// Its name.
    name: String,
    /// Its CACAO type.
    #[serde(rename = "type")]
    kind: String,
    /// Who is asked.
    actuator: Option<String>,
    /// For what.
    verb: Option<String>,
    /// Where it stands.
    state: StepState,
    /// What really happened.
    #[schema(value_type = Option<Object>)]
    outcome: Option<Outcome>,
    /// With which arguments, secrets left out.
    #[schema(value_type = Option<Object>)]
    arguments: Option<Value>,
    /// When it began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// When it fails if nothing comes of it.
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Timestamp>,
    /// Attempts so far.
    attempts: i64,
}

impl From<StepRow> for StepView {
    fn from(it: StepRow) -> Self {
        Self {
            position: Some(it.position),
            parent: it.parent,
            playbook: it.playbook,
            step: it.step,
            name: it.name,
            kind: it.kind,
            actuator: it.actuator,
            verb: it.verb,
            state: it.state,
            outcome: it.outcome,
            arguments: it.arguments,
            started_at: it.started_at,
            ended_at: it.ended_at,
            deadline_at: it.deadline_at,
            attempts: it.attempts,
        }
    }
}

/// A run step by step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunDetail {
    /// Its row in the list.
    #[serde(flatten)]
    run: RunView,
    /// Variables as they stand.
    variables: BTreeMap<String, String>,
    /// Steps reached, in order, then those that were not (yet).
    steps: Vec<StepView>,
    /// Ids of the steps reached, in order.
    path: Vec<String>,
}

/// One run with its variables and steps.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, body = RunDetail), (status = 404, body = Problem)))]
pub(crate) async fn run(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<RunDetail>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    Ok(Json(detail(&room, run).await?))
}

/// The run as it stands.
pub(crate) async fn detail(room: &Playbooks, id: RunId) -> Result<RunDetail, PlaybooksError> {
    let mut connection = room.platform().db.read().await?;
    let run = store::runs::one(&mut connection, id).await?.ok_or(PlaybooksError::NoRun(id))?;
    let reached = store::steps::of(&mut connection, id).await?;
    // A run whose book cannot be read any more is shown as far as it went.
    let book = match room.engine.book(&mut connection, &run).await {
        Ok(book) => Some(book),
        Err(PlaybooksError::Db(DbError::Corrupt { .. })) => None,
        Err(other) => return Err(other),
    };
    let path: Vec<String> = reached.iter().map(|row| row.step.clone()).collect();
    let mut steps: Vec<StepView> = reached.into_iter().map(StepView::from).collect();
    if let Some(book) = book {
        steps.extend(not_reached(&run, book.own(), &path));
    }
    Ok(RunDetail { variables: run.variables.clone(), run: run.into(), steps, path })
}

/// Steps that lie ahead of a run under way, or were left out by one that ended.
fn not_reached(run: &Run, playbook: &cacao::Playbook, path: &[String]) -> Vec<StepView> {
    let reached: HashSet<&str> = path.iter().map(String::as_str).collect();
    let state = if run.state.is_open() { StepState::Pending } else { StepState::Skipped };
    playbook
        .reading_order()
        .into_iter()
        .filter(|id| !reached.contains(id))
        .filter_map(|id| Some((id, playbook.workflow.get(id)?)))
        .map(|(id, step)| StepView {
            position: None,
            parent: None,
            playbook: None,
            step: id.to_owned(),
            name: step.title().to_owned(),
            kind: step.kind.clone(),
            actuator: step
                .agent
                .as_ref()
                .and_then(|agent| playbook.agent_definitions.get(agent))
                .map(|agent| agent.name.clone()),
            verb: step.commands.first().and_then(|command| command.command.clone()),
            state,
            outcome: None,
            arguments: None,
            started_at: None,
            ended_at: None,
            deadline_at: None,
            attempts: 0,
        })
        .collect()
}
