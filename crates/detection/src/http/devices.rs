//! `GET /api/v1/detection/devices`: how far detection is with each device.

use axum::extract::{Query, State};
use model::{DeviceId, Timestamp, WatchState};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::config::Config;
use crate::error::DetectionError;
use crate::state::{DeviceRow, moment};
use crate::store::{self, models::ModelRow};

/// A device as detection sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WatchedDevice {
    /// The device's id.
    #[schema(value_type = String)]
    device: DeviceId,
    /// Its name.
    name: String,
    /// `{"state":"learning"|"training","progress":0…1}`, `{"state":"watching"}` or
    /// `{"state":"unprotected","reason":…}`.
    #[schema(value_type = Object)]
    state: WatchState,
    /// SHA-256 of the model file in use.
    model: Option<String>,
    /// Windows scored so far.
    windows_scored: i64,
    /// Windows above the threshold.
    windows_alerting: i64,
    /// Windows that could not be scored, because the device had no model.
    windows_unscored: i64,
    /// Score of the newest window.
    last_score: Option<f64>,
    /// A score above this is an alert.
    threshold: f64,
    /// Share of benign windows that may alert, as asked for.
    alpha: Option<f64>,
    /// Share that did, measured on held-out training windows.
    measured_false_rate: Option<f64>,
    /// Which judges the model has.
    judges: Option<String>,
    /// Windows the model was trained on.
    training_windows: Option<i64>,
    /// Packet time of the training's start.
    #[schema(value_type = Option<String>, format = DateTime)]
    trained_from: Option<Timestamp>,
    /// Packet time of the training's end.
    #[schema(value_type = Option<String>, format = DateTime)]
    trained_to: Option<Timestamp>,
}

impl WatchedDevice {
    fn new(row: DeviceRow, model: Option<&ModelRow>, config: &Config) -> Self {
        Self {
            state: row.watch_state(config),
            device: row.device,
            name: row.name,
            model: row.model,
            windows_scored: row.scored,
            windows_alerting: row.alerting,
            windows_unscored: row.unscored,
            last_score: row.last_score,
            threshold: 1.0,
            alpha: model.map(|model| model.alpha),
            measured_false_rate: model.map(|model| model.measured_false_rate),
            judges: model.map(|model| model.judges.clone()),
            training_windows: model.map(|model| model.windows),
            trained_from: model.map(|model| moment(model.trained_from)),
            trained_to: model.map(|model| moment(model.trained_to)),
        }
    }
}

/// How far detection is with each device.
#[utoipa::path(get, path = "/api/v1/detection/devices", tag = "detection", params(PageQuery),
    responses((status = 200, body = Page<WatchedDevice>)))]
pub(crate) async fn devices(
    State(detection): State<Detection>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<WatchedDevice>>, Problem> {
    let (limit, after) = (query.limit(), query.after()?);
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    let rows =
        store::devices::page(&mut connection, after.as_deref(), i64::from(limit) + 1).await?;
    let models = store::models::in_use(&mut connection).await?;
    let config = &detection.inner.config;
    let items = rows
        .into_iter()
        .map(|row| {
            let model =
                models.get(&row.device).filter(|model| row.model.as_ref() == Some(&model.blob));
            WatchedDevice::new(row, model, config)
        })
        .collect();
    Ok(Json(Page::from_surplus(items, limit, |item: &WatchedDevice| item.device.to_string())))
}
