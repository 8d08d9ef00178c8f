//! Commands that count against limits.

use model::Timestamp;
use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use crate::automation::MAX_LIMIT_WINDOW_S;

/// Whether this command has been counted before.
pub(crate) async fn counted(
    connection: &mut AnyConnection,
    key: &str,
    limit: &str,
) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM playbooks_counts WHERE key = $1 AND limit_name = $2")
        .bind(key)
        .bind(limit)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Commands counted since a time.
pub(crate) async fn count(
    connection: &mut AnyConnection,
    limit: &str,
    since: Timestamp,
) -> Result<i64, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS done FROM playbooks_counts WHERE limit_name = $1 AND at > $2",
    )
    .bind(limit)
    .bind(since.as_micros())
    .fetch_one(connection)
    .await?;
    Ok(row.try_get("done")?)
}

/// Counts a command, once per key; forgets what no window reaches any more.
pub(crate) async fn note(
    connection: &mut AnyConnection,
    key: &str,
    limit: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_counts (key, limit_name, at) VALUES ($1, $2, $3) \
         ON CONFLICT (key, limit_name) DO NOTHING",
    )
    .bind(key)
    .bind(limit)
    .bind(now.as_micros())
    .execute(&mut *connection)
    .await?;
    let forget = now.plus_secs(-i64::from(MAX_LIMIT_WINDOW_S) - 86_400);
    sqlx::query("DELETE FROM playbooks_counts WHERE limit_name = $1 AND at < $2")
        .bind(limit)
        .bind(forget.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}
