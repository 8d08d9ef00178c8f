//! Standing shares, and how far the store was looked through.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// A standing share as stored; `rule` is JSON.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) id: String,
    pub(crate) made_by: String,
    pub(crate) rule: String,
    pub(crate) recorded_us: i64,
}

pub(crate) async fn insert(sql: &mut AnyConnection, new: &Standing) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO federation_standing (id, made_by, rule, recorded_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(&new.id)
    .bind(&new.made_by)
    .bind(&new.rule)
    .bind(new.recorded_us)
    .execute(sql)
    .await?;
    Ok(())
}

pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Standing>, DbError> {
    let rows = sqlx::query("SELECT * FROM federation_standing ORDER BY id").fetch_all(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                id: row.try_get("id")?,
                made_by: row.try_get("made_by")?,
                rule: row.try_get("rule")?,
                recorded_us: row.try_get("recorded_at")?,
            })
        })
        .collect()
}

/// False when there is none.
pub(crate) async fn remove(sql: &mut AnyConnection, id: &str) -> Result<bool, DbError> {
    let done =
        sqlx::query("DELETE FROM federation_standing WHERE id = $1").bind(id).execute(sql).await?;
    Ok(done.rows_affected() == 1)
}

/// How far the store was looked through: row and its time.
pub(crate) async fn cursor(sql: &mut AnyConnection) -> Result<Option<(i64, i64)>, DbError> {
    let row = sqlx::query("SELECT seq, recorded_at FROM federation_cursor WHERE one = 1")
        .fetch_optional(sql)
        .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

pub(crate) async fn move_cursor(
    sql: &mut AnyConnection,
    seq: i64,
    recorded_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO federation_cursor (one, seq, recorded_at) VALUES (1, $1, $2) \
         ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, recorded_at = excluded.recorded_at",
    )
    .bind(seq)
    .bind(recorded_us)
    .execute(sql)
    .await?;
    Ok(())
}
