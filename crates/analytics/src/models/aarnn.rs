//! The auto-associative dense random neural network as published (Nakip and Gelenbe, 2021, after
//! Gelenbe and Yin, 2016), on the per-device rows: it reproduces benign rows, and what it reproduces
//! badly is an attack. Score: the largest absolute error, one threshold.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dense::{Block, Dense, StoredDense, fit_folds};
use super::held_out::blocks;
use super::matrix::Matrix;
use super::stored::{Head, Numbers, from_value, to_value};
use super::{Learner, Lesson, Model, largest};
use crate::draw::Draw;
use crate::network::Scaled;
use crate::threshold::limit;

pub(super) const NAME_24: &str = "aarnn";
pub(super) const NAME_8: &str = "aarnn-8";

/// Learns networks of one shape.
pub(super) struct Aarnn {
    name: &'static str,
    describe: &'static str,
    cells: &'static [usize],
}

pub(super) const TWENTY_FOUR: Aarnn = Aarnn {
    name: NAME_24,
    describe: "auto-associative dense random neural network as published, hidden layers 24-24",
    cells: &[24, 24],
};
pub(super) const EIGHT: Aarnn = Aarnn {
    name: NAME_8,
    describe: "auto-associative dense random neural network as published, hidden layers 8-8",
    cells: &[8, 8],
};

struct AarnnModel {
    name: &'static str,
    active: Vec<usize>,
    network: Dense,
    threshold: f64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    head: Head,
    network: StoredDense,
    threshold: Numbers,
}

/// Active columns of rows as a matrix.
pub(super) fn columns(rows: &[Scaled], active: &[usize]) -> Matrix {
    Matrix::new(rows.len(), active.len(), |row, column| f64::from(rows[row][active[column]]))
}

/// Writes the active columns of a row.
#[inline]
pub(super) fn gather(active: &[usize], row: &Scaled, inputs: &mut [f64]) {
    for (input, place) in inputs.iter_mut().zip(active) {
        *input = f64::from(row[*place]);
    }
}

/// Largest absolute error of a row.
fn error(network: &Dense, active: &[usize], row: &Scaled) -> f64 {
    network.run(
        |inputs| gather(active, row, inputs),
        |made| {
            let pairs = active.iter().zip(made);
            pairs.map(|(place, made)| (f64::from(row[*place]) - made).abs()).fold(0.0, f64::max)
        },
    )
}

impl Learner for Aarnn {
    fn name(&self) -> &'static str {
        self.name
    }

    fn describe(&self) -> &'static str {
        self.describe
    }

    fn draws(&self) -> bool {
        true
    }

    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>> {
        if self.refusal(lesson).is_some() {
            return None;
        }
        let (rows, active) = (lesson.thinned(), lesson.active);
        let ranges = blocks(rows.len());
        let parts: Vec<Block> = ranges
            .iter()
            .map(|range| {
                let targets = columns(&rows[range.clone()], active);
                let value = |row: usize, column: usize| targets.at(row, column);
                Block::new(range.len(), active.len(), value, targets.clone())
            })
            .collect();
        let mut draw = Draw::new(lesson.seed, &format!("{} {}", self.name, lesson.device));
        let (without, network) = fit_folds(&parts, self.cells, &mut draw);
        let mut errors: Vec<f64> = Vec::with_capacity(rows.len());
        for (range, network) in ranges.into_iter().zip(&without) {
            errors.extend(rows[range].iter().map(|row| error(network, active, row)));
        }
        Some(Box::new(AarnnModel {
            name: self.name,
            active: active.to_vec(),
            network,
            threshold: limit(&mut errors, lesson.alpha),
        }))
    }
}

impl Model for AarnnModel {
    fn name(&self) -> &'static str {
        self.name
    }

    fn score(&self, row: &Scaled) -> f64 {
        error(&self.network, &self.active, row) / self.threshold
    }

    fn why(&self, row: &Scaled) -> Option<(usize, f64)> {
        self.network.run(
            |inputs| gather(&self.active, row, inputs),
            |made| {
                let pairs = self.active.iter().zip(made).enumerate();
                let errors = pairs
                    .map(|(column, (place, made))| (column, (f64::from(row[*place]) - made).abs()));
                largest(errors).map(|(column, _)| (self.active[column], made[column]))
            },
        )
    }

    fn stored(&self) -> Value {
        to_value(&Stored {
            head: Head::new(&self.active),
            network: self.network.stored(),
            threshold: Numbers(vec![self.threshold]),
        })
    }
}

pub(super) fn open(name: &str, value: &Value) -> Result<Box<dyn Model>, String> {
    let stored: Stored = from_value(value)?;
    let count = stored.head.active.len();
    Ok(Box::new(AarnnModel {
        name: if name == NAME_8 { NAME_8 } else { NAME_24 },
        network: stored.network.open(count, count)?,
        threshold: stored.threshold.positive(1, "threshold")?[0],
        active: stored.head.active,
    }))
}
