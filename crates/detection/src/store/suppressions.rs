//! What people called normal, and what they said of findings.

use model::{DeviceId, FindingId, SuppressionId, Timestamp};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::device_id;
use crate::suppress::Suppression;

/// Writes a new suppression.
pub(crate) async fn add(tx: &mut Tx, one: &Suppression) -> Result<(), DbError> {
    let command = one.command.as_ref().map(serde_json::to_string).transpose();
    let command = command.map_err(|cause| DbError::corrupt("detection_suppressions", cause))?;
    sqlx::query(
        "INSERT INTO detection_suppressions (id, device, finding, metric, peer, protocol, port, \
         technique, ceiling, reason, author, created_at, until_at, command, hits) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0)",
    )
    .bind(one.id.to_string())
    .bind(one.device.to_string())
    .bind(one.finding.map(|id| id.to_string()))
    .bind(one.metric.clone())
    .bind(one.peer.map(|peer| peer.to_string()))
    .bind(one.protocol.clone())
    .bind(one.port.map(i64::from))
    .bind(one.technique.clone())
    .bind(one.ceiling)
    .bind(one.reason.clone())
    .bind(one.author.clone())
    .bind(one.created_at.as_micros())
    .bind(one.until.map(Timestamp::as_micros))
    .bind(command)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Takes one back; false when it is not there or was taken back before.
pub(crate) async fn revoke(tx: &mut Tx, id: SuppressionId, by: &str) -> Result<bool, DbError> {
    let now = tx.now().as_micros();
    let done = sqlx::query(
        "UPDATE detection_suppressions SET revoked_at = $1, revoked_by = $2 \
         WHERE id = $3 AND revoked_at IS NULL",
    )
    .bind(now)
    .bind(by)
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts windows that one covered.
pub(crate) async fn hit(tx: &mut Tx, id: SuppressionId, windows: i64) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "UPDATE detection_suppressions SET hits = hits + $1, last_hit_at = $2 WHERE id = $3",
    )
    .bind(windows)
    .bind(now)
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Those that were not taken back and do not end before `now`.
pub(crate) async fn active(
    connection: &mut AnyConnection,
    now: Timestamp,
) -> Result<Vec<Suppression>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM detection_suppressions WHERE revoked_at IS NULL \
         AND (until_at IS NULL OR until_at > $1) ORDER BY id",
    )
    .bind(now.as_micros())
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// A page, newest first, of one device or of all, with or without what no longer holds.
pub(crate) async fn page(
    connection: &mut AnyConnection,
    device: Option<DeviceId>,
    all_since: Option<Timestamp>,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Suppression>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM detection_suppressions WHERE ($1 = '' OR device = $1) \
         AND ($2 = '' OR id < $2) \
         AND ($3 = 0 OR (revoked_at IS NULL AND (until_at IS NULL OR until_at > $3))) \
         ORDER BY id DESC LIMIT $4",
    )
    .bind(device.map(|device| device.to_string()).unwrap_or_default())
    .bind(before.unwrap_or_default())
    .bind(all_since.map_or(0, Timestamp::as_micros))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// One.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: SuppressionId,
) -> Result<Option<Suppression>, DbError> {
    let row = sqlx::query("SELECT * FROM detection_suppressions WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<Suppression, DbError> {
    let corrupt = |cause: &dyn std::fmt::Display| {
        DbError::corrupt("detection_suppressions", cause.to_string())
    };
    let (id, device): (String, String) = (row.try_get("id")?, row.try_get("device")?);
    let finding: Option<String> = row.try_get("finding")?;
    let peer: Option<String> = row.try_get("peer")?;
    let command: Option<String> = row.try_get("command")?;
    let command = command.map(|text| serde_json::from_str(&text).map_err(|cause| corrupt(&cause)));
    let moment =
        |name: &str| row.try_get::<Option<i64>, _>(name).map(|at| at.map(Timestamp::from_micros));
    Ok(Suppression {
        id: id.parse().map_err(|cause| corrupt(&cause))?,
        device: device_id(&device, "detection_suppressions.device")?,
        finding: finding.map(|id| id.parse().map_err(|cause| corrupt(&cause))).transpose()?,
        metric: row.try_get("metric")?,
        peer: peer.map(|peer| peer.parse().map_err(|cause| corrupt(&cause))).transpose()?,
        protocol: row.try_get("protocol")?,
        port: row.try_get::<Option<i64>, _>("port")?.and_then(|port| u16::try_from(port).ok()),
        technique: row.try_get("technique")?,
        command: command.transpose()?,
        ceiling: row.try_get("ceiling")?,
        reason: row.try_get("reason")?,
        author: row.try_get("author")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        until: moment("until_at")?,
        revoked_at: moment("revoked_at")?,
        revoked_by: row.try_get("revoked_by")?,
        hits: row.try_get("hits")?,
        last_hit_at: moment("last_hit_at")?,
    })
}

/// What a person said of a finding.
#[derive(Clone, Debug)]
pub(crate) struct FeedbackRow {
    pub(crate) finding: FindingId,
    pub(crate) device: DeviceId,
    /// `normal` or `attack`.
    pub(crate) verdict: &'static str,
    pub(crate) reason: String,
    pub(crate) author: String,
    pub(crate) suppression: Option<SuppressionId>,
}

/// Keeps it.
pub(crate) async fn add_feedback(tx: &mut Tx, row: &FeedbackRow) -> Result<(), DbError> {
    let id: model::EventId = tx.mint();
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_feedback (id, finding, device, verdict, reason, author, \
         suppression, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(row.finding.to_string())
    .bind(row.device.to_string())
    .bind(row.verdict)
    .bind(row.reason.clone())
    .bind(row.author.clone())
    .bind(row.suppression.map(|id| id.to_string()))
    .bind(now)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The newest word on a finding: verdict, reason, author, wall time.
pub(crate) async fn feedback(
    connection: &mut AnyConnection,
    finding: FindingId,
) -> Result<Option<(String, String, String, Timestamp)>, DbError> {
    let row = sqlx::query(
        "SELECT verdict, reason, author, created_at FROM detection_feedback WHERE finding = $1 \
         ORDER BY created_at DESC, id DESC LIMIT 1",
    )
    .bind(finding.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            Timestamp::from_micros(row.try_get(3)?),
        ))
    })
    .transpose()
}

/// The findings of a device that people called normal last.
pub(crate) async fn called_normal(
    connection: &mut AnyConnection,
    device: DeviceId,
) -> Result<std::collections::HashSet<String>, DbError> {
    let rows = sqlx::query(
        "SELECT finding FROM detection_feedback own WHERE device = $1 AND verdict = 'normal' \
         AND NOT EXISTS (SELECT 1 FROM detection_feedback later WHERE later.finding = own.finding \
         AND later.created_at > own.created_at AND later.verdict <> 'normal')",
    )
    .bind(device.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
