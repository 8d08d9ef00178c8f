//! Steps of runs, in the order they were reached.

use model::{Outcome, RunId, Timestamp};
use platform::db::DbError;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{json, json_option, time_option, to_json};
use crate::run::StepState;

/// One step of a run.
#[derive(Clone, Debug)]
pub(crate) struct StepRow {
    pub run: RunId,
    pub position: i64,
    /// The CACAO id.
    pub step: String,
    pub name: String,
    pub kind: String,
    pub actuator: Option<String>,
    pub verb: Option<String>,
    /// Arguments of the command being carried out, secrets left out.
    pub arguments: Option<Value>,
    pub state: StepState,
    /// Which command is being carried out, from 0.
    pub command: i64,
    /// Outcomes of the commands before.
    pub outcomes: Vec<Outcome>,
    /// The step's outcome, once it has one.
    pub outcome: Option<Outcome>,
    pub due_at: Option<Timestamp>,
    pub deadline_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub attempts: i64,
}

pub(crate) async fn insert(connection: &mut AnyConnection, it: &StepRow) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_steps (run, position, step, name, type, actuator, verb, arguments, \
         state, command, outcomes, outcome, due_at, deadline_at, started_at, ended_at, attempts) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(it.run.to_string())
    .bind(it.position)
    .bind(it.step.clone())
    .bind(it.name.clone())
    .bind(it.kind.clone())
    .bind(it.actuator.clone())
    .bind(it.verb.clone())
    .bind(it.arguments.as_ref().map(Value::to_string))
    .bind(it.state.word())
    .bind(it.command)
    .bind(to_json(&it.outcomes, "playbooks_steps.outcomes")?)
    .bind(it.outcome.as_ref().map(|o| to_json(o, "playbooks_steps.outcome")).transpose()?)
    .bind(it.due_at.map(Timestamp::as_micros))
    .bind(it.deadline_at.map(Timestamp::as_micros))
    .bind(it.started_at.map(Timestamp::as_micros))
    .bind(it.ended_at.map(Timestamp::as_micros))
    .bind(it.attempts)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn update(connection: &mut AnyConnection, it: &StepRow) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE playbooks_steps SET actuator = $1, verb = $2, arguments = $3, state = $4, \
         command = $5, outcomes = $6, outcome = $7, deadline_at = $8, started_at = $9, \
         ended_at = $10, attempts = $11 WHERE run = $12 AND position = $13",
    )
    .bind(it.actuator.clone())
    .bind(it.verb.clone())
    .bind(it.arguments.as_ref().map(Value::to_string))
    .bind(it.state.word())
    .bind(it.command)
    .bind(to_json(&it.outcomes, "playbooks_steps.outcomes")?)
    .bind(it.outcome.as_ref().map(|o| to_json(o, "playbooks_steps.outcome")).transpose()?)
    .bind(it.deadline_at.map(Timestamp::as_micros))
    .bind(it.started_at.map(Timestamp::as_micros))
    .bind(it.ended_at.map(Timestamp::as_micros))
    .bind(it.attempts)
    .bind(it.run.to_string())
    .bind(it.position)
    .execute(connection)
    .await?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(DbError::corrupt("playbooks_steps", "a step vanished while it went on")),
    }
}

pub(crate) async fn one(
    connection: &mut AnyConnection,
    run: RunId,
    position: i64,
) -> Result<Option<StepRow>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_steps WHERE run = $1 AND position = $2")
        .bind(run.to_string())
        .bind(position)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// All steps reached, in order.
pub(crate) async fn of(
    connection: &mut AnyConnection,
    run: RunId,
) -> Result<Vec<StepRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM playbooks_steps WHERE run = $1 ORDER BY position")
        .bind(run.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<StepRow, DbError> {
    let state: String = row.try_get("state")?;
    Ok(StepRow {
        run: super::parsed(row, "run", "playbooks_steps.run")?,
        position: row.try_get("position")?,
        step: row.try_get("step")?,
        name: row.try_get("name")?,
        kind: row.try_get("type")?,
        actuator: row.try_get("actuator")?,
        verb: row.try_get("verb")?,
        arguments: json_option(row, "arguments", "playbooks_steps.arguments")?,
        state: StepState::from_word(&state)
            .ok_or_else(|| DbError::corrupt("playbooks_steps.state", &state))?,
        command: row.try_get("command")?,
        outcomes: json(&row.try_get::<String, _>("outcomes")?, "playbooks_steps.outcomes")?,
        outcome: json_option(row, "outcome", "playbooks_steps.outcome")?,
        due_at: time_option(row, "due_at")?,
        deadline_at: time_option(row, "deadline_at")?,
        started_at: time_option(row, "started_at")?,
        ended_at: time_option(row, "ended_at")?,
        attempts: row.try_get("attempts")?,
    })
}
