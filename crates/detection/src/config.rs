//! Section `[detection]`.

use analytics::guard::learning::RefitRule;
use analytics::threshold::DEFAULT_ALPHA;
use serde::{Deserialize, Serialize};

/// Settings of the room. Spans are packet time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a device is watched before its model is fitted, seconds.
    pub training_span_s: i64,
    /// Windows with traffic below which learning goes on.
    pub min_training_windows: u32,
    /// Share of benign windows that may alert.
    pub alpha: f64,
    /// Seed of every random draw of a fitting.
    pub seed: u64,
    /// Alerting windows with a longer pause between them belong to different findings, seconds.
    pub finding_gap_s: i64,
    /// Devices watched at most.
    pub max_devices: u32,
    /// Windows of a device that may wait while its model is fitted; then the edge must keep them.
    pub max_waiting_windows: u32,
    /// Scores kept per device.
    pub max_scores_per_device: u32,
    /// Findings kept per device.
    pub max_findings_per_device: u32,
    /// Whether devices go on learning while they are watched.
    pub learn_online: bool,
    /// Time between two fittings of a watched device, seconds.
    pub refit_every_s: i64,
    /// Trusted windows since the last fitting below which none is tried.
    pub min_refit_windows: u32,
    /// Windows kept per device to learn from and to compare models on.
    pub max_kept_windows: u32,
    /// Findings of one device, peer and technique with a longer pause between them belong to
    /// different groups, seconds.
    pub group_gap_s: i64,
    /// Operations of machines below which learning what is normal between them goes on.
    pub min_training_operations: u32,
    /// Reports of operations kept per edge to learn from.
    pub max_training_reports: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            training_span_s: 3_600,
            min_training_windows: 20,
            alpha: DEFAULT_ALPHA,
            seed: 1,
            finding_gap_s: 600,
            max_devices: 4_096,
            max_waiting_windows: 20_000,
            max_scores_per_device: 200_000,
            max_findings_per_device: 1_000,
            learn_online: true,
            refit_every_s: 86_400,
            min_refit_windows: 200,
            max_kept_windows: 6_000,
            group_gap_s: 3_600,
            min_training_operations: 1_000,
            max_training_reports: 50_000,
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
                (60..=1_209_600).contains(&self.training_span_s),
                "training_span_s must lie between 60 and 1209600 (14 days)",
            ),
            (
                (3..=100_000).contains(&self.min_training_windows),
                "min_training_windows must lie between 3 and 100000",
            ),
            (self.alpha > 0.0 && self.alpha < 1.0, "alpha must lie between 0 and 1, both excluded"),
            (i64::try_from(self.seed).is_ok(), "seed must be below 9223372036854775808"),
            (
                (10..=86_400).contains(&self.finding_gap_s),
                "finding_gap_s must lie between 10 and 86400",
            ),
            (
                (1..=100_000).contains(&self.max_devices),
                "max_devices must lie between 1 and 100000",
            ),
            (
                (100..=1_000_000).contains(&self.max_waiting_windows),
                "max_waiting_windows must lie between 100 and 1000000",
            ),
            (self.max_scores_per_device >= 1_000, "max_scores_per_device must be at least 1000"),
            (self.max_findings_per_device >= 10, "max_findings_per_device must be at least 10"),
            (
                (60..=31_536_000).contains(&self.refit_every_s),
                "refit_every_s must lie between 60 and 31536000 (a year)",
            ),
            (self.min_refit_windows >= 20, "min_refit_windows must be at least 20"),
            (
                (100..=1_000_000).contains(&self.max_kept_windows),
                "max_kept_windows must lie between 100 and 1000000",
            ),
            (
                (10..=604_800).contains(&self.group_gap_s),
                "group_gap_s must lie between 10 and 604800 (a week)",
            ),
            (self.min_training_operations >= 1, "min_training_operations must be at least 1"),
            (
                (100..=1_000_000).contains(&self.max_training_reports),
                "max_training_reports must lie between 100 and 1000000",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("detection.{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }

    /// The training span in microseconds of packet time.
    pub(crate) const fn training_span_us(&self) -> i64 {
        self.training_span_s * 1_000_000
    }

    /// When a watched device is fitted again.
    pub(crate) const fn refit_rule(&self) -> RefitRule {
        RefitRule {
            every_us: if self.learn_online { self.refit_every_s * 1_000_000 } else { i64::MAX },
            min_lessons: self.min_refit_windows as u64,
        }
    }

    /// The longest pause inside a group, microseconds of packet time.
    pub(crate) const fn group_gap_us(&self) -> i64 {
        self.group_gap_s * 1_000_000
    }

    /// The longest pause inside a finding, microseconds of packet time.
    pub(crate) const fn finding_gap_us(&self) -> i64 {
        self.finding_gap_s * 1_000_000
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn defaults_work_and_a_wrong_value_is_named() {
        Config::default().check().unwrap();
        for (wrong, word) in [
            (Config { alpha: f64::NAN, ..Config::default() }, "alpha"),
            (Config { training_span_s: 0, ..Config::default() }, "training_span_s"),
            (Config { seed: u64::MAX, ..Config::default() }, "seed"),
        ] {
            assert!(wrong.check().unwrap_err().contains(word));
        }
    }
}
