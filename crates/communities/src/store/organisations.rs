//! What is noted of organisations.

use std::collections::HashMap;

use model::NodeId;
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::parsed;

/// What is noted of one organisation; empty texts are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Where it differs from what the exchange of certificates says.
    pub(crate) kind: Option<String>,
    pub(crate) sector: String,
    pub(crate) country: String,
    pub(crate) note: String,
}

pub(crate) async fn all(sql: &mut AnyConnection) -> Result<HashMap<NodeId, Noted>, DbError> {
    let rows = sqlx::query("SELECT * FROM communities_organisations").fetch_all(sql).await?;
    rows.iter()
        .map(|row| Ok((parsed(row, "node", "communities_organisations.node")?, noted(row)?)))
        .collect()
}

pub(crate) async fn get(sql: &mut AnyConnection, node: NodeId) -> Result<Noted, DbError> {
    let row = sqlx::query("SELECT * FROM communities_organisations WHERE node = $1")
        .bind(node.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map_or_else(|| Ok(Noted::default()), noted)
}

pub(crate) async fn put(
    sql: &mut AnyConnection,
    node: NodeId,
    noted: &Noted,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO communities_organisations (node, kind, sector, country, note, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (node) DO UPDATE SET kind = excluded.kind, \
         sector = excluded.sector, country = excluded.country, note = excluded.note, \
         updated_at = excluded.updated_at",
    )
    .bind(node.to_string())
    .bind(&noted.kind)
    .bind(&noted.sector)
    .bind(&noted.country)
    .bind(&noted.note)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

fn noted(row: &AnyRow) -> Result<Noted, DbError> {
    Ok(Noted {
        kind: row.try_get("kind")?,
        sector: row.try_get("sector")?,
        country: row.try_get("country")?,
        note: row.try_get("note")?,
    })
}
