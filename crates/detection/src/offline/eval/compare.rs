//! Two detectors or two versions over the same windows: what each says, and where they disagree.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use analytics::policy::DevicePolicy;
use analytics::train::TrainOptions;
use analytics::windows::DEFAULT_WINDOW_US;
use serde::Serialize;

use super::contenders::{Learned, for_captures};
use super::labelled::truth_or_why;
use super::machines::{LearnedCommands, LearnedLaws, Messages};
use super::material::Captures;
use super::measure::{Measured, measure};
use super::packets::truth_of_captures;
use super::run::empty_report;
use super::shipped::LearnedEnsemble;
use super::training::training_of;
use super::truth::Judged;
use crate::laws::memory::Protocol;
use crate::offline::OfflineError;
use crate::offline::operations::COMMANDS;
use crate::offline::scenario::Scenario;
use crate::offline::score::{open_commands, open_laws, open_others};
use crate::offline::scored::ScoredWindow;
use crate::offline::store::{ENSEMBLE, ModelStore, StoreError, Trust};

/// Windows the comparison tells one by one.
pub const MAX_DISAGREEMENTS: usize = 20;

/// One side of a comparison.
#[derive(Clone, Debug)]
pub enum Side {
    /// A detector of a model file.
    Model(PathBuf, String),
    /// A detector by name, trained on the scenario.
    Detector(String),
}

impl Side {
    /// `FILE`, `FILE#DETECTOR` or, where no such file is, the name of a detector.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (path, detector) = text.rsplit_once('#').unwrap_or((text, ENSEMBLE));
        if PathBuf::from(text).is_file() {
            return Self::Model(text.into(), ENSEMBLE.to_owned());
        }
        if text.contains('#') || text.contains(std::path::MAIN_SEPARATOR) {
            return Self::Model(path.into(), detector.to_owned());
        }
        Self::Detector(text.to_owned())
    }
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct CompareRequest {
    /// One side.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// The capture, unless a scenario is given.
    pub capture: Option<PathBuf>,
    /// The scenario: its test part, and its labels where it has some.
    pub scenario: Option<PathBuf>,
    /// How detectors given by name are trained.
    pub options: TrainOptions,
}

/// Figures of one side against the labels.
#[derive(Clone, Debug, Serialize)]
pub struct SideFigures {
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// True positive rate.
    pub tpr: Option<f64>,
    /// False positive rate.
    pub fpr: Option<f64>,
    /// Windows to the first alert of each attack.
    pub delay_windows: Vec<f64>,
}

/// A window the sides judge differently.
#[derive(Clone, Debug, Serialize)]
pub struct Disagreement {
    /// The device.
    pub device: String,
    /// Start, Unix seconds.
    pub start: f64,
    /// Score of one side; above 1 alerts.
    pub a: f64,
    /// Score of the other.
    pub b: f64,
    /// The strongest reason of the side that scores higher.
    pub why: Option<String>,
}

/// A comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// One side, as given.
    pub a: String,
    /// The other.
    pub b: String,
    /// Windows both judge.
    pub windows: u64,
    /// Windows one side alone judges.
    pub unmatched: u64,
    /// Both alert.
    pub both: u64,
    /// Only the one alerts.
    pub only_a: u64,
    /// Only the other alerts.
    pub only_b: u64,
    /// Neither alerts.
    pub neither: u64,
    /// Figures of the sides, where the scenario has labels.
    pub figures: Option<(SideFigures, SideFigures)>,
    /// Windows one alerts on and the other does not, the furthest apart first.
    pub disagreements: Vec<Disagreement>,
}

/// Compares two sides over a capture or a scenario.
///
/// # Errors
/// When a file cannot be read, a model is refused, or a detector cannot learn.
pub fn compare(request: &CompareRequest) -> Result<Comparison, OfflineError> {
    let scenario = request.scenario.as_deref().map(Scenario::read).transpose()?;
    let capture = scenario.as_ref().and_then(|one| one.test.clone()).or(request.capture.clone());
    let capture = capture.ok_or_else(|| {
        OfflineError::Unknown("give a capture or a scenario with captures".into())
    })?;
    let policy = scenario.as_ref().map_or(DevicePolicy::Local, Scenario::policy);
    let window_us = common_window(&request.a, &request.b)?;
    let test = Captures::read(vec![capture], &policy, window_us, &mut |_| {})?;
    let training = match (&scenario, [&request.a, &request.b].iter().any(|s| s.is_detector())) {
        (Some(scenario), true) => Some(training_of(scenario, window_us, &mut Default::default())?),
        _ => None,
    };
    let of = |side: &Side| side.windows(&test, training.as_ref(), &request.options);
    let (a, b) = (of(&request.a)?, of(&request.b)?);
    let figures = scenario.as_ref().and_then(|scenario| {
        let mut report = empty_report(scenario);
        let truth = truth_or_why(scenario, window_us, &mut report, truth_of_captures)?;
        let one = |windows: &[ScoredWindow]| {
            let judged = truth.judge(windows);
            let judged: Vec<&Judged> = judged.iter().collect();
            SideFigures::of(&measure(&judged, window_us, false))
        };
        Some((one(&a), one(&b)))
    });
    let mut comparison = match_up(&a, &b);
    comparison.figures = figures;
    (comparison.a, comparison.b) = (request.a.to_string(), request.b.to_string());
    Ok(comparison)
}

/// The window length of both sides, microseconds: that of the model files, else the usual one.
fn common_window(a: &Side, b: &Side) -> Result<i64, OfflineError> {
    match (a.window_us()?, b.window_us()?) {
        (Some(own), Some(other)) if own != other => Err(OfflineError::Unknown(format!(
            "{a} judges windows of {} s, {b} of {} s: train both with the same --window",
            own as f64 / 1e6,
            other as f64 / 1e6
        ))),
        (own, other) => Ok(own.or(other).unwrap_or(DEFAULT_WINDOW_US)),
    }
}

impl SideFigures {
    fn of(measured: &Measured) -> Self {
        Self {
            auc: measured.area,
            tpr: measured.counts.true_positive_rate(),
            fpr: measured.counts.false_positive_rate(),
            delay_windows: measured.delays.iter().map(|delay| delay.0).collect(),
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Model(path, detector) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                write!(f, "{name}#{detector}")
            }
            Self::Detector(name) => f.write_str(name),
        }
    }
}

impl Side {
    fn is_detector(&self) -> bool {
        matches!(self, Self::Detector(_))
    }

    /// Length of the windows a model file judges; detectors take any.
    fn window_us(&self) -> Result<Option<i64>, OfflineError> {
        let Self::Model(path, _) = self else { return Ok(None) };
        let refused = |source: StoreError| OfflineError::Model { path: path.clone(), source };
        let models = ModelStore::read(path, Trust::Anyone)?.models().map_err(refused)?;
        Ok(Some(models.window_us))
    }

    fn windows(
        &self,
        test: &Captures,
        training: Option<&Captures>,
        options: &TrainOptions,
    ) -> Result<Vec<ScoredWindow>, OfflineError> {
        match self {
            Self::Detector(name) => {
                let contenders = for_captures();
                let contender =
                    contenders.iter().find(|one| one.name() == name).ok_or_else(|| {
                        OfflineError::Unknown(format!(
                            "`{name}` is neither a file nor a detector: there are {}",
                            super::detector_names().join(", ")
                        ))
                    })?;
                let training = training.ok_or_else(|| {
                    OfflineError::Unknown(format!(
                        "detector `{name}` must be trained: give --scenario, or a model file"
                    ))
                })?;
                contender
                    .learn(training, options)
                    .and_then(|learned| learned.score(test))
                    .map_err(|why| OfflineError::Unknown(format!("{name}: {why}")))
            }
            Self::Model(path, detector) => {
                let refused =
                    |source: StoreError| OfflineError::Model { path: path.clone(), source };
                let store = ModelStore::read(path, Trust::Anyone)?;
                let learned = open(&store, detector).map_err(refused)?;
                learned.score(test).map_err(|why| OfflineError::Unknown(format!("{self}: {why}")))
            }
        }
    }
}

/// Opens a detector of a model file.
fn open(store: &ModelStore, detector: &str) -> Result<Box<dyn Learned>, StoreError> {
    let models = store.models()?;
    if detector == ENSEMBLE {
        let mut messages =
            Messages { commands: open_commands(store, false)?.map(Arc::new), laws: Vec::new() };
        for protocol in Protocol::ALL {
            messages.laws.extend(open_laws(store, protocol, false)?);
        }
        return Ok(Box::new(LearnedEnsemble { models, messages }));
    }
    let absent = || StoreError::NoSection(detector.to_owned(), store.list());
    if detector == COMMANDS {
        let model = open_commands(store, true)?.ok_or_else(absent)?;
        return Ok(Box::new(LearnedCommands(Arc::new(model))));
    }
    if let Some(protocol) = Protocol::from_word(detector) {
        return Ok(Box::new(LearnedLaws(open_laws(store, protocol, true)?.ok_or_else(absent)?)));
    }
    let wanted = [detector.to_owned()];
    let singles = open_others(store, &models, &wanted)?.into_iter().next().ok_or_else(absent)?;
    Ok(Box::new(singles))
}

fn match_up(a: &[ScoredWindow], b: &[ScoredWindow]) -> Comparison {
    type Place = (Arc<str>, i64);
    let place = |window: &ScoredWindow| -> Place { (Arc::clone(&window.device), window.start_us) };
    let mut others: HashMap<Place, &ScoredWindow> =
        b.iter().map(|window| (place(window), window)).collect();
    let mut comparison = Comparison {
        a: String::new(),
        b: String::new(),
        windows: 0,
        unmatched: 0,
        both: 0,
        only_a: 0,
        only_b: 0,
        neither: 0,
        figures: None,
        disagreements: Vec::new(),
    };
    for one in a {
        let Some(other) = others.remove(&place(one)) else {
            comparison.unmatched += 1;
            continue;
        };
        comparison.windows += 1;
        *match (one.alert, other.alert) {
            (true, true) => &mut comparison.both,
            (true, false) => &mut comparison.only_a,
            (false, true) => &mut comparison.only_b,
            (false, false) => &mut comparison.neither,
        } += 1;
        if one.alert != other.alert {
            let stronger = if one.alert { one } else { other };
            comparison.disagreements.push(Disagreement {
                device: one.device.to_string(),
                start: one.start_us as f64 / 1e6,
                a: one.score,
                b: other.score,
                why: stronger.why.first().map(|why| why.metric.to_string()),
            });
        }
    }
    comparison.unmatched += others.len() as u64;
    comparison.disagreements.sort_by(|x, y| (y.a - y.b).abs().total_cmp(&(x.a - x.b).abs()));
    comparison.disagreements.truncate(MAX_DISAGREEMENTS);
    comparison
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn window(start_us: i64, score: f64) -> ScoredWindow {
        ScoredWindow {
            device: "192.0.2.1".into(),
            group: None,
            start_us,
            end_us: start_us + 10,
            score,
            alert: score > 1.0,
            detector: "test",
            why: Vec::new(),
        }
    }

    #[test]
    fn every_window_is_counted_once() {
        let a =
            [window(0, 2.0), window(10, 0.5), window(20, 3.0), window(30, 0.1), window(40, 0.0)];
        let b =
            [window(0, 2.0), window(10, 1.5), window(20, 0.5), window(30, 0.1), window(50, 0.0)];
        let seen = match_up(&a, &b);
        assert_eq!((seen.both, seen.only_a, seen.only_b, seen.neither), (1, 1, 1, 1));
        assert_eq!((seen.windows, seen.unmatched), (4, 2));
        assert_eq!(seen.disagreements[0].start, 20e-6);
    }

    #[test]
    fn sides_are_told_by_their_form() {
        assert!(matches!(Side::parse("knn"), Side::Detector(name) if name == "knn"));
        assert!(matches!(Side::parse("a.model#knn"), Side::Model(_, name) if name == "knn"));
        assert!(matches!(Side::parse("some/file"), Side::Model(_, name) if name == ENSEMBLE));
    }
}
