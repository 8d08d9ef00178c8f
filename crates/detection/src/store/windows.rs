//! Batches taken and windows that wait.

use std::collections::HashMap;

use analytics::record::WindowRecord;
use model::DeviceId;
use platform::db::{DbError, Tx};
use sqlx::{AnyConnection, Row};

use crate::plan::{BatchRow, StoredWindow};

/// Epochs of an edge that are remembered; an edge never goes back to an older one.
const MAX_EPOCHS: i64 = 64;

pub(crate) async fn take_batch(tx: &mut Tx, batch: &BatchRow) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_batches (edge, epoch, seq, windows, refused, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (edge, epoch) DO UPDATE SET \
         seq = excluded.seq, windows = detection_batches.windows + excluded.windows, \
         refused = detection_batches.refused + excluded.refused, updated_at = excluded.updated_at",
    )
    .bind(batch.edge.clone())
    .bind(batch.epoch)
    .bind(batch.seq)
    .bind(batch.windows)
    .bind(batch.refused)
    .bind(now)
    .execute(tx.sql())
    .await?;
    if batch.seq <= 1 {
        sqlx::query(
            "DELETE FROM detection_batches WHERE edge = $1 AND epoch < (SELECT MIN(epoch) FROM \
             (SELECT epoch FROM detection_batches WHERE edge = $1 ORDER BY epoch DESC LIMIT $2) newest)",
        )
        .bind(batch.edge.clone())
        .bind(MAX_EPOCHS)
        .execute(tx.sql())
        .await?;
    }
    Ok(())
}

/// The newest batch of each edge and epoch.
pub(crate) async fn batches(
    connection: &mut AnyConnection,
) -> Result<HashMap<(String, i64), i64>, DbError> {
    let rows =
        sqlx::query("SELECT edge, epoch, seq FROM detection_batches").fetch_all(connection).await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

/// Window records that could not be read, since the first start.
pub(crate) async fn refused(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row =
        sqlx::query("SELECT CAST(COALESCE(SUM(refused), 0) AS BIGINT) FROM detection_batches")
            .fetch_one(connection)
            .await?;
    Ok(row.try_get(0)?)
}

pub(crate) async fn keep(tx: &mut Tx, window: &StoredWindow) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO detection_training (device, role, place, epoch, record) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(window.device.to_string())
    .bind(window.role)
    .bind(window.place)
    .bind(window.epoch)
    .bind(window.record.clone())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Stored windows as they come back.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredWindows {
    /// Those this build can read, in the order they came, each with its epoch.
    pub(crate) windows: Vec<(i64, WindowRecord)>,
    /// Those it cannot: records of another version.
    pub(crate) unreadable: i64,
    /// Place of the last of all.
    pub(crate) last: Option<i64>,
}

impl StoredWindows {
    /// How many there are, readable or not.
    pub(crate) fn count(&self) -> i64 {
        i64::try_from(self.windows.len()).unwrap_or(i64::MAX).saturating_add(self.unreadable)
    }
}

/// Stored windows in the order they came.
pub(crate) async fn stored(
    connection: &mut AnyConnection,
    device: DeviceId,
    role: &str,
    limit: i64,
) -> Result<StoredWindows, DbError> {
    let rows = sqlx::query(
        "SELECT place, epoch, record FROM detection_training WHERE device = $1 AND role = $2 \
         ORDER BY place LIMIT $3",
    )
    .bind(device.to_string())
    .bind(role)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let mut stored = StoredWindows::default();
    for row in &rows {
        let text: String = row.try_get("record")?;
        stored.last = Some(row.try_get("place")?);
        match serde_json::from_str(&text) {
            Ok(record) => stored.windows.push((row.try_get("epoch")?, record)),
            Err(cause) => {
                if stored.unreadable == 0 {
                    tracing::warn!(%device, %cause, "stored windows cannot be read");
                }
                stored.unreadable += 1;
            }
        }
    }
    Ok(stored)
}

/// Removes stored windows that were used.
pub(crate) async fn used(
    tx: &mut Tx,
    device: DeviceId,
    role: &str,
    place: i64,
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM detection_training WHERE device = $1 AND role = $2 AND place <= $3")
        .bind(device.to_string())
        .bind(role)
        .bind(place)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Removes all stored windows of a device.
pub(crate) async fn forget(tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM detection_training WHERE device = $1")
        .bind(device.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}
