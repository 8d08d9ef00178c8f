//! Pooled models for devices that still learn: one per type of device where the inventory knows it,
//! one of all. They judge how much, never with whom.

use std::sync::Arc;

use analytics::model_file::ModelFile;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::train::{TrainOptions, Trained, train_one};
use analytics::windows::DEFAULT_WINDOW_US;
use async_trait::async_trait;
use model::DeviceId;
use platform::blobs::Blobs;
use platform::db::DbError;
use platform::jobs::{Job, JobEnd, JobHandler};
use serde::Deserialize;

use crate::Detection;
use crate::engine::{ALL_KINDS, Prior};
use crate::error::DetectionError;
use crate::judge::Watch;
use crate::plan::PRIOR_JOB;
use crate::registry;
use crate::state::Phase;
use crate::store::kept;
use crate::store::models::{self, PriorRow};

/// Devices a pooled model needs: one alone says nothing about others.
const MIN_DEVICES: usize = 2;
/// Devices it is made of at most.
const MAX_DEVICES: usize = 32;
/// Windows of each of them at most.
const MAX_WINDOWS_EACH: i64 = 500;

/// Does it.
pub(crate) struct Lender(pub(crate) Detection);

#[derive(Deserialize)]
struct Order {
    device: DeviceId,
}

#[async_trait]
impl JobHandler for Lender {
    fn kind(&self) -> &'static str {
        PRIOR_JOB
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let order: Order = match serde_json::from_value(job.payload.clone()) {
            Ok(order) => order,
            Err(cause) => return JobEnd::Failed { reason: cause.to_string() },
        };
        match self.0.pool(&order).await {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

impl Detection {
    /// Pools the models of the device's kind, and those of all. Safe to run again at any point.
    async fn pool(&self, order: &Order) -> Result<(), DetectionError> {
        let _one_at_a_time = self.inner.fitting.lock().await;
        let (own, all) = {
            let engine = self.engine().await?;
            let own = engine.device(order.device).and_then(|state| state.memory.kind.clone());
            let mut all: Vec<(DeviceId, Option<String>)> = engine
                .devices()
                .filter(|state| state.row.phase == Phase::Watching || state.row.version > 0)
                .map(|state| (state.row.device, state.memory.kind.clone()))
                .collect();
            all.sort();
            (own, all)
        };
        let everybody = all.iter().map(|(device, _)| *device).collect();
        self.pool_kind(ALL_KINDS, everybody).await?;
        if let Some(kind) = own.filter(|kind| kind != ALL_KINDS) {
            let alike = all
                .iter()
                .filter(|(_, other)| other.as_ref() == Some(&kind))
                .map(|(device, _)| *device)
                .collect();
            self.pool_kind(&kind, alike).await?;
        }
        Ok(())
    }

    async fn pool_kind(&self, kind: &str, devices: Vec<DeviceId>) -> Result<(), DetectionError> {
        if devices.len() < MIN_DEVICES {
            return Ok(());
        }
        // The newest devices stand for today's.
        let first = devices.len().saturating_sub(MAX_DEVICES);
        let mut records = Vec::new();
        {
            let mut connection = self.inner.platform.db.read().await?;
            for device in &devices[first..] {
                let roles = [kept::ANCHOR, kept::LESSON];
                let own = kept::stored(&mut connection, *device, &roles, MAX_WINDOWS_EACH).await?;
                records.extend(own.windows.into_iter().map(|kept| kept.record));
            }
        }
        let (windows, count) = (records.len(), devices.len() - first);
        let file = match self.fit_pooled(records).await? {
            Ok(file) => file,
            Err(reason) => {
                tracing::debug!(kind, reason, "no pooled model");
                return Ok(());
            }
        };
        let platform = &self.inner.platform;
        let blob = Blobs::new(&platform.data).put(&file).await?;
        let Ok(watch) = Watch::from_bytes(&file, &blob) else { return Ok(()) };
        let row = PriorRow {
            kind: kind.to_owned(),
            signature: registry::sign_prior(platform, kind, &blob),
            blob,
            windows: i64::try_from(windows).unwrap_or(i64::MAX),
            devices: i64::try_from(count).unwrap_or(i64::MAX),
        };
        let prior = Prior { watch: Arc::new(watch), devices: row.devices };
        let mut engine = self.engine().await?;
        engine.sound = false;
        let done: Result<(), DbError> = platform
            .db
            .write(move |tx| Box::pin(async move { models::put_prior(tx, &row).await }))
            .await;
        done?;
        engine.sound = true;
        engine.lend(kind.to_owned(), prior);
        Ok(())
    }

    async fn fit_pooled(
        &self,
        records: Vec<WindowRecord>,
    ) -> Result<Result<Vec<u8>, String>, DetectionError> {
        let config = &self.inner.config;
        let options = TrainOptions {
            seed: config.seed,
            alpha: config.alpha,
            min_windows: config.min_training_windows as usize,
        };
        let work = move || -> Result<Vec<u8>, String> {
            let window_us =
                records.first().map_or(DEFAULT_WINDOW_US, |first| first.end_us - first.start_us);
            let pooled = train_one(None, records.iter().collect(), &options)
                .map_err(|cause| cause.to_string())?;
            let trained =
                Trained { devices: vec![], pooled: Some(pooled), too_few: vec![], beyond_limit: 0 };
            ModelFile::new(trained, &options, window_us, DevicePolicy::Local)
                .to_bytes()
                .map_err(|cause| cause.to_string())
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(outcome) => Ok(outcome),
            // The node stops: to be tried again.
            Err(cause) if cause.is_cancelled() => Err(DbError::Stopped.into()),
            Err(cause) => Ok(Err(format!("the fitting ended abnormally: {cause}"))),
        }
    }
}
