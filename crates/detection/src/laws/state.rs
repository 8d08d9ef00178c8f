//! How far the model of a protocol behind an edge is.

use model::WatchState;

use super::memory::{LawMemory, LawModel, Protocol};
use crate::config::Config;
use crate::state::Phase;

/// Which model: of an edge, for a protocol.
pub(crate) type LawKey = (String, Protocol);

/// A row of `detection_laws`.
#[derive(Clone, Debug)]
pub(crate) struct LawRow {
    pub(crate) edge: String,
    pub(crate) protocol: Protocol,
    pub(crate) phase: Phase,
    /// Why it is not watched; empty otherwise.
    pub(crate) reason: String,
    /// Number of the current learning.
    pub(crate) generation: i64,
    /// Epoch of the newest report.
    pub(crate) epoch: i64,
    /// First message of the learning, microseconds of packet time.
    pub(crate) first_us: i64,
    /// Newest report.
    pub(crate) last_us: i64,
    /// Messages learned from.
    pub(crate) messages: i64,
    /// Reports stored to learn from.
    pub(crate) reports: i64,
    /// Reports that wait for the model.
    pub(crate) waiting: i64,
    /// Orders stored reports.
    pub(crate) place: i64,
    /// The version in use; 0 for none.
    pub(crate) version: i64,
    /// Messages judged.
    pub(crate) judged: i64,
    /// Windows in which a law was broken, told in findings.
    pub(crate) unusual: i64,
    /// Windows that broke what training broke as well, or only inform.
    pub(crate) informed: i64,
    /// Windows that a person called normal.
    pub(crate) suppressed: i64,
    /// Messages not learned, because an alert or an incident speaks against them.
    pub(crate) kept_out: i64,
    /// Broken windows of devices that are not watched.
    pub(crate) unwatched: i64,
    /// Messages the edge had no place for.
    pub(crate) untold: i64,
    /// Messages that nobody judged, because there is no model.
    pub(crate) unjudged: i64,
    /// Packet time up to which silence was looked for.
    pub(crate) advanced_us: i64,
}

impl LawRow {
    /// A protocol whose first report comes now.
    pub(crate) fn new(edge: &str, protocol: Protocol) -> Self {
        Self {
            edge: edge.to_owned(),
            protocol,
            phase: Phase::Learning,
            reason: String::new(),
            generation: 0,
            epoch: 0,
            first_us: 0,
            last_us: 0,
            messages: 0,
            reports: 0,
            waiting: 0,
            place: 0,
            version: 0,
            judged: 0,
            unusual: 0,
            informed: 0,
            suppressed: 0,
            kept_out: 0,
            unwatched: 0,
            untold: 0,
            unjudged: 0,
            advanced_us: 0,
        }
    }

    /// Whether enough was seen by a packet time; also when no more is kept to learn from.
    pub(crate) fn learned_enough(&self, at_us: i64, config: &Config) -> bool {
        let full = self.reports >= i64::from(config.max_training_reports);
        let enough = self.messages >= i64::from(config.min_training_operations)
            && at_us.saturating_sub(self.first_us) >= config.training_span_us();
        self.reports > 0 && (enough || full)
    }

    /// How far it is.
    pub(crate) fn watch_state(&self, config: &Config) -> WatchState {
        let share = |done: i64, all: i64| (done as f64 / all.max(1) as f64).clamp(0.0, 1.0);
        match self.phase {
            Phase::Learning if self.reports == 0 => WatchState::Learning { progress: 0.0 },
            Phase::Learning => {
                let by_time = share(self.last_us - self.first_us, config.training_span_us());
                let least = i64::from(config.min_training_operations);
                WatchState::Learning { progress: by_time.min(share(self.messages, least)) }
            }
            Phase::Training | Phase::Draining => WatchState::Training { progress: 0.5 },
            Phase::Watching => WatchState::Watching,
            Phase::Failed => WatchState::Unprotected { reason: self.reason.clone() },
        }
    }

    /// How those who speak are protected, in words.
    pub(crate) fn protection(&self, config: &Config) -> String {
        match self.phase {
            Phase::Learning => format!(
                "not protected yet: learning ({} of {} messages, {} of {} minutes)",
                self.messages.min(i64::from(config.min_training_operations)),
                config.min_training_operations,
                ((self.last_us - self.first_us) / 60_000_000).clamp(0, config.training_span_s / 60),
                config.training_span_s / 60,
            ),
            Phase::Training | Phase::Draining => {
                "the model is being trained; messages wait and are judged then".to_owned()
            }
            Phase::Watching => format!("every message is judged by version {}", self.version),
            Phase::Failed => format!("not protected: {}", self.reason),
        }
    }

    /// Learns again from the next report on.
    pub(crate) fn learn_again(&mut self) {
        self.unjudged += self.waiting;
        self.phase = Phase::Learning;
        self.generation += 1;
        (self.messages, self.reports, self.waiting, self.version) = (0, 0, 0, 0);
        self.reason.clear();
    }
}

/// A protocol behind an edge, in memory.
#[derive(Clone, Debug)]
pub(crate) struct LawState {
    pub(crate) row: LawRow,
    pub(crate) model: Option<LawModel>,
    /// SHA-256 of the model in use; empty for none.
    pub(crate) hash: String,
    pub(crate) memory: LawMemory,
}

impl LawState {
    /// A protocol whose first report comes now.
    pub(crate) fn new(edge: &str, protocol: Protocol) -> Self {
        Self {
            row: LawRow::new(edge, protocol),
            model: None,
            hash: String::new(),
            memory: LawMemory::new(protocol),
        }
    }

    /// Which it is.
    pub(crate) fn key(&self) -> LawKey {
        (self.row.edge.clone(), self.row.protocol)
    }
}
