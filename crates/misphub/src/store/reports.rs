//! Reports of events: text that people wrote about them.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, number_of, one_in_sight, stored};
use crate::fields::Fields;

/// A report.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) event: i64,
    pub(crate) name: String,
    /// Seconds since 1970.
    pub(crate) stamp: i64,
    pub(crate) deleted: bool,
    /// With the text as `content`.
    pub(crate) body: Fields,
}

/// Adds a report; its number. `None` when its UUID is taken.
pub(crate) async fn insert(sql: &mut AnyConnection, of: &Report) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_reports (uuid, event, name, stamp, deleted, body) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (uuid) DO NOTHING RETURNING id",
    )
    .bind(&of.uuid)
    .bind(of.event)
    .bind(&of.name)
    .bind(of.stamp)
    .bind(i64::from(of.deleted))
    .bind(stored(&of.body))
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// Writes a report anew.
pub(crate) async fn update(sql: &mut AnyConnection, of: &Report) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE misphub_reports SET name = $1, stamp = $2, deleted = $3, body = $4 WHERE id = $5",
    )
    .bind(&of.name)
    .bind(of.stamp)
    .bind(i64::from(of.deleted))
    .bind(stored(&of.body))
    .bind(of.id)
    .execute(sql)
    .await?;
    Ok(())
}

/// A report whose event is in sight.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<Report>, DbError> {
    let text = "SELECT r.* FROM misphub_reports r JOIN misphub_events e ON e.id = r.event \
         WHERE (r.id = $1 OR r.uuid = $2) AND e.tlp <= $3";
    let row = one_in_sight(sql, text, name, most).await?;
    row.as_ref().map(report).transpose()
}

/// Reports in sight, of one event or (0) of all, by number, at most a thousand.
pub(crate) async fn find(
    sql: &mut AnyConnection,
    event: i64,
    deleted: bool,
    most: i64,
) -> Result<Vec<Report>, DbError> {
    let rows = sqlx::query(
        "SELECT r.* FROM misphub_reports r JOIN misphub_events e ON e.id = r.event \
         WHERE ($1 = 0 OR r.event = $1) AND (r.deleted = 0 OR $2 = 1) AND e.tlp <= $3 ORDER BY r.id LIMIT 1000",
    )
    .bind(event)
    .bind(i64::from(deleted))
    .bind(most)
    .fetch_all(sql)
    .await?;
    rows.iter().map(report).collect()
}

/// Takes a report away for good.
pub(crate) async fn delete(sql: &mut AnyConnection, id: i64) -> Result<(), DbError> {
    sqlx::query("DELETE FROM misphub_reports WHERE id = $1").bind(id).execute(sql).await?;
    Ok(())
}

fn report(row: &AnyRow) -> Result<Report, DbError> {
    Ok(Report {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        event: row.try_get("event")?,
        name: row.try_get("name")?,
        stamp: row.try_get("stamp")?,
        deleted: row.try_get::<i64, _>("deleted")? != 0,
        body: body_of(row, "misphub_reports.body")?,
    })
}
