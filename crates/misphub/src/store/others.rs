//! Organisations and sharing groups.

use platform::db::DbError;
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
    rows.iter()
        .map(|row| {
            Ok(Org {
                id: row.try_get("id")?,
                uuid: row.try_get("uuid")?,
                name: row.try_get("name")?,
            })
        })
        .collect()
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
