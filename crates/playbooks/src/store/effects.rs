//! Commands that can be taken back.

use model::{RunId, Timestamp};
use platform::db::DbError;
use ports::ActuatorCommand;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{json, parsed, to_json};

/// What is known of a command that can be taken back.
#[derive(Clone, Debug)]
pub(crate) struct EffectRow {
    pub command: ActuatorCommand,
    pub actuator: String,
    /// `asked`, `there`, `failed`, `undone`.
    pub state: String,
    pub summary: String,
    /// Data of the outcome.
    pub data: Value,
    pub undone_by: Option<String>,
}

/// Writes that a command is about to be asked; one that is known stays as it is.
pub(crate) async fn asked(
    connection: &mut AnyConnection,
    actuator: &str,
    command: &ActuatorCommand,
    position: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_effects (key, run, position, actuator, verb, arguments, incident, \
         state, summary, data, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'asked', '', 'null', $8) ON CONFLICT (key) DO NOTHING",
    )
    .bind(command.key.clone())
    .bind(command.run.to_string())
    .bind(position)
    .bind(actuator.to_owned())
    .bind(command.verb.clone())
    .bind(to_json(&command.arguments, "playbooks_effects.arguments")?)
    .bind(command.incident.map(|incident| incident.to_string()))
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what came of a command, or of taking it back.
pub(crate) async fn settle(
    connection: &mut AnyConnection,
    key: &str,
    state: &str,
    summary: &str,
    data: Option<&Value>,
    undone_by: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE playbooks_effects SET state = $1, summary = $2, data = COALESCE($3, data), \
         undone_by = $4 WHERE key = $5 AND state <> 'undone'",
    )
    .bind(state.to_owned())
    .bind(summary.to_owned())
    .bind(data.map(Value::to_string))
    .bind(undone_by.map(str::to_owned))
    .bind(key.to_owned())
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of one step, in the order of its commands.
pub(crate) async fn of(
    connection: &mut AnyConnection,
    run: RunId,
    position: i64,
) -> Result<Vec<EffectRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM playbooks_effects WHERE run = $1 AND position = $2 \
         ORDER BY recorded_at, key",
    )
    .bind(run.to_string())
    .bind(position)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Takes away what is older and whose run has ended, at most `limit` rows; gives how many.
pub(crate) async fn forget(
    connection: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<u64, DbError> {
    let done = sqlx::query(
        "DELETE FROM playbooks_effects WHERE key IN (SELECT key FROM playbooks_effects e \
         WHERE e.recorded_at < $1 AND NOT EXISTS (SELECT 1 FROM playbooks_runs r \
         WHERE r.id = e.run AND r.ended_at IS NULL) ORDER BY e.recorded_at LIMIT $2)",
    )
    .bind(before.as_micros())
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

fn read(row: &AnyRow) -> Result<EffectRow, DbError> {
    let incident: Option<String> = row.try_get("incident")?;
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(EffectRow {
        command: ActuatorCommand {
            key: text("key")?,
            verb: text("verb")?,
            arguments: json(&text("arguments")?, "playbooks_effects.arguments")?,
            run: parsed(row, "run", "playbooks_effects.run")?,
            incident: incident
                .map(|id| {
                    id.parse().map_err(|it| DbError::corrupt("playbooks_effects.incident", it))
                })
                .transpose()?,
        },
        actuator: text("actuator")?,
        state: text("state")?,
        summary: text("summary")?,
        data: json(&text("data")?, "playbooks_effects.data")?,
        undone_by: row.try_get("undone_by")?,
    })
}
