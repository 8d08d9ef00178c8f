//! `sereno detect eval`: every detector over scenario folders, beside each other.
//!
//! Detectors see a training part and a test part as [`material`], never a label: scores cannot
//! depend on labels. Labels are read into [`truth`] and meet the scores in [`measure`] only.

mod compare;
mod contenders;
mod figures;
mod goals;
mod html;
mod labelled;
mod labels;
mod machines;
mod material;
mod measure;
mod others;
mod packets;
mod published;
mod report;
mod results;
mod rows;
mod run;
mod shipped;
mod table;
mod training;
mod truth;

use std::path::PathBuf;
use std::time::Duration;

use analytics::train::TrainOptions;

use super::OfflineError;

pub use compare::{
    CompareRequest, Comparison, Disagreement, MAX_DISAGREEMENTS, Side, SideFigures, compare,
};
pub use figures::{Counts, Outcome, Spread, area, roc};
pub use goals::shortfalls;
pub use html::to_html;
pub use labels::{Interval, Label, LabelError, Labels, MAX_LABELS, read_intervals};
pub use measure::{CORRELATION_US, CoursePoint};
pub use report::{
    DetectorReport, FORMAT, LEAST_BENIGN_DAYS, Report, ScenarioReport, SubjectReport, TestReport,
    TrainingReport, VERSION,
};
pub use run::evaluate;
pub use table::{to_markdown, to_table};
pub use training::training_captures;

/// Seeds tried unless chosen otherwise.
pub const DEFAULT_SEEDS: u64 = 10;
/// Seeds tried at most.
pub const MAX_SEEDS: u64 = 1_000;

/// What to evaluate.
#[derive(Clone, Debug)]
pub struct EvalRequest {
    /// Scenario folders, or folders of them.
    pub scenarios: Vec<PathBuf>,
    /// Names of detectors; all when empty.
    pub detectors: Vec<String>,
    /// Seeds for detectors that draw, counted from `options.seed`.
    pub seeds: u64,
    /// False-alarm budget, smallest training, first seed.
    pub options: TrainOptions,
    /// Folder for the scores of the first seed: `<scenario>/<detector>.jsonl`.
    pub scores: Option<PathBuf>,
}

impl EvalRequest {
    /// An evaluation with the usual options.
    #[must_use]
    pub fn new(scenarios: Vec<PathBuf>) -> Self {
        Self {
            scenarios,
            detectors: Vec::new(),
            seeds: DEFAULT_SEEDS,
            options: TrainOptions::default(),
            scores: None,
        }
    }
}

/// Processor time used by this thread so far. A parameter, as every clock is.
pub type CpuClock<'a> = &'a dyn Fn() -> Duration;

/// Where an evaluation is.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalProgress {
    /// Scenario at work.
    pub scenario: String,
    /// Detector at work; absent while files are read.
    pub detector: Option<String>,
    /// Seed at work.
    pub seed: u64,
    /// Scenarios done.
    pub done: usize,
    /// Scenarios to do.
    pub total: usize,
}

/// Names of all detectors.
#[must_use]
pub fn detector_names() -> Vec<&'static str> {
    let captures = contenders::for_captures();
    let mut names: Vec<&'static str> = captures.iter().map(|contender| contender.name()).collect();
    let rows = rows::NAMES.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>();
    names.extend(rows);
    names
}

/// An unknown name is refused before the long work.
fn check(request: &EvalRequest) -> Result<(), OfflineError> {
    let known = detector_names();
    if let Some(name) = request.detectors.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(OfflineError::Unknown(format!(
            "no detector `{name}`: there are {}",
            known.join(", ")
        )));
    }
    if !(1..=MAX_SEEDS).contains(&request.seeds) {
        return Err(OfflineError::Unknown(format!(
            "{} seeds: choose 1 to {MAX_SEEDS}",
            request.seeds
        )));
    }
    Ok(())
}
