//! Section `[incidents]`.

use model::{Severity, Tlp};
use serde::{Deserialize, Serialize};

/// When findings become incidents.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Findings below this severity stay findings.
    pub open_from: Severity,
    /// A finding joins an open incident when no more packet time than this lies between them, seconds.
    pub join_within_s: i64,
    /// The marking of new incidents.
    pub tlp: Tlp,
}

impl Default for Config {
    fn default() -> Self {
        Self { open_from: Severity::Medium, join_within_s: 24 * 3_600, tlp: Tlp::Amber }
    }
}
