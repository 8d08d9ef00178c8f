//! Fits a watched device's model again from its anchor and its trusted windows. The candidate comes
//! into use only when it would have missed no true alert and its held-out false alarms are not worse;
//! otherwise it is kept as a candidate that a person may look at.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use analytics::guard::keys::{DAY_US, Key};
use analytics::guard::poison::PoisonVerdict;
use analytics::record::WindowRecord;
use async_trait::async_trait;
use model::DeviceId;
use model::event::ModelChanged;
use platform::blobs::Blobs;
use platform::db::DbError;
use platform::jobs::{Job, JobEnd, JobHandler};
use serde::Deserialize;
use serde_json::json;

use crate::Detection;
use crate::context::Context;
use crate::error::DetectionError;
use crate::finding::{GuardNews, Lane};
use crate::fit::Fitted;
use crate::judge::Watch;
use crate::plan::{PRIOR_JOB, REFIT_JOB};
use crate::registry;
use crate::state::{DeviceState, Phase};
use crate::store::kept::{self, Kept};
use crate::store::models;

/// Share of the windows of an earlier finding that a candidate must still call an alert.
const MIN_CAUGHT: f64 = 0.95;

/// Does it.
pub(crate) struct Refitter(pub(crate) Detection);

#[derive(Deserialize)]
struct Order {
    device: DeviceId,
    generation: i64,
    at_us: i64,
}

#[async_trait]
impl JobHandler for Refitter {
    fn kind(&self) -> &'static str {
        REFIT_JOB
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let order: Order = match serde_json::from_value(job.payload.clone()) {
            Ok(order) => order,
            Err(cause) => return JobEnd::Failed { reason: cause.to_string() },
        };
        match Box::pin(self.0.refit(&order)).await {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

/// What a refit works on, read once.
struct Material {
    number: i64,
    active: models::ModelRow,
    lessons: Vec<WindowRecord>,
    lately: Vec<WindowRecord>,
    true_alerts: Vec<Kept>,
    /// Keys that became known since the training.
    keys: Vec<Key>,
    /// Windows of the first training that are records of another version.
    unreadable: usize,
}

impl Detection {
    /// Safe to run again at any point: everything it changes is one transaction at its end.
    async fn refit(&self, order: &Order) -> Result<(), DetectionError> {
        let _one_at_a_time = self.inner.fitting.lock().await;
        let Some(state) = self.refittable(order).await? else { return Ok(()) };
        let Some(material) = self.material(order, &state).await? else { return Ok(()) };
        if material.unreadable > 0 {
            return self.hold_without_anchor(order, material.unreadable).await;
        }
        let mut poison = state.memory.learning.poison.clone();
        let lately: Vec<&WindowRecord> = material.lately.iter().collect();
        let verdict = poison.judge(&lately);
        if let PoisonVerdict::Ramp(growth) | PoisonVerdict::Beyond(growth) = verdict {
            return self.hold_learning(order, poison, GuardNews::Teaching(growth)).await;
        }
        let records = Arc::new(material.lessons.clone());
        let fitted = match self.fit_model(records).await? {
            Ok(fitted) => fitted,
            Err(reason) => {
                tracing::warn!(device = %order.device, reason, "a model could not be fitted again");
                return Ok(());
            }
        };
        let hash = Blobs::new(&self.inner.platform.data).put(&fitted.file).await?;
        let candidate = Watch::new(fitted.model.clone(), &hash).with_keys(&material.keys);
        let Some(active) = &state.watch else { return Ok(()) };
        let against = objections(&material, active, &candidate, &fitted);
        self.register(order, &material, (fitted, hash), (poison, against)).await
    }

    /// The device, if it still is in the life the order was made in.
    async fn refittable(&self, order: &Order) -> Result<Option<DeviceState>, DetectionError> {
        let engine = self.engine().await?;
        Ok(in_order(engine.device(order.device), order))
    }

    async fn material(
        &self,
        order: &Order,
        state: &DeviceState,
    ) -> Result<Option<Material>, DetectionError> {
        let (device, limit) = (order.device, i64::from(self.inner.config.max_kept_windows));
        let mut connection = self.inner.platform.db.read().await?;
        let Some(active) = models::one(&mut connection, device, state.row.version).await? else {
            return Ok(None);
        };
        let anchors = kept::stored(&mut connection, device, &[kept::ANCHOR], limit).await?;
        let lessons = kept::stored(&mut connection, device, &[kept::LESSON], limit).await?;
        let alerts = kept::stored(&mut connection, device, &[kept::ALERT], limit).await?;
        let normal = crate::store::suppressions::called_normal(&mut connection, device).await?;
        let number = models::next_number(&mut connection, device).await?;
        let keys = kept::keys(&mut connection).await?.remove(&device).unwrap_or_default();
        drop(connection);
        let lately = lessons
            .windows
            .iter()
            .filter(|kept| kept.record.start_us >= active.trained_to)
            .map(|kept| kept.record.clone())
            .collect();
        let unreadable = anchors.unreadable;
        let (anchors, lessons) = (anchors.windows, lessons.windows);
        let true_alert =
            |kept: &Kept| kept.finding.as_ref().is_some_and(|finding| !normal.contains(finding));
        Ok(Some(Material {
            number,
            active,
            keys,
            lately,
            lessons: anchors.into_iter().chain(lessons).map(|kept| kept.record).collect(),
            true_alerts: alerts.windows.into_iter().filter(true_alert).collect(),
            unreadable,
        }))
    }

    /// The poisoning guard says no: learning is held and people are told.
    async fn hold_learning(
        &self,
        order: &Order,
        poison: analytics::guard::poison::PoisonGuard,
        news: GuardNews,
    ) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let Some(mut state) = in_order(engine.device(order.device), order) else { return Ok(()) };
        state.memory.learning.poison = poison;
        state.memory.learning.hold("somebody may be teaching the model: see its finding");
        let mut stage = self.stage_with(&engine).await?;
        stage.tell(&mut state, Lane::Model, news, order.at_us);
        stage.changed.insert(order.device, state);
        stage.finish();
        let crate::stage::Stage { changed, plan, .. } = stage;
        self.commit(&mut engine, plan).await?;
        engine.install(changed);
        Ok(())
    }

    /// The anchor of all learning cannot be read any more: the model in use stays, and learning on
    /// would drift without it.
    async fn hold_without_anchor(
        &self,
        order: &Order,
        unreadable: usize,
    ) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let Some(mut state) = in_order(engine.device(order.device), order) else { return Ok(()) };
        state.memory.learning.hold(format!(
            "{unreadable} windows of its first training are of another version of this program; \
             let it learn again to go on learning"
        ));
        let mut stage = self.stage_with(&engine).await?;
        stage.changed.insert(order.device, state);
        stage.finish();
        let crate::stage::Stage { changed, plan, .. } = stage;
        self.commit(&mut engine, plan).await?;
        engine.install(changed);
        Ok(())
    }

    /// Registers the version, in use where nothing speaks against it.
    async fn register(
        &self,
        order: &Order,
        material: &Material,
        (fitted, hash): (Fitted, String),
        (poison, against): (analytics::guard::poison::PoisonGuard, Vec<String>),
    ) -> Result<(), DetectionError> {
        let platform = &self.inner.platform;
        let mut engine = self.engine().await?;
        let Some(mut state) = in_order(engine.device(order.device), order) else { return Ok(()) };
        if state.row.version != material.active.number {
            // Somebody put another version in use meanwhile: that word counts.
            return Ok(());
        }
        let facts = json!({
            "made": "from the anchor and trusted windows",
            "before": material.active.number,
            "lessons": material.lessons.len(),
            "lately": material.lately.len(),
            "true_alerts": material.true_alerts.len(),
        });
        let number = material.number;
        let mut row = self.model_row((&state.row, number), &fitted.model, &hash, &facts);
        let accepted = against.is_empty();
        row.state = if accepted { models::ACTIVE } else { models::CANDIDATE }.to_owned();
        row.reason = if accepted {
            "misses no earlier alert and does not alert more often".to_owned()
        } else {
            format!("not used: {}", against.join("; "))
        };
        registry::sign(platform, &mut row);
        state.memory.learning.poison = poison;
        let counts = state.counts();
        let changed = accepted.then(|| ModelChanged {
            device: order.device,
            device_name: state.row.name.clone(),
            from: material.active.number,
            to: number,
            reason: row.reason.clone(),
        });
        if accepted {
            let watch = Watch::new(fitted.model, &hash).with_keys(&material.keys);
            state.use_version(Arc::new(watch), number, order.at_us);
        }
        let (device, context) = (state.row.clone(), state.context.to_json());
        let memory = state.memory.to_json();
        engine.sound = false;
        let done: Result<(), DbError> = platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    models::add(tx, &row, counts).await?;
                    crate::store::devices::write(tx, &device, &context, &memory).await?;
                    if let Some(fact) = changed {
                        tx.publish("system", &fact).await?;
                        let (key, now) = (format!("{}/{number}", device.device), tx.now());
                        let payload = json!({ "device": device.device });
                        tx.enqueue(PRIOR_JOB, &key, &payload, now).await?;
                    }
                    Ok(())
                })
            })
            .await;
        done?;
        engine.sound = true;
        engine.install([(order.device, state)]);
        Ok(())
    }
}

fn in_order(state: Option<&DeviceState>, order: &Order) -> Option<DeviceState> {
    state
        .filter(|state| {
            state.row.generation == order.generation && state.row.phase == Phase::Watching
        })
        .cloned()
}

/// Why a candidate should not come into use by itself.
fn objections(
    material: &Material,
    active: &Watch,
    candidate: &Watch,
    fitted: &Fitted,
) -> Vec<String> {
    let mut against = Vec::new();
    let training = fitted.model.training;
    let rate = training.held_out_alarms as f64 / training.windows.max(1) as f64;
    let bearable = material.active.measured_false_rate.max(training.alpha);
    if rate > bearable {
        against.push(format!(
            "{:.2} % of held-out windows alert, {:.2} % is what version {} has or the budget allows",
            rate * 100.0,
            bearable * 100.0,
            material.active.number
        ));
    }
    let before = caught(active, &material.true_alerts);
    let now = caught(candidate, &material.true_alerts);
    let missed: HashSet<&str> = before
        .iter()
        .filter(|(finding, count)| {
            let found = now.get(*finding).copied().unwrap_or(0);
            (found as f64) < MIN_CAUGHT * **count as f64
        })
        .map(|(finding, _)| *finding)
        .collect();
    if !missed.is_empty() {
        against.push(format!("it would have missed {} earlier findings", missed.len()));
    }
    against
}

/// Alerting windows by finding, when a model judges them again. The context counts remember what is
/// kept alone: alike for both models.
fn caught<'a>(watch: &Watch, alerts: &'a [Kept]) -> BTreeMap<&'a str, usize> {
    let mut context = Context::default();
    let mut caught = BTreeMap::new();
    let mut last_us = i64::MIN;
    for kept in alerts {
        if kept.record.start_us.saturating_sub(last_us).abs() > DAY_US {
            context = Context::default();
        }
        last_us = kept.record.start_us;
        let judgement = watch.judge(&kept.record, &mut context, &[]);
        if let Some(finding) = kept.finding.as_deref().filter(|_| judgement.alert()) {
            *caught.entry(finding).or_default() += 1;
        }
    }
    caught
}
