//! Sightings.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, delete_in_sight, number_of};

/// A sighting of an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) attribute: i64,
    pub(crate) attribute_uuid: String,
    pub(crate) event: i64,
    pub(crate) org: i64,
    /// `0` seen, `1` false positive, `2` expired
    pub(crate) kind: String,
    pub(crate) source: String,
    /// Seconds since 1970.
    pub(crate) seen: i64,
}

/// Adds a sighting; its number. `None` when its UUID is taken.
pub(crate) async fn insert(
    sql: &mut AnyConnection,
    sighting: &Sighting,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_sightings (uuid, attribute, event, org, type, source, seen) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (uuid) DO NOTHING RETURNING id",
    )
    .bind(&sighting.uuid)
    .bind(sighting.attribute)
    .bind(sighting.event)
    .bind(sighting.org)
    .bind(&sighting.kind)
    .bind(&sighting.source)
    .bind(sighting.seen)
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// A sighting by its UUID.
pub(crate) async fn by_uuid(
    sql: &mut AnyConnection,
    uuid: &str,
) -> Result<Option<Sighting>, DbError> {
    let row = sqlx::query(
        "SELECT s.*, a.uuid AS attribute_uuid FROM misphub_sightings s \
         JOIN misphub_attributes a ON a.id = s.attribute WHERE s.uuid = $1",
    )
    .bind(uuid)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(sighting).transpose()
}

/// What sightings are wanted; zero, empty and the extremes stand for "any".
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) attribute: i64,
    pub(crate) event: i64,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) most: i64,
}

/// Sightings in sight, oldest first, at most ten thousand.
pub(crate) async fn find(
    sql: &mut AnyConnection,
    wanted: &Wanted,
) -> Result<Vec<Sighting>, DbError> {
    let rows = sqlx::query(
        "SELECT s.*, a.uuid AS attribute_uuid FROM misphub_sightings s \
         JOIN misphub_attributes a ON a.id = s.attribute JOIN misphub_events e ON e.id = s.event \
         WHERE ($1 = 0 OR s.attribute = $1) AND ($2 = 0 OR s.event = $2) AND ($3 = '' OR s.type = $3) \
         AND ($4 = '' OR s.source = $4) AND s.seen >= $5 AND s.seen <= $6 AND e.tlp <= $7 \
         ORDER BY s.id LIMIT 10000",
    )
    .bind(wanted.attribute)
    .bind(wanted.event)
    .bind(&wanted.kind)
    .bind(&wanted.source)
    .bind(wanted.from)
    .bind(wanted.to)
    .bind(wanted.most)
    .fetch_all(sql)
    .await?;
    rows.iter().map(sighting).collect()
}

/// Takes a sighting away; its UUID and event, `None` when there is none in sight.
pub(crate) async fn delete(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<(String, i64)>, DbError> {
    let text = "DELETE FROM misphub_sightings WHERE (id = $1 OR uuid = $2) \
         AND event IN (SELECT id FROM misphub_events WHERE tlp <= $3) RETURNING uuid, event";
    delete_in_sight(sql, text, name, most).await
}

fn sighting(row: &AnyRow) -> Result<Sighting, DbError> {
    Ok(Sighting {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        attribute: row.try_get("attribute")?,
        attribute_uuid: row.try_get("attribute_uuid")?,
        event: row.try_get("event")?,
        org: row.try_get("org")?,
        kind: row.try_get("type")?,
        source: row.try_get("source")?,
        seen: row.try_get("seen")?,
    })
}
