//! `GET /api/v1/detection/devices`: how far detection is with each device.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use model::{DeviceId, Timestamp, WatchState};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::config::Config;
use crate::engine::Priors;
use crate::error::DetectionError;
use crate::memory::Memory;
use crate::protection::protection;
use crate::state::{DeviceRow, moment};
use crate::store::{self, models::ModelRow};

/// What a device goes on learning while it is watched.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LearningView {
    /// Whether the newest window was learned from, or why not, in words.
    state: String,
    /// Trust in the newest window, 0 to 1.
    trust: Option<f64>,
    /// Why learning is held, where it is.
    held: Option<String>,
    /// Whether the device changed its habits and nobody has said that it may.
    drifting: bool,
    /// Windows learned from since the last fitting.
    taught: u64,
    /// Windows learned from since the first model.
    taught_in_all: u64,
    /// Windows kept out.
    kept_out: u64,
    /// New parties and services on probation.
    on_probation: usize,
    /// Alerting windows that people's word covered.
    suppressed: u64,
}

impl LearningView {
    fn new(memory: &Memory, config: &Config) -> Self {
        let learning = &memory.learning;
        let [taught, taught_in_all, kept_out] = learning.counts();
        let trust = learning.trust();
        let obstacle = trust.and_then(|trust| trust.obstacle);
        let state = match (config.learn_online, obstacle) {
            (false, _) => "off (detection.learn_online)".to_owned(),
            (true, Some(obstacle)) => format!("not now: {}", obstacle.words()),
            (true, None) if trust.is_some() => "learns from what is trusted".to_owned(),
            (true, None) => "begins when the device is watched".to_owned(),
        };
        Self {
            state,
            trust: trust.map(|trust| trust.value),
            held: learning.held().map(str::to_owned),
            drifting: learning.is_drifting(),
            taught,
            taught_in_all,
            kept_out,
            on_probation: learning.on_probation(),
            suppressed: memory.suppressed,
        }
    }
}

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
    /// How it is protected just now, in words; while it learns too.
    protection: String,
    /// What it goes on learning.
    learning: LearningView,
    /// Number of the model's version in use; 0 for none.
    version: i64,
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
    fn new(
        (row, memory): (DeviceRow, Memory),
        model: Option<&ModelRow>,
        (config, priors): (&Config, &Priors),
    ) -> Self {
        Self {
            state: row.watch_state(config),
            protection: protection(&row, &memory, config, priors),
            learning: LearningView::new(&memory, config),
            version: row.version,
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
    drop(connection);
    let priors = Arc::clone(&detection.engine().await?.priors);
    let models: HashMap<DeviceId, ModelRow> =
        models.into_iter().map(|model| (model.device, model)).collect();
    let config = &detection.inner.config;
    let items = rows
        .into_iter()
        .map(|(row, memory)| {
            let model =
                models.get(&row.device).filter(|model| row.model.as_ref() == Some(&model.blob));
            WatchedDevice::new((row, Memory::from_json(&memory)), model, (config, &priors))
        })
        .collect();
    Ok(Json(Page::from_surplus(items, limit, |item: &WatchedDevice| item.device.to_string())))
}
