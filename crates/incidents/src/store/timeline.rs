//! Lines of the history of an incident: each source writes one.

use model::{IncidentId, TimelineItem, Timestamp};
use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// Lines of one history; the last one says that it is full. Facts go on in the accountability log.
const MAX_LINES: i64 = 10_000;

/// Adds a line to the history, once per source. True when it was new.
pub(crate) async fn add_line(
    connection: &mut AnyConnection,
    id: IncidentId,
    source: &str,
    item: &TimelineItem,
) -> Result<bool, DbError> {
    let lines: i64 = sqlx::query("SELECT COUNT(*) FROM incidents_timeline WHERE incident = $1")
        .bind(id.to_string())
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    if lines < MAX_LINES - 1 {
        return write_line(connection, id, source, item).await;
    }
    let text = format!("The history holds {MAX_LINES} lines; the accountability log has the rest.");
    let full =
        TimelineItem { kind: "full".into(), text, link: Some("/ledger".into()), ..item.clone() };
    write_line(connection, id, "full", &full).await?;
    Ok(false)
}

/// Whether a line of this source stands in the history.
pub(crate) async fn has_line(
    connection: &mut AnyConnection,
    id: IncidentId,
    source: &str,
) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM incidents_timeline WHERE incident = $1 AND source = $2")
        .bind(id.to_string())
        .bind(source)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

async fn write_line(
    connection: &mut AnyConnection,
    id: IncidentId,
    source: &str,
    item: &TimelineItem,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO incidents_timeline (incident, position, source, kind, text, actor, link, \
         event_at, recorded_at) SELECT $1, (SELECT COALESCE(MAX(position), 0) + 1 FROM \
         incidents_timeline WHERE incident = $2), $3, $4, $5, $6, $7, $8, $9 \
         WHERE NOT EXISTS (SELECT 1 FROM incidents_timeline WHERE incident = $10 AND source = $11)",
    )
    .bind(id.to_string())
    .bind(id.to_string())
    .bind(source)
    .bind(&item.kind)
    .bind(&item.text)
    .bind(&item.actor)
    .bind(&item.link)
    .bind(item.event_at.map(Timestamp::as_micros))
    .bind(item.recorded_at.as_micros())
    .bind(id.to_string())
    .bind(source)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
