//! Section `[recovery]`.

use ports::checkpoint::MAX_MARGIN_S;
use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seconds before the first evidence from which nothing is trusted; the agent's own when absent.
    pub margin_s: Option<u32>,
    /// Seconds after which an order that no agent carries out has failed.
    pub give_up_s: i64,
    /// Whether blocks are lifted by themselves where health checks are declared for the device.
    pub lift: bool,
    /// What becomes of the block of a device without health checks.
    pub without_checks: WithoutChecks,
    /// Seconds a block holds before the first trial; doubled after each failed one.
    pub hold_s: i64,
    /// Seconds of the first trial; the second is three times as long.
    pub trial_s: i64,
    /// Failed trials after which people are called.
    pub max_failures: i64,
    /// Seconds of a block that follows a failed trial.
    pub block_again_s: u32,
    /// Seconds until a health check must have its answer.
    pub check_timeout_s: u64,
    /// Packets a second that a gateway with `rate_limit` lets pass during the first trial.
    pub trial_packets_per_s: u32,
}

/// Who decides about the block of a device without health checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutChecks {
    /// People, who are told at once.
    People,
    /// Fresh scores of a detector that judged the device before; people where none did.
    Detector,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            margin_s: None,
            give_up_s: 900,
            lift: true,
            without_checks: WithoutChecks::People,
            hold_s: 300,
            trial_s: 60,
            max_failures: 3,
            block_again_s: 3_600,
            check_timeout_s: 5,
            trial_packets_per_s: 20,
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
                self.margin_s.is_none_or(|margin| margin <= MAX_MARGIN_S),
                "recovery.margin_s must not exceed a year (31536000)",
            ),
            (
                (1..=86_400).contains(&self.give_up_s),
                "recovery.give_up_s must lie between 1 and 86400",
            ),
            ((1..=604_800).contains(&self.hold_s), "recovery.hold_s must lie between 1 and 604800"),
            ((1..=86_400).contains(&self.trial_s), "recovery.trial_s must lie between 1 and 86400"),
            (
                (1..=20).contains(&self.max_failures),
                "recovery.max_failures must lie between 1 and 20",
            ),
            (
                (1..=60).contains(&self.check_timeout_s),
                "recovery.check_timeout_s must lie between 1 and 60",
            ),
            (self.block_again_s >= 1, "recovery.block_again_s must be at least 1"),
            (self.trial_packets_per_s >= 1, "recovery.trial_packets_per_s must be at least 1"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }
}
