//! Where the shipped detector falls short of what it must reach, said first in every report.

use super::figures::Spread;
use super::report::{DetectorReport, Report, ScenarioReport, SubjectReport};
use super::table::number;
use crate::offline::store::ENSEMBLE;

/// Area under the ROC curve, over all seeds.
const LEAST_AUC: f64 = 0.995;
/// Share of attack windows that alert, over all seeds.
const LEAST_TPR: f64 = 0.98;
/// Windows to the first alert.
const MOST_DELAY: f64 = 2.0;
/// Share of benign windows that alert, over all seeds.
const MOST_FPR: f64 = 0.005;
/// Benign windows below which a share of them says nothing.
const LEAST_BENIGN_WINDOWS: u64 = 200;
/// Alarms per device and day after correlation.
const MOST_PER_DAY: f64 = 1.0;
/// Detectors that the shipped one must not fall behind.
const PEERS: [&str; 2] = ["knn", "lasso"];

/// One line per goal that a scenario misses; empty when all hold.
#[must_use]
pub fn shortfalls(report: &Report) -> Vec<String> {
    report.scenarios.iter().flat_map(of_scenario).collect()
}

fn of_scenario(scenario: &ScenarioReport) -> Vec<String> {
    let find = |name: &str| scenario.detectors.iter().find(|one| one.detector == name);
    let Some(ensemble) = find(ENSEMBLE) else { return Vec::new() };
    let Some(all) = ensemble.subjects.first() else { return Vec::new() };
    let mut missed = own_goals(all);
    for peer in PEERS.iter().filter_map(|name| find(name)) {
        missed.extend(behind(ensemble, all, peer));
    }
    missed.into_iter().map(|text| format!("{}: {text}", scenario.name)).collect()
}

fn own_goals(all: &SubjectReport) -> Vec<String> {
    let mut missed = Vec::new();
    let mut below = |name: &str, found: Option<Spread>, least: f64| {
        if let Some(found) = found.filter(|found| found.min < least) {
            missed.push(format!("{name} {} is below {least}", number(found.min, 4)));
        }
    };
    below("AUC", all.auc, LEAST_AUC);
    below("TPR", all.tpr, LEAST_TPR);
    let mut above = |name: &str, found: Option<Spread>, most: f64| {
        if let Some(found) = found.filter(|found| found.max > most) {
            missed.push(format!("{name} {} is above {most}", number(found.max, 4)));
        }
    };
    above("delay in windows", all.delay_windows, MOST_DELAY);
    above("missed attacks", all.missed, 0.0);
    if all.negative >= LEAST_BENIGN_WINDOWS {
        above("FPR", all.fpr, MOST_FPR);
    }
    above("false alarms a day after correlation", all.correlated_per_day(), MOST_PER_DAY);
    if all.negative < LEAST_BENIGN_WINDOWS && all.counts.false_positives > 0 {
        missed.push(format!(
            "{} false alarms in {} benign windows (too few to give a rate)",
            all.counts.false_positives, all.negative
        ));
    }
    missed
}

fn behind(ensemble: &DetectorReport, all: &SubjectReport, peer: &DetectorReport) -> Vec<String> {
    let mut missed = Vec::new();
    let theirs = peer.subjects.first().and_then(|subject| subject.balanced_accuracy);
    if let (Some(own), Some(theirs)) = (all.balanced_accuracy, theirs)
        && own.min < theirs.min
    {
        missed.push(format!(
            "balanced accuracy {} is below that of {} ({})",
            number(own.min, 4),
            peer.detector,
            number(theirs.min, 4)
        ));
    }
    if let (Some(own), Some(theirs), "knn") =
        (ensemble.window_us, peer.window_us, peer.detector.as_str())
        && own.min > theirs.min
    {
        missed.push(format!(
            "{} µs per window is more than {} takes ({})",
            number(own.min, 2),
            peer.detector,
            number(theirs.min, 2)
        ));
    }
    missed
}
