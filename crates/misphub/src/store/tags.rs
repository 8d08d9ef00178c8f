//! Tags and what they are on.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{body_of, stored};
use crate::fields::Fields;

/// A tag.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) body: Fields,
    /// On this thing it is not shared on.
    pub(crate) local: bool,
}

/// The number of a tag, added where it is new.
pub(crate) async fn ensure(
    sql: &mut AnyConnection,
    name: &str,
    body: &Fields,
) -> Result<i64, DbError> {
    sqlx::query(
        "INSERT INTO misphub_tags (name, body) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(stored(body))
    .execute(&mut *sql)
    .await?;
    let row = sqlx::query("SELECT id FROM misphub_tags WHERE name = $1")
        .bind(name)
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

/// Writes a tag anew; false when there is none.
pub(crate) async fn update(
    sql: &mut AnyConnection,
    id: i64,
    name: &str,
    body: &Fields,
) -> Result<bool, DbError> {
    let done = sqlx::query("UPDATE misphub_tags SET name = $1, body = $2 WHERE id = $3")
        .bind(name)
        .bind(stored(body))
        .bind(id)
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A tag by name or number.
pub(crate) async fn get(sql: &mut AnyConnection, name: &str) -> Result<Option<Tag>, DbError> {
    let row = sqlx::query("SELECT *, 0 AS local FROM misphub_tags WHERE name = $1 OR id = $2")
        .bind(name)
        .bind(name.parse::<i64>().unwrap_or_default())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(tag).transpose()
}

/// A tag `t` that is on nothing, or on something whose event is in sight; `$1` is the highest rank of TLP.
macro_rules! in_sight {
    () => {
        "(NOT EXISTS (SELECT 1 FROM misphub_tagged x WHERE x.tag = t.id) OR EXISTS (SELECT 1 FROM misphub_tagged x \
         JOIN misphub_events e ON e.id = x.thing WHERE x.tag = t.id AND x.kind = 'event' AND e.tlp <= $1) \
         OR EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_attributes a ON a.id = x.thing \
         JOIN misphub_events e ON e.id = a.event WHERE x.tag = t.id AND x.kind = 'attribute' AND e.tlp <= $1))"
    };
}

/// Tags in sight whose name is like this (`%` any, or all of them), by name, at most ten thousand.
pub(crate) async fn find(
    sql: &mut AnyConnection,
    like: &str,
    most: i64,
) -> Result<Vec<Tag>, DbError> {
    let rows = sqlx::query(concat!(
        "SELECT t.*, 0 AS local FROM misphub_tags t WHERE t.name LIKE $2 AND ",
        in_sight!(),
        " ORDER BY t.name LIMIT 10000"
    ))
    .bind(most)
    .bind(like)
    .fetch_all(sql)
    .await?;
    rows.iter().map(tag).collect()
}

/// Whether a tag is in sight.
pub(crate) async fn is_visible(
    sql: &mut AnyConnection,
    id: i64,
    most: i64,
) -> Result<bool, DbError> {
    let text = concat!("SELECT 1 FROM misphub_tags t WHERE t.id = $2 AND ", in_sight!());
    Ok(sqlx::query(text).bind(most).bind(id).fetch_optional(sql).await?.is_some())
}

/// The events that carry a tag, themselves or on an attribute.
pub(crate) async fn carriers(sql: &mut AnyConnection, id: i64) -> Result<Vec<i64>, DbError> {
    let rows = sqlx::query(
        "SELECT thing AS event FROM misphub_tagged WHERE tag = $1 AND kind = 'event' UNION SELECT a.event AS event \
         FROM misphub_tagged x JOIN misphub_attributes a ON a.id = x.thing WHERE x.tag = $1 AND x.kind = 'attribute'",
    )
    .bind(id)
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Makes the attributes that carry a tag newer.
pub(crate) async fn touch_attributes(
    sql: &mut AnyConnection,
    id: i64,
    now_s: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE misphub_attributes SET stamp = MAX(stamp, $1) WHERE id IN \
         (SELECT thing FROM misphub_tagged WHERE tag = $2 AND kind = 'attribute')",
    )
    .bind(now_s)
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

/// Takes a tag away from everything; false when there is none.
pub(crate) async fn delete(sql: &mut AnyConnection, id: i64) -> Result<bool, DbError> {
    sqlx::query("DELETE FROM misphub_tagged WHERE tag = $1").bind(id).execute(&mut *sql).await?;
    let done = sqlx::query("DELETE FROM misphub_tags WHERE id = $1").bind(id).execute(sql).await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a tag on a thing.
pub(crate) async fn attach(
    sql: &mut AnyConnection,
    kind: &str,
    thing: i64,
    tag: i64,
    local: bool,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO misphub_tagged (kind, thing, tag, local) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, thing, tag) DO NOTHING",
    )
    .bind(kind)
    .bind(thing)
    .bind(tag)
    .bind(i64::from(local))
    .execute(sql)
    .await?;
    Ok(())
}

/// Takes a tag off a thing; false when it was not on it.
pub(crate) async fn detach(
    sql: &mut AnyConnection,
    kind: &str,
    thing: i64,
    tag: i64,
) -> Result<bool, DbError> {
    let done =
        sqlx::query("DELETE FROM misphub_tagged WHERE kind = $1 AND thing = $2 AND tag = $3")
            .bind(kind)
            .bind(thing)
            .bind(tag)
            .execute(sql)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// The tags of a thing, by name.
pub(crate) async fn of(
    sql: &mut AnyConnection,
    kind: &str,
    thing: i64,
) -> Result<Vec<Tag>, DbError> {
    let rows = sqlx::query(
        "SELECT t.id AS id, t.name AS name, t.body AS body, x.local AS local FROM misphub_tagged x \
         JOIN misphub_tags t ON t.id = x.tag WHERE x.kind = $1 AND x.thing = $2 ORDER BY t.name",
    )
    .bind(kind)
    .bind(thing)
    .fetch_all(sql)
    .await?;
    rows.iter().map(tag).collect()
}

/// The tags of all attributes of an event.
pub(crate) async fn of_attributes(
    sql: &mut AnyConnection,
    event: i64,
) -> Result<HashMap<i64, Vec<Tag>>, DbError> {
    let rows = sqlx::query(
        "SELECT x.thing AS thing, t.id AS id, t.name AS name, t.body AS body, x.local AS local \
         FROM misphub_attributes a JOIN misphub_tagged x ON x.kind = 'attribute' AND x.thing = a.id \
         JOIN misphub_tags t ON t.id = x.tag WHERE a.event = $1 ORDER BY t.name",
    )
    .bind(event)
    .fetch_all(sql)
    .await?;
    let mut found: HashMap<i64, Vec<Tag>> = HashMap::new();
    for row in &rows {
        found.entry(row.try_get("thing")?).or_default().push(tag(row)?);
    }
    Ok(found)
}

fn tag(row: &AnyRow) -> Result<Tag, DbError> {
    Ok(Tag {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        body: body_of(row, "misphub_tags.body")?,
        local: row.try_get::<i64, _>("local")? != 0,
    })
}
