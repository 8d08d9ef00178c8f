//! TAXII status resources.

use platform::db::DbError;
use serde_json::Value;
use sqlx::{AnyConnection, Row};

/// Status resources kept; older ones go.
pub(crate) const MAX_STATUSES: i64 = 10_000;

/// Stores a status and lets the oldest go.
pub(crate) async fn put(
    sql: &mut AnyConnection,
    id: &str,
    caller: &str,
    collection: &str,
    body: &Value,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO cti_statuses (id, caller, collection, body, recorded_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(caller)
    .bind(collection)
    .bind(body.to_string())
    .bind(now_us)
    .execute(&mut *sql)
    .await?;
    sqlx::query(
        "DELETE FROM cti_statuses WHERE recorded_at < \
         (SELECT MIN(recorded_at) FROM (SELECT recorded_at FROM cti_statuses \
          ORDER BY recorded_at DESC LIMIT $1) newest)",
    )
    .bind(MAX_STATUSES)
    .execute(sql)
    .await?;
    Ok(())
}

/// A status with the caller who may see it.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    id: &str,
) -> Result<Option<(String, Value)>, DbError> {
    let row = sqlx::query("SELECT caller, body FROM cti_statuses WHERE id = $1")
        .bind(id)
        .fetch_optional(sql)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let body: String = row.try_get("body")?;
    Ok(Some((row.try_get("caller")?, super::json(&body, "cti_statuses.body")?)))
}
