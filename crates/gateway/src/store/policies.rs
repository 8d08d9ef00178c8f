//! Policies as set, and whether the gateway took them.

use std::net::IpAddr;

use model::Timestamp;
use platform::db::DbError;
use ports::edge::{FailMode, Mode};
use sqlx::{AnyConnection, Row};

use super::{signed, unsigned};

/// The policy of one gateway.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PolicyRow {
    pub(crate) version: u64,
    pub(crate) mode: Mode,
    pub(crate) fail: FailMode,
    pub(crate) protect: Vec<IpAddr>,
    /// The version that the gateway said holds.
    pub(crate) taken: Option<u64>,
    /// Why the newest could not be put into effect.
    pub(crate) problem: Option<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistoryRow {
    pub(crate) version: u64,
    pub(crate) set_by: String,
    pub(crate) set_at: Timestamp,
    pub(crate) change: String,
}

fn corrupt(cause: serde_json::Error) -> DbError {
    DbError::corrupt("gateway_policies", cause)
}

/// The policy of a gateway; the one of a new gateway when none was set.
pub(crate) async fn policy(
    connection: &mut AnyConnection,
    edge: &str,
) -> Result<PolicyRow, DbError> {
    let row = sqlx::query("SELECT * FROM gateway_policies WHERE edge = $1")
        .bind(edge)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(PolicyRow::default()) };
    let text = |name: &str| row.try_get::<String, _>(name);
    Ok(PolicyRow {
        version: unsigned(row.try_get("version")?),
        mode: serde_json::from_str(&text("mode")?).map_err(corrupt)?,
        fail: serde_json::from_str(&text("fail")?).map_err(corrupt)?,
        protect: serde_json::from_str(&text("protect")?).map_err(corrupt)?,
        taken: row.try_get::<Option<i64>, _>("taken_version")?.map(unsigned),
        problem: row.try_get("problem")?,
    })
}

/// Writes a policy with its next version, and the change in words; gives the version.
pub(crate) async fn set_policy(
    connection: &mut AnyConnection,
    edge: &str,
    policy: &PolicyRow,
    change: &HistoryRow,
) -> Result<(), DbError> {
    let json = |value: Result<String, serde_json::Error>| value.map_err(corrupt);
    sqlx::query(
        "INSERT INTO gateway_policies (edge, version, mode, fail, protect) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (edge) DO UPDATE SET version = excluded.version, mode = excluded.mode, fail = excluded.fail, \
         protect = excluded.protect, problem = NULL",
    )
    .bind(edge)
    .bind(signed(policy.version))
    .bind(json(serde_json::to_string(&policy.mode))?)
    .bind(json(serde_json::to_string(&policy.fail))?)
    .bind(json(serde_json::to_string(&policy.protect))?)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO gateway_policy_history (edge, version, set_by, set_at, change) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(edge)
    .bind(signed(change.version))
    .bind(&change.set_by)
    .bind(change.set_at.as_micros())
    .bind(&change.change)
    .execute(connection)
    .await?;
    Ok(())
}

/// What the gateway said of a version.
pub(crate) async fn note_taken(
    connection: &mut AnyConnection,
    edge: &str,
    version: u64,
    problem: Option<&str>,
) -> Result<(), DbError> {
    let taken = problem.is_none().then(|| signed(version));
    sqlx::query(
        "UPDATE gateway_policies SET taken_version = COALESCE($1, taken_version), problem = $2 \
         WHERE edge = $3 AND version = $4",
    )
    .bind(taken)
    .bind(problem)
    .bind(edge)
    .bind(signed(version))
    .execute(connection)
    .await?;
    Ok(())
}

/// Changes, newest first.
pub(crate) async fn history(
    connection: &mut AnyConnection,
    edge: &str,
    limit: i64,
) -> Result<Vec<HistoryRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM gateway_policy_history WHERE edge = $1 ORDER BY version DESC LIMIT $2",
    )
    .bind(edge)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(HistoryRow {
                version: unsigned(row.try_get("version")?),
                set_by: row.try_get("set_by")?,
                set_at: Timestamp::from_micros(row.try_get("set_at")?),
                change: row.try_get("change")?,
            })
        })
        .collect()
}
