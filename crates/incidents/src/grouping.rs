//! The SQL of groups of findings, and of what people said of them.

use model::{FindingId, Incident, IncidentId, Timestamp};
use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use crate::store;

/// Notes the group of a finding.
pub(crate) async fn put(
    connection: &mut AnyConnection,
    finding: FindingId,
    group: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO incidents_groups (finding, group_id) VALUES ($1, $2) \
         ON CONFLICT (finding) DO UPDATE SET group_id = excluded.group_id",
    )
    .bind(finding.to_string())
    .bind(group)
    .execute(connection)
    .await?;
    Ok(())
}

/// An open own incident that holds another finding of the same group.
pub(crate) async fn open_of_group(
    connection: &mut AnyConnection,
    finding: FindingId,
) -> Result<Option<Incident>, DbError> {
    let row = sqlx::query(
        "SELECT own.incident FROM incidents_findings own, incidents_groups mine, \
         incidents_groups other, incidents_incidents open \
         WHERE mine.finding = $1 AND other.group_id = mine.group_id AND own.finding = other.finding \
         AND open.id = own.incident AND open.received_share IS NULL AND open.released = 0 \
         AND open.state NOT IN ('closed', 'false_alarm') ORDER BY open.recorded_at DESC LIMIT 1",
    )
    .bind(finding.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    one(connection, row).await
}

/// An open own incident about attacks on the detector, near in packet time.
pub(crate) async fn open_about_the_detector(
    connection: &mut AnyConnection,
    around: Timestamp,
    within_us: i64,
) -> Result<Option<Incident>, DbError> {
    let row = sqlx::query(
        "SELECT own.incident FROM incidents_findings own, incidents_incidents open \
         WHERE own.body LIKE '%\"kind\":\"model_attack\"%' AND open.id = own.incident \
         AND open.received_share IS NULL AND open.released = 0 \
         AND open.state NOT IN ('closed', 'false_alarm') \
         AND open.event_at <= $1 AND open.last_event_at >= $2 \
         ORDER BY open.recorded_at DESC LIMIT 1",
    )
    .bind(around.plus_micros(within_us).as_micros())
    .bind(around.plus_micros(-within_us).as_micros())
    .fetch_optional(&mut *connection)
    .await?;
    one(connection, row).await
}

async fn one(
    connection: &mut AnyConnection,
    row: Option<sqlx::any::AnyRow>,
) -> Result<Option<Incident>, DbError> {
    let Some(row) = row else { return Ok(None) };
    let id: String = row.try_get(0)?;
    let id: IncidentId =
        id.parse().map_err(|cause| DbError::corrupt("incidents_findings.incident", cause))?;
    store::find(connection, id).await
}

/// Notes what a person said of a finding; gives the incident that holds it.
pub(crate) async fn judged(
    connection: &mut AnyConnection,
    finding: FindingId,
    normal: bool,
) -> Result<Option<Incident>, DbError> {
    sqlx::query(
        "INSERT INTO incidents_judged (finding, normal) VALUES ($1, $2) \
         ON CONFLICT (finding) DO UPDATE SET normal = excluded.normal",
    )
    .bind(finding.to_string())
    .bind(i64::from(normal))
    .execute(&mut *connection)
    .await?;
    let row = sqlx::query("SELECT incident FROM incidents_findings WHERE finding = $1")
        .bind(finding.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    one(connection, row).await
}

/// Whether people called every finding of an incident normal.
pub(crate) async fn all_normal(
    connection: &mut AnyConnection,
    incident: IncidentId,
) -> Result<bool, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM incidents_findings own WHERE incident = $1 AND NOT EXISTS \
         (SELECT 1 FROM incidents_judged word WHERE word.finding = own.finding AND word.normal = 1)",
    )
    .bind(incident.to_string())
    .fetch_one(connection)
    .await?;
    Ok(row.try_get::<i64, _>(0)? == 0)
}
