//! Models that learn one device from its scaled rows, each a file, in one visible list.
//!
//! Every model measures an error of a row and divides it by a threshold learned from benign training
//! rows alone (errors of five time blocks, each measured by a model fitted on the other four): a
//! score above 1 is an alert, and scores of different models and devices compare. They stand beside
//! the shipped ensemble as they are, for comparison; none of them alerts by itself.
//!
//! | name | what it is |
//! |---|---|
//! | `aarnn` | auto-associative dense random neural network as published, hidden layers 24-24 |
//! | `aarnn-8` | the same with hidden layers 8-8 |
//! | `hollow` | the hollow network of the ensemble, judged alone |
//! | `ddrnn` | dense random neural network that classifies, taught by drills and by feedback |
//! | `lasso` | every metric by sparse linear regression on the others |
//! | `knn` | mean distance to the five nearest training rows (feature `baselines`) |
//! | `zscore` | robust z-score: median and median absolute deviation per metric |
//! | `range` | the range judge of the ensemble, alone |
//!
//! Two more judge something else than the row of one device and have their own interface:
//! [`crate::paper`] (the published three network-wide metrics) and [`crate::arnn`] (all devices of a
//! window together).

mod aarnn;
mod ddrnn;
mod dense;
pub mod drills;
mod held_out;
mod hollow;
#[cfg(feature = "baselines")]
mod knn;
mod lasso;
pub(crate) mod matrix;
mod range;
mod stored;
mod zscore;

use std::borrow::Cow;

use serde_json::Value;

use crate::metrics::METRICS;
use crate::network::Scaled;
use crate::preparation::Prepared;

pub(crate) use dense::{Block, Dense, MAX_WIDTH, StoredDense, fit_folds};
pub(crate) use held_out::blocks;
pub(crate) use stored::{Numbers, from_value, to_value};

/// Rows below which nothing can be learned.
pub const LEAST_ROWS: usize = 3;
/// Rows a model learns from at most; of more, evenly spread ones are taken.
pub const MAX_ROWS: usize = 50_000;

/// A row that people labelled: `true` for an attack.
pub type Labelled = (Scaled, bool);

/// What a model learns from: the benign rows of one device.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// Name of the device: with the seed it decides the random draws.
    pub device: &'a str,
    /// Scaled rows in the order of time.
    pub rows: &'a [Scaled],
    /// Places of the judged metrics; every other place of a row is 0.
    pub active: &'a [usize],
    /// `x = ln(1 + v) / scale` for each metric, 0 where it is not judged; what needs counts in their
    /// own units (the drills) needs it.
    pub scale: Option<&'a [f64; METRICS]>,
    /// Rows that people labelled, if any; only the classifier uses them.
    pub feedback: &'a [Labelled],
    /// Seed of every draw.
    pub seed: u64,
    /// Share of benign windows that may alert, over all metrics together.
    pub alpha: f64,
}

impl<'a> Lesson<'a> {
    /// The lesson of a device's prepared windows; `active` is [`Prepared::places`].
    #[must_use]
    pub fn of(prepared: &'a Prepared, active: &'a [usize], seed: u64, alpha: f64) -> Self {
        let scale = Some(&prepared.scale);
        let (device, rows) = (prepared.name.as_str(), prepared.rows.as_slice());
        Self { device, rows, active, scale, feedback: &[], seed, alpha }
    }

    /// Why no model at all can learn from this, or `None`.
    fn refusal(&self) -> Option<String> {
        if self.rows.len() < LEAST_ROWS {
            return Some(format!(
                "{} windows with traffic, at least {LEAST_ROWS} are needed: capture a longer benign time",
                self.rows.len()
            ));
        }
        if self.active.is_empty() || self.active.iter().any(|place| *place >= METRICS) {
            return Some("no metric to judge, or one that does not exist".to_owned());
        }
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Some(format!("false-alarm budget {} is not between 0 and 1", self.alpha));
        }
        let finite = |row: &Scaled| row.iter().all(|value| value.is_finite());
        let all = self.rows.iter().chain(self.feedback.iter().map(|(row, _)| row));
        all.into_iter().any(|row| !finite(row)).then(|| "a row is not finite".to_owned())
    }

    /// The rows, or [`MAX_ROWS`] evenly spread ones.
    fn thinned(&self) -> Cow<'a, [Scaled]> {
        let step = self.rows.len().div_ceil(MAX_ROWS).max(1);
        if step == 1 {
            return Cow::Borrowed(self.rows);
        }
        Cow::Owned(self.rows.iter().step_by(step).copied().collect())
    }
}

/// Learns models of one kind.
pub trait Learner: Sync {
    /// Name in the list, in files and in the output contract.
    fn name(&self) -> &'static str;

    /// What it is, for people who read a table.
    fn describe(&self) -> &'static str;

    /// Whether draws decide the model: one that draws nothing needs one seed only.
    fn draws(&self) -> bool {
        false
    }

    /// Why [`Learner::learn`] would make no model of this lesson, in plain words; `None` if it would.
    fn refusal(&self, lesson: &Lesson<'_>) -> Option<String> {
        lesson.refusal()
    }

    /// Learns. `None` where [`Learner::refusal`] says why.
    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>>;
}

/// A learned model of one device.
pub trait Model: Send + Sync {
    /// Name of its kind.
    fn name(&self) -> &'static str;

    /// Error over threshold: above 1 is an alert.
    fn score(&self, row: &Scaled) -> f64;

    /// Scores of many rows; `scores` is as long as `rows`, what is beyond the shorter is left alone.
    fn score_batch(&self, rows: &[Scaled], scores: &mut [f64]) {
        for (row, score) in rows.iter().zip(scores) {
            *score = self.score(row);
        }
    }

    /// The metric that says most, and what it was expected to be, in scaled units; `None` where the
    /// model judges the row as a whole.
    fn why(&self, row: &Scaled) -> Option<(usize, f64)>;

    /// The stored form, for [`open`].
    fn stored(&self) -> Value;
}

static LEARNERS: &[&dyn Learner] = &[
    &aarnn::TWENTY_FOUR,
    &aarnn::EIGHT,
    &hollow::Hollow,
    &ddrnn::Ddrnn,
    &lasso::Lasso,
    #[cfg(feature = "baselines")]
    &knn::Knn,
    &zscore::ZScore,
    &range::Range,
];

/// Every kind of model.
#[must_use]
pub fn all() -> &'static [&'static dyn Learner] {
    LEARNERS
}

/// The kind of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Learner> {
    LEARNERS.iter().copied().find(|learner| learner.name() == name)
}

/// Opens a stored model.
///
/// # Errors
/// When the name is unknown, the version is not this build's, or the stored form is damaged or holds
/// numbers that are not finite.
pub fn open(name: &str, value: &Value) -> Result<Box<dyn Model>, String> {
    let opened = match name {
        aarnn::NAME_24 | aarnn::NAME_8 => aarnn::open(name, value),
        hollow::NAME => hollow::open(value),
        ddrnn::NAME => ddrnn::open(value),
        lasso::NAME => lasso::open(value),
        #[cfg(feature = "baselines")]
        knn::NAME => knn::open(value),
        zscore::NAME => zscore::open(value),
        range::NAME => range::open(value),
        _ => {
            let names: Vec<&str> = LEARNERS.iter().map(|learner| learner.name()).collect();
            Err(format!("unknown kind of model: this build knows {}", names.join(", ")))
        }
    };
    opened.map_err(|error| format!("model `{name}`: {error}"))
}

/// Scores of the lesson's own rows, in order, each by a model learned without the row's block of
/// time: what scores of later benign rows are like. `None` where too little is left to learn from.
#[must_use]
pub fn held_out_scores(learner: &dyn Learner, lesson: &Lesson<'_>) -> Option<Vec<f64>> {
    let rows = lesson.rows;
    let mut scores = vec![0.0; rows.len()];
    for block in blocks(rows.len()) {
        let others: Vec<Scaled> =
            rows[..block.start].iter().chain(&rows[block.end..]).copied().collect();
        let model = learner.learn(&Lesson { rows: &others, ..*lesson })?;
        model.score_batch(&rows[block.clone()], &mut scores[block]);
    }
    Some(scores)
}

/// The largest of the ratios and its place.
pub(crate) fn largest(ratios: impl Iterator<Item = (usize, f64)>) -> Option<(usize, f64)> {
    ratios.fold(None, |best, (place, ratio)| match best {
        Some((_, other)) if other >= ratio => best,
        _ => Some((place, ratio)),
    })
}

#[cfg(test)]
mod tests;
