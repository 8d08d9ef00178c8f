//! Section `[feedhub]`.

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest body fetched or loaded, bytes (256 MiB).
    pub max_bytes: usize,
    /// Seconds until a fetch must be done.
    pub timeout_s: u64,
    /// Whether feeds may come from addresses that are not public (your own network, this machine).
    pub allow_private: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_bytes: 256 << 20, timeout_s: 300, allow_private: false }
    }
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// One sentence that names the key, the limit and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let rules = [
            (
                (1_024..=4 << 30).contains(&self.max_bytes),
                "feedhub.max_bytes must lie between 1024 and 4294967296",
            ),
            (
                (1..=86_400).contains(&self.timeout_s),
                "feedhub.timeout_s must lie between 1 and 86400",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }
}
