//! Walks the scenarios: train, score, then measure.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use analytics::train::TrainOptions;
use analytics::windows::DEFAULT_WINDOW_US;

use super::contenders::{Contender, Learned, for_captures};
use super::figures::Spread;
use super::labels::{LabelError, Labels, read_intervals};
use super::material::Captures;
use super::measure::{Measured, course, curve, measure};
use super::report::{
    DetectorReport, FORMAT, Report, ScenarioReport, SubjectReport, TestReport, TrainingReport,
    VERSION,
};
use super::training::{training_of, warn_of_short_training};
use super::truth::{Judged, Truth};
use super::{CpuClock, EvalProgress, EvalRequest, check};
use crate::offline::OfflineError;
use crate::offline::input::open;
use crate::offline::scenario::{
    Kind, Protected, SHORT_TRAINING_WINDOWS, Scenario, scenario_folders,
};
use crate::offline::scored::ScoredWindow;
use crate::offline::train::write_whole;

/// Processor time a measurement of the pace takes at least, unless [`MAX_PACES`] come first.
const PACE_TIME: Duration = Duration::from_millis(30);
/// Repetitions of a measurement of the pace at most.
const MAX_PACES: u32 = 50;
/// Packings a file of labels may come in.
const PACKINGS: [&str; 3] = ["", ".gz", ".zst"];

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

struct Run<'a> {
    request: &'a EvalRequest,
    cpu: CpuClock<'a>,
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
            Kind::RowsCsv | Kind::RowsJsonl => {
                report.failed = Some("row scenarios are not read by this build".to_owned());
                Ok(())
            }
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
        let truth = match labels_of(scenario) {
            Ok(Some(labels)) => Some(truth_of(scenario, &labels, &mut report.test)?),
            Ok(None) => {
                report.test.notes.push("no labels.csv: scores, but no figures".to_owned());
                None
            }
            Err(error) => {
                report.failed = Some(error.to_string());
                None
            }
        };
        let training = training_of(scenario, &mut report.training)?;
        warn_of_short_training(scenario, &training, &mut report.training);
        for contender in for_captures() {
            let wanted = &self.request.detectors;
            if wanted.is_empty() || wanted.iter().any(|name| name == contender.name()) {
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
        Ok(results.report(contender, scenario, seeds))
    }

    /// Processor time of one window in microseconds: smallest, median and largest of several passes.
    fn pace(&self, learned: &dyn Learned, test: &Captures) -> Option<Spread> {
        let (mut paces, mut spent) = (Vec::new(), Duration::ZERO);
        while spent < PACE_TIME && (paces.len() as u32) < MAX_PACES {
            let before = (self.cpu)();
            let windows = learned.pace(test);
            let time = (self.cpu)().saturating_sub(before);
            if windows == 0 {
                return None;
            }
            spent += time;
            paces.push(time.as_secs_f64() * 1e6 / windows as f64);
        }
        Spread::of(paces)
    }

    fn tell(&mut self, scenario: &str, detector: Option<&str>, seed: u64) {
        (self.progress)(EvalProgress {
            scenario: scenario.to_owned(),
            detector: detector.map(str::to_owned),
            seed,
            done: self.done,
            total: self.total,
        });
    }
}

/// What the seeds of one detector gave.
#[derive(Default)]
struct Results {
    failed: Option<String>,
    training_s: Vec<f64>,
    window_us: Option<Spread>,
    /// Per subject (all together first, then each device): one entry per seed.
    measured: Vec<Vec<Measured>>,
    /// Per subject, of the first seed.
    curves: Vec<(Vec<[f64; 2]>, Vec<super::CoursePoint>)>,
}

impl Results {
    fn add(&mut self, scenario: &Scenario, truth: &Truth, scored: &[ScoredWindow]) {
        let judged = truth.judge(scored);
        let first = self.measured.is_empty();
        for (place, subject) in subjects(scenario).into_iter().enumerate() {
            let of_subject: Vec<&Judged> = judged
                .iter()
                .filter(|one| subject.is_none_or(|device| one.key.device as usize == device))
                .collect();
            let measured = measure(&of_subject, DEFAULT_WINDOW_US, subject.is_none());
            if first {
                self.measured.push(vec![measured]);
                self.curves.push((curve(&of_subject), course(&of_subject)));
            } else if let Some(seeds) = self.measured.get_mut(place) {
                seeds.push(measured);
            }
        }
    }

    fn report(self, contender: &dyn Contender, scenario: &Scenario, seeds: u64) -> DetectorReport {
        let subjects = subjects(scenario)
            .into_iter()
            .zip(self.measured)
            .zip(self.curves)
            .map(|((subject, measured), curves)| {
                let device = subject.and_then(|place| scenario.devices.get(place));
                subject_report(device, &measured, curves)
            })
            .collect();
        DetectorReport {
            detector: contender.name().to_owned(),
            about: contender.about(),
            seeds,
            failed: self.failed,
            training_s: Spread::of(self.training_s),
            window_us: self.window_us,
            subjects,
        }
    }
}

/// All protected devices together (where there are several), then each by its number.
fn subjects(scenario: &Scenario) -> Vec<Option<usize>> {
    let each = (0..scenario.devices.len()).map(Some);
    if scenario.devices.len() > 1 {
        std::iter::once(None).chain(each).collect()
    } else {
        each.collect()
    }
}

fn subject_report(
    device: Option<&Protected>,
    seeds: &[Measured],
    (roc, course): (Vec<[f64; 2]>, Vec<super::CoursePoint>),
) -> SubjectReport {
    let first = seeds.first().cloned().unwrap_or_default();
    let over =
        |value: &dyn Fn(&Measured) -> Option<f64>| Spread::of(seeds.iter().filter_map(value));
    let delays = |pick: fn(&(f64, f64)) -> f64| {
        Spread::of(seeds.iter().flat_map(|seed| seed.delays.iter().map(pick)))
    };
    let positive = first.counts.true_positives + first.counts.false_negatives;
    SubjectReport {
        device: device.map(|device| device.name.to_string()),
        role: device.map(|device| device.role.clone()).unwrap_or_default(),
        positive,
        negative: first.counts.false_positives + first.counts.true_negatives,
        unscored: first.unscored,
        silent: first.silent,
        counts: first.counts,
        auc: over(&|seed| seed.area),
        tpr: over(&|seed| seed.counts.true_positive_rate()),
        fpr: over(&|seed| seed.counts.false_positive_rate()),
        balanced_accuracy: over(&|seed| seed.counts.balanced_accuracy()),
        precision: over(&|seed| seed.counts.precision()),
        delay_windows: delays(|delay| delay.0),
        delay_s: delays(|delay| delay.1),
        missed: over(&|seed| (positive > 0).then_some(seed.missed as f64)),
        false_alarms: over(&|seed| Some(seed.counts.false_positives as f64)),
        false_alarms_correlated: over(&|seed| Some(seed.false_alarms_correlated as f64)),
        benign_days: first.benign_days,
        roc,
        course,
    }
}

fn empty_report(scenario: &Scenario) -> ScenarioReport {
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
    labels: &Labels,
    report: &mut TestReport,
) -> Result<Truth, OfflineError> {
    let mut truth = super::packets::truth_of_captures(scenario, labels, DEFAULT_WINDOW_US)?;
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

/// `<folder>/<scenario>/<detector>.jsonl`, whole or not at all.
fn write_scores(
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
