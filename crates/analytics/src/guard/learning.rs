//! All guards of one device together: what a judged window teaches, and what it tells.

use serde::{Deserialize, Serialize};

use super::drift::{Drift, DriftEvent};
use super::keys::{DAY_US, Key, Probation};
use super::mimicry::{Rhythm, Rhythms};
use super::poison::PoisonGuard;
use super::trust::{Circumstances, Obstacle, Trust, estimate};
use crate::record::{KeyCount, WindowRecord};

/// Windows a device may teach a day: as many as a day of ten-second windows has.
pub const MAX_LESSONS_PER_DAY: u32 = 8_640;

/// When a model is fitted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefitRule {
    /// Packet time between two fittings, microseconds.
    pub every_us: i64,
    /// Trusted windows since the last one, at least.
    pub min_lessons: u64,
}

/// A judged window.
pub struct Seen<'a> {
    /// What the device did.
    pub record: &'a WindowRecord,
    /// Largest error over its threshold, of the judges that vote.
    pub score: f64,
    /// Ratio of the range judge.
    pub range: f64,
    /// Ratio of the network, where there is one.
    pub network: Option<f64>,
    /// Whether an incident of the device is open.
    pub incident_open: bool,
    /// Whether the window alerts and nobody has called that normal.
    pub alert: bool,
    /// Whether a key is known.
    pub known: &'a dyn Fn(&KeyCount) -> bool,
}

/// What comes of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// How far it is believed.
    pub trust: Trust,
    /// Keys that have become known.
    pub learned: Vec<Key>,
    /// The device changed its habits, or is back at them.
    pub drift: Option<DriftEvent>,
    /// An unknown party is met like clockwork.
    pub rhythm: Option<Rhythm>,
    /// Time to fit the model again.
    pub refit: bool,
}

impl Lesson {
    /// Whether the window is kept to learn from.
    #[must_use]
    pub fn teaches(&self) -> bool {
        self.trust.is_enough()
    }
}

/// What the guards remember of one device. Everything is bounded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learning {
    /// Start of the model in use, packet time.
    since_us: i64,
    last_us: i64,
    last_alert_us: Option<i64>,
    confirmations: u32,
    held: Option<String>,
    day: i64,
    taught_today: u32,
    taught: u64,
    taught_in_all: u64,
    kept_out: u64,
    last_refit_us: i64,
    trust: Option<Trust>,
    drift: Drift,
    probation: Probation,
    rhythms: Rhythms,
    /// The guard against poisoning.
    pub poison: PoisonGuard,
}

impl Learning {
    /// A model was made from these windows and is the first of its line: the guards anchor on it.
    pub fn begin(&mut self, windows: &[&WindowRecord], at_us: i64) {
        let confirmations = self.confirmations;
        *self = Self { confirmations, ..Self::default() };
        self.poison.anchor(windows);
        self.renew(at_us);
    }

    /// Another model is in use: scores are compared from here on, lessons are counted anew.
    pub fn renew(&mut self, at_us: i64) {
        (self.since_us, self.last_refit_us) = (at_us, at_us);
        self.last_us = self.last_us.max(at_us);
        self.taught = 0;
        self.drift.accept();
    }

    /// A fitting was tried: the next one waits its time.
    pub fn tried(&mut self, at_us: i64) {
        self.last_refit_us = self.last_refit_us.max(at_us);
        self.taught = 0;
    }

    /// Nothing is learned until [`Self::release`]; the reason is for people.
    pub fn hold(&mut self, reason: impl Into<String>) {
        self.held = Some(reason.into());
    }

    /// Learning goes on. A change of habits counts as accepted.
    pub fn release(&mut self) {
        self.held = None;
        self.drift.accept();
    }

    /// A person called something of this device normal.
    pub fn confirm(&mut self) {
        self.confirmations = self.confirmations.saturating_add(1);
    }

    /// Why nothing is learned, where somebody holds it.
    #[must_use]
    pub fn held(&self) -> Option<&str> {
        self.held.as_deref()
    }

    /// Whether the device changed its habits and nobody has said that it may.
    #[must_use]
    pub const fn is_drifting(&self) -> bool {
        self.drift.is_raised()
    }

    /// The trust in the newest window.
    #[must_use]
    pub const fn trust(&self) -> Option<Trust> {
        self.trust
    }

    /// Windows learned from since the last fitting, ever, and those kept out.
    #[must_use]
    pub const fn counts(&self) -> [u64; 3] {
        [self.taught, self.taught_in_all, self.kept_out]
    }

    /// Keys on probation.
    #[must_use]
    pub fn on_probation(&self) -> usize {
        self.probation.len()
    }

    /// Takes a judged window. Windows must come in the order of time; after a step back nothing is
    /// learned until ten quiet minutes have passed.
    pub fn observe(&mut self, seen: &Seen<'_>, rule: &RefitRule) -> Lesson {
        let record = seen.record;
        let now_us = record.start_us;
        if now_us < self.last_us.saturating_sub(DAY_US / 24) {
            self.last_alert_us = Some(now_us);
            self.since_us = self.since_us.min(now_us);
            self.last_refit_us = self.last_refit_us.min(now_us);
        }
        self.last_us = now_us;
        if now_us.div_euclid(DAY_US) != self.day {
            (self.day, self.taught_today) = (now_us.div_euclid(DAY_US), 0);
        }
        let drift = self.drift.observe(now_us, seen.score);
        let rhythm = self.rhythms.observe(record, seen.known);
        let trust = estimate(&Circumstances {
            since_alert_us: self.last_alert_us.map(|at| now_us.saturating_sub(at)),
            incident_open: seen.incident_open,
            score: if seen.alert { f64::INFINITY } else { seen.score.min(1.0) },
            range: seen.range,
            network: seen.network,
            model_age_us: now_us.saturating_sub(self.since_us),
            confirmations: self.confirmations,
            budget_spent: self.taught_today >= MAX_LESSONS_PER_DAY,
            drifting: self.drift.is_raised(),
            held: self.held.is_some(),
        });
        if seen.alert {
            self.last_alert_us = Some(now_us);
        }
        self.trust = Some(trust);
        let mut learned = Vec::new();
        if trust.is_enough() {
            self.taught += 1;
            self.taught_in_all += 1;
            self.taught_today += 1;
            learned = self.probation.observe(record, seen.known);
        } else {
            self.kept_out += 1;
        }
        let due = now_us.saturating_sub(self.last_refit_us) >= rule.every_us;
        let refit = due
            && self.taught >= rule.min_lessons
            && !matches!(
                trust.obstacle,
                Some(Obstacle::Held | Obstacle::Drift | Obstacle::Incident)
            );
        if refit {
            self.tried(now_us);
        }
        Lesson { trust, learned, drift, rhythm, refit }
    }
}
