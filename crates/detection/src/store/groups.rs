//! Groups of findings, slices of captures, and the incidents of devices.

use std::collections::HashSet;

use model::{DeviceId, FindingGroup, FindingId, Timestamp};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::device_id;

/// Groups looked at to find the one a finding belongs to.
const MAX_CANDIDATES: i64 = 100;
/// Groups kept per device.
const MAX_GROUPS: i64 = 1_000;

/// The group a finding is in.
pub(crate) async fn of_finding(
    connection: &mut AnyConnection,
    finding: FindingId,
) -> Result<Option<FindingGroup>, DbError> {
    let row = sqlx::query(
        "SELECT body FROM detection_groups WHERE id = \
         (SELECT group_id FROM detection_group_findings WHERE finding = $1)",
    )
    .bind(finding.to_string())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

/// Groups of a device that went on after `since`, newest first.
pub(crate) async fn recent(
    connection: &mut AnyConnection,
    device: DeviceId,
    since: Timestamp,
) -> Result<Vec<FindingGroup>, DbError> {
    let rows = sqlx::query(
        "SELECT body FROM detection_groups WHERE device = $1 AND last_at >= $2 \
         ORDER BY last_at DESC LIMIT $3",
    )
    .bind(device.to_string())
    .bind(since.as_micros())
    .bind(MAX_CANDIDATES)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Writes a group as it stands, with the finding in it.
pub(crate) async fn write(
    tx: &mut Tx,
    group: &FindingGroup,
    finding: FindingId,
) -> Result<(), DbError> {
    let body = serde_json::to_string(group)
        .map_err(|cause| DbError::corrupt("detection_groups.body", cause))?;
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_groups (id, device, last_at, body, updated_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at, \
         body = excluded.body, updated_at = excluded.updated_at",
    )
    .bind(group.id.to_string())
    .bind(group.device.to_string())
    .bind(group.last_at.as_micros())
    .bind(body)
    .bind(now)
    .execute(tx.sql())
    .await?;
    sqlx::query(
        "INSERT INTO detection_group_findings (finding, group_id) VALUES ($1, $2) \
         ON CONFLICT (finding) DO NOTHING",
    )
    .bind(finding.to_string())
    .bind(group.id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Removes the oldest groups of a device beyond the limit.
pub(crate) async fn clean(tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
    let old = "SELECT id FROM detection_groups WHERE device = $1 AND last_at < (SELECT MIN(last_at) \
         FROM (SELECT last_at FROM detection_groups WHERE device = $1 ORDER BY last_at DESC LIMIT $2) newest)";
    for sql in [
        format!("DELETE FROM detection_group_findings WHERE group_id IN ({old})"),
        format!("DELETE FROM detection_groups WHERE id IN ({old})"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(device.to_string())
            .bind(MAX_GROUPS)
            .execute(tx.sql())
            .await?;
    }
    Ok(())
}

/// Groups, newest first, of one device or of all; `before` is a group's id.
pub(crate) async fn page(
    connection: &mut AnyConnection,
    device: Option<DeviceId>,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<FindingGroup>, DbError> {
    let rows = sqlx::query(
        "SELECT body FROM detection_groups WHERE ($1 = '' OR device = $1) \
         AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(device.map(|device| device.to_string()).unwrap_or_default())
    .bind(before.unwrap_or_default())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Ids of the findings in a group, oldest first.
pub(crate) async fn findings(
    connection: &mut AnyConnection,
    group: &str,
    limit: i64,
) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query(
        "SELECT finding FROM detection_group_findings WHERE group_id = $1 ORDER BY finding LIMIT $2",
    )
    .bind(group)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn read(row: &AnyRow) -> Result<FindingGroup, DbError> {
    let body: String = row.try_get("body")?;
    serde_json::from_str(&body).map_err(|cause| DbError::corrupt("detection_groups.body", cause))
}

/// Devices with an open incident.
pub(crate) async fn devices_in_incidents(
    connection: &mut AnyConnection,
) -> Result<HashSet<DeviceId>, DbError> {
    let rows = sqlx::query("SELECT DISTINCT device FROM detection_incidents WHERE open = 1")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| device_id(&row.try_get::<String, _>(0)?, "detection_incidents.device"))
        .collect()
}

/// Notes that an incident about a device is open.
pub(crate) async fn incident_opened(
    tx: &mut Tx,
    incident: &str,
    device: DeviceId,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO detection_incidents (incident, device, open) VALUES ($1, $2, 1) \
         ON CONFLICT (incident, device) DO UPDATE SET open = 1",
    )
    .bind(incident)
    .bind(device.to_string())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Notes whether an incident is open. What is closed is not kept.
pub(crate) async fn incident_moved(tx: &mut Tx, incident: &str, open: bool) -> Result<(), DbError> {
    sqlx::query("UPDATE detection_incidents SET open = $1 WHERE incident = $2")
        .bind(i64::from(open))
        .bind(incident)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// The packets of a finding.
#[derive(Clone, Debug)]
pub(crate) struct CaptureRow {
    pub(crate) blob: String,
    pub(crate) bytes: i64,
    pub(crate) packets: i64,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// Where they come from.
    pub(crate) source: String,
}

/// Keeps the packets of a finding in place of those before.
pub(crate) async fn put_capture(
    tx: &mut Tx,
    finding: FindingId,
    row: &CaptureRow,
) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_captures (finding, blob, bytes, packets, from_at, to_at, source, \
         recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (finding) DO UPDATE SET \
         blob = excluded.blob, bytes = excluded.bytes, packets = excluded.packets, \
         from_at = excluded.from_at, to_at = excluded.to_at, source = excluded.source, \
         recorded_at = excluded.recorded_at",
    )
    .bind(finding.to_string())
    .bind(row.blob.clone())
    .bind(row.bytes)
    .bind(row.packets)
    .bind(row.from.as_micros())
    .bind(row.to.as_micros())
    .bind(row.source.clone())
    .bind(now)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The packets of a finding, where they were at hand.
pub(crate) async fn capture(
    connection: &mut AnyConnection,
    finding: FindingId,
) -> Result<Option<CaptureRow>, DbError> {
    let row = sqlx::query("SELECT * FROM detection_captures WHERE finding = $1")
        .bind(finding.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(CaptureRow {
            blob: row.try_get("blob")?,
            bytes: row.try_get("bytes")?,
            packets: row.try_get("packets")?,
            from: Timestamp::from_micros(row.try_get("from_at")?),
            to: Timestamp::from_micros(row.try_get("to_at")?),
            source: row.try_get("source")?,
        })
    })
    .transpose()
}
