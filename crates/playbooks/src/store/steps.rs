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
    /// Written before a command is asked that must not be asked twice.
    pub asked: bool,
    /// The step it is inside of.
    pub parent: Option<i64>,
    /// The playbook called that it belongs to (CACAO id).
    pub playbook: Option<String>,
}

/// Columns in the order in which [`put`] binds them.
const COLUMNS: [&str; 20] = [
    "run",
    "position",
    "step",
    "name",
    "type",
    "actuator",
    "verb",
    "arguments",
    "state",
    "command",
    "outcomes",
    "outcome",
    "due_at",
    "deadline_at",
    "started_at",
    "ended_at",
    "attempts",
    "asked",
    "parent",
    "playbook",
];
/// Columns that never change once the step is reached.
const FIXED: usize = 5;
/// Rows of one statement.
const MAX_ROWS_PER_STATEMENT: usize = 8;

/// Writes rows, new ones and changed ones.
pub(crate) async fn put(connection: &mut AnyConnection, rows: &[&StepRow]) -> Result<(), DbError> {
    for some in rows.chunks(MAX_ROWS_PER_STATEMENT) {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement(some.len())));
        for it in some {
            query = query
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
                .bind(
                    it.outcome
                        .as_ref()
                        .map(|o| to_json(o, "playbooks_steps.outcome"))
                        .transpose()?,
                )
                .bind(it.due_at.map(Timestamp::as_micros))
                .bind(it.deadline_at.map(Timestamp::as_micros))
                .bind(it.started_at.map(Timestamp::as_micros))
                .bind(it.ended_at.map(Timestamp::as_micros))
                .bind(it.attempts)
                .bind(i64::from(it.asked))
                .bind(it.parent)
                .bind(it.playbook.clone());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// An upsert of `rows` rows; one text per number of rows, so that it is prepared once.
fn statement(rows: usize) -> String {
    let width = COLUMNS.len();
    let places: Vec<String> = (0..rows)
        .map(|row| {
            let names: Vec<String> =
                (1..=width).map(|at| format!("${}", row * width + at)).collect();
            format!("({})", names.join(", "))
        })
        .collect();
    let changes: Vec<String> =
        COLUMNS.iter().skip(FIXED).map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "INSERT INTO playbooks_steps ({}) VALUES {} ON CONFLICT (run, position) DO UPDATE SET {}",
        COLUMNS.join(", "),
        places.join(", "),
        changes.join(", ")
    )
}

/// Steps that have not ended.
pub(crate) async fn open(
    connection: &mut AnyConnection,
    run: RunId,
) -> Result<Vec<StepRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM playbooks_steps WHERE run = $1 AND ended_at IS NULL ORDER BY position",
    )
    .bind(run.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
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
    let asked: i64 = row.try_get("asked")?;
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
        asked: asked != 0,
        parent: row.try_get("parent")?,
        playbook: row.try_get("playbook")?,
    })
}
