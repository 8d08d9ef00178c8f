//! Fits a device's model as durable work: after a crash the fitting starts again from the stored
//! windows, and windows that came meanwhile are scored afterwards, in order.

use std::sync::Arc;

use analytics::model::DeviceModel;
use analytics::model_file::ModelFile;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::train::{TrainOptions, Trained, train_one};
use analytics::windows::DEFAULT_WINDOW_US;
use async_trait::async_trait;
use model::event::ModelTrained;
use model::{DeviceId, ModelId, WatchState};
use platform::blobs::Blobs;
use platform::db::DbError;
use platform::jobs::{Job, JobEnd, JobHandler};
use serde::Deserialize;
use serde_json::json;

use crate::Detection;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::judge::{Watch, judges_in_words};
use crate::plan::{FIT_JOB, PRIOR_JOB, StoredWindow};
use crate::registry;
use crate::state::{DeviceRow, Phase, moment};
use crate::store;
use crate::store::models::{self, ModelRow};

/// Waiting windows scored in one transaction.
const DRAINED_AT_ONCE: i64 = 500;

/// Does the fitting.
pub(crate) struct Fitter(pub(crate) Detection);

#[derive(Deserialize)]
struct Order {
    device: DeviceId,
    generation: i64,
}

/// A model that was fitted, with its file.
pub(crate) struct Fitted {
    pub(crate) model: DeviceModel,
    pub(crate) file: Vec<u8>,
}

#[async_trait]
impl JobHandler for Fitter {
    fn kind(&self) -> &'static str {
        FIT_JOB
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let order: Order = match serde_json::from_value(job.payload.clone()) {
            Ok(order) => order,
            Err(cause) => return JobEnd::Failed { reason: cause.to_string() },
        };
        match self.0.fit(&order).await {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

impl Detection {
    /// Fits, makes the model the one in use, and scores what waited. Safe to run again at any point.
    async fn fit(&self, order: &Order) -> Result<(), DetectionError> {
        let _one_at_a_time = self.inner.fitting.lock().await;
        let phase = {
            let engine = self.engine().await?;
            let state = engine.device(order.device);
            state.filter(|state| state.row.generation == order.generation).map(|s| s.row.phase)
        };
        match phase {
            Some(Phase::Training) => {}
            Some(Phase::Draining) => return self.drain(order).await,
            // Learned again meanwhile, or done before a crash.
            _ => return Ok(()),
        }
        self.inner.news.state(order.device, WatchState::Training { progress: 0.1 });
        let records = {
            let mut connection = self.inner.platform.db.read().await?;
            store::windows::stored(&mut connection, order.device, StoredWindow::TRAIN, i64::MAX)
                .await?
        };
        let unreadable = records.unreadable;
        let records: Arc<Vec<WindowRecord>> =
            Arc::new(records.windows.into_iter().map(|(_, record)| record).collect());
        match self.fit_model(Arc::clone(&records)).await? {
            Ok(fitted) => {
                self.inner.news.state(order.device, WatchState::Training { progress: 0.9 });
                self.put_in_use(order, fitted, &records, unreadable).await?;
                self.drain(order).await
            }
            Err(reason) if unreadable > 0 => {
                let left_out = left_out(unreadable);
                self.give_up(order, format!("{reason} ({left_out})")).await
            }
            Err(reason) => self.give_up(order, reason).await,
        }
    }

    /// Fits one model and makes its file; away from the threads that answer. The inner error says why
    /// these windows give no model.
    ///
    /// # Errors
    /// The node stops, which says nothing about the windows: to be tried again.
    pub(crate) async fn fit_model(
        &self,
        records: Arc<Vec<WindowRecord>>,
    ) -> Result<Result<Fitted, String>, DetectionError> {
        let config = &self.inner.config;
        let options = TrainOptions {
            seed: config.seed,
            alpha: config.alpha,
            min_windows: config.min_training_windows as usize,
        };
        let work = move || -> Result<Fitted, String> {
            let host = records.first().map(|record| record.device);
            let window_us =
                records.first().map_or(DEFAULT_WINDOW_US, |first| first.end_us - first.start_us);
            let model = train_one(host, records.iter().collect(), &options)
                .map_err(|cause| cause.to_string())?;
            let trained = Trained {
                devices: vec![model.clone()],
                pooled: None,
                too_few: vec![],
                beyond_limit: 0,
            };
            let policy = DevicePolicy::Listed(host.into_iter().collect());
            let file = ModelFile::new(trained, &options, window_us, policy)
                .to_bytes()
                .map_err(|cause| cause.to_string())?;
            Ok(Fitted { model, file })
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(outcome) => Ok(outcome),
            Err(cause) if cause.is_cancelled() => Err(DbError::Stopped.into()),
            Err(cause) => Ok(Err(format!("the fitting ended abnormally: {cause}"))),
        }
    }

    async fn put_in_use(
        &self,
        order: &Order,
        fitted: Fitted,
        records: &[WindowRecord],
        unreadable: i64,
    ) -> Result<(), DetectionError> {
        let platform = &self.inner.platform;
        let hash = Blobs::new(&platform.data).put(&fitted.file).await?;
        let mut engine = self.engine().await?;
        let Some(mut state) = in_phase(&engine, order, Phase::Training) else { return Ok(()) };
        let number = {
            let mut connection = platform.db.read().await?;
            store::models::next_number(&mut connection, order.device).await?
        };
        state.row.phase = Phase::Draining;
        state.row.model = Some(hash.clone());
        state.row.version = number;
        let anchor: Vec<&WindowRecord> = records.iter().collect();
        state.memory.learning.begin(&anchor, fitted.model.training.last_us);
        state.memory.fallback = None;
        let facts = json!({ "made": "from the device's own learning" });
        let mut model_row = self.model_row((&state.row, number), &fitted.model, &hash, &facts);
        models::ACTIVE.clone_into(&mut model_row.state);
        "the first model of this learning".clone_into(&mut model_row.reason);
        if unreadable > 0 {
            model_row.reason.push_str(&format!("; {}", left_out(unreadable)));
        }
        registry::sign(platform, &mut model_row);
        let trained = ModelTrained {
            device: order.device,
            device_name: state.row.name.clone(),
            model: hash.clone(),
            windows: fitted.model.training.windows,
            alpha: fitted.model.training.alpha,
            trained_to: moment(fitted.model.training.last_us),
            judges: judges_in_words(&fitted.model),
        };
        state.watch = Some(Arc::new(Watch::new(fitted.model, &hash)));
        let (row, context) = (state.row.clone(), state.context.to_json());
        let (memory, counts) = (state.memory.to_json(), state.counts());
        let kept = i64::from(self.inner.config.max_kept_windows);
        engine.sound = false;
        let done: Result<(), DbError> = platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    store::models::add(tx, &model_row, counts).await?;
                    store::kept::anchor(tx, row.device, kept).await?;
                    store::windows::used(tx, row.device, StoredWindow::TRAIN, i64::MAX).await?;
                    store::devices::write(tx, &row, &context, &memory).await?;
                    tx.publish("system", &trained).await?;
                    let (key, now) = (format!("{}/{number}", row.device), tx.now());
                    tx.enqueue(PRIOR_JOB, &key, &json!({ "device": row.device }), now).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        engine.sound = true;
        engine.install([(order.device, state)]);
        Ok(())
    }

    /// A version as it is registered; `facts` are what else is to be known of how it was made.
    pub(crate) fn model_row(
        &self,
        (row, number): (&DeviceRow, i64),
        model: &DeviceModel,
        hash: &str,
        facts: &serde_json::Value,
    ) -> ModelRow {
        let training = model.training;
        let windows = training.windows.max(1) as f64;
        ModelRow {
            id: self.inner.platform.mint::<ModelId>(),
            device: row.device,
            blob: hash.to_owned(),
            trained_from: training.first_us,
            trained_to: training.last_us,
            windows: i64::try_from(training.windows).unwrap_or(i64::MAX),
            alpha: training.alpha,
            seed: i64::try_from(self.inner.config.seed).unwrap_or(i64::MAX),
            config: facts.to_string(),
            judges: judges_in_words(model),
            measured_false_rate: training.held_out_alarms as f64 / windows,
            number,
            state: models::CANDIDATE.to_owned(),
            reason: String::new(),
            created_at: 0,
            signature: String::new(),
            signed_by: String::new(),
            base: [0, 0],
            used: [0, 0],
        }
    }

    /// Scores the windows that waited; new ones wait behind them until the last is done.
    async fn drain(&self, order: &Order) -> Result<(), DetectionError> {
        loop {
            let mut engine = self.engine().await?;
            let Some(mut state) = in_phase(&engine, order, Phase::Draining) else { return Ok(()) };
            let waiting = {
                let mut connection = self.inner.platform.db.read().await?;
                let role = StoredWindow::WAIT;
                store::windows::stored(&mut connection, order.device, role, DRAINED_AT_ONCE).await?
            };
            let mut stage = self.stage_with(&engine).await?;
            for (epoch, record) in &waiting.windows {
                stage.watch(&mut state, *epoch, record);
            }
            if let Some(last) = waiting.last {
                stage.plan.used.push((order.device, StoredWindow::WAIT, last));
            }
            state.row.unscored += waiting.unreadable;
            state.row.waiting -= waiting.count();
            if waiting.count() < DRAINED_AT_ONCE {
                state.row.waiting = 0;
                state.row.phase = Phase::Watching;
            }
            let watch_state = state.row.watch_state(&self.inner.config);
            let ended = state.row.phase == Phase::Watching;
            stage.changed.insert(order.device, state);
            stage.finish();
            let crate::stage::Stage { changed, plan, news, .. } = stage;
            self.commit(&mut engine, plan).await?;
            engine.install(changed);
            drop(engine);
            self.inner.news.windows(news);
            self.inner.news.state(order.device, watch_state);
            if ended {
                return Ok(());
            }
        }
    }

    async fn give_up(&self, order: &Order, reason: String) -> Result<(), DetectionError> {
        tracing::error!(device = %order.device, reason, "no model could be fitted");
        let mut engine = self.engine().await?;
        let Some(mut state) = in_phase(&engine, order, Phase::Training) else { return Ok(()) };
        state.row.unscored += state.row.waiting;
        state.row.waiting = 0;
        state.fail(format!("{reason}; let it learn again"));
        let watch_state = state.row.watch_state(&self.inner.config);
        let mut stage = self.stage();
        stage.plan.forget_windows(order.device);
        stage.changed.insert(order.device, state);
        stage.finish();
        let crate::stage::Stage { changed, plan, .. } = stage;
        self.commit(&mut engine, plan).await?;
        engine.install(changed);
        self.inner.news.state(order.device, watch_state);
        Ok(())
    }
}

/// In words: windows of another version.
pub(crate) fn left_out(windows: i64) -> String {
    format!("{windows} stored windows of another version of this program were left out")
}

fn in_phase(engine: &Engine, order: &Order, phase: Phase) -> Option<crate::state::DeviceState> {
    engine
        .device(order.device)
        .filter(|state| state.row.generation == order.generation && state.row.phase == phase)
        .cloned()
}
