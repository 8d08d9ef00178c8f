//! Dense random neural network that classifies (DDRNN): the hidden layers of the auto-associative
//! one, output `pinv(H_last)·Y` with one column for benign and one for attack.
//!
//! It needs labels. Where people gave none, the attacks are [`drills`](super::drills), made from the
//! device's own benign rows; rows people labelled join them. The threshold comes from benign rows
//! alone, each judged by a network that saw neither its block of time nor the drills made from it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::aarnn::gather;
use super::dense::{Block, Dense, StoredDense, fit_folds};
use super::drills::drills;
use super::held_out::blocks;
use super::matrix::Matrix;
use super::stored::{Head, Numbers, from_value, to_value};
use super::{Labelled, Learner, Lesson, Model, largest};
use crate::draw::Draw;
use crate::network::Scaled;
use crate::threshold::limit;

pub(super) const NAME: &str = "ddrnn";
/// Cells of the hidden layers.
const CELLS: [usize; 2] = [24, 24];
/// Drills at most, over all blocks.
const MAX_DRILLS: usize = 3_000;
/// Drills of a block at least: a short training needs more examples than it has rows.
const LEAST_DRILLS: usize = 50;
/// Threshold at most: a row that is more an attack than benign by so much alerts, however few windows
/// there were to measure errors on. A clear attack has evidence 1.
const MAX_THRESHOLD: f64 = 0.75;
/// Benign rows below which nothing is learned: with a handful the drills define what is benign, too.
const LEAST_BENIGN: usize = 30;
/// Labelled rows used at most, the latest ones.
const MAX_FEEDBACK: usize = 10_000;

/// Learns classifiers.
pub(super) struct Ddrnn;

struct DdrnnModel {
    active: Vec<usize>,
    /// Mean benign row: what the explanation compares with.
    mean: Vec<f64>,
    network: Dense,
    threshold: f64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    head: Head,
    mean: Numbers,
    network: StoredDense,
    threshold: Numbers,
}

/// How much more like an attack than benign the row is: 0 for benign, 1 for attack, about.
fn evidence(network: &Dense, active: &[usize], row: &Scaled) -> f64 {
    let margin = network.run(|inputs| gather(active, row, inputs), |made| made[1] - made[0]);
    f64::midpoint(1.0, margin).max(0.0)
}

/// Rows with their label as one block.
fn block(rows: &[Labelled], active: &[usize]) -> Block {
    let value = |row: usize, column: usize| f64::from(rows[row].0[active[column]]);
    let target = |row: usize, column: usize| f64::from(u8::from(rows[row].1 == (column == 1)));
    Block::new(rows.len(), active.len(), value, Matrix::new(rows.len(), 2, target))
}

impl Learner for Ddrnn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "dense random neural network that tells benign rows from drills and labelled attacks"
    }

    fn draws(&self) -> bool {
        true
    }

    fn refusal(&self, lesson: &Lesson<'_>) -> Option<String> {
        let scaled = || {
            lesson
                .scale
                .is_none_or(|scale| scale.iter().any(|scale| !scale.is_finite() || *scale < 0.0))
                .then(|| "the scales of the metrics are needed to make drills".to_owned())
        };
        let few = || {
            let count = lesson.rows.len();
            (count < LEAST_BENIGN).then(|| {
                format!(
                    "{count} benign windows, the classifier needs {LEAST_BENIGN}: capture longer"
                )
            })
        };
        lesson.refusal().or_else(few).or_else(scaled)
    }

    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>> {
        if self.refusal(lesson).is_some() {
            return None;
        }
        let (rows, active, scale) = (lesson.thinned(), lesson.active, lesson.scale?);
        let ranges = blocks(rows.len());
        let latest = lesson.feedback.len().saturating_sub(MAX_FEEDBACK);
        let feedback = &lesson.feedback[latest..];
        let parts: Vec<Block> = ranges
            .iter()
            .enumerate()
            .map(|(turn, range)| {
                let benign = &rows[range.clone()];
                let count = benign.len().clamp(LEAST_DRILLS, MAX_DRILLS / ranges.len());
                let name = format!("drills {turn} {}", lesson.device);
                let attacks = drills(benign, scale, count, lesson.seed, &name);
                let shared = feedback.iter().skip(turn).step_by(ranges.len());
                let labelled: Vec<Labelled> = benign
                    .iter()
                    .map(|row| (*row, false))
                    .chain(attacks.into_iter().map(|row| (row, true)))
                    .chain(shared.copied())
                    .collect();
                block(&labelled, active)
            })
            .collect();
        let mut draw = Draw::new(lesson.seed, &format!("{NAME} {}", lesson.device));
        let (without, network) = fit_folds(&parts, &CELLS, &mut draw);
        let mut errors: Vec<f64> = Vec::with_capacity(rows.len());
        for (range, network) in ranges.into_iter().zip(&without) {
            errors.extend(rows[range].iter().map(|row| evidence(network, active, row)));
        }
        Some(Box::new(DdrnnModel {
            active: active.to_vec(),
            mean: super::range::means(&rows.iter().collect::<Vec<_>>(), active),
            network,
            threshold: limit(&mut errors, lesson.alpha).min(MAX_THRESHOLD),
        }))
    }
}

impl Model for DdrnnModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn score(&self, row: &Scaled) -> f64 {
        evidence(&self.network, &self.active, row) / self.threshold
    }

    /// The metric whose return to its benign mean would lower the score most.
    fn why(&self, row: &Scaled) -> Option<(usize, f64)> {
        let here = evidence(&self.network, &self.active, row);
        let relief =
            self.active.iter().zip(&self.mean).enumerate().map(|(column, (place, mean))| {
                let mut other = *row;
                other[*place] = *mean as f32;
                (column, here - evidence(&self.network, &self.active, &other))
            });
        let (column, _) = largest(relief)?;
        Some((self.active[column], self.mean[column]))
    }

    fn stored(&self) -> Value {
        to_value(&Stored {
            head: Head::new(&self.active),
            mean: Numbers(self.mean.clone()),
            network: self.network.stored(),
            threshold: Numbers(vec![self.threshold]),
        })
    }
}

pub(super) fn open(value: &Value) -> Result<Box<dyn Model>, String> {
    let stored: Stored = from_value(value)?;
    let count = stored.head.active.len();
    Ok(Box::new(DdrnnModel {
        mean: stored.mean.exactly(count, "mean")?,
        network: stored.network.open(count, 2)?,
        threshold: stored.threshold.positive(1, "threshold")?[0],
        active: stored.head.active,
    }))
}
