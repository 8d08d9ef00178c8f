//! The report of an evaluation, as it is stored and shown.

use serde::{Deserialize, Serialize};

use super::figures::{Counts, Spread};
use super::measure::CoursePoint;

/// Name of the form.
pub const FORMAT: &str = "sereno-evaluation";
/// Version of the form.
pub const VERSION: u32 = 1;

/// Everything an evaluation found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Program and version that made it.
    pub program: String,
    /// Seeds tried for detectors that draw.
    pub seeds: u64,
    /// Share of benign windows that may alert, as asked for.
    pub alpha: f64,
    /// Length of a window, seconds.
    pub window_s: f64,
    /// The rules the figures keep, in plain words.
    pub rules: Vec<String>,
    /// One entry per scenario.
    pub scenarios: Vec<ScenarioReport>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// `pcap`, `rows-csv`, `rows-jsonl`, `archive`.
    pub kind: String,
    /// In plain words.
    pub description: String,
    /// Where the data comes from.
    pub source: String,
    /// Its licence.
    pub licence: String,
    /// Why nothing, or not everything, could be evaluated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<String>,
    /// The training part.
    pub training: TrainingReport,
    /// The test part.
    pub test: TestReport,
    /// One entry per detector.
    pub detectors: Vec<DetectorReport>,
}

/// The training part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingReport {
    /// Scenarios whose training part was used.
    pub from: Vec<String>,
    /// Packets or rows read.
    pub packets: u64,
    /// Windows with traffic of each protected device.
    pub windows: Vec<(String, u64)>,
    /// What speaks against this training: too short, not benign, damaged.
    pub warnings: Vec<String>,
}

/// The test part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TestReport {
    /// Packets or rows read.
    pub packets: u64,
    /// Whether there were labels; without them there are scores and no figures.
    pub labelled: bool,
    /// Malicious packets or rows of each attack.
    pub attacks: Vec<(String, u64)>,
    /// Runs, where the test part consists of several.
    pub runs: u64,
    /// Damage, and what was left out.
    pub notes: Vec<String>,
}

/// One detector on one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectorReport {
    /// Name in the output contract.
    pub detector: String,
    /// What it is.
    pub about: String,
    /// Seeds it was trained with; 1 where nothing is drawn.
    pub seeds: u64,
    /// Why it could not be trained or could not score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<String>,
    /// Processor time of a training of all devices, seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub training_s: Option<Spread>,
    /// Processor time of one window, from its counts to its score, microseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window_us: Option<Spread>,
    /// All protected devices together first (where there are several), then each.
    pub subjects: Vec<SubjectReport>,
}

/// One detector on one device, or on all together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectReport {
    /// The device; absent for all together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub role: String,
    /// Windows with an attack.
    pub positive: u64,
    /// Windows without.
    pub negative: u64,
    /// Windows nobody knows of.
    pub unscored: u64,
    /// Labelled windows the detector said nothing of: they count as not alerting.
    pub silent: u64,
    /// Windows by judgement and truth, first seed.
    pub counts: Counts,
    /// Area under the ROC curve.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auc: Option<Spread>,
    /// True positive rate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tpr: Option<Spread>,
    /// False positive rate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fpr: Option<Spread>,
    /// Balanced accuracy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub balanced_accuracy: Option<Spread>,
    /// Precision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub precision: Option<Spread>,
    /// Windows from the first attack window to the first alert in one, over seeds and runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_windows: Option<Spread>,
    /// Seconds from the first malicious packet to the end of that window.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_s: Option<Spread>,
    /// Attacked devices (and runs) without any alert.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missed: Option<Spread>,
    /// Benign windows that alert.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub false_alarms: Option<Spread>,
    /// Alarms without attack after correlation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub false_alarms_correlated: Option<Spread>,
    /// Observed time without attack, days, all devices added up.
    pub benign_days: f64,
    /// ROC curve of the first seed.
    pub roc: Vec<[f64; 2]>,
    /// Course of scores of the first seed.
    pub course: Vec<CoursePoint>,
}

/// Days of observation below which a rate per day says nothing.
pub const LEAST_BENIGN_DAYS: f64 = 0.5;

impl SubjectReport {
    /// False alarms per device and day, before correlation; absent after too short a time.
    #[must_use]
    pub fn per_day(&self) -> Option<Spread> {
        self.rate(self.false_alarms)
    }

    /// False alarms per device and day, after correlation; absent after too short a time.
    #[must_use]
    pub fn correlated_per_day(&self) -> Option<Spread> {
        self.rate(self.false_alarms_correlated)
    }

    fn rate(&self, alarms: Option<Spread>) -> Option<Spread> {
        let days = self.benign_days;
        alarms.filter(|_| days >= LEAST_BENIGN_DAYS).map(|alarms| Spread {
            min: alarms.min / days,
            median: alarms.median / days,
            max: alarms.max / days,
        })
    }
}

impl Report {
    /// Whether every scenario with labels could be evaluated with every detector asked for.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.scenarios.iter().all(|scenario| scenario.failed.is_none())
    }
}
