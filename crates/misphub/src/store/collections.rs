//! Collections of tags that are put on things together.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, number_of, stored};
use crate::fields::Fields;

/// A collection; its body has the names as `tags`.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) body: Fields,
}

/// Adds a collection; its number. `None` when its UUID is taken.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    of: &Collection,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_tag_collections (uuid, name, body) VALUES ($1, $2, $3) \
         ON CONFLICT (uuid) DO NOTHING RETURNING id",
    )
    .bind(&of.uuid)
    .bind(&of.name)
    .bind(stored(&of.body))
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// Writes a collection anew.
pub(crate) async fn update(sql: &mut AnyConnection, of: &Collection) -> Result<(), DbError> {
    sqlx::query("UPDATE misphub_tag_collections SET name = $1, body = $2 WHERE id = $3")
        .bind(&of.name)
        .bind(stored(&of.body))
        .bind(of.id)
        .execute(sql)
        .await?;
    Ok(())
}

/// All collections, by number.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Collection>, DbError> {
    let rows = sqlx::query("SELECT * FROM misphub_tag_collections ORDER BY id LIMIT 1000")
        .fetch_all(sql)
        .await?;
    rows.iter().map(collection).collect()
}

/// A collection by number or UUID.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    name: &Name,
) -> Result<Option<Collection>, DbError> {
    let (number, uuid) = name.bound();
    let row = sqlx::query("SELECT * FROM misphub_tag_collections WHERE id = $1 OR uuid = $2")
        .bind(number)
        .bind(uuid)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(collection).transpose()
}

/// Takes a collection away.
pub(crate) async fn delete(sql: &mut AnyConnection, id: i64) -> Result<(), DbError> {
    let text = "DELETE FROM misphub_tag_collections WHERE id = $1";
    sqlx::query(text).bind(id).execute(sql).await?;
    Ok(())
}

fn collection(row: &AnyRow) -> Result<Collection, DbError> {
    Ok(Collection {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        name: row.try_get("name")?,
        body: body_of(row, "misphub_tag_collections.body")?,
    })
}
