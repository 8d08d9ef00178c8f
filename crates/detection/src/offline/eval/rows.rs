//! Scenarios in row form: the same figures, from rows instead of packets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use analytics::models::Learner;
use analytics::record::WindowRecord;
use analytics::train::TrainOptions;
use analytics::windows::DEFAULT_WINDOW_US;

use super::labelled::truth_or_why;
use super::labels::Labels;
use super::results::Results;
use super::run::{Run, write_scores};
use super::truth::Truth;
use super::{DetectorReport, ScenarioReport};
use crate::offline::OfflineError;
use crate::offline::row_files::score_runs;
use crate::offline::rows::{self, RowFacts, RowSummary, RowsSpec};
use crate::offline::scenario::Scenario;
use crate::offline::scored::ScoredWindow;
use crate::offline::singles::Singles;
use crate::offline::store::ENSEMBLE;

/// Detectors that rows alone have.
pub(super) const NAMES: [&str; 4] = ["goose", "mms", "rows", "windows"];

/// Windows of counts by run.
type Records = Vec<(Option<Arc<str>>, WindowRecord)>;

impl Run<'_> {
    pub(super) fn rows(
        &mut self,
        scenario: &Scenario,
        report: &mut ScenarioReport,
    ) -> Result<(), OfflineError> {
        let spec = rows::read_spec(scenario)?;
        let Some(test) = &scenario.test else { return Ok(()) };
        let train = scenario.train.as_ref().ok_or_else(|| {
            OfflineError::Unknown(format!(
                "{} has no training part: rows are trained on rows of the same scenario; add train.csv",
                scenario.name
            ))
        })?;
        let truth =
            truth_or_why(scenario, DEFAULT_WINDOW_US, report, |scenario, labels, window_us| {
                truth_of_rows(scenario, &spec, labels, window_us)
            });
        report.training.from.push(scenario.name.clone());
        self.row_models(scenario, &spec, (train, test), truth.as_ref(), report)?;
        self.row_baselines(scenario, &spec, (train, test), truth.as_ref(), report)
    }

    /// The models made for rows, all learned in one pass.
    fn row_models(
        &mut self,
        scenario: &Scenario,
        spec: &RowsSpec,
        (train, test): (&Path, &Path),
        truth: Option<&Truth>,
        report: &mut ScenarioReport,
    ) -> Result<(), OfflineError> {
        let mut results: BTreeMap<&'static str, Results> = BTreeMap::new();
        let mut seeds = self.request.seeds;
        let mut place = 0;
        while place < seeds {
            let seed = self.request.options.seed.wrapping_add(place);
            self.tell(&scenario.name, Some(ENSEMBLE), seed);
            let options = TrainOptions { seed, ..self.request.options };
            let before = (self.cpu)();
            let models = rows::learn(train, spec, &options)?;
            let training_s = (self.cpu)().saturating_sub(before).as_secs_f64();
            let scores = rows::score(test, spec, &models)?;
            if place == 0 {
                if models.windows.is_none() {
                    seeds = 1;
                }
                report.training.packets = models.summary.rows;
                report.training.warnings.extend(skipped(&models.summary));
                report.test.packets = scores.summary.rows;
                report.test.notes.extend(skipped(&scores.summary));
            }
            let mut by_detector: BTreeMap<&'static str, Vec<ScoredWindow>> = BTreeMap::new();
            for window in scores.windows {
                by_detector.entry(window.detector).or_default().push(window);
            }
            for (name, windows) in by_detector.into_iter().filter(|(name, _)| self.wants(name)) {
                if place == 0
                    && let Some(folder) = &self.request.scores
                {
                    write_scores(folder, &scenario.name, name, &windows)?;
                }
                let result = results.entry(name).or_default();
                result.training_s.push(training_s);
                if let Some(truth) = truth {
                    result.add(scenario, truth, &windows);
                }
            }
            place += 1;
        }
        let mut reports: Vec<DetectorReport> = results
            .into_iter()
            .map(|(name, results)| results.report((name, about(name)), scenario, seeds))
            .collect();
        reports.sort_by_key(|one| one.detector != ENSEMBLE);
        report.detectors.extend(reports);
        Ok(())
    }

    /// The models to compare with, on windows of counts.
    fn row_baselines(
        &mut self,
        scenario: &Scenario,
        spec: &RowsSpec,
        (train, test): (&Path, &Path),
        truth: Option<&Truth>,
        report: &mut ScenarioReport,
    ) -> Result<(), OfflineError> {
        let (training, _) = rows::records(train, spec)?;
        let (testing, _) = rows::records(test, spec)?;
        let training: Vec<WindowRecord> = training.into_iter().map(|(_, record)| record).collect();
        if training.is_empty() || testing.is_empty() {
            return Ok(());
        }
        for learner in analytics::models::all() {
            if self.wants(learner.name()) {
                let one = self.row_baseline(scenario, *learner, (&training, &testing), truth)?;
                report.detectors.push(one);
            }
        }
        Ok(())
    }

    fn row_baseline(
        &mut self,
        scenario: &Scenario,
        learner: &'static dyn Learner,
        (training, testing): (&[WindowRecord], &Records),
        truth: Option<&Truth>,
    ) -> Result<DetectorReport, OfflineError> {
        let mut results = Results::default();
        let seeds = if learner.draws() { self.request.seeds } else { 1 };
        for place in 0..seeds {
            let seed = self.request.options.seed.wrapping_add(place);
            self.tell(&scenario.name, Some(learner.name()), seed);
            let before = (self.cpu)();
            let options = TrainOptions { seed, ..self.request.options };
            let singles = match Singles::learn(learner, training, &options) {
                Ok(singles) => singles,
                Err(error) => {
                    results.failed = Some(error);
                    break;
                }
            };
            results.training_s.push((self.cpu)().saturating_sub(before).as_secs_f64());
            let scored = score_runs(&singles, testing);
            if place == 0
                && let Some(folder) = &self.request.scores
            {
                write_scores(folder, &scenario.name, learner.name(), &scored)?;
            }
            if let Some(truth) = truth {
                results.add(scenario, truth, &scored);
            }
        }
        let about = format!("{} (on counts of rows)", learner.describe());
        Ok(results.report((learner.name(), about), scenario, seeds))
    }
}

fn about(name: &str) -> String {
    match name {
        ENSEMBLE => "the shipped detector for rows: the model of their protocol decides",
        "goose" => "laws of GOOSE publishers: state, sequence, time, contents",
        "mms" => "laws of MMS associations: services, names, questions and answers",
        "windows" => "the shipped detector for captures, on counts of rows",
        _ => "counts and values of rows whose meaning is not known",
    }
    .to_owned()
}

fn skipped(summary: &RowSummary) -> Option<String> {
    let (row, reason) = summary.reasons.first()?;
    Some(format!("{} rows were skipped; the first is row {row}: {reason}", summary.skipped))
}

/// Joins the labels by row number: a row belongs to every protected device at one of its ends.
fn truth_of_rows(
    scenario: &Scenario,
    spec: &RowsSpec,
    labels: &Labels,
    window_us: i64,
) -> Result<Truth, OfflineError> {
    let names = scenario.devices.iter().map(|device| Arc::clone(&device.name));
    let mut truth = Truth::new(names, window_us);
    let Some(path) = &scenario.test else { return Ok(truth) };
    let mut beyond = None;
    let summary = rows::each_row(path, spec, |row: RowFacts| {
        let label = usize::try_from(row.number - 1).ok().and_then(|place| labels.get(place));
        let Some(label) = label else {
            beyond = beyond.or(Some(row.number));
            return;
        };
        truth.count(label);
        for (device, number) in scenario.devices.iter().zip(0..) {
            let own = |end| Some(end) == device.ip || Some(end) == device.mac;
            if row.ends.iter().any(|end| own(*end)) {
                truth.note(number, row.group.as_deref(), row.ts_us, label);
            }
        }
    })?;
    if beyond.is_some() || summary.rows != labels.len() as u64 {
        return Err(OfflineError::Unknown(format!(
            "{} holds labels of {} rows, the test part holds {}: they do not belong together",
            scenario.name,
            labels.len(),
            summary.rows
        )));
    }
    Ok(truth)
}
