//! Runs.

use model::{IncidentId, PlaybookId, RunId, Timestamp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{json, parsed, time, time_option, to_json};
use crate::cacao::variables::Values;
use crate::run::RunState;

/// One execution of a playbook.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub id: RunId,
    pub playbook: PlaybookId,
    pub name: String,
    pub body: String,
    pub state: RunState,
    pub incident: Option<IncidentId>,
    pub trigger: String,
    pub variables: Values,
    /// Steps to go on with when a branch ends, innermost last.
    pub returns: Vec<String>,
    /// Number of the current step, from 1.
    pub position: i64,
    pub not_enforced: i64,
    pub failed: i64,
    pub note: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// Stores a new run; false when one with the same start key exists.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    run: &Run,
    start_key: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO playbooks_runs (id, playbook, name, body, state, incident, trigger_text, \
         start_key, variables, returns, position, not_enforced, failed, note, started_at, ended_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (start_key) DO NOTHING",
    )
    .bind(run.id.to_string())
    .bind(run.playbook.to_string())
    .bind(run.name.clone())
    .bind(run.body.clone())
    .bind(run.state.word())
    .bind(run.incident.map(|incident| incident.to_string()))
    .bind(run.trigger.clone())
    .bind(start_key)
    .bind(to_json(&run.variables, "playbooks_runs.variables")?)
    .bind(to_json(&run.returns, "playbooks_runs.returns")?)
    .bind(run.position)
    .bind(run.not_enforced)
    .bind(run.failed)
    .bind(run.note.clone())
    .bind(run.started_at.as_micros())
    .bind(run.ended_at.map(Timestamp::as_micros))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what moves back.
pub(crate) async fn update(connection: &mut AnyConnection, run: &Run) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE playbooks_runs SET state = $1, variables = $2, returns = $3, position = $4, \
         not_enforced = $5, failed = $6, note = $7, ended_at = $8 WHERE id = $9",
    )
    .bind(run.state.word())
    .bind(to_json(&run.variables, "playbooks_runs.variables")?)
    .bind(to_json(&run.returns, "playbooks_runs.returns")?)
    .bind(run.position)
    .bind(run.not_enforced)
    .bind(run.failed)
    .bind(run.note.clone())
    .bind(run.ended_at.map(Timestamp::as_micros))
    .bind(run.id.to_string())
    .execute(connection)
    .await?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(DbError::corrupt("playbooks_runs", "a run vanished while it went on")),
    }
}

pub(crate) async fn one(connection: &mut AnyConnection, id: RunId) -> Result<Option<Run>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_runs WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Runs, newest first, older than `before` = (started at, id); of one incident if asked.
pub(crate) async fn list(
    connection: &mut AnyConnection,
    incident: Option<IncidentId>,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Run>, DbError> {
    let (at, id) = before.unwrap_or((i64::MAX, String::new()));
    let rows = sqlx::query(
        "SELECT * FROM playbooks_runs WHERE (started_at < $1 OR (started_at = $1 AND id < $2)) \
         AND ($3 = '' OR incident = $3) ORDER BY started_at DESC, id DESC LIMIT $4",
    )
    .bind(at)
    .bind(id)
    .bind(incident.map(|incident| incident.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// How many runs are under way, and how many of those wait for a person.
pub(crate) async fn open(connection: &mut AnyConnection) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*), COUNT(CASE WHEN state = 'waiting' THEN 1 END) FROM playbooks_runs \
         WHERE state IN ('running', 'waiting')",
    )
    .fetch_one(connection)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn read(row: &AnyRow) -> Result<Run, DbError> {
    let state: String = row.try_get("state")?;
    let incident: Option<String> = row.try_get("incident")?;
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(Run {
        id: parsed(row, "id", "playbooks_runs.id")?,
        playbook: parsed(row, "playbook", "playbooks_runs.playbook")?,
        name: text("name")?,
        body: text("body")?,
        state: RunState::from_word(&state)
            .ok_or_else(|| DbError::corrupt("playbooks_runs.state", &state))?,
        incident: incident
            .map(|id| {
                id.parse().map_err(|cause| DbError::corrupt("playbooks_runs.incident", cause))
            })
            .transpose()?,
        trigger: text("trigger_text")?,
        variables: json(&text("variables")?, "playbooks_runs.variables")?,
        returns: json(&text("returns")?, "playbooks_runs.returns")?,
        position: row.try_get("position")?,
        not_enforced: row.try_get("not_enforced")?,
        failed: row.try_get("failed")?,
        note: row.try_get("note")?,
        started_at: time(row, "started_at")?,
        ended_at: time_option(row, "ended_at")?,
    })
}
