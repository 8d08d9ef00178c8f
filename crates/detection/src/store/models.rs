//! The model registry.

use std::collections::HashMap;

use model::{DeviceId, ModelId};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::device_id;

/// A row of `detection_models`; times in microseconds of packet time.
#[derive(Clone, Debug)]
pub(crate) struct ModelRow {
    pub(crate) id: ModelId,
    pub(crate) device: DeviceId,
    pub(crate) blob: String,
    pub(crate) trained_from: i64,
    pub(crate) trained_to: i64,
    pub(crate) windows: i64,
    pub(crate) alpha: f64,
    pub(crate) seed: i64,
    pub(crate) judges: String,
    pub(crate) measured_false_rate: f64,
}

/// Registers a model as the one in use for its device.
pub(crate) async fn put_in_use(tx: &mut Tx, model: &ModelRow) -> Result<(), DbError> {
    retire(tx, model.device).await?;
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_models (id, device, blob, created_at, trained_from, trained_to, \
         windows, alpha, seed, judges, measured_false_rate, active) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)",
    )
    .bind(model.id.to_string())
    .bind(model.device.to_string())
    .bind(model.blob.clone())
    .bind(now)
    .bind(model.trained_from)
    .bind(model.trained_to)
    .bind(model.windows)
    .bind(model.alpha)
    .bind(model.seed)
    .bind(model.judges.clone())
    .bind(model.measured_false_rate)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// No model is in use for the device any more.
pub(crate) async fn retire(tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
    sqlx::query("UPDATE detection_models SET active = 0 WHERE device = $1 AND active = 1")
        .bind(device.to_string())
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// The models in use, by device.
pub(crate) async fn in_use(
    connection: &mut AnyConnection,
) -> Result<HashMap<DeviceId, ModelRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM detection_models WHERE active = 1")
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| read(row).map(|model| (model.device, model))).collect()
}

fn read(row: &AnyRow) -> Result<ModelRow, DbError> {
    let (id, device): (String, String) = (row.try_get("id")?, row.try_get("device")?);
    Ok(ModelRow {
        id: id.parse().map_err(|cause| DbError::corrupt("detection_models.id", cause))?,
        device: device_id(&device, "detection_models.device")?,
        blob: row.try_get("blob")?,
        trained_from: row.try_get("trained_from")?,
        trained_to: row.try_get("trained_to")?,
        windows: row.try_get("windows")?,
        alpha: row.try_get("alpha")?,
        seed: row.try_get("seed")?,
        judges: row.try_get("judges")?,
        measured_false_rate: row.try_get("measured_false_rate")?,
    })
}
