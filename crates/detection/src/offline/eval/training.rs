//! Which training a scenario gets, and what speaks against it.

use std::path::PathBuf;

use analytics::record::WindowRecord;
use analytics::train::VOTING_WINDOWS;
use analytics::windows::DEFAULT_WINDOW_US;

use super::material::Captures;
use super::report::TrainingReport;
use crate::offline::benign::suspicions;
use crate::offline::scenario::{Protected, SHORT_TRAINING_WINDOWS, Scenario};
use crate::offline::train::short_training;
use crate::offline::{OfflineError, OfflineProgress};

/// The captures a scenario is trained on: its own training part, and the suggested one where its own
/// is absent or short; with what should be said of them.
///
/// # Errors
/// When there is no training part at all, or one cannot be read.
pub fn training_captures(scenario: &Scenario) -> Result<(Vec<PathBuf>, Vec<String>), OfflineError> {
    let mut report = TrainingReport::default();
    let captures = training_of(scenario, DEFAULT_WINDOW_US, &mut report)?;
    Ok((captures.paths, report.warnings))
}

/// The training part of the scenario, and the suggested one where its own is absent or short.
pub(super) fn training_of(
    scenario: &Scenario,
    window_us: i64,
    report: &mut TrainingReport,
) -> Result<Captures, OfflineError> {
    let policy = scenario.policy();
    let read = |paths: Vec<PathBuf>| {
        Captures::read(paths, &policy, window_us, &mut |_: OfflineProgress| {})
    };
    let mut paths: Vec<PathBuf> = scenario.train.iter().cloned().collect();
    let mut own = read(paths.clone())?;
    if scenario.train.is_some() {
        report.from.push(scenario.name.clone());
    }
    let short =
        scenario.devices.iter().any(|device| windows_of(&own, device) < SHORT_TRAINING_WINDOWS);
    if let Some(folder) = scenario.suggested_folder().filter(|_| short) {
        match Scenario::read(&folder) {
            Ok(Scenario { name, train: Some(train), .. }) => {
                paths.push(train);
                own = read(paths)?;
                report.from.push(name);
            }
            Ok(other) => report
                .warnings
                .push(format!("the suggested training {} has no training part", other.name)),
            Err(error) => {
                report.warnings.push(format!("the suggested training cannot be used: {error}"));
            }
        }
    }
    if report.from.is_empty() {
        return Err(OfflineError::Unknown(format!(
            "{} has no training part and none is suggested: add train.pcap.gz, or [protocol] suggested_train",
            scenario.name
        )));
    }
    report.packets = own.packets();
    report.warnings.extend(own.notes());
    let protected: Vec<WindowRecord> = own
        .records
        .iter()
        .filter(|record| {
            scenario.devices.iter().any(|device| device.ip.or(device.mac) == Some(record.device))
        })
        .cloned()
        .collect();
    report.warnings.extend(suspicions(&protected).iter().map(ToString::to_string));
    report.windows = scenario
        .devices
        .iter()
        .map(|device| (device.name.to_string(), windows_of(&own, device) as u64))
        .collect();
    Ok(own)
}

fn windows_of(captures: &Captures, device: &Protected) -> usize {
    let host = device.ip.or(device.mac);
    captures.records.iter().filter(|record| Some(record.device) == host).count()
}

/// Too little training is said with how much is missing.
pub(super) fn warn_of_short_training(
    scenario: &Scenario,
    training: &Captures,
    report: &mut TrainingReport,
) {
    for device in &scenario.devices {
        let windows = windows_of(training, device);
        if windows == 0 {
            report.warnings.push(format!(
                "{}: no window in training, so it is judged by what all devices together do",
                device.name
            ));
        } else if windows < VOTING_WINDOWS {
            report.warnings.push(short_training(&device.name, windows, training.window_us));
        }
    }
}
