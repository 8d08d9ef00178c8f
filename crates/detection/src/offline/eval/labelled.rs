//! Reads the labels of a scenario into the truth of its windows.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::labels::{LabelError, Labels, read_intervals};
use super::report::TestReport;
use super::truth::Truth;
use crate::offline::OfflineError;
use crate::offline::input::open;
use crate::offline::scenario::Scenario;

/// Packings a file of labels may come in.
const PACKINGS: [&str; 3] = ["", ".gz", ".zst"];

/// The truth of the windows, as far as there is one; what is wrong with the labels goes into the
/// report and leaves scores without figures.
pub(super) fn truth_or_why(
    scenario: &Scenario,
    window_us: i64,
    report: &mut super::ScenarioReport,
    join: impl FnOnce(&Scenario, &Labels, i64) -> Result<Truth, OfflineError>,
) -> Option<Truth> {
    let truth = match labels_of(scenario) {
        Ok(Some(labels)) => truth_of(scenario, window_us, &labels, &mut report.test, join),
        Ok(None) => {
            report.test.notes.push("no labels.csv: scores, but no figures".to_owned());
            return None;
        }
        Err(error) => Err(error),
    };
    truth.map_err(|error| report.failed = Some(error.to_string())).ok()
}

/// A file of labels, in any packing; `None` where there is none.
fn label_file(folder: &Path, name: &str) -> Option<PathBuf> {
    PACKINGS
        .iter()
        .map(|packing| folder.join(format!("{name}{packing}")))
        .find(|path| path.is_file())
}

fn read_text<T>(
    path: &Path,
    read: impl FnOnce(&mut dyn std::io::BufRead) -> Result<T, LabelError>,
) -> Result<T, OfflineError> {
    let source = open(path, &Arc::new(AtomicU64::new(0)))
        .map_err(|source| OfflineError::Read { path: path.to_path_buf(), source })?;
    read(&mut BufReader::new(source))
        .map_err(|source| OfflineError::Labels { path: path.to_path_buf(), source })
}

fn labels_of(scenario: &Scenario) -> Result<Option<Labels>, OfflineError> {
    let Some(path) = label_file(&scenario.folder, "labels.csv") else { return Ok(None) };
    read_text(&path, |source| Labels::read(source)).map(Some)
}

fn truth_of(
    scenario: &Scenario,
    window_us: i64,
    labels: &Labels,
    report: &mut TestReport,
    join: impl FnOnce(&Scenario, &Labels, i64) -> Result<Truth, OfflineError>,
) -> Result<Truth, OfflineError> {
    let mut truth = join(scenario, labels, window_us)?;
    if let Some(path) = label_file(&scenario.folder, "intervals.csv") {
        truth.add_intervals(&read_text(&path, |source| read_intervals(source))?);
    }
    report.labelled = true;
    report.attacks = labels
        .attacks()
        .iter()
        .zip(0_u16..)
        .map(|(name, number)| {
            (name.to_string(), truth.malicious.get(&number).copied().unwrap_or(0))
        })
        .collect();
    report.runs = truth.runs();
    Ok(truth)
}
