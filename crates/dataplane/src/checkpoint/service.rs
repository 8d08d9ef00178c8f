//! One service under the agent's eye: it is kept running, measured, and its checkpoints are taken when they are due.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ports::checkpoint::{CheckpointInfo, ServiceState};
use serde::{Deserialize, Serialize};

use super::CheckpointError;
use super::backend::{self, Backend, Frozen};
use super::counter::write_whole;
use super::interval::Measured;
use super::protect::ServiceSettings;
use super::store::{Draft, Store};
use crate::clock;

/// First and longest pause before a service that ended by itself is started again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A service that ran so long has recovered: the next pause is the first again.
const RAN_WELL: Duration = Duration::from_secs(60);
/// Pause after a checkpoint that could not be taken.
const TAKE_AGAIN: Duration = Duration::from_secs(10);

/// What of the measurements survives the agent.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Numbers {
    cost_s: Option<f64>,
    load: Option<f64>,
    failures: u64,
    operating_s: f64,
}

/// One service.
pub struct ServiceKeeper {
    settings: ServiceSettings,
    /// The back-end, or why there is none.
    backend: Result<Box<dyn Backend>, String>,
    measured: Measured,
    numbers: PathBuf,
    /// The operating time at the newest checkpoint, and the processor time used then.
    since: (f64, f64),
    looked: Duration,
    started: Option<Duration>,
    pause: Duration,
    not_before: Duration,
    take_not_before: Duration,
}

impl ServiceKeeper {
    /// The service; nothing is started yet.
    pub fn new(settings: ServiceSettings, notes: &Path) -> Self {
        let backend = backend::open(&settings, notes).map_err(|error| error.to_string());
        if let Err(reason) = &backend {
            tracing::error!(service = settings.name, "{reason}; this service is not protected");
        }
        let numbers = notes.join(format!("{}.measured", settings.name));
        let read = std::fs::read(&numbers).ok();
        let known: Numbers =
            read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let measured = Measured {
            cost_s: known.cost_s,
            load: known.load,
            failures: known.failures,
            operating_s: known.operating_s,
        };
        Self {
            settings,
            backend,
            since: (measured.operating_s, 0.0),
            measured,
            numbers,
            looked: clock::monotonic(),
            started: None,
            pause: AGAIN.0,
            not_before: Duration::ZERO,
            take_not_before: Duration::ZERO,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// True when a clean base can be started from.
    pub(crate) fn has_clean(&self) -> bool {
        use super::protect::BackendSettings::{Criu, Overlay};
        self.settings.clean.is_some() || matches!(self.settings.keep, Overlay { .. } | Criu)
    }

    /// Its back-end.
    ///
    /// # Errors
    /// It does not work here.
    pub(crate) fn backend(&mut self) -> Result<&mut Box<dyn Backend>, CheckpointError> {
        self.backend.as_mut().map_err(|reason| CheckpointError::Settings(reason.clone()))
    }

    /// Starts the service, as it is or from what lies ready.
    ///
    /// # Errors
    /// It cannot be started; it is tried again later.
    pub fn start(&mut self) -> Result<(), CheckpointError> {
        let now = clock::monotonic();
        self.not_before = now + self.pause;
        self.backend()?.start()?;
        self.started = Some(now);
        self.looked = now;
        self.since.1 = 0.0;
        Ok(())
    }

    /// Ends the service: somebody asked for it, so it is no failure.
    ///
    /// # Errors
    /// It is still there.
    pub fn end(&mut self) -> Result<(), CheckpointError> {
        self.started = None;
        self.backend()?.end()
    }

    /// Keeps it running and counts.
    pub(crate) fn look(&mut self) {
        let now = clock::monotonic();
        let passed = now.saturating_sub(self.looked);
        self.looked = now;
        let Ok(backend) = &mut self.backend else { return };
        if backend.alive() {
            self.measured.operating_s += passed.as_secs_f64();
            if self.started.is_some_and(|started| now.saturating_sub(started) > RAN_WELL) {
                self.pause = AGAIN.0;
            }
            return;
        }
        if self.started.take().is_some() {
            self.measured.failures += 1;
            self.keep_numbers();
            tracing::warn!(
                service = self.settings.name,
                failures = self.measured.failures,
                "ended by itself"
            );
            self.not_before = now + self.pause;
            self.pause = (self.pause * 2).min(AGAIN.1);
        }
        if now >= self.not_before
            && let Err(error) = self.start()
        {
            tracing::warn!(service = self.settings.name, %error, "cannot be started");
        }
    }

    /// True when the operating time since the newest checkpoint exceeds the interval.
    pub(crate) fn due(&self) -> bool {
        let bounds = (self.settings.min_interval_s, self.settings.max_interval_s);
        self.started.is_some()
            && clock::monotonic() >= self.take_not_before
            && self.measured.operating_s - self.since.0 >= self.measured.interval(bounds).interval_s
    }

    /// Takes a checkpoint of the running service.
    ///
    /// # Errors
    /// The state cannot be taken or kept; the service goes on, and the next try waits.
    pub fn take(&mut self, store: &mut Store) -> Result<CheckpointInfo, CheckpointError> {
        self.take_not_before = clock::monotonic() + TAKE_AGAIN;
        if !self.backend()?.alive() {
            let reason = format!("{} does not run: there is no state to keep", self.settings.name);
            return Err(CheckpointError::Settings(reason));
        }
        let frozen = self.backend()?.take(store, false)?;
        let cost_s = frozen.frozen_us as f64 / 1e6;
        let info = self.keep(store, frozen, false, Vec::new())?;
        self.measured.cost(cost_s);
        let busy = self.backend()?.busy_s();
        let worked = self.measured.operating_s - self.since.0;
        if let Some(busy) = busy
            && worked > 0.0
        {
            self.measured.load((busy - self.since.1).max(0.0) / worked);
        }
        self.since = (self.measured.operating_s, busy.unwrap_or_default());
        self.take_not_before = Duration::ZERO;
        self.keep_numbers();
        Ok(info)
    }

    /// Makes what a back-end took a checkpoint.
    pub(crate) fn keep(
        &mut self,
        store: &mut Store,
        frozen: Frozen,
        evidence: bool,
        suspects: Vec<u64>,
    ) -> Result<CheckpointInfo, CheckpointError> {
        if frozen.left_out > 0 {
            tracing::info!(
                service = self.settings.name,
                left_out = frozen.left_out,
                "sockets, pipes and devices are not kept"
            );
        }
        let draft = Draft {
            service: self.settings.name.clone(),
            backend: self.backend()?.name(),
            evidence,
            taken_at: frozen.at,
            frozen_us: frozen.frozen_us,
            entries: frozen.entries,
            suspects,
            new_bytes: frozen.new_bytes,
        };
        Ok(store.commit(draft)?.info(evidence))
    }

    /// Work since the newest checkpoint begins to count anew.
    pub(crate) fn begin_anew(&mut self) {
        self.since = (self.measured.operating_s, 0.0);
    }

    fn keep_numbers(&self) {
        let Measured { cost_s, load, failures, operating_s } = self.measured;
        let text = serde_json::to_vec(&Numbers { cost_s, load, failures, operating_s });
        if let Err(error) = write_whole(&self.numbers, &text.unwrap_or_default()) {
            tracing::warn!(%error, "the measurements of a service are not kept");
        }
    }

    /// How it is told outside.
    pub fn state(&mut self, store: &Store) -> ServiceState {
        let bounds = (self.settings.min_interval_s, self.settings.max_interval_s);
        ServiceState {
            service: self.settings.name.clone(),
            backend: match &self.settings.keep {
                super::BackendSettings::State { .. } => "state",
                super::BackendSettings::Overlay { .. } => "overlay",
                super::BackendSettings::Btrfs { .. } => "btrfs",
                super::BackendSettings::Machine { .. } => "machine",
                super::BackendSettings::Criu => "criu",
            }
            .to_owned(),
            unavailable: self.backend.as_ref().err().cloned(),
            running: self.backend.as_mut().is_ok_and(|backend| backend.alive()),
            failures: self.measured.failures,
            operating_s: self.measured.operating_s,
            interval: Some(self.measured.interval(bounds)),
            checkpoints: store.of(&self.settings.name),
        }
    }
}
