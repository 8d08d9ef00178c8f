//! The detectors that are compared, behind one trait: learn from a training part, score a test part.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use analytics::detector::Detector;
use analytics::features::ContextMemory;
use analytics::host::Host;
use analytics::metrics::ALL;
use analytics::model_file::ModelFile;
use analytics::models::{Learner, Lesson, Model};
use analytics::preparation::Preparation;
use analytics::record::WindowRecord;
use analytics::train::{MAX_MODELS, TrainOptions, prepare, train};

use super::material::Captures;
use crate::offline::scored::{ScoredWindow, Why};

/// Learns from captures.
pub(super) trait Contender {
    /// Name in the output contract.
    fn name(&self) -> &'static str;
    /// What it is, in a few words.
    fn about(&self) -> String;
    /// Whether random draws decide: it is then trained with every seed.
    fn draws(&self) -> bool;
    /// Learns, or says why not.
    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String>;
}

/// Has learned. Scoring starts anew each time.
pub(super) trait Learned {
    /// Judges every window, in the order of the records.
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String>;
    /// The same without keeping anything, to measure the time it takes; returns the windows judged.
    fn pace(&self, test: &Captures) -> u64;
}

/// Every detector for captures, the shipped one first.
pub(super) fn for_captures() -> Vec<Box<dyn Contender>> {
    let mut list: Vec<Box<dyn Contender>> = vec![Box::new(Ensemble)];
    list.extend(
        analytics::models::all()
            .iter()
            .map(|learner| Box::new(Single(*learner)) as Box<dyn Contender>),
    );
    list
}

/// Name of the shipped joint model.
pub(super) const ENSEMBLE: &str = "ensemble";

/// The shipped models.
struct Ensemble;

struct LearnedEnsemble(ModelFile);

impl Contender for Ensemble {
    fn name(&self) -> &'static str {
        ENSEMBLE
    }

    fn about(&self) -> String {
        "the shipped detector: all judges joined".to_owned()
    }

    fn draws(&self) -> bool {
        true
    }

    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String> {
        let trained =
            train(&training.records, options, |_| {}).map_err(|error| error.to_string())?;
        let policy = training.policy.clone();
        Ok(Box::new(LearnedEnsemble(ModelFile::new(trained, options, training.window_us, policy))))
    }
}

impl Learned for LearnedEnsemble {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let mut detector = Detector::new(self.0.clone());
        let mut names = Names::default();
        Ok(test
            .records
            .iter()
            .map(|record| {
                let verdict = detector.judge(record);
                let device = names.of(record.device);
                let mut scored = ScoredWindow::of_verdict(device, record, &verdict);
                scored.detector = ENSEMBLE;
                scored
            })
            .collect())
    }

    fn pace(&self, test: &Captures) -> u64 {
        let mut detector = Detector::new(self.0.clone());
        let mut alerts = 0_u64;
        for record in &test.records {
            alerts += u64::from(detector.judge(record).judgement.alert());
        }
        std::hint::black_box(alerts);
        test.records.len() as u64
    }
}

/// One model of the list for each device, on the rows the shipped detector learns from.
struct Single(&'static dyn Learner);

struct LearnedSingle {
    name: &'static str,
    devices: BTreeMap<Host, One>,
    pooled: Option<One>,
}

struct One {
    preparation: Preparation,
    model: Box<dyn Model>,
}

impl Contender for Single {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn about(&self) -> String {
        self.0.describe().to_owned()
    }

    fn draws(&self) -> bool {
        self.0.draws()
    }

    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String> {
        let mut by_device: BTreeMap<Host, Vec<&WindowRecord>> = BTreeMap::new();
        for record in &training.records {
            by_device.entry(record.device).or_default().push(record);
        }
        let mut devices = BTreeMap::new();
        let mut refusal = None;
        for (device, windows) in by_device.into_iter().take(MAX_MODELS) {
            match self.one(Some(device), windows, options) {
                Ok(one) => {
                    devices.insert(device, one);
                }
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        let pooled = self.one(None, training.records.iter().collect(), options);
        if devices.is_empty() && pooled.is_err() {
            return Err(refusal.unwrap_or_else(|| "no window of any device".to_owned()));
        }
        Ok(Box::new(LearnedSingle { name: self.0.name(), devices, pooled: pooled.ok() }))
    }
}

impl Single {
    fn one(
        &self,
        device: Option<Host>,
        windows: Vec<&WindowRecord>,
        options: &TrainOptions,
    ) -> Result<One, String> {
        let prepared = prepare(device, windows, options).map_err(|error| error.to_string())?;
        let places = prepared.places();
        let lesson = Lesson::of(&prepared, &places, options.seed, options.alpha);
        let model = self.0.learn(&lesson).ok_or_else(|| {
            self.0.refusal(&lesson).unwrap_or_else(|| "too little to learn from".to_owned())
        })?;
        Ok(One { preparation: prepared.preparation, model })
    }
}

impl LearnedSingle {
    fn of(&self, device: Host) -> Option<&One> {
        self.devices.get(&device).or(self.pooled.as_ref())
    }
}

impl Learned for LearnedSingle {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let mut memories: HashMap<Host, ContextMemory> = HashMap::new();
        let mut names = Names::default();
        let mut scored = Vec::with_capacity(test.records.len());
        for record in &test.records {
            let Some(one) = self.of(record.device) else { continue };
            let memory = memories.entry(record.device).or_default();
            let values = one.preparation.values(record, memory);
            let row = one.preparation.scale(&values);
            let score = finite(one.model.score(&row));
            let why = one.model.why(&row).and_then(|(place, expected)| {
                let metric = ALL.get(place)?.name();
                let expected = one.preparation.unscale(place, expected);
                Some(Why::numbers(metric, values[place], expected))
            });
            scored.push(ScoredWindow {
                device: names.of(record.device),
                group: None,
                start_us: record.start_us,
                end_us: record.end_us,
                score,
                alert: score > 1.0,
                detector: self.name,
                why: why.into_iter().collect(),
            });
        }
        Ok(scored)
    }

    fn pace(&self, test: &Captures) -> u64 {
        let mut memories: HashMap<Host, ContextMemory> = HashMap::new();
        let (mut sum, mut judged) = (0.0_f64, 0);
        for record in &test.records {
            let Some(one) = self.of(record.device) else { continue };
            let memory = memories.entry(record.device).or_default();
            sum += one.model.score(&one.preparation.row(record, memory));
            judged += 1;
        }
        std::hint::black_box(sum);
        judged
    }
}

/// A score that is no number is the strongest: what cannot be judged must not look quiet.
fn finite(score: f64) -> f64 {
    if score.is_finite() { score } else { f64::from(f32::MAX) }
}

/// Addresses, printed once.
#[derive(Default)]
struct Names(HashMap<Host, Arc<str>>);

impl Names {
    fn of(&mut self, host: Host) -> Arc<str> {
        Arc::clone(self.0.entry(host).or_insert_with(|| host.to_string().into()))
    }
}
