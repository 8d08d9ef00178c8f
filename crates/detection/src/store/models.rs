//! The model registry: every version of every device's model, and the pooled ones.

use model::{DeviceId, ModelId};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::device_id;

/// In use.
pub(crate) const ACTIVE: &str = "active";
/// Fitted, and not good enough to be used without a person's word.
pub(crate) const CANDIDATE: &str = "candidate";
/// Was in use.
pub(crate) const RETIRED: &str = "retired";

/// A row of `detection_models`; times of training in microseconds of packet time.
#[derive(Clone, Debug)]
pub(crate) struct ModelRow {
    pub(crate) id: ModelId,
    pub(crate) device: DeviceId,
    /// From 1, rising by one.
    pub(crate) number: i64,
    pub(crate) state: String,
    /// Why it is in that state.
    pub(crate) reason: String,
    pub(crate) blob: String,
    /// Wall time.
    pub(crate) created_at: i64,
    pub(crate) trained_from: i64,
    pub(crate) trained_to: i64,
    pub(crate) windows: i64,
    pub(crate) alpha: f64,
    pub(crate) seed: i64,
    /// JSON of the other settings of the fitting and its figures.
    pub(crate) config: String,
    pub(crate) judges: String,
    pub(crate) measured_false_rate: f64,
    pub(crate) signature: String,
    pub(crate) signed_by: String,
    /// The device's counts when it came into use.
    pub(crate) base: [i64; 2],
    /// Windows scored and alerting while it was in use, up to its retirement.
    pub(crate) used: [i64; 2],
}

/// Registers a version; one that is `active` retires the one in use, whose counts `at` end.
pub(crate) async fn add(tx: &mut Tx, model: &ModelRow, at: [i64; 2]) -> Result<(), DbError> {
    if model.state == ACTIVE {
        retire(tx, model.device, at, "replaced by a newer version").await?;
    }
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_models (id, device, blob, created_at, trained_from, trained_to, \
         windows, alpha, seed, judges, measured_false_rate, active, number, state, reason, config, \
         signature, signed_by, legacy, base_scored, base_alerting) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, $19, $20)",
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
    .bind(i64::from(model.state == ACTIVE))
    .bind(model.number)
    .bind(model.state.clone())
    .bind(model.reason.clone())
    .bind(model.config.clone())
    .bind(model.signature.clone())
    .bind(model.signed_by.clone())
    .bind(at[0])
    .bind(at[1])
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// No model is in use for the device any more; its counts end at `at`.
pub(crate) async fn retire(
    tx: &mut Tx,
    device: DeviceId,
    at: [i64; 2],
    reason: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE detection_models SET active = 0, state = 'retired', reason = $1, \
         scored = scored + $2 - base_scored, alerting = alerting + $3 - base_alerting \
         WHERE device = $4 AND active = 1",
    )
    .bind(reason)
    .bind(at[0])
    .bind(at[1])
    .bind(device.to_string())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Puts an earlier version (or a candidate) in use in place of the one that is.
pub(crate) async fn activate(
    tx: &mut Tx,
    device: DeviceId,
    number: i64,
    at: [i64; 2],
    reason: &str,
) -> Result<(), DbError> {
    retire(tx, device, at, reason).await?;
    sqlx::query(
        "UPDATE detection_models SET active = 1, state = 'active', reason = $1, base_scored = $2, \
         base_alerting = $3 WHERE device = $4 AND number = $5",
    )
    .bind(reason)
    .bind(at[0])
    .bind(at[1])
    .bind(device.to_string())
    .bind(number)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// A version is not used again, and why.
pub(crate) async fn refuse(
    tx: &mut Tx,
    device: DeviceId,
    number: i64,
    reason: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE detection_models SET active = 0, state = 'refused', reason = $1 \
         WHERE device = $2 AND number = $3",
    )
    .bind(reason)
    .bind(device.to_string())
    .bind(number)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Signs a version from before signatures.
pub(crate) async fn adopt(tx: &mut Tx, model: &ModelRow) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE detection_models SET legacy = 0, signature = $1, signed_by = $2 WHERE id = $3",
    )
    .bind(model.signature.clone())
    .bind(model.signed_by.clone())
    .bind(model.id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Versions from before signatures.
pub(crate) async fn legacy(connection: &mut AnyConnection) -> Result<Vec<ModelRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM detection_models WHERE legacy = 1")
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// The number of the next version.
pub(crate) async fn next_number(
    connection: &mut AnyConnection,
    device: DeviceId,
) -> Result<i64, DbError> {
    let row =
        sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 FROM detection_models WHERE device = $1")
            .bind(device.to_string())
            .fetch_one(connection)
            .await?;
    Ok(row.try_get(0)?)
}

/// The versions in use, of all devices.
pub(crate) async fn in_use(connection: &mut AnyConnection) -> Result<Vec<ModelRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM detection_models WHERE active = 1")
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// The versions of a device, newest first, below `before`.
pub(crate) async fn of_device(
    connection: &mut AnyConnection,
    device: DeviceId,
    before: i64,
    limit: i64,
) -> Result<Vec<ModelRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM detection_models WHERE device = $1 AND number < $2 \
         ORDER BY number DESC LIMIT $3",
    )
    .bind(device.to_string())
    .bind(before)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// One version.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    device: DeviceId,
    number: i64,
) -> Result<Option<ModelRow>, DbError> {
    let row = sqlx::query("SELECT * FROM detection_models WHERE device = $1 AND number = $2")
        .bind(device.to_string())
        .bind(number)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<ModelRow, DbError> {
    let (id, device): (String, String) = (row.try_get("id")?, row.try_get("device")?);
    Ok(ModelRow {
        id: id.parse().map_err(|cause| DbError::corrupt("detection_models.id", cause))?,
        device: device_id(&device, "detection_models.device")?,
        number: row.try_get("number")?,
        state: row.try_get("state")?,
        reason: row.try_get("reason")?,
        blob: row.try_get("blob")?,
        created_at: row.try_get("created_at")?,
        trained_from: row.try_get("trained_from")?,
        trained_to: row.try_get("trained_to")?,
        windows: row.try_get("windows")?,
        alpha: row.try_get("alpha")?,
        seed: row.try_get("seed")?,
        config: row.try_get("config")?,
        judges: row.try_get("judges")?,
        measured_false_rate: row.try_get("measured_false_rate")?,
        signature: row.try_get("signature")?,
        signed_by: row.try_get("signed_by")?,
        base: [row.try_get("base_scored")?, row.try_get("base_alerting")?],
        used: [row.try_get("scored")?, row.try_get("alerting")?],
    })
}

/// A pooled model: its kind, file, signature, and how many windows and devices it was made of.
#[derive(Clone, Debug)]
pub(crate) struct PriorRow {
    pub(crate) kind: String,
    pub(crate) blob: String,
    pub(crate) signature: String,
    pub(crate) windows: i64,
    pub(crate) devices: i64,
}

/// Keeps a pooled model in place of the one before.
pub(crate) async fn put_prior(tx: &mut Tx, prior: &PriorRow) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_priors (kind, blob, windows, devices, made_at, signature) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind) DO UPDATE SET blob = excluded.blob, \
         windows = excluded.windows, devices = excluded.devices, made_at = excluded.made_at, \
         signature = excluded.signature",
    )
    .bind(prior.kind.clone())
    .bind(prior.blob.clone())
    .bind(prior.windows)
    .bind(prior.devices)
    .bind(now)
    .bind(prior.signature.clone())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The pooled models.
pub(crate) async fn priors(connection: &mut AnyConnection) -> Result<Vec<PriorRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM detection_priors").fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(PriorRow {
                kind: row.try_get("kind")?,
                blob: row.try_get("blob")?,
                signature: row.try_get("signature")?,
                windows: row.try_get("windows")?,
                devices: row.try_get("devices")?,
            })
        })
        .collect()
}
