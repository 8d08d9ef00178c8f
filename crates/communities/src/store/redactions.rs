//! Rules for changes on the way out.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use crate::redact::Rule;

/// All, in the order in which they are applied.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Rule>, DbError> {
    let rows = sqlx::query("SELECT body FROM communities_redactions ORDER BY place, id")
        .fetch_all(sql)
        .await?;
    rows.iter()
        .map(|row| {
            let body: String = row.try_get(0)?;
            serde_json::from_str(&body)
                .map_err(|cause| DbError::corrupt("communities_redactions.body", cause))
        })
        .collect()
}

/// Adds a rule or changes it.
pub(crate) async fn put(sql: &mut AnyConnection, rule: &Rule, now_us: i64) -> Result<(), DbError> {
    let body = serde_json::to_string(rule)
        .map_err(|cause| DbError::corrupt("communities_redactions.body", cause))?;
    sqlx::query(
        "INSERT INTO communities_redactions (id, place, body, updated_at) \
         SELECT $1, COALESCE(MAX(place), 0) + 1, $2, $3 FROM communities_redactions WHERE true \
         ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
    )
    .bind(&rule.id)
    .bind(body)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Takes a rule away; false when there is none.
pub(crate) async fn remove(sql: &mut AnyConnection, id: &str) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM communities_redactions WHERE id = $1")
        .bind(id)
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}
