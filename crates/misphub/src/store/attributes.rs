//! Attributes.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, delete_all, number_of, one_in_sight, stored};
use crate::fields::Fields;

/// An attribute without its tags.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) event: i64,
    /// 0 where it stands alone.
    pub(crate) object: i64,
    pub(crate) kind: String,
    pub(crate) category: String,
    pub(crate) value: String,
    pub(crate) to_ids: bool,
    pub(crate) stamp: i64,
    pub(crate) deleted: bool,
    pub(crate) body: Fields,
}

/// Adds an attribute; its number. `None` when its UUID is taken.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    attribute: &Attribute,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_attributes (uuid, event, object, type, category, value, lower, to_ids, stamp, \
         deleted, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (uuid) DO NOTHING RETURNING id",
    )
    .bind(&attribute.uuid)
    .bind(attribute.event)
    .bind(attribute.object)
    .bind(&attribute.kind)
    .bind(&attribute.category)
    .bind(&attribute.value)
    .bind(attribute.value.to_lowercase())
    .bind(i64::from(attribute.to_ids))
    .bind(attribute.stamp)
    .bind(i64::from(attribute.deleted))
    .bind(stored(&attribute.body))
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// Writes an attribute anew.
pub(crate) async fn update(sql: &mut AnyConnection, attribute: &Attribute) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE misphub_attributes SET type = $1, category = $2, value = $3, lower = $4, to_ids = $5, \
         stamp = $6, deleted = $7, body = $8 WHERE id = $9",
    )
    .bind(&attribute.kind)
    .bind(&attribute.category)
    .bind(&attribute.value)
    .bind(attribute.value.to_lowercase())
    .bind(i64::from(attribute.to_ids))
    .bind(attribute.stamp)
    .bind(i64::from(attribute.deleted))
    .bind(stored(&attribute.body))
    .bind(attribute.id)
    .execute(sql)
    .await?;
    Ok(())
}

/// An attribute whose event is in sight.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<Attribute>, DbError> {
    let text = "SELECT a.* FROM misphub_attributes a JOIN misphub_events e ON e.id = a.event \
         WHERE (a.id = $1 OR a.uuid = $2) AND e.tlp <= $3";
    let row = one_in_sight(sql, text, name, most).await?;
    row.as_ref().map(attribute).transpose()
}

/// All attributes of an event, those of objects included, in their order.
pub(crate) async fn of_event(
    sql: &mut AnyConnection,
    event: i64,
    deleted: bool,
) -> Result<Vec<Attribute>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM misphub_attributes WHERE event = $1 AND (deleted = 0 OR $2 = 1) ORDER BY id",
    )
    .bind(event)
    .bind(i64::from(deleted))
    .fetch_all(sql)
    .await?;
    rows.iter().map(attribute).collect()
}

/// How many attributes an event has, deleted ones left out.
pub(crate) async fn count(sql: &mut AnyConnection, event: i64) -> Result<i64, DbError> {
    let row =
        sqlx::query("SELECT COUNT(*) FROM misphub_attributes WHERE event = $1 AND deleted = 0")
            .bind(event)
            .fetch_one(sql)
            .await?;
    Ok(row.try_get(0)?)
}

/// Attributes that stand alone with this value and type in an event.
pub(crate) async fn twin(
    sql: &mut AnyConnection,
    like: &Attribute,
) -> Result<Option<Attribute>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM misphub_attributes WHERE event = $1 AND object = 0 AND type = $2 AND category = $3 \
         AND value = $4 AND deleted = 0 LIMIT 1",
    )
    .bind(like.event)
    .bind(&like.kind)
    .bind(&like.category)
    .bind(&like.value)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(attribute).transpose()
}

/// Attributes in sight with this value, at most a hundred.
pub(crate) async fn by_value(
    sql: &mut AnyConnection,
    value: &str,
    most: i64,
) -> Result<Vec<Attribute>, DbError> {
    let rows = sqlx::query(
        "SELECT a.* FROM misphub_attributes a JOIN misphub_events e ON e.id = a.event \
         WHERE a.lower = $1 AND a.deleted = 0 AND e.tlp <= $2 ORDER BY a.id LIMIT 100",
    )
    .bind(value.to_lowercase())
    .bind(most)
    .fetch_all(sql)
    .await?;
    rows.iter().map(attribute).collect()
}

/// Takes an attribute away for good.
pub(crate) async fn delete(sql: &mut AnyConnection, id: i64) -> Result<(), DbError> {
    let texts = [
        "DELETE FROM misphub_tagged WHERE kind = 'attribute' AND thing = $1",
        "DELETE FROM misphub_sightings WHERE attribute = $1",
        "DELETE FROM misphub_attributes WHERE id = $1",
    ];
    delete_all(sql, &texts, id).await
}

pub(crate) fn attribute(row: &AnyRow) -> Result<Attribute, DbError> {
    Ok(Attribute {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        event: row.try_get("event")?,
        object: row.try_get("object")?,
        kind: row.try_get("type")?,
        category: row.try_get("category")?,
        value: row.try_get("value")?,
        to_ids: row.try_get::<i64, _>("to_ids")? != 0,
        stamp: row.try_get("stamp")?,
        deleted: row.try_get::<i64, _>("deleted")? != 0,
        body: body_of(row, "misphub_attributes.body")?,
    })
}
