//! Section `[cti]`.

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest TAXII envelope taken, bytes (10 MiB).
    pub max_content_length_bytes: usize,
    /// How often answers are looked for while a share waits for one, milliseconds.
    pub poll_fast_ms: u64,
    /// How often a peer is contacted otherwise, milliseconds.
    pub poll_slow_ms: u64,
    /// How long after delivery answers are looked for at the fast pace, seconds.
    pub poll_fast_for_s: i64,
    /// The longest pause between two tries to deliver, milliseconds.
    pub deliver_pause_max_ms: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_content_length_bytes: stix::json::DEFAULT_LIMITS.max_bytes,
            poll_fast_ms: 300,
            poll_slow_ms: 10_000,
            poll_fast_for_s: 600,
            deliver_pause_max_ms: 5_000,
        }
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
                (1_024..=256 << 20).contains(&self.max_content_length_bytes),
                "cti.max_content_length_bytes must lie between 1024 and 268435456",
            ),
            (self.poll_fast_ms >= 50, "cti.poll_fast_ms must be at least 50"),
            (self.poll_slow_ms >= self.poll_fast_ms, "cti.poll_slow_ms is below cti.poll_fast_ms"),
            (
                (250..=3_600_000).contains(&self.deliver_pause_max_ms),
                "cti.deliver_pause_max_ms must lie between 250 and 3600000",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }
}
