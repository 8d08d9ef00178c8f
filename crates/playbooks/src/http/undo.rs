//! `GET` and `POST /api/v1/runs/{id}/steps/{step}/undo`: what a step did that can be taken back, and taking it back.

use std::time::Duration;

use axum::extract::{Path, State};
use model::{Outcome, RunId};
use platform::http::{Beyond, Caller, Json, Problem};
use ports::PortError;
use ports::actuator::OUTCOME;
use serde::Serialize;
use utoipa::ToSchema;

use super::id;
use crate::store::effects::{self, EffectRow};
use crate::{ASK_TIMEOUT_S, Playbooks, PlaybooksError, store};

/// One command of a step that can be taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EffectView {
    /// The command's key.
    key: String,
    /// Who was asked.
    actuator: String,
    /// For what.
    verb: String,
    /// `asked`: whether it was done is not known; `there`: it was; `failed`; `undone`.
    state: String,
    /// What came of it, or of taking it back.
    summary: String,
    /// Who took it back.
    undone_by: Option<String>,
}

impl From<EffectRow> for EffectView {
    fn from(it: EffectRow) -> Self {
        Self {
            key: it.command.key,
            actuator: it.actuator,
            verb: it.command.verb,
            state: it.state,
            summary: it.summary,
            undone_by: it.undone_by,
        }
    }
}

/// What a step did that can be taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepEffects {
    /// In the order of its commands.
    items: Vec<EffectView>,
}

/// What a step did that can be taken back: of a step that failed half-way, what it had done by then.
#[utoipa::path(get, path = "/api/v1/runs/{id}/steps/{step}/undo", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id"),
        ("step" = String, Path, description = "The step's CACAO id, or its position in the run, from 1")),
    responses((status = 200, body = StepEffects), (status = 404, body = Problem)))]
pub(crate) async fn effects(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path((run, step)): Path<(String, String)>,
) -> Result<Json<StepEffects>, Problem> {
    let run = super::run_in_sight(&room, &beyond, id("run", &run)?).await?;
    let rows = rows(&room, run, &step).await?;
    Ok(Json(StepEffects { items: rows.into_iter().map(EffectView::from).collect() }))
}

/// Takes back what a step did, the last command first. What was taken back before stays so.
#[utoipa::path(post, path = "/api/v1/runs/{id}/steps/{step}/undo", tag = "playbooks",
    params(("id" = String, Path, description = "The run's id"),
        ("step" = String, Path, description = "The step's CACAO id, or its position in the run, from 1")),
    responses((status = 200, body = StepEffects), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn undo(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path((text, step)): Path<(String, String)>,
    caller: Caller,
) -> Result<Json<StepEffects>, Problem> {
    let run: RunId = super::run_in_sight(&room, &beyond, id("run", &text)?).await?;
    let mut back = rows(&room, run, &step).await?;
    back.retain(|row| matches!(row.state.as_str(), "asked" | "there"));
    if back.is_empty() {
        return Err(Problem::conflict("the step did nothing that can be taken back")
            .remedy("Look at what the run did, and mend it by hand."));
    }
    for row in back.into_iter().rev() {
        let key = row.command.key.clone();
        let (state, summary) = match take_back(&room, row).await {
            Ok(summary) => ("undone", summary),
            Err(cause) => ("there", format!("not taken back: {cause}")),
        };
        let by = (state == "undone").then(|| caller.name.clone());
        let settled: Result<(), PlaybooksError> = room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let by = by.as_deref();
                    Ok(effects::settle(tx.sql(), &key, state, &summary, None, by).await?)
                })
            })
            .await;
        settled?;
    }
    let rows = rows(&room, run, &step).await?;
    Ok(Json(StepEffects { items: rows.into_iter().map(EffectView::from).collect() }))
}

async fn rows(room: &Playbooks, run: RunId, step: &str) -> Result<Vec<EffectRow>, PlaybooksError> {
    let mut connection = room.platform().db.read().await?;
    store::runs::one(&mut connection, run).await?.ok_or(PlaybooksError::NoRun(run))?;
    let position = match step.parse::<i64>() {
        Ok(position) => position,
        // A step that was reached several times: the last time.
        Err(_) => {
            let reached = store::steps::of(&mut connection, run).await?;
            let last = reached.iter().rev().find(|row| row.step == step);
            last.map_or(0, |row| row.position)
        }
    };
    Ok(effects::of(&mut connection, run, position).await?)
}

async fn take_back(room: &Playbooks, row: EffectRow) -> Result<String, PortError> {
    let found = room.engine.actuators.iter().find(|it| it.name() == row.actuator);
    let actuator = found.ok_or_else(|| {
        PortError::Invalid(format!("the actuator '{}' is no longer here", row.actuator))
    })?;
    let mut command = row.command;
    command.arguments.insert(OUTCOME.to_owned(), row.data);
    let limit = Duration::from_secs(ASK_TIMEOUT_S);
    match tokio::time::timeout(limit, actuator.undo(&command)).await {
        Err(_) => Err(PortError::Unavailable(format!("no answer within {ASK_TIMEOUT_S} s"))),
        Ok(Err(cause)) => Err(cause),
        Ok(Ok(None)) => Err(PortError::Invalid("this command cannot be taken back".into())),
        Ok(Ok(Some(Outcome::Done { summary, .. }))) => Ok(summary),
        Ok(Ok(Some(Outcome::NotEnforced { reason, .. } | Outcome::Failed { reason, .. }))) => {
            Err(PortError::Invalid(reason))
        }
    }
}
