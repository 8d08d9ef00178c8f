//! How far detection is with each device.

use model::DeviceId;
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::device_id;
use crate::state::{DeviceRow, Phase};

/// Writes the row as it stands.
pub(crate) async fn write(
    tx: &mut Tx,
    row: &DeviceRow,
    context: &str,
    memory: &str,
) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_devices (device, edge, name, address, mac, phase, reason, generation, \
         epoch, first_us, last_us, learned, waiting, place, model, scored, alerting, unscored, \
         last_score, context, updated_at, memory, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) \
         ON CONFLICT (device) DO UPDATE SET edge = excluded.edge, name = excluded.name, \
         address = excluded.address, mac = excluded.mac, phase = excluded.phase, \
         reason = excluded.reason, generation = excluded.generation, epoch = excluded.epoch, \
         first_us = excluded.first_us, last_us = excluded.last_us, learned = excluded.learned, \
         waiting = excluded.waiting, place = excluded.place, model = excluded.model, \
         scored = excluded.scored, alerting = excluded.alerting, unscored = excluded.unscored, \
         last_score = excluded.last_score, context = excluded.context, updated_at = excluded.updated_at, \
         memory = excluded.memory, version = excluded.version",
    )
    .bind(row.device.to_string())
    .bind(row.edge.clone())
    .bind(row.name.clone())
    .bind(row.address.clone())
    .bind(row.mac.clone())
    .bind(row.phase.word())
    .bind(row.reason.clone())
    .bind(row.generation)
    .bind(row.epoch)
    .bind(row.first_us)
    .bind(row.last_us)
    .bind(row.learned)
    .bind(row.waiting)
    .bind(row.place)
    .bind(row.model.clone())
    .bind(row.scored)
    .bind(row.alerting)
    .bind(row.unscored)
    .bind(row.last_score)
    .bind(context.to_owned())
    .bind(now)
    .bind(memory.to_owned())
    .bind(row.version)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Forgets a device that was met briefly. Its scores stay.
pub(crate) async fn remove(tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM detection_devices WHERE device = $1")
        .bind(device.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// All devices, each with the stored forms of its context memory and of what its guards remember.
pub(crate) async fn all(
    connection: &mut AnyConnection,
) -> Result<Vec<(DeviceRow, String, String)>, DbError> {
    let rows = sqlx::query("SELECT * FROM detection_devices ORDER BY device")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((read(row)?, row.try_get("context")?, row.try_get("memory")?)))
        .collect()
}

/// Devices after `after`, for a list.
pub(crate) async fn page(
    connection: &mut AnyConnection,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(DeviceRow, String)>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM detection_devices WHERE device > $1 ORDER BY device LIMIT $2")
            .bind(after.unwrap_or(""))
            .bind(limit)
            .fetch_all(connection)
            .await?;
    rows.iter().map(|row| Ok((read(row)?, row.try_get("memory")?))).collect()
}

/// One device.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    device: DeviceId,
) -> Result<Option<DeviceRow>, DbError> {
    let row = sqlx::query("SELECT * FROM detection_devices WHERE device = $1")
        .bind(device.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<DeviceRow, DbError> {
    let id: String = row.try_get("device")?;
    let phase: String = row.try_get("phase")?;
    Ok(DeviceRow {
        device: device_id(&id, "detection_devices.device")?,
        edge: row.try_get("edge")?,
        name: row.try_get("name")?,
        address: row.try_get("address")?,
        mac: row.try_get("mac")?,
        phase: Phase::from_word(&phase)
            .ok_or_else(|| DbError::corrupt("detection_devices.phase", &phase))?,
        reason: row.try_get("reason")?,
        generation: row.try_get("generation")?,
        epoch: row.try_get("epoch")?,
        first_us: row.try_get("first_us")?,
        last_us: row.try_get("last_us")?,
        learned: row.try_get("learned")?,
        waiting: row.try_get("waiting")?,
        place: row.try_get("place")?,
        model: row.try_get("model")?,
        scored: row.try_get("scored")?,
        alerting: row.try_get("alerting")?,
        unscored: row.try_get("unscored")?,
        last_score: row.try_get("last_score")?,
        version: row.try_get("version")?,
    })
}
