//! Organisations and sharing groups.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, stored};
use crate::fields::Fields;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Org {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) name: String,
}

/// The number of an organisation, added where it is new; its first name stays.
pub(crate) async fn ensure_org(
    sql: &mut AnyConnection,
    uuid: &str,
    name: &str,
) -> Result<i64, DbError> {
    sqlx::query(
        "INSERT INTO misphub_orgs (uuid, name) VALUES ($1, $2) ON CONFLICT (uuid) DO NOTHING",
    )
    .bind(uuid)
    .bind(name)
    .execute(&mut *sql)
    .await?;
    let row = sqlx::query("SELECT id FROM misphub_orgs WHERE uuid = $1")
        .bind(uuid)
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

/// All organisations, by number.
pub(crate) async fn orgs(sql: &mut AnyConnection) -> Result<Vec<Org>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM misphub_orgs ORDER BY id LIMIT 10000").fetch_all(sql).await?;
    rows.iter().map(org).collect()
}

/// Organisations in sight, by number: this node's own, unused ones, and those of an event or a sighting in sight.
pub(crate) async fn orgs_in_sight(
    sql: &mut AnyConnection,
    own: &str,
    most: i64,
) -> Result<Vec<Org>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM misphub_orgs g WHERE (NOT EXISTS (SELECT 1 FROM misphub_events e WHERE e.orgc = g.id) \
         AND NOT EXISTS (SELECT 1 FROM misphub_sightings s WHERE s.org = g.id)) \
         OR EXISTS (SELECT 1 FROM misphub_events e WHERE e.orgc = g.id AND e.tlp <= $1) \
         OR EXISTS (SELECT 1 FROM misphub_sightings s JOIN misphub_events e ON e.id = s.event \
         WHERE s.org = g.id AND e.tlp <= $1) OR g.uuid = $2 ORDER BY g.id LIMIT 10000",
    )
    .bind(most)
    .bind(own)
    .fetch_all(sql)
    .await?;
    rows.iter().map(org).collect()
}

fn org(row: &AnyRow) -> Result<Org, DbError> {
    Ok(Org { id: row.try_get("id")?, uuid: row.try_get("uuid")?, name: row.try_get("name")? })
}

/// A sharing group as it came, with its number.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) body: Fields,
}

/// Adds a sharing group, or writes it anew; its number. `None` when another has its name.
pub(crate) async fn put_group(
    sql: &mut AnyConnection,
    group: &Group,
) -> Result<Option<i64>, DbError> {
    let taken = sqlx::query("SELECT id FROM misphub_groups WHERE name = $1 AND uuid <> $2")
        .bind(&group.name)
        .bind(&group.uuid)
        .fetch_optional(&mut *sql)
        .await?;
    if taken.is_some() {
        return Ok(None);
    }
    let row = sqlx::query(
        "INSERT INTO misphub_groups (uuid, name, body) VALUES ($1, $2, $3) \
         ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, body = excluded.body RETURNING id",
    )
    .bind(&group.uuid)
    .bind(&group.name)
    .bind(stored(&group.body))
    .fetch_one(sql)
    .await?;
    Ok(Some(row.try_get(0)?))
}

/// Whether there is a sharing group with this UUID.
pub(crate) async fn has_group(sql: &mut AnyConnection, uuid: &str) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM misphub_groups WHERE uuid = $1").bind(uuid);
    Ok(row.fetch_optional(sql).await?.is_some())
}

/// All sharing groups, by number.
pub(crate) async fn groups(sql: &mut AnyConnection) -> Result<Vec<Group>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM misphub_groups ORDER BY id LIMIT 10000").fetch_all(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(Group {
                id: row.try_get("id")?,
                uuid: row.try_get("uuid")?,
                name: row.try_get("name")?,
                body: body_of(row, "misphub_groups.body")?,
            })
        })
        .collect()
}

/// Takes a sharing group away; false when there is none.
pub(crate) async fn delete_group(sql: &mut AnyConnection, name: &Name) -> Result<bool, DbError> {
    let (number, uuid) = name.bound();
    let done = sqlx::query("DELETE FROM misphub_groups WHERE id = $1 OR uuid = $2")
        .bind(number)
        .bind(uuid)
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}
