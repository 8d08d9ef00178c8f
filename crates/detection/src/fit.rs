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

use crate::Detection;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::judge::{Watch, judges_in_words};
use crate::plan::{FIT_JOB, StoredWindow};
use crate::state::{DeviceRow, Phase, moment};
use crate::store::{self, models::ModelRow};

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
struct Fitted {
    model: DeviceModel,
    file: Vec<u8>,
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
        let records = records.into_iter().map(|(_, _, record)| record).collect();
        match self.fit_model(records).await {
            Ok(fitted) => {
                self.inner.news.state(order.device, WatchState::Training { progress: 0.9 });
                self.put_in_use(order, fitted).await?;
                self.drain(order).await
            }
            Err(reason) => self.give_up(order, reason).await,
        }
    }

    async fn fit_model(&self, records: Vec<WindowRecord>) -> Result<Fitted, String> {
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
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|cause| format!("the fitting ended abnormally: {cause}"))?
    }

    async fn put_in_use(&self, order: &Order, fitted: Fitted) -> Result<(), DetectionError> {
        let platform = &self.inner.platform;
        let hash = Blobs::new(&platform.data).put(&fitted.file).await?;
        let mut engine = self.engine().await?;
        let Some(mut state) = in_phase(&engine, order, Phase::Training) else { return Ok(()) };
        state.row.phase = Phase::Draining;
        state.row.model = Some(hash.clone());
        let model_row = self.model_row(&state.row, &fitted.model, &hash);
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
        engine.sound = false;
        let done: Result<(), DbError> = platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    store::models::put_in_use(tx, &model_row).await?;
                    store::windows::used(tx, row.device, StoredWindow::TRAIN, i64::MAX).await?;
                    store::devices::write(tx, &row, &context).await?;
                    tx.publish("system", &trained).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        engine.sound = true;
        engine.install([(order.device, state)]);
        Ok(())
    }

    fn model_row(&self, row: &DeviceRow, model: &DeviceModel, hash: &str) -> ModelRow {
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
            judges: judges_in_words(model),
            measured_false_rate: training.held_out_alarms as f64 / windows,
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
            let mut stage = self.stage();
            for (_, epoch, record) in &waiting {
                stage.watch(&mut state, *epoch, record);
            }
            if let Some((last, _, _)) = waiting.last() {
                stage.plan.used.push((order.device, StoredWindow::WAIT, *last));
            }
            state.row.waiting -= i64::try_from(waiting.len()).unwrap_or(0);
            if i64::try_from(waiting.len()).unwrap_or(0) < DRAINED_AT_ONCE {
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

fn in_phase(engine: &Engine, order: &Order, phase: Phase) -> Option<crate::state::DeviceState> {
    engine
        .device(order.device)
        .filter(|state| state.row.generation == order.generation && state.row.phase == phase)
        .cloned()
}
