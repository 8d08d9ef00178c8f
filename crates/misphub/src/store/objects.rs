//! Objects and their references.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, delete_all, delete_in_sight, number_of, one_in_sight, stored};
use crate::fields::Fields;

/// An object without its attributes.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) event: i64,
    pub(crate) name: String,
    pub(crate) stamp: i64,
    pub(crate) deleted: bool,
    pub(crate) body: Fields,
}

/// Adds an object; its number. `None` when its UUID is taken.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    object: &Object,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_objects (uuid, event, name, stamp, deleted, body) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (uuid) DO NOTHING RETURNING id",
    )
    .bind(&object.uuid)
    .bind(object.event)
    .bind(&object.name)
    .bind(object.stamp)
    .bind(i64::from(object.deleted))
    .bind(stored(&object.body))
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// Writes an object anew.
pub(crate) async fn update(sql: &mut AnyConnection, object: &Object) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE misphub_objects SET name = $1, stamp = $2, deleted = $3, body = $4 WHERE id = $5",
    )
    .bind(&object.name)
    .bind(object.stamp)
    .bind(i64::from(object.deleted))
    .bind(stored(&object.body))
    .bind(object.id)
    .execute(sql)
    .await?;
    Ok(())
}

/// An object whose event is in sight.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<Object>, DbError> {
    let text = "SELECT o.* FROM misphub_objects o JOIN misphub_events e ON e.id = o.event \
         WHERE (o.id = $1 OR o.uuid = $2) AND e.tlp <= $3";
    let row = one_in_sight(sql, text, name, most).await?;
    row.as_ref().map(object).transpose()
}

/// All objects of an event, in their order.
pub(crate) async fn of_event(
    sql: &mut AnyConnection,
    event: i64,
    deleted: bool,
) -> Result<Vec<Object>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM misphub_objects WHERE event = $1 AND (deleted = 0 OR $2 = 1) ORDER BY id",
    )
    .bind(event)
    .bind(i64::from(deleted))
    .fetch_all(sql)
    .await?;
    rows.iter().map(object).collect()
}

/// Takes an object away for good, with its attributes and references.
pub(crate) async fn delete(sql: &mut AnyConnection, id: i64) -> Result<(), DbError> {
    let texts = [
        "DELETE FROM misphub_tagged WHERE kind = 'attribute' AND thing IN \
         (SELECT id FROM misphub_attributes WHERE object = $1)",
        "DELETE FROM misphub_sightings WHERE attribute IN \
         (SELECT id FROM misphub_attributes WHERE object = $1)",
        "DELETE FROM misphub_attributes WHERE object = $1",
        "DELETE FROM misphub_references WHERE object = $1",
        "DELETE FROM misphub_objects WHERE id = $1",
    ];
    delete_all(sql, &texts, id).await
}

/// Marks the attributes of an object as deleted or not.
pub(crate) async fn mark_attributes(
    sql: &mut AnyConnection,
    id: i64,
    deleted: bool,
    stamp: i64,
) -> Result<(), DbError> {
    sqlx::query("UPDATE misphub_attributes SET deleted = $1, stamp = $2 WHERE object = $3")
        .bind(i64::from(deleted))
        .bind(stamp)
        .bind(id)
        .execute(sql)
        .await?;
    Ok(())
}

fn object(row: &AnyRow) -> Result<Object, DbError> {
    Ok(Object {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        event: row.try_get("event")?,
        name: row.try_get("name")?,
        stamp: row.try_get("stamp")?,
        deleted: row.try_get::<i64, _>("deleted")? != 0,
        body: body_of(row, "misphub_objects.body")?,
    })
}

/// A reference from an object to an object or attribute.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) event: i64,
    pub(crate) object: i64,
    pub(crate) body: Fields,
}

/// Adds a reference, or writes it anew; its number. `None` when another object has its UUID.
pub(crate) async fn put_reference(
    sql: &mut AnyConnection,
    reference: &Reference,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_references (uuid, event, object, body) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (uuid) DO UPDATE SET body = excluded.body \
         WHERE misphub_references.object = excluded.object RETURNING id",
    )
    .bind(&reference.uuid)
    .bind(reference.event)
    .bind(reference.object)
    .bind(stored(&reference.body))
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// All references of an event.
pub(crate) async fn references(
    sql: &mut AnyConnection,
    event: i64,
) -> Result<Vec<Reference>, DbError> {
    let rows = sqlx::query("SELECT * FROM misphub_references WHERE event = $1 ORDER BY id")
        .bind(event)
        .fetch_all(sql)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Reference {
                id: row.try_get("id")?,
                uuid: row.try_get("uuid")?,
                event: row.try_get("event")?,
                object: row.try_get("object")?,
                body: body_of(row, "misphub_references.body")?,
            })
        })
        .collect()
}

/// Takes a reference away; its UUID and event, `None` when there is none in sight.
pub(crate) async fn delete_reference(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<(String, i64)>, DbError> {
    let text = "DELETE FROM misphub_references WHERE (id = $1 OR uuid = $2) \
         AND event IN (SELECT id FROM misphub_events WHERE tlp <= $3) RETURNING uuid, event";
    delete_in_sight(sql, text, name, most).await
}
