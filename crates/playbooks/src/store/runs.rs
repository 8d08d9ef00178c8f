//! Runs.

use model::{IncidentId, PlaybookId, RunId, Timestamp, Tlp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{id_option, json, json_option, parsed, time, time_option, to_json};
use crate::automation::rank::History;
use crate::cacao::variables::Values;
use crate::engine::Tree;
use crate::run::RunState;

/// One execution of a playbook.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub id: RunId,
    pub playbook: PlaybookId,
    pub name: String,
    /// What it executes; none for runs begun by an earlier version, which carry `body`.
    pub book: Option<String>,
    pub body: String,
    pub state: RunState,
    pub incident: Option<IncidentId>,
    /// The label of an incident of others; who does not see that far sees nothing of the run.
    pub tlp: Option<Tlp>,
    pub trigger: String,
    /// The run's own variables; those of branches and of playbooks called are in the tree.
    pub variables: Values,
    pub tree: Tree,
    /// Number of the newest step, from 1.
    pub position: i64,
    pub not_enforced: i64,
    pub failed: i64,
    pub note: Option<String>,
    /// Nothing outside is touched.
    pub rehearsal: bool,
    /// Nobody started it.
    pub by_itself: bool,
    pub retry_of: Option<RunId>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub paused_at: Option<Timestamp>,
    pub deadline_at: Option<Timestamp>,
    /// When it has to be looked at.
    pub wake_at: Option<Timestamp>,
    /// Grows with every transition.
    pub version: i64,
}

/// Stores a new run; false when one with the same start key exists.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    run: &Run,
    start_key: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO playbooks_runs (id, playbook, name, body, state, incident, trigger_text, \
         start_key, variables, returns, position, not_enforced, failed, note, started_at, book, \
         tree, rehearsal, retry_of, deadline_at, wake_at, tlp, by_itself) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
         $9, '[]', $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
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
    .bind(run.position)
    .bind(run.not_enforced)
    .bind(run.failed)
    .bind(run.note.clone())
    .bind(run.started_at.as_micros())
    .bind(run.book.clone())
    .bind(to_json(&run.tree, "playbooks_runs.tree")?)
    .bind(i64::from(run.rehearsal))
    .bind(run.retry_of.map(|run| run.to_string()))
    .bind(run.deadline_at.map(Timestamp::as_micros))
    .bind(run.wake_at.map(Timestamp::as_micros))
    .bind(run.tlp.map(Tlp::label))
    .bind(i64::from(run.by_itself))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what moves back, if the run is still in the version it was computed from.
pub(crate) async fn update(connection: &mut AnyConnection, run: &Run) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE playbooks_runs SET state = $1, variables = $2, tree = $3, position = $4, \
         not_enforced = $5, failed = $6, note = $7, ended_at = $8, paused_at = $9, wake_at = $10, \
         deadline_at = $11, version = version + 1 WHERE id = $12 AND version = $13",
    )
    .bind(run.state.word())
    .bind(to_json(&run.variables, "playbooks_runs.variables")?)
    .bind(to_json(&run.tree, "playbooks_runs.tree")?)
    .bind(run.position)
    .bind(run.not_enforced)
    .bind(run.failed)
    .bind(run.note.clone())
    .bind(run.ended_at.map(Timestamp::as_micros))
    .bind(run.paused_at.map(Timestamp::as_micros))
    .bind(run.wake_at.map(Timestamp::as_micros))
    .bind(run.deadline_at.map(Timestamp::as_micros))
    .bind(run.id.to_string())
    .bind(run.version)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Runs under way that nobody started by hand.
pub(crate) async fn open_by_themselves(
    connection: &mut AnyConnection,
) -> Result<Vec<RunId>, DbError> {
    let rows = sqlx::query(
        "SELECT id FROM playbooks_runs WHERE ended_at IS NULL AND paused_at IS NULL AND rehearsal = 0 \
         AND by_itself = 1",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| parsed(row, "id", "playbooks_runs.id")).collect()
}

/// The run with this start key.
pub(crate) async fn by_key(
    connection: &mut AnyConnection,
    start_key: &str,
) -> Result<Option<RunId>, DbError> {
    let row = sqlx::query("SELECT id FROM playbooks_runs WHERE start_key = $1")
        .bind(start_key)
        .fetch_optional(connection)
        .await?;
    row.map(|row| parsed(&row, "id", "playbooks_runs.id")).transpose()
}

/// How the runs of a playbook ended here, rehearsals aside.
pub(crate) async fn history(
    connection: &mut AnyConnection,
    playbook: PlaybookId,
) -> Result<History, DbError> {
    let rows = sqlx::query(
        "SELECT state, COUNT(*) AS runs FROM playbooks_runs WHERE playbook = $1 AND rehearsal = 0 \
         AND state IN ('succeeded', 'failed') GROUP BY state",
    )
    .bind(playbook.to_string())
    .fetch_all(connection)
    .await?;
    let mut history = History::default();
    for row in rows {
        let runs = u32::try_from(row.try_get::<i64, _>("runs")?).unwrap_or(u32::MAX);
        match row.try_get::<String, _>("state")?.as_str() {
            "succeeded" => history.succeeded = runs,
            _ => history.failed = runs,
        }
    }
    Ok(history)
}

pub(crate) async fn one(connection: &mut AnyConnection, id: RunId) -> Result<Option<Run>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_runs WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Runs to be looked at by `now`, the longest due first.
pub(crate) async fn due(
    connection: &mut AnyConnection,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<RunId>, DbError> {
    let rows = sqlx::query(
        "SELECT id FROM playbooks_runs WHERE wake_at IS NOT NULL AND wake_at <= $1 \
         ORDER BY wake_at LIMIT $2",
    )
    .bind(now.as_micros())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| parsed(row, "id", "playbooks_runs.id")).collect()
}

/// When the next run after `now` has to be looked at.
pub(crate) async fn next_wake(
    connection: &mut AnyConnection,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let row = sqlx::query(
        "SELECT MIN(wake_at) AS next FROM playbooks_runs WHERE wake_at IS NOT NULL AND wake_at > $1",
    )
    .bind(now.as_micros())
    .fetch_one(connection)
    .await?;
    time_option(&row, "next")
}

/// Which runs a list shows; by default all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Which {
    pub incident: Option<IncidentId>,
    pub state: Option<RunState>,
    /// Labels beyond the reader's sight.
    pub beyond: Vec<Tlp>,
}

/// Runs, newest first, older than `before` = (started at, id).
pub(crate) async fn list(
    connection: &mut AnyConnection,
    which: &Which,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Run>, DbError> {
    let (at, id) = before.unwrap_or((i64::MAX, String::new()));
    let hidden = super::without(&which.beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT * FROM playbooks_runs WHERE (started_at < $1 OR (started_at = $1 AND id < $2)) \
         AND ($3 = '' OR incident = $3) AND ($4 = '' OR state = $4) {hidden}\
         ORDER BY started_at DESC, id DESC LIMIT $5",
    )))
    .bind(at)
    .bind(id)
    .bind(which.incident.map(|incident| incident.to_string()).unwrap_or_default())
    .bind(which.state.map_or("", RunState::word))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Runs that wait for a person, the longest waiting first.
pub(crate) async fn waiting(
    connection: &mut AnyConnection,
    beyond: &[Tlp],
    limit: i64,
) -> Result<Vec<Run>, DbError> {
    let hidden = super::without(beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT * FROM playbooks_runs WHERE state = 'waiting' {hidden}ORDER BY started_at LIMIT $1",
    )))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// How many runs are under way, and how many of those wait for a person.
pub(crate) async fn open(connection: &mut AnyConnection) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*), COUNT(CASE WHEN state = 'waiting' THEN 1 END) FROM playbooks_runs \
         WHERE state IN ('running', 'waiting', 'paused')",
    )
    .fetch_one(connection)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn read(row: &AnyRow) -> Result<Run, DbError> {
    let state: String = row.try_get("state")?;
    let text = |column: &str| row.try_get::<String, _>(column);
    let state = RunState::from_word(&state)
        .ok_or_else(|| DbError::corrupt("playbooks_runs.state", &state))?;
    let position = row.try_get("position")?;
    let tree = match json_option(row, "tree", "playbooks_runs.tree")? {
        Some(tree) => tree,
        None if state.is_open() => {
            let returns: Vec<String> = json(&text("returns")?, "playbooks_runs.returns")?;
            Tree::from_position(position, &returns)
        }
        None => Tree::default(),
    };
    let rehearsal: i64 = row.try_get("rehearsal")?;
    Ok(Run {
        id: parsed(row, "id", "playbooks_runs.id")?,
        playbook: parsed(row, "playbook", "playbooks_runs.playbook")?,
        name: text("name")?,
        book: row.try_get("book")?,
        body: text("body")?,
        state,
        incident: id_option(row, "incident", "playbooks_runs.incident")?,
        tlp: super::label(row)?,
        trigger: text("trigger_text")?,
        variables: json(&text("variables")?, "playbooks_runs.variables")?,
        tree,
        position,
        not_enforced: row.try_get("not_enforced")?,
        failed: row.try_get("failed")?,
        note: row.try_get("note")?,
        rehearsal: rehearsal != 0,
        by_itself: row.try_get::<i64, _>("by_itself")? != 0,
        retry_of: id_option(row, "retry_of", "playbooks_runs.retry_of")?,
        started_at: time(row, "started_at")?,
        ended_at: time_option(row, "ended_at")?,
        paused_at: time_option(row, "paused_at")?,
        deadline_at: time_option(row, "deadline_at")?,
        wake_at: time_option(row, "wake_at")?,
        version: row.try_get("version")?,
    })
}
