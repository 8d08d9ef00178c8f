//! Walks the scenarios: train, score, then measure.

use std::path::Path;
use std::time::Duration;

use analytics::train::TrainOptions;
use analytics::windows::DEFAULT_WINDOW_US;

use super::contenders::{Contender, Learned, for_captures};
use super::figures::Spread;
use super::labelled::truth_or_why;
use super::material::Captures;
use super::packets::truth_of_captures;
use super::report::{
    DetectorReport, FORMAT, Report, ScenarioReport, TestReport, TrainingReport, VERSION,
};
use super::results::Results;
use super::training::{training_of, warn_of_short_training};
use super::truth::Truth;
use super::{CpuClock, EvalProgress, EvalRequest, check};
use crate::offline::OfflineError;
use crate::offline::scenario::{Kind, SHORT_TRAINING_WINDOWS, Scenario, scenario_folders};
use crate::offline::scored::ScoredWindow;
use crate::offline::train::write_whole;

/// Processor time a measurement of the pace takes at least, unless [`MAX_PACES`] come first.
const PACE_TIME: Duration = Duration::from_millis(30);
/// Repetitions of a measurement of the pace at most.
const MAX_PACES: u32 = 50;

/// Evaluates every detector on every scenario. A scenario that cannot be used does not end the
/// others: its report says why.
///
/// # Errors
/// When the request cannot be carried out at all: an unknown detector, no scenario, scores that
/// cannot be written.
pub fn evaluate(
    request: &EvalRequest,
    cpu: CpuClock<'_>,
    progress: &mut dyn FnMut(EvalProgress),
) -> Result<Report, OfflineError> {
    check(request)?;
    let folders = scenario_folders(&request.scenarios)?;
    let mut run = Run { request, cpu, progress, done: 0, total: folders.len() };
    let mut scenarios: Vec<ScenarioReport> = Vec::with_capacity(folders.len());
    for folder in folders {
        let report = run.scenario(&folder)?;
        if scenarios.iter().any(|other| other.name == report.name) {
            return Err(OfflineError::Unknown(format!(
                "two scenarios are named `{}`: give one of them another name",
                report.name
            )));
        }
        scenarios.push(report);
        run.done += 1;
    }
    Ok(Report {
        format: FORMAT.to_owned(),
        version: VERSION,
        program: format!("sereno {}", env!("CARGO_PKG_VERSION")),
        seeds: request.seeds,
        alpha: request.options.alpha,
        window_s: DEFAULT_WINDOW_US as f64 / 1e6,
        rules: rules(request),
        scenarios,
    })
}

fn rules(request: &EvalRequest) -> Vec<String> {
    vec![
        "Models and thresholds come from the training part alone; labels meet the scores only when the figures are counted.".to_owned(),
        "A window of 10 s on whole multiples of 10 s is positive when its device sent or received at least one malicious packet in it; windows with nothing but unscored labels beside benign packets are left out; windows a detector says nothing of count as not alerting.".to_owned(),
        format!("A suggested training is used in addition where a scenario has no training part, or fewer than {SHORT_TRAINING_WINDOWS} windows with traffic of a protected device."),
        format!("A detector that draws random numbers is trained with {} seeds, and minimum, median and maximum are shown; one that draws nothing is trained once. ROC curves, courses and counts are those of the first seed.", request.seeds),
        "Delay: windows from the first attack window to the first attack window with an alert (0 is the same window), and seconds from the first malicious packet to the end of that window; per device and run.".to_owned(),
        "Correlation: alerts of one device with the same strongest reason, at most 30 minutes apart, are one alarm; an alarm that holds an attack window is not false.".to_owned(),
        "False alarms per day are given where at least half a day without attack was observed.".to_owned(),
        "Times are processor time of one thread on the machine that made the report: compare them with each other, not with other reports.".to_owned(),
    ]
}

pub(super) struct Run<'a> {
    pub(super) request: &'a EvalRequest,
    pub(super) cpu: CpuClock<'a>,
    progress: &'a mut dyn FnMut(EvalProgress),
    done: usize,
    total: usize,
}

impl Run<'_> {
    fn scenario(&mut self, folder: &Path) -> Result<ScenarioReport, OfflineError> {
        let scenario = match Scenario::read(folder) {
            Ok(scenario) => scenario,
            Err(error) => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                return Ok(failed(name, error.to_string()));
            }
        };
        self.tell(&scenario.name, None, 0);
        let mut report = empty_report(&scenario);
        let outcome = match scenario.kind {
            Kind::Pcap => self.captures(&scenario, &mut report),
            Kind::RowsCsv | Kind::RowsJsonl => self.rows(&scenario, &mut report),
            Kind::Archive => {
                report.test.notes.push("captures without labels: nothing to evaluate".to_owned());
                Ok(())
            }
        };
        match outcome {
            // Scores that cannot be written would fail for every scenario alike.
            Err(error @ OfflineError::Write { .. }) => Err(error),
            Err(error) => {
                report.failed = Some(error.to_string());
                Ok(report)
            }
            Ok(()) => Ok(report),
        }
    }

    fn captures(
        &mut self,
        scenario: &Scenario,
        report: &mut ScenarioReport,
    ) -> Result<(), OfflineError> {
        let test = scenario.test.clone().into_iter().collect();
        let test = Captures::read(test, &scenario.policy(), DEFAULT_WINDOW_US, &mut |_| {})?;
        report.test.packets = test.packets();
        report.test.notes.extend(test.notes());
        let truth = truth_or_why(scenario, DEFAULT_WINDOW_US, report, truth_of_captures);
        let training = training_of(scenario, DEFAULT_WINDOW_US, &mut report.training)?;
        warn_of_short_training(scenario, &training, &mut report.training);
        for contender in for_captures() {
            let named = self.request.detectors.iter().any(|name| name == contender.name());
            let tried = named || contender.applies(&training);
            if self.wants(contender.name()) && tried {
                let detector =
                    self.detector(scenario, contender.as_ref(), &training, &test, truth.as_ref())?;
                report.detectors.push(detector);
            }
        }
        Ok(())
    }

    fn detector(
        &mut self,
        scenario: &Scenario,
        contender: &dyn Contender,
        training: &Captures,
        test: &Captures,
        truth: Option<&Truth>,
    ) -> Result<DetectorReport, OfflineError> {
        let mut results = Results::default();
        let seeds = if contender.draws() { self.request.seeds } else { 1 };
        for place in 0..seeds {
            let seed = self.request.options.seed.wrapping_add(place);
            self.tell(&scenario.name, Some(contender.name()), seed);
            let options = TrainOptions { seed, ..self.request.options };
            let before = (self.cpu)();
            let learned = match contender.learn(training, &options) {
                Ok(learned) => learned,
                Err(error) => {
                    results.failed = Some(error);
                    break;
                }
            };
            results.training_s.push((self.cpu)().saturating_sub(before).as_secs_f64());
            let scored = match learned.score(test) {
                Ok(scored) => scored,
                Err(error) => {
                    results.failed = Some(error);
                    break;
                }
            };
            if place == 0 {
                results.window_us = self.pace(learned.as_ref(), test);
                if let Some(folder) = &self.request.scores {
                    write_scores(folder, &scenario.name, contender.name(), &scored)?;
                }
            }
            if let Some(truth) = truth {
                results.add(scenario, truth, &scored);
            }
        }
        Ok(results.report((contender.name(), contender.about()), scenario, seeds))
    }

    pub(super) fn wants(&self, detector: &str) -> bool {
        let wanted = &self.request.detectors;
        wanted.is_empty() || wanted.iter().any(|name| name == detector)
    }

    /// Processor time of one window in microseconds: smallest, median and largest of several passes.
    fn pace(&self, learned: &dyn Learned, test: &Captures) -> Option<Spread> {
        let (mut paces, mut spent) = (Vec::new(), Duration::ZERO);
        while spent < PACE_TIME && (paces.len() as u32) < MAX_PACES {
            // Making ready is no part of judging: a window of a short test would carry all of it.
            let mut pacer = learned.pacer()?;
            let before = (self.cpu)();
            let windows = pacer(test);
            let time = (self.cpu)().saturating_sub(before);
            if windows == 0 {
                return None;
            }
            spent += time;
            paces.push(time.as_secs_f64() * 1e6 / windows as f64);
        }
        Spread::of(paces)
    }

    pub(super) fn tell(&mut self, scenario: &str, detector: Option<&str>, seed: u64) {
        (self.progress)(EvalProgress {
            scenario: scenario.to_owned(),
            detector: detector.map(str::to_owned),
            seed,
            done: self.done,
            total: self.total,
        });
    }
}

pub(super) fn empty_report(scenario: &Scenario) -> ScenarioReport {
    let kind = match scenario.kind {
        Kind::Pcap => "pcap",
        Kind::RowsCsv => "rows-csv",
        Kind::RowsJsonl => "rows-jsonl",
        Kind::Archive => "archive",
    };
    ScenarioReport {
        name: scenario.name.clone(),
        kind: kind.to_owned(),
        description: scenario.description.clone(),
        source: scenario.source.clone(),
        licence: scenario.licence.clone(),
        failed: None,
        training: TrainingReport::default(),
        test: TestReport::default(),
        detectors: Vec::new(),
    }
}

fn failed(name: String, why: String) -> ScenarioReport {
    ScenarioReport {
        name,
        kind: String::new(),
        description: String::new(),
        source: String::new(),
        licence: String::new(),
        failed: Some(why),
        training: TrainingReport::default(),
        test: TestReport::default(),
        detectors: Vec::new(),
    }
}

/// `<folder>/<scenario>/<detector>.jsonl`, whole or not at all.
pub(super) fn write_scores(
    folder: &Path,
    scenario: &str,
    detector: &str,
    scored: &[ScoredWindow],
) -> Result<(), OfflineError> {
    let folder = folder.join(scenario);
    let path = folder.join(format!("{detector}.jsonl"));
    let mut lines = Vec::with_capacity(scored.len() * 160);
    scored.iter().for_each(|window| window.append_line(&mut lines));
    std::fs::create_dir_all(&folder)
        .and_then(|()| write_whole(&path, &lines))
        .map_err(|source| OfflineError::Write { path, source })
}
