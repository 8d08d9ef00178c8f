//! What a headless demonstration prints: each station of the loop with ids and times.

use serde::Serialize;
use serde_json::Value;

/// The report. A station that was not reached is `null`.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) finding: Option<Value>,
    pub(super) incident: Option<Value>,
    pub(super) run: Option<Value>,
    pub(super) enforcement: Option<Value>,
    pub(super) share: Option<Value>,
    pub(super) acknowledgement: Option<Value>,
    pub(super) ledger: Option<Value>,
    /// Stations that were not reached, in words; empty when the loop was walked.
    pub(super) missing: Vec<&'static str>,
}

impl Report {
    /// Names what is missing.
    pub(super) fn finish(mut self) -> Self {
        let stations = [
            ("finding", &self.finding),
            ("incident", &self.incident),
            ("run", &self.run),
            ("enforcement", &self.enforcement),
            ("share", &self.share),
            ("acknowledgement", &self.acknowledgement),
            ("ledger", &self.ledger),
        ];
        self.missing = stations
            .into_iter()
            .filter(|(_, found)| found.is_none())
            .map(|(name, _)| name)
            .collect();
        self
    }

    /// True when every station was reached.
    pub(super) fn complete(&self) -> bool {
        self.missing.is_empty()
    }
}
