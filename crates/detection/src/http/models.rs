//! `GET /api/v1/detection/devices/{device}/models`: the versions of a device's model.

use axum::extract::{Path, Query, State};
use model::Timestamp;
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{device_id, no_device};
use crate::Detection;
use crate::error::DetectionError;
use crate::registry;
use crate::state::{DeviceRow, moment};
use crate::store;
use crate::store::models::{self, ModelRow};

/// One version of a device's model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ModelVersion {
    /// Number of the version, from 1.
    version: i64,
    /// `active`, `candidate` (fitted, not used), `retired` or `refused` (not what was signed).
    state: String,
    /// Why it is in that state.
    reason: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Packet time of its training's start.
    #[schema(value_type = String, format = DateTime)]
    trained_from: Timestamp,
    /// Packet time of its training's end.
    #[schema(value_type = String, format = DateTime)]
    trained_to: Timestamp,
    /// Windows it was trained on.
    windows: i64,
    /// Seed of its random draws.
    seed: i64,
    /// Share of benign windows that may alert, as asked for.
    alpha: f64,
    /// Share of held-out training windows that did.
    held_out_rate: f64,
    /// Windows it scored while it was in use.
    windows_scored: i64,
    /// Of those, the ones above the threshold.
    windows_alerting: i64,
    /// Their share; nothing before the first window.
    alarm_rate: Option<f64>,
    /// Which judges it has.
    judges: String,
    /// SHA-256 of its file.
    file: String,
    /// How it was made.
    #[schema(value_type = Object)]
    config: Value,
    /// Ed25519 over all of this by the node's key, hex.
    signature: String,
    /// The public key, hex.
    signed_by: String,
    /// Whether the signature fits.
    signature_valid: bool,
}

impl ModelVersion {
    fn new(detection: &Detection, row: ModelRow, device: Option<&DeviceRow>) -> Self {
        let valid = registry::check(&detection.inner.platform, &row).is_ok();
        let mut used = row.used;
        if let Some(device) = device.filter(|_| row.state == models::ACTIVE) {
            used[0] += device.scored - row.base[0];
            used[1] += device.alerting - row.base[1];
        }
        Self {
            version: row.number,
            state: row.state,
            reason: row.reason,
            made_at: moment(row.created_at),
            trained_from: moment(row.trained_from),
            trained_to: moment(row.trained_to),
            windows: row.windows,
            seed: row.seed,
            alpha: row.alpha,
            held_out_rate: row.measured_false_rate,
            windows_scored: used[0],
            windows_alerting: used[1],
            alarm_rate: (used[0] > 0).then(|| used[1] as f64 / used[0] as f64),
            judges: row.judges,
            file: row.blob,
            config: serde_json::from_str(&row.config).unwrap_or(Value::Null),
            signature: row.signature,
            signed_by: row.signed_by,
            signature_valid: valid,
        }
    }
}

/// The versions of a device's model, newest first.
#[utoipa::path(get, path = "/api/v1/detection/devices/{device}/models", tag = "detection",
    params(("device" = String, Path, description = "The device's id"), PageQuery),
    responses((status = 200, body = Page<ModelVersion>), (status = 404, body = Problem)))]
pub(crate) async fn models(
    State(detection): State<Detection>,
    Path(device): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ModelVersion>>, Problem> {
    let id = device_id(&device).ok_or_else(|| no_device(&device))?;
    let (limit, after) = (query.limit(), query.after()?);
    let before = after.and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    let known = store::devices::one(&mut connection, id).await?;
    let known = known.ok_or_else(|| no_device(&device))?;
    let rows = models::of_device(&mut connection, id, before, i64::from(limit) + 1).await?;
    let items =
        rows.into_iter().map(|row| ModelVersion::new(&detection, row, Some(&known))).collect();
    Ok(Json(Page::from_surplus(items, limit, |item: &ModelVersion| item.version.to_string())))
}
