//! What people do with versions of models: go back to one, compare two, hold the learning.

use std::sync::Arc;

use model::DeviceId;
use model::event::{LearningSwitched, ModelChanged};
use platform::db::DbError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::context::Context;
use crate::error::DetectionError;
use crate::judge::Watch;
use crate::registry;
use crate::state::{DeviceState, Phase};
use crate::store::kept::{self, Kept};
use crate::store::{self, models};

/// Windows on which two versions are compared at most.
pub(crate) const MAX_COMPARED: i64 = 10_000;
/// Disagreements shown.
const MAX_DISAGREEMENTS: usize = 50;

/// How one version judges the windows of a comparison.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct VersionResult {
    /// Its number.
    version: i64,
    /// Windows above the threshold.
    alerts: u64,
    /// Of the windows that alerted when they came, those that alert again.
    alerts_found_again: u64,
    /// Of the trusted windows, those that alert.
    false_alarms: u64,
    /// Mean score.
    mean_score: f64,
    /// Largest score.
    max_score: f64,
}

/// A window on which two versions disagree.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Disagreement {
    /// Packet time of its start.
    #[schema(value_type = String, format = DateTime)]
    start: model::Timestamp,
    /// What it was kept as: `anchor`, `lesson`, `alert` or `doubt`.
    role: String,
    /// Score of the first version.
    a: f64,
    /// Score of the second version.
    b: f64,
}

/// Two versions side by side.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    /// Windows judged by both, the newest ones kept.
    windows: u64,
    /// The first version.
    a: VersionResult,
    /// The second version.
    b: VersionResult,
    /// Windows on which they disagree.
    disagreements: u64,
    /// The first of those.
    examples: Vec<Disagreement>,
}

impl Detection {
    /// Puts a version in use that is not: an earlier one, or a candidate. Learning is held, so that
    /// the next fitting does not undo it.
    pub(crate) async fn activate(
        &self,
        id: DeviceId,
        number: i64,
        (by, reason): (&str, &str),
    ) -> Result<(), DetectionError> {
        let platform = &self.inner.platform;
        let mut engine = self.engine().await?;
        let mut state = engine
            .device(id)
            .cloned()
            .ok_or_else(|| DetectionError::NotFound(format!("device '{id}'")))?;
        if matches!(state.row.phase, Phase::Training | Phase::Draining) {
            return Err(DetectionError::Conflict(format!(
                "{} is being fitted right now; try again when it is watched",
                state.row.name
            )));
        }
        let (row, keys) = {
            let mut connection = platform.db.read().await?;
            let row = models::one(&mut connection, id, number).await?;
            (row, kept::keys(&mut connection).await?.remove(&id).unwrap_or_default())
        };
        let row = row.ok_or_else(|| {
            DetectionError::NotFound(format!("version {number} of the model of {}", state.row.name))
        })?;
        if state.row.version == number {
            return Err(DetectionError::Conflict(format!("version {number} is in use already")));
        }
        let watch = registry::load(platform, &row).await.map_err(|cause| {
            DetectionError::Conflict(format!("{}; choose another version", cause.cause))
        })?;
        let (from, was_learning) = (state.row.version, state.row.phase == Phase::Learning);
        let at_us = state.row.last_us;
        state.use_version(Arc::new(watch.with_keys(&keys)), number, at_us);
        let why = format!("{reason} (by {by})");
        state.memory.learning.hold(format!("version {number} was put in use: {why}"));
        let fact = ModelChanged {
            device: id,
            device_name: state.row.name.clone(),
            from,
            to: number,
            reason: why.clone(),
        };
        let forget = was_learning;
        self.write_state(&mut engine, state, by, move |tx, counts| {
            Box::pin(async move {
                if forget {
                    store::windows::forget(tx, id).await?;
                }
                models::activate(tx, id, number, counts, &why).await?;
                Ok(fact)
            })
        })
        .await
    }

    /// Holds the learning of a device, or lets it go on. Going on accepts a change of habits.
    pub(crate) async fn switch_learning(
        &self,
        id: DeviceId,
        on: bool,
        (by, reason): (&str, &str),
    ) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let mut state = engine
            .device(id)
            .cloned()
            .ok_or_else(|| DetectionError::NotFound(format!("device '{id}'")))?;
        if on {
            state.memory.learning.release();
        } else {
            state.memory.learning.hold(format!("{reason} (by {by})"));
        }
        let fact = LearningSwitched {
            device: id,
            device_name: state.row.name.clone(),
            on,
            reason: reason.to_owned(),
        };
        self.write_state(&mut engine, state, by, move |_, _| Box::pin(async move { Ok(fact) }))
            .await
    }

    /// Writes a device as it now stands, with more in the same transaction, and tells of it.
    pub(crate) async fn write_state<P, F>(
        &self,
        engine: &mut crate::engine::Engine,
        state: DeviceState,
        by: &str,
        more: F,
    ) -> Result<(), DetectionError>
    where
        P: model::event::Payload + Send + Sync + 'static,
        F: for<'t> FnOnce(
                &'t mut platform::db::Tx,
                [i64; 2],
            ) -> std::pin::Pin<
                Box<dyn Future<Output = Result<P, DbError>> + Send + 't>,
            > + Send
            + 'static,
    {
        let (row, by) = (state.row.clone(), by.to_owned());
        let (context, memory) = (state.context.to_json(), state.memory.to_json());
        let counts = state.counts();
        engine.sound = false;
        let done: Result<(), DbError> = self
            .inner
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let fact = more(tx, counts).await?;
                    store::devices::write(tx, &row, &context, &memory).await?;
                    tx.publish(&by, &fact).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        engine.sound = true;
        let watch_state = state.row.watch_state(&self.inner.config);
        self.inner.news.state(state.row.device, watch_state);
        engine.install([(state.row.device, state)]);
        Ok(())
    }

    /// Judges the newest kept windows by two versions.
    pub(crate) async fn compare(
        &self,
        id: DeviceId,
        (a, b): (i64, i64),
        windows: i64,
    ) -> Result<Comparison, DetectionError> {
        let platform = &self.inner.platform;
        let (first, second, kept) = {
            let mut connection = platform.db.read().await?;
            let first = models::one(&mut connection, id, a).await?;
            let second = models::one(&mut connection, id, b).await?;
            let roles = [kept::ANCHOR, kept::LESSON, kept::ALERT, kept::DOUBT];
            let kept = kept::stored(&mut connection, id, &roles, windows).await?.windows;
            (first, second, kept)
        };
        let mut ready = Vec::with_capacity(2);
        for (number, row) in [(a, first), (b, second)] {
            let row = row.ok_or_else(|| {
                DetectionError::NotFound(format!("version {number} of the model of device {id}"))
            })?;
            let refused = |refusal: registry::Refusal| DetectionError::Conflict(refusal.cause);
            ready.push(registry::load(platform, &row).await.map_err(refused)?);
        }
        let work = move || -> Option<Comparison> {
            let [first, second] = &ready[..] else { return None };
            let (x, y) = (scores(first, &kept), scores(second, &kept));
            let apart = |place: &usize| (x[*place] > 1.0) != (y[*place] > 1.0);
            let places: Vec<usize> = (0..kept.len()).filter(apart).collect();
            let examples = places.iter().take(MAX_DISAGREEMENTS).map(|place| Disagreement {
                start: crate::state::moment(kept[*place].record.start_us),
                role: kept[*place].role.clone(),
                a: x[*place],
                b: y[*place],
            });
            Some(Comparison {
                windows: kept.len() as u64,
                examples: examples.collect(),
                disagreements: places.len() as u64,
                a: result(a, &x, &kept),
                b: result(b, &y, &kept),
            })
        };
        tokio::task::spawn_blocking(work)
            .await
            .ok()
            .flatten()
            .ok_or_else(|| DetectionError::Conflict("the comparison ended abnormally".into()))
    }
}

fn scores(watch: &Watch, kept: &[Kept]) -> Vec<f64> {
    let mut context = Context::default();
    kept.iter().map(|kept| watch.judge(&kept.record, &mut context, &[]).score).collect()
}

fn result(version: i64, scores: &[f64], kept: &[Kept]) -> VersionResult {
    let count = |role: Option<&[&str]>| {
        let judged = scores.iter().zip(kept).filter(|(score, kept)| {
            **score > 1.0 && role.is_none_or(|roles| roles.contains(&kept.role.as_str()))
        });
        judged.count() as u64
    };
    VersionResult {
        version,
        alerts: count(None),
        alerts_found_again: count(Some(&[kept::ALERT])),
        false_alarms: count(Some(&[kept::ANCHOR, kept::LESSON])),
        mean_score: scores.iter().sum::<f64>() / scores.len().max(1) as f64,
        max_score: scores.iter().copied().fold(0.0, f64::max),
    }
}
