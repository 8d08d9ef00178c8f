//! How far detection is with one device.

use std::sync::Arc;

use model::id::TypedId;
use model::{DeviceId, Timestamp, WatchState};

use crate::config::Config;
use crate::context::Context;
use crate::finding::{LANES, Lane, OpenFinding};
use crate::judge::Watch;
use crate::memory::Memory;
use crate::suppress::Suppression;

/// The steps a device goes through; each is written before its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Windows are collected.
    Learning,
    /// The model is being fitted; arriving windows wait.
    Training,
    /// The model is there; windows that waited are being scored, in order.
    Draining,
    /// Every window is scored.
    Watching,
    /// No model could be made or read; the row's reason says why.
    Failed,
}

impl Phase {
    const ALL: [Self; 5] =
        [Self::Learning, Self::Training, Self::Draining, Self::Watching, Self::Failed];

    /// The word in the database.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Training => "training",
            Self::Draining => "draining",
            Self::Watching => "watching",
            Self::Failed => "failed",
        }
    }

    /// The phase a word names.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.word() == word)
    }
}

/// A row of `detection_devices`.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRow {
    pub(crate) device: DeviceId,
    /// The edge that sends its windows.
    pub(crate) edge: String,
    /// Name, address and MAC address when last seen, so that a finding reads by itself.
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) mac: Option<String>,
    pub(crate) phase: Phase,
    /// Why it is not watched; empty otherwise.
    pub(crate) reason: String,
    /// Number of the current learning; rises with each one.
    pub(crate) generation: i64,
    /// Epoch of the newest window.
    pub(crate) epoch: i64,
    /// Start of the first window of the learning, microseconds of packet time.
    pub(crate) first_us: i64,
    /// End of the newest window.
    pub(crate) last_us: i64,
    /// Windows learned from.
    pub(crate) learned: i64,
    /// Windows that wait for the model.
    pub(crate) waiting: i64,
    /// Counter that orders stored windows and scores.
    pub(crate) place: i64,
    /// SHA-256 of the model file in use.
    pub(crate) model: Option<String>,
    pub(crate) scored: i64,
    pub(crate) alerting: i64,
    /// Windows that could not be scored, because the device has no model.
    pub(crate) unscored: i64,
    pub(crate) last_score: Option<f64>,
    /// Number of the model's version in use; 0 for none.
    pub(crate) version: i64,
}

impl DeviceRow {
    /// A device whose first window comes now.
    pub(crate) fn new(device: &model::Device, edge: &str) -> Self {
        Self {
            device: device.id,
            edge: edge.to_owned(),
            name: device.name.clone(),
            address: String::new(),
            mac: device.mac.clone(),
            phase: Phase::Learning,
            reason: String::new(),
            generation: 0,
            epoch: 0,
            first_us: 0,
            last_us: 0,
            learned: 0,
            waiting: 0,
            place: 0,
            model: None,
            scored: 0,
            alerting: 0,
            unscored: 0,
            last_score: None,
            version: 0,
        }
    }

    /// What stands for an edge in findings that are about no single device. The id follows from the
    /// name, so that such findings stay together.
    pub(crate) fn of_edge(edge: &str) -> Self {
        let mut bytes = [0_u8; 10];
        for (place, byte) in edge.bytes().enumerate() {
            let own = &mut bytes[place % 10];
            *own = own.rotate_left(3) ^ byte;
        }
        let name = format!("what lies behind {edge}");
        let device = model::Device {
            id: DeviceId::mint(Timestamp::from_micros(0), bytes),
            name,
            place: None,
            role: model::DeviceRole::Infrastructure,
            criticality: model::Severity::Medium,
            mac: None,
            addresses: vec![],
            first_seen: Timestamp::from_micros(0),
            last_seen: Timestamp::from_micros(0),
        };
        Self::new(&device, edge)
    }

    /// How far it is, for people.
    pub(crate) fn watch_state(&self, config: &Config) -> WatchState {
        let share = |done: i64, all: i64| (done as f64 / all.max(1) as f64).clamp(0.0, 1.0);
        match self.phase {
            Phase::Learning if self.learned == 0 => WatchState::Learning { progress: 0.0 },
            Phase::Learning => {
                let by_time = share(self.last_us - self.first_us, config.training_span_us());
                let by_count = share(self.learned, i64::from(config.min_training_windows));
                WatchState::Learning { progress: by_time.min(by_count) }
            }
            Phase::Training => WatchState::Training { progress: 0.5 },
            Phase::Draining => WatchState::Training { progress: 0.9 },
            Phase::Watching => WatchState::Watching,
            Phase::Failed => WatchState::Unprotected { reason: self.reason.clone() },
        }
    }

    /// True when the learning has seen enough windows over a long enough span by `at_us`.
    pub(crate) fn learned_enough(&self, at_us: i64, config: &Config) -> bool {
        self.learned >= i64::from(config.min_training_windows)
            && at_us.saturating_sub(self.first_us) >= config.training_span_us()
    }
}

/// A device in memory: its row, its model, and what goes on with it.
#[derive(Clone, Debug)]
pub(crate) struct DeviceState {
    pub(crate) row: DeviceRow,
    pub(crate) watch: Option<Arc<Watch>>,
    pub(crate) context: Context,
    /// What goes on, by lane.
    pub(crate) findings: [Option<OpenFinding>; LANES],
    /// What the guards of learning remember.
    pub(crate) memory: Memory,
    /// What people called normal and did not take back; expiry is looked at when it matters.
    pub(crate) normal: Arc<Vec<Suppression>>,
}

impl DeviceState {
    /// A device whose first window comes now.
    pub(crate) fn new(device: &model::Device, edge: &str) -> Self {
        Self {
            row: DeviceRow::new(device, edge),
            watch: None,
            context: Context::default(),
            findings: Default::default(),
            memory: Memory::default(),
            normal: Arc::default(),
        }
    }

    /// Whether an alert of a model lasts at some time of a span (packet time, microseconds).
    pub(crate) fn alerts_in(&self, from_us: i64, to_us: i64) -> bool {
        let lanes = [Lane::Calls, Lane::Other, Lane::Commands, Lane::Laws];
        let open = lanes.iter().filter_map(|lane| self.findings[*lane as usize].as_ref());
        let mut lasting = open.filter(|open| open.finding.last_at.as_micros() >= from_us);
        lasting.any(|open| open.finding.first_at.as_micros() < to_us)
    }

    /// Counts of windows scored and alerting so far.
    pub(crate) const fn counts(&self) -> [i64; 2] {
        [self.row.scored, self.row.alerting]
    }

    /// Puts another version in use.
    pub(crate) fn use_version(&mut self, watch: Arc<Watch>, number: i64, at_us: i64) {
        self.row.version = number;
        self.row.model = Some(watch.hash.clone());
        self.row.phase = Phase::Watching;
        self.row.reason.clear();
        self.watch = Some(watch);
        self.memory.learning.renew(at_us);
        self.memory.fallback = None;
    }

    /// Takes over what the inventory says of the device today.
    pub(crate) fn describe(&mut self, device: &model::Device, edge: &str, address: &str) {
        edge.clone_into(&mut self.row.edge);
        self.row.name.clone_from(&device.name);
        self.row.mac.clone_from(&device.mac);
        address.clone_into(&mut self.row.address);
    }

    /// Starts to learn from the next window on; the model in use is given up.
    pub(crate) fn learn_again(&mut self) {
        self.row.phase = Phase::Learning;
        self.row.generation += 1;
        self.row.learned = 0;
        self.row.waiting = 0;
        self.row.model = None;
        self.row.reason.clear();
        self.row.last_score = None;
        self.watch = None;
        self.row.version = 0;
        self.memory.learn_again();
        self.findings = Default::default();
        self.context = Context::default();
    }

    /// Why the device cannot be watched.
    pub(crate) fn fail(&mut self, reason: String) {
        self.row.phase = Phase::Failed;
        self.row.reason = reason;
        self.watch = None;
    }
}

/// Microseconds as the moment they stand for.
pub(crate) const fn moment(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}
