//! Events.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, delete_all, number_of, one_in_sight, stored};
use crate::fields::Fields;

/// An event without its parts.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) orgc: i64,
    pub(crate) info: String,
    /// `YYYY-MM-DD`
    pub(crate) date: String,
    pub(crate) published: bool,
    /// Seconds since 1970.
    pub(crate) stamp: i64,
    pub(crate) publish_stamp: i64,
    /// TLP rank.
    pub(crate) tlp: i64,
    pub(crate) body: Fields,
    pub(crate) made_by: String,
    /// Counts its changes.
    pub(crate) revision: i64,
}

/// Adds an event; its number. `None` when its UUID is taken.
pub(crate) async fn insert(sql: &mut AnyConnection, event: &Event) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_events (uuid, orgc, info, date, published, stamp, publish_stamp, tlp, body, \
         made_by, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0) ON CONFLICT (uuid) DO NOTHING RETURNING id",
    )
    .bind(&event.uuid)
    .bind(event.orgc)
    .bind(&event.info)
    .bind(&event.date)
    .bind(i64::from(event.published))
    .bind(event.stamp)
    .bind(event.publish_stamp)
    .bind(event.tlp)
    .bind(stored(&event.body))
    .bind(&event.made_by)
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// Writes an event anew.
pub(crate) async fn update(sql: &mut AnyConnection, event: &Event) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE misphub_events SET info = $1, date = $2, published = $3, stamp = $4, publish_stamp = $5, \
         tlp = $6, body = $7, revision = revision + 1 WHERE id = $8",
    )
    .bind(&event.info)
    .bind(&event.date)
    .bind(i64::from(event.published))
    .bind(event.stamp)
    .bind(event.publish_stamp)
    .bind(event.tlp)
    .bind(stored(&event.body))
    .bind(event.id)
    .execute(sql)
    .await?;
    Ok(())
}

/// An event in sight.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<Event>, DbError> {
    let text = "SELECT * FROM misphub_events WHERE (id = $1 OR uuid = $2) AND tlp <= $3";
    let row = one_in_sight(sql, text, name, most).await?;
    row.as_ref().map(event).transpose()
}

/// Takes an event away with all its parts.
pub(crate) async fn delete(sql: &mut AnyConnection, id: i64) -> Result<(), DbError> {
    let texts = [
        "DELETE FROM misphub_tagged WHERE kind = 'attribute' AND thing IN \
         (SELECT id FROM misphub_attributes WHERE event = $1)",
        "DELETE FROM misphub_tagged WHERE kind = 'event' AND thing = $1",
        "DELETE FROM misphub_sightings WHERE event = $1",
        "DELETE FROM misphub_references WHERE event = $1",
        "DELETE FROM misphub_proposals WHERE event = $1",
        "DELETE FROM misphub_reports WHERE event = $1",
        "DELETE FROM misphub_attributes WHERE event = $1",
        "DELETE FROM misphub_objects WHERE event = $1",
        "DELETE FROM misphub_events WHERE id = $1",
    ];
    delete_all(sql, &texts, id).await
}

pub(crate) fn event(row: &AnyRow) -> Result<Event, DbError> {
    Ok(Event {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        orgc: row.try_get("orgc")?,
        info: row.try_get("info")?,
        date: row.try_get("date")?,
        published: row.try_get::<i64, _>("published")? != 0,
        stamp: row.try_get("stamp")?,
        publish_stamp: row.try_get("publish_stamp")?,
        tlp: row.try_get("tlp")?,
        body: body_of(row, "misphub_events.body")?,
        made_by: row.try_get("made_by")?,
        revision: row.try_get("revision")?,
    })
}
