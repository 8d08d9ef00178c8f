//! How far the machine model of an edge is.

use std::sync::Arc;

use analytics::commands::CommandModel;
use model::WatchState;

use crate::config::Config;
use crate::state::Phase;

/// A row of `detection_machines`.
#[derive(Clone, Debug)]
pub(crate) struct MachineRow {
    pub(crate) edge: String,
    pub(crate) phase: Phase,
    /// Why it is not watched; empty otherwise.
    pub(crate) reason: String,
    /// Why an older version is in use; empty otherwise.
    pub(crate) fallback: String,
    /// Number of the current learning.
    pub(crate) generation: i64,
    /// Epoch of the newest report.
    pub(crate) epoch: i64,
    /// Start of the first report of the learning, microseconds of packet time.
    pub(crate) first_us: i64,
    /// End of the newest report.
    pub(crate) last_us: i64,
    /// Operations learned from.
    pub(crate) operations: i64,
    /// Reports stored to learn from.
    pub(crate) reports: i64,
    /// Reports that wait for the model.
    pub(crate) waiting: i64,
    /// Orders stored reports.
    pub(crate) place: i64,
    /// The version in use; 0 for none.
    pub(crate) version: i64,
    /// Operations judged.
    pub(crate) judged: i64,
    /// Unusual commands told in findings.
    pub(crate) unusual: i64,
    /// Unusual commands that only inform, because so much training or so much change speaks against.
    pub(crate) informed: i64,
    /// Unusual commands that a person called normal.
    pub(crate) suppressed: i64,
    /// Operations not learned, because an alert or an incident speaks against them.
    pub(crate) kept_out: i64,
    /// Unusual commands between devices that are not watched.
    pub(crate) unwatched: i64,
    /// Reports that could not be read.
    pub(crate) unread: i64,
    /// Operations that nobody judged, because there is no model.
    pub(crate) unjudged: i64,
}

impl MachineRow {
    /// An edge whose first report comes now.
    pub(crate) fn new(edge: &str) -> Self {
        Self {
            edge: edge.to_owned(),
            phase: Phase::Learning,
            reason: String::new(),
            fallback: String::new(),
            generation: 0,
            epoch: 0,
            first_us: 0,
            last_us: 0,
            operations: 0,
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
            unread: 0,
            unjudged: 0,
        }
    }

    /// Whether enough was seen by a packet time; also when no more is kept to learn from.
    pub(crate) fn learned_enough(&self, at_us: i64, config: &Config) -> bool {
        let full = self.reports >= i64::from(config.max_training_reports);
        let enough = self.operations >= i64::from(config.min_training_operations)
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
                let by_count = share(self.operations, least);
                WatchState::Learning { progress: by_time.min(by_count) }
            }
            Phase::Training => WatchState::Training { progress: 0.5 },
            Phase::Draining => WatchState::Training { progress: 0.9 },
            Phase::Watching => WatchState::Watching,
            Phase::Failed => WatchState::Unprotected { reason: self.reason.clone() },
        }
    }

    /// How the machines behind the edge are protected, in words.
    pub(crate) fn protection(&self, config: &Config) -> String {
        match self.phase {
            Phase::Learning => format!(
                "not protected yet: learning ({} of {} operations, {} of {} minutes)",
                self.operations.min(i64::from(config.min_training_operations)),
                config.min_training_operations,
                ((self.last_us - self.first_us) / 60_000_000).clamp(0, config.training_span_s / 60),
                config.training_span_s / 60,
            ),
            Phase::Training | Phase::Draining => {
                "the model is being trained; commands wait and are judged then".to_owned()
            }
            Phase::Watching if !self.fallback.is_empty() => {
                format!(
                    "watched by the earlier version {}, because {}",
                    self.version, self.fallback
                )
            }
            Phase::Watching => format!("every command is judged by version {}", self.version),
            Phase::Failed => format!("not protected: {}", self.reason),
        }
    }

    /// Learns again from the next report on.
    pub(crate) fn learn_again(&mut self) {
        self.phase = Phase::Learning;
        self.generation += 1;
        (self.operations, self.reports, self.waiting, self.version) = (0, 0, 0, 0);
        self.reason.clear();
        self.fallback.clear();
    }
}

/// The model in use.
#[derive(Clone, Debug)]
pub(crate) struct InUse {
    pub(crate) model: Arc<CommandModel>,
    /// SHA-256 of its text.
    pub(crate) hash: String,
}

/// An edge's machine model in memory.
#[derive(Clone, Debug)]
pub(crate) struct MachineState {
    pub(crate) row: MachineRow,
    pub(crate) in_use: Option<InUse>,
}

impl MachineState {
    /// An edge whose first report comes now.
    pub(crate) fn new(edge: &str) -> Self {
        Self { row: MachineRow::new(edge), in_use: None }
    }

    /// Puts a version in use.
    pub(crate) fn put_in_use(&mut self, in_use: InUse, number: i64) {
        self.in_use = Some(in_use);
        self.row.version = number;
        self.row.phase = Phase::Watching;
        self.row.reason.clear();
        self.row.fallback.clear();
    }
}
