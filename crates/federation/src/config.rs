//! Section `[federation]`.

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Letters that wait for one peer at most; what would be one more is refused.
    pub max_queued_letters: i64,
    /// The longest pause between two tries to reach a peer, milliseconds.
    pub pause_max_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_queued_letters: 10_000, pause_max_ms: 60_000 }
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
                (1..=1_000_000).contains(&self.max_queued_letters),
                "federation.max_queued_letters must lie between 1 and 1000000",
            ),
            (
                (250..=3_600_000).contains(&self.pause_max_ms),
                "federation.pause_max_ms must lie between 250 and 3600000",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }
}
