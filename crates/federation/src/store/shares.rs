//! Shares: decisions to hand objects on.

use model::ShareId;
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::parsed;

/// A share as stored.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) id: ShareId,
    pub(crate) kind: String,
    pub(crate) made_by: String,
    pub(crate) note: String,
    pub(crate) salt: String,
    pub(crate) recorded_us: i64,
}

fn share(row: &AnyRow) -> Result<Share, DbError> {
    let id: String = row.try_get("id")?;
    Ok(Share {
        id: parsed(&id, "federation_shares.id")?,
        kind: row.try_get("kind")?,
        made_by: row.try_get("made_by")?,
        note: row.try_get("note")?,
        salt: row.try_get("salt")?,
        recorded_us: row.try_get("recorded_at")?,
    })
}

pub(crate) async fn insert(sql: &mut AnyConnection, new: &Share) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO federation_shares (id, kind, made_by, note, salt, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(new.id.to_string())
    .bind(&new.kind)
    .bind(&new.made_by)
    .bind(&new.note)
    .bind(&new.salt)
    .bind(new.recorded_us)
    .execute(sql)
    .await?;
    Ok(())
}

pub(crate) async fn get(sql: &mut AnyConnection, id: ShareId) -> Result<Option<Share>, DbError> {
    let row = sqlx::query("SELECT * FROM federation_shares WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(share).transpose()
}

/// Shares before an id, the newest first.
pub(crate) async fn before(
    sql: &mut AnyConnection,
    before: &str,
    limit: i64,
) -> Result<Vec<Share>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM federation_shares WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(share).collect()
}
