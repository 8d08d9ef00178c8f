//! The auto-associative dense random neural network as published (Nakip and Gelenbe, 2021, after
//! Gelenbe and Yin, 2016), on rows of any width: the model to compare with, not the one that alerts.
//! [`crate::models`] holds the same network on the scaled rows of a device (`aarnn`, `aarnn-8`).
//!
//! Its output depends on its seed: the hidden columns are nearly alike, and the pseudo-inverse
//! divides by what little they differ in. Eigenvalues below a bound are therefore left out here,
//! and constant metrics, which the published scaling divides by, are guarded.

use std::ops::Range;

use crate::draw::Draw;
use crate::models::matrix::Matrix;
use crate::models::{Block, Dense, MAX_WIDTH, StoredDense, blocks, fit_folds};
use crate::threshold::limit;

/// Metrics of a row at most.
pub const MAX_METRICS: usize = MAX_WIDTH - 1;

/// The published network: dense layers trained one by one, output by pseudo-inverse.
#[derive(Clone, Debug)]
pub struct Textbook {
    network: Dense,
    threshold: f64,
}

impl Textbook {
    /// Trains on scaled rows of benign windows (equally long, about 0 to 1) with one hidden layer
    /// per entry of `cells`. The threshold is one for all metrics, from held-out time blocks.
    ///
    /// `None` when there are no rows, rows of different length, more than [`MAX_METRICS`] metrics or
    /// cells in a layer, no layer, or numbers that are not finite.
    #[must_use]
    pub fn train(rows: &[Vec<f64>], cells: &[usize], seed: u64, alpha: f64) -> Option<Self> {
        let width = rows.first()?.len();
        let sound =
            |row: &Vec<f64>| row.len() == width && row.iter().all(|value| value.is_finite());
        let fits = |count: &usize| (1..=MAX_METRICS).contains(count);
        if !fits(&width) || cells.is_empty() || !cells.iter().all(fits) || !rows.iter().all(sound) {
            return None;
        }
        let ranges = blocks(rows.len());
        let block = |range: &Range<usize>| {
            let value = |row: usize, column: usize| rows[range.start + row][column];
            Block::new(range.len(), width, value, Matrix::new(range.len(), width, value))
        };
        let parts: Vec<Block> = ranges.iter().map(block).collect();
        let (without, network) = fit_folds(&parts, cells, &mut Draw::new(seed, "textbook"));
        let mut errors = Vec::with_capacity(rows.len());
        for (range, network) in ranges.into_iter().zip(without) {
            let held_out = Self { network, threshold: 1.0 };
            errors.extend(rows[range].iter().map(|row| held_out.error(row)));
        }
        Some(Self { network, threshold: limit(&mut errors, alpha) })
    }

    /// The stored form of the network, and the threshold.
    pub(crate) fn stored(&self) -> (StoredDense, f64) {
        (self.network.stored(), self.threshold)
    }

    pub(crate) fn opened(network: Dense, threshold: f64) -> Self {
        Self { network, threshold }
    }

    /// What the network makes of a row; of a row of another length, of what fits.
    #[must_use]
    pub fn reproduce(&self, row: &[f64]) -> Vec<f64> {
        let fill = |inputs: &mut [f64]| {
            inputs.iter_mut().zip(row).for_each(|(input, value)| *input = *value);
        };
        self.network.run(fill, <[f64]>::to_vec)
    }

    /// Largest absolute error over the metrics.
    #[must_use]
    pub fn error(&self, row: &[f64]) -> f64 {
        let made = self.reproduce(row);
        row.iter().zip(made).map(|(value, made)| (value - made).abs()).fold(0.0, f64::max)
    }

    /// Error over threshold; above 1 is an alert.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> f64 {
        self.error(row) / self.threshold
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn related(count: usize) -> Vec<Vec<f64>> {
        let mut draw = Draw::new(5, "related");
        (0..count)
            .map(|_| {
                let cause = draw.unit();
                vec![cause, 0.5 * cause + 0.1, 0.0, 1.0 - 0.5 * cause]
            })
            .collect()
    }

    #[test]
    fn benign_rows_are_reproduced_and_floods_are_not() {
        let rows = related(400);
        let network = Textbook::train(&rows, &[8, 8], 3, 0.005).unwrap();
        let alarms = rows.iter().filter(|row| network.score(row) > 1.0).count();
        assert!(alarms <= 6, "{alarms}");
        assert!(network.score(&[3.0, 0.1, 0.0, 1.0]) > 1.0);
        assert_eq!(
            network.error(&rows[0]),
            Textbook::train(&rows, &[8, 8], 3, 0.005).unwrap().error(&rows[0])
        );
    }

    #[test]
    fn constant_rows_divide_by_nothing() {
        let network = Textbook::train(&vec![vec![0.0; 5]; 30], &[8, 8], 1, 0.005).unwrap();
        assert!(network.score(&[0.0; 5]) <= 1.0);
        assert!(network.score(&[9.0; 5]).is_finite());
        assert!(Textbook::train(&[], &[8], 1, 0.005).is_none());
        assert!(Textbook::train(&[vec![1.0], vec![]], &[8], 1, 0.005).is_none());
        assert!(Textbook::train(&[vec![1.0]], &[], 1, 0.005).is_none());
        assert!(Textbook::train(&vec![vec![f64::NAN]; 9], &[8], 1, 0.005).is_none());
    }
}
