//! Section `[webhooks]`.

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether receivers may stand at addresses that are not public (your own network, this machine), and be called
    /// without TLS.
    pub allow_private: bool,
    /// Seconds until a receiver must have answered.
    pub timeout_s: u64,
    /// Failed tries in a row after which a hook is paused.
    pub pause_after: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self { allow_private: false, timeout_s: 15, pause_after: 24 }
    }
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// One sentence that names the key, the limit and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let rules = [
            ((1..=60).contains(&self.timeout_s), "webhooks.timeout_s must lie between 1 and 60"),
            (
                (1..=10_000).contains(&self.pause_after),
                "webhooks.pause_after must lie between 1 and 10000",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }
}
