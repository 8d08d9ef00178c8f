//! The detectors that are compared, behind one trait: learn from a training part, score a test part.

use analytics::models::Learner;
use analytics::train::TrainOptions;

use super::machines::{Commands, Laws};
use super::material::Captures;
use super::others::{Published, Together};
use super::shipped::Ensemble;
use crate::laws::memory::Protocol;
use crate::offline::scored::ScoredWindow;
use crate::offline::singles::{Singles, SinglesJudge};

/// Learns from captures.
pub(super) trait Contender {
    /// Name in the output contract.
    fn name(&self) -> &'static str;
    /// What it is, in a few words.
    fn about(&self) -> String;
    /// Whether random draws decide: it is then trained with every seed.
    fn draws(&self) -> bool;
    /// Whether the training part holds what it judges; it is otherwise tried only by name.
    fn applies(&self, _training: &Captures) -> bool {
        true
    }
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
    /// The same without keeping anything, made ready to measure the time it takes; `None` where a time
    /// per window would compare the incomparable.
    fn pacer(&self) -> Option<Pacer<'_>>;
}

/// Judges every window of a test once and returns how many that were.
pub(super) type Pacer<'a> = Box<dyn FnMut(&Captures) -> u64 + 'a>;

/// Every detector for captures, the shipped one first.
pub(super) fn for_captures() -> Vec<Box<dyn Contender>> {
    let mut list: Vec<Box<dyn Contender>> = vec![Box::new(Ensemble)];
    list.push(Box::new(Commands));
    list.extend(Protocol::ALL.map(|protocol| Box::new(Laws(protocol)) as Box<dyn Contender>));
    list.extend(
        analytics::models::all()
            .iter()
            .map(|learner| Box::new(Single(*learner)) as Box<dyn Contender>),
    );
    list.push(Box::new(Published));
    list.push(Box::new(Together));
    list
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

    fn pacer(&self) -> Option<Pacer<'_>> {
        let mut judge = SinglesJudge::new(self);
        Some(Box::new(move |test| {
            let (mut sum, mut judged) = (0.0_f64, 0);
            for score in test.records.iter().filter_map(|record| judge.score(record)) {
                sum += score;
                judged += 1;
            }
            std::hint::black_box(sum);
            judged
        }))
    }
}
