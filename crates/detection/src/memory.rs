//! What detection remembers of a device beside its row, in one JSON text of the database.

use analytics::guard::learning::Learning;
use serde::{Deserialize, Serialize};

/// Windows judged by a borrowed model before it can be called unfit.
const TRIED_WINDOWS: u64 = 30;
/// Share of alerting windows above which a borrowed model does not fit.
const UNFIT_SHARE: f64 = 0.3;
/// Windows of a learning device, out of so many, that are kept out because the borrowed model
/// alerts at most; beyond, the model is called unfit.
const MAX_KEPT_OUT: u64 = 1_000;

/// The memory. Everything in it is bounded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// The guards of learning.
    pub(crate) learning: Learning,
    /// The device's type, where the inventory told it.
    pub(crate) kind: Option<String>,
    /// While it learns: windows judged by the borrowed model, and those above its threshold.
    pub(crate) borrowed_judged: u64,
    pub(crate) borrowed_alerts: u64,
    /// Alerting windows that a suppression covered.
    pub(crate) suppressed: u64,
    /// Why an older version is in use.
    pub(crate) fallback: Option<String>,
}

impl Memory {
    /// From the stored form; what cannot be read is an empty memory, which learns nothing wrong.
    pub(crate) fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The stored form.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".into())
    }

    /// Whether the borrowed model says "alert" to what is plainly this device's life.
    pub(crate) fn borrowed_is_unfit(&self) -> bool {
        let share = self.borrowed_alerts as f64 / self.borrowed_judged.max(1) as f64;
        (self.borrowed_judged >= TRIED_WINDOWS && share > UNFIT_SHARE)
            || self.borrowed_alerts > MAX_KEPT_OUT
    }

    /// The device learns again from nothing.
    pub(crate) fn learn_again(&mut self) {
        *self = Self { kind: self.kind.take(), suppressed: self.suppressed, ..Self::default() };
    }
}
