//! Batches from edges: stored, learned from or scored, exactly once, in one transaction each.

use std::collections::HashSet;
use std::sync::Arc;

use analytics::host::Host;
use async_trait::async_trait;
use model::{DeviceRole, Timestamp};
use platform::db::DbError;
use ports::{AddressSighting, PortError, WindowBatch, WindowSink};
use tokio::sync::MutexGuard;

use crate::Detection;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::intake::Intake;
use crate::laws::judge::LawNews;
use crate::machines::judge::{Parties, Source};
use crate::plan::{BatchRow, Plan};
use crate::stage::Stage;
use crate::store;

impl Detection {
    /// The engine, alone; made again from the database where that is needed.
    pub(crate) async fn engine(&self) -> Result<MutexGuard<'_, Engine>, DetectionError> {
        let mut engine = self.inner.engine.lock().await;
        if !engine.sound {
            *engine = Engine::load(&self.inner.platform).await?;
        }
        Ok(engine)
    }

    /// Commits a plan. The caller's stage takes effect only after this; until then the memory counts
    /// as doubtful, so that a caller that goes away in between leaves nothing wrong behind.
    pub(crate) async fn commit(
        &self,
        engine: &mut Engine,
        plan: Plan,
    ) -> Result<(), DetectionError> {
        engine.sound = false;
        let done: Result<(), DbError> = self
            .inner
            .platform
            .db
            .write(move |tx| Box::pin(async move { plan.execute(tx).await }))
            .await;
        done?;
        engine.sound = true;
        Ok(())
    }

    pub(crate) fn stage(&self) -> Stage<'_> {
        let platform = &self.inner.platform;
        Stage::new(&self.inner.config, platform.clock.as_ref(), platform.random.as_ref())
    }

    /// A stage with what it needs from elsewhere: models to borrow, and open incidents.
    pub(crate) async fn stage_with(&self, engine: &Engine) -> Result<Stage<'_>, DetectionError> {
        let mut connection = self.inner.platform.db.read().await?;
        let incidents = store::groups::devices_in_incidents(&mut connection).await?;
        let mut stage = self.stage();
        stage.priors = Arc::clone(&engine.priors);
        stage.incidents = Arc::new(incidents);
        Ok(stage)
    }

    /// The watched devices among hosts: only those that send windows are asked for, so that nobody
    /// makes up devices by naming them in a command.
    pub(crate) async fn parties(
        &self,
        engine: &Engine,
        edge: &str,
        at: Timestamp,
        hosts: HashSet<Host>,
    ) -> Result<Parties, DetectionError> {
        let mut parties = Parties::new();
        if hosts.is_empty() {
            return Ok(parties);
        }
        for (mac, host, name) in engine.sources_of(&hosts) {
            let sighting = AddressSighting {
                sensor: edge.to_owned(),
                mac: mac.or(host.as_mac().map(|_| host)).map(|mac| mac.to_string()),
                address: host.ip(),
                seen_at: at,
            };
            let device = self.inner.assets.identify(&sighting).await?;
            if device.role == DeviceRole::Protected {
                parties.insert(name, device);
            }
        }
        Ok(parties)
    }

    /// The devices that reports of GOOSE and MMS are about. Who broke a law need not send windows:
    /// many publishers speak no IP. As with windows, only so many new ones may come at a time.
    pub(crate) async fn law_parties(
        &self,
        engine: &mut Engine,
        edge: &str,
        at: Timestamp,
        news: &LawNews,
    ) -> Result<Parties, DetectionError> {
        let mut parties = self.parties(engine, edge, at, news.hosts()).await?;
        let mut new: Vec<Host> =
            news.speakers().filter(|host| !parties.contains_key(host)).collect();
        new.sort_unstable();
        new.dedup();
        for host in new {
            let source = (Some(host), host);
            if host.as_mac().is_none() || host.is_group() || parties.contains_key(&host) {
                continue;
            }
            if !engine.admits(edge, source, at.as_micros()) {
                continue;
            }
            let sighting = AddressSighting {
                sensor: edge.to_owned(),
                mac: Some(host.to_string()),
                address: None,
                seen_at: at,
            };
            let device = self.inner.assets.identify(&sighting).await?;
            if device.role == DeviceRole::Protected {
                parties.insert(host, device);
            }
        }
        Ok(parties)
    }

    async fn take(&self, batch: WindowBatch) -> Result<(), DetectionError> {
        let mut intake = Intake::read(batch)?;
        let mut reports = std::mem::take(&mut intake.reports);
        let (edge, epoch, seq) = (intake.edge.clone(), intake.epoch, intake.seq);
        let (complete_to, refused) = (intake.complete_to, intake.refused);
        let windows = intake.records.len();
        let mut engine = self.engine().await?;
        if was_taken(&engine, &edge, epoch, seq) {
            return Ok(());
        }
        let assets = self.inner.assets.as_ref();
        let sorted =
            intake.by_device(assets, |source, now_us| engine.admits(&edge, source, now_us)).await?;
        let (unwatched, turned_away) = (sorted.unwatched, sorted.turned_away);
        let mut stage = self.stage_with(&engine).await?;
        for windows in sorted.devices {
            let who = (&windows.device, windows.address.as_str());
            let kind = match engine.device(windows.device.id) {
                None => assets.type_of(windows.device.id).await?,
                Some(_) => None,
            };
            stage.take(&engine, who, (&edge, epoch), (windows.records, kind))?;
        }
        if let Some(devices) = engine.flood_news(&edge) {
            let dropped = turned_away + stage.beyond_limit;
            stage.tell_flood(&edge, (devices, dropped), complete_to);
        }
        let source = Source { edge: &edge, epoch, at_us: complete_to.as_micros() };
        let laws = stage.judge_laws(&engine, source, std::mem::take(&mut reports.laws));
        let parties = self.parties(&engine, &edge, complete_to, reports.hosts()).await?;
        stage.take_reports(&engine, source, reports, &parties)?;
        let parties = self.law_parties(&mut engine, &edge, complete_to, &laws).await?;
        stage.settle_laws(&engine, source, laws, &parties)?;
        stage.complete_to(&engine, &edge, epoch, complete_to);
        stage.finish();
        let windows = i64::try_from(windows).unwrap_or(i64::MAX);
        stage.plan.batch = Some(BatchRow { edge: edge.clone(), epoch, seq, windows, refused });
        let Stage { changed, machines, laws, plan, news, beyond_limit, .. } = stage;
        let removed = plan.removed.clone();
        let scored = news.iter().filter(|news| news.score.is_some()).count() as u64;
        let alerts = news.iter().filter(|news| news.alert).count() as u64;
        self.commit(&mut engine, plan).await?;
        engine.taken(edge, epoch, seq);
        removed.into_iter().for_each(|device| engine.remove(device));
        for state in changed.values() {
            self.inner.news.state(state.row.device, state.row.watch_state(&self.inner.config));
        }
        engine.install(changed);
        engine.install_machines(machines);
        engine.laws.extend(laws);
        drop(engine);
        count([scored, alerts, unwatched + beyond_limit, turned_away]);
        metrics::counter!("sereno_detection_records_refused_total")
            .increment(refused.unsigned_abs());
        self.inner.news.beyond_limit(beyond_limit + turned_away);
        self.inner.news.windows(news);
        Ok(())
    }
}

/// Whether a batch was taken before; those that are missing before it are told.
fn was_taken(engine: &Engine, edge: &str, epoch: i64, seq: i64) -> bool {
    let Some(last) = engine.last_seq(edge, epoch) else { return false };
    if seq <= last {
        metrics::counter!("sereno_detection_batches_repeated_total").increment(1);
        return true;
    }
    if seq > last + 1 {
        let missing = u64::try_from(seq - last - 1).unwrap_or(0);
        tracing::warn!(edge, epoch, last, seq, "batches are missing: the edge had to drop them");
        metrics::counter!("sereno_detection_batches_missing_total").increment(missing);
    }
    false
}

/// Counts windows scored, alerting, unwatched and turned away.
fn count([scored, alerts, unwatched, turned_away]: [u64; 4]) {
    metrics::counter!("sereno_detection_windows_scored_total").increment(scored);
    metrics::counter!("sereno_detection_windows_alerting_total").increment(alerts);
    metrics::counter!("sereno_detection_windows_unwatched_total").increment(unwatched);
    metrics::counter!("sereno_detection_windows_turned_away_total").increment(turned_away);
}

#[async_trait]
impl WindowSink for Detection {
    async fn accept(&self, batch: WindowBatch) -> Result<(), PortError> {
        Ok(self.take(batch).await?)
    }

    async fn last_seq(&self, edge: &str, epoch: u64) -> Result<Option<u64>, PortError> {
        let Ok(epoch) = i64::try_from(epoch) else { return Ok(None) };
        let engine = self.engine().await?;
        Ok(engine.last_seq(edge, epoch).and_then(|seq| u64::try_from(seq).ok()))
    }
}
