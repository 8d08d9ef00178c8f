//! What is noted of organisations.

use std::collections::HashMap;

use model::{NodeId, OrganisationId};
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

/// An organisation without a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nodeless {
    pub(crate) id: OrganisationId,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) sector: String,
    pub(crate) country: String,
    pub(crate) note: String,
}

/// Organisations without a node, by name.
pub(crate) async fn nodeless(sql: &mut AnyConnection) -> Result<Vec<Nodeless>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM communities_nodeless ORDER BY name, id").fetch_all(sql).await?;
    rows.iter().map(read_nodeless).collect()
}

/// One of them.
pub(crate) async fn get_nodeless(
    sql: &mut AnyConnection,
    id: OrganisationId,
) -> Result<Option<Nodeless>, DbError> {
    let row = sqlx::query("SELECT * FROM communities_nodeless WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(read_nodeless).transpose()
}

/// Adds one, or changes what is known of it; false when another one has the name.
pub(crate) async fn put_nodeless(
    sql: &mut AnyConnection,
    it: &Nodeless,
    now_us: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO communities_nodeless (id, name, kind, sector, country, note, recorded_at, updated_at) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $7 WHERE NOT EXISTS \
         (SELECT 1 FROM communities_nodeless WHERE name = $2 AND id <> $1) ON CONFLICT (id) DO UPDATE SET \
         kind = excluded.kind, sector = excluded.sector, country = excluded.country, note = excluded.note, \
         updated_at = excluded.updated_at",
    )
    .bind(it.id.to_string())
    .bind(&it.name)
    .bind(&it.kind)
    .bind(&it.sector)
    .bind(&it.country)
    .bind(&it.note)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets one; false when it is not there.
pub(crate) async fn remove_nodeless(
    sql: &mut AnyConnection,
    id: OrganisationId,
) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM communities_nodeless WHERE id = $1")
        .bind(id.to_string())
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read_nodeless(row: &AnyRow) -> Result<Nodeless, DbError> {
    Ok(Nodeless {
        id: parsed(row, "id", "communities_nodeless.id")?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        sector: row.try_get("sector")?,
        country: row.try_get("country")?,
        note: row.try_get("note")?,
    })
}
