//! The detectors that are compared, behind one trait: learn from a training part, score a test part.

use analytics::detector::Detector;
use analytics::model_file::ModelFile;
use analytics::models::Learner;
use analytics::train::{TrainOptions, train};

use super::material::Captures;
use crate::offline::scored::ScoredWindow;
use crate::offline::singles::{Names, Singles, SinglesJudge};

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
        let singles = Singles::learn(self.0, &training.records, options)?;
        Ok(Box::new(singles))
    }
}

impl Learned for Singles {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let mut judge = SinglesJudge::new(self);
        Ok(test.records.iter().filter_map(|record| judge.judge(record)).collect())
    }

    fn pace(&self, test: &Captures) -> u64 {
        let mut judge = SinglesJudge::new(self);
        let (mut sum, mut judged) = (0.0_f64, 0);
        for score in test.records.iter().filter_map(|record| judge.score(record)) {
            sum += score;
            judged += 1;
        }
        std::hint::black_box(sum);
        judged
    }
}
