//! Every metric by linear regression with an absolute-value penalty (Lasso) on all others; the
//! largest absolute residual over one threshold.
//!
//! The regression is our own coordinate descent on the covariances. `linfa-elasticnet` minimises the
//! same function by passes over the rows, again for every metric and every held-out block: about a
//! hundred times the work, because the covariances are the same for all metrics and add up over
//! blocks. It also centres the target but not the inputs. A test holds the two to the same coefficients.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::aarnn::gather;
use super::held_out::blocks;
use super::matrix::Matrix;
use super::stored::{Head, Numbers, from_value, to_value};
use super::{Learner, Lesson, MAX_WIDTH, Model, largest};
use crate::network::Scaled;
use crate::threshold::limit;

pub(super) const NAME: &str = "lasso";
/// Weight of the penalty: `‖y − Xw‖² / 2N + PENALTY·‖w‖₁`, scaled units.
const PENALTY: f64 = 1e-3;
/// Passes over the coordinates at most.
const MAX_SWEEPS: usize = 500;
/// Change of a coefficient that counts as none.
const SETTLED: f64 = 1e-6;

/// Learns Lasso models.
pub(super) struct Lasso;

/// `expected = row · weights + intercept`; the diagonal of the weights is 0.
#[derive(Clone, Debug)]
struct Fit {
    weights: Matrix,
    intercept: Vec<f64>,
}

struct LassoModel {
    active: Vec<usize>,
    fit: Fit,
    threshold: f64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    head: Head,
    weights: Numbers,
    intercept: Numbers,
    threshold: Numbers,
}

/// Sums over rows with a column of ones at the end.
fn sums(rows: &[Scaled], active: &[usize]) -> Matrix {
    let count = active.len();
    let rows = Matrix::new(rows.len(), count + 1, |row, column| {
        active.get(column).map_or(1.0, |place| f64::from(rows[row][*place]))
    });
    rows.cross(&rows)
}

impl Fit {
    fn new(sums: &Matrix, penalty: f64) -> Self {
        let count = sums.rows - 1;
        let rows = sums.at(count, count).max(1.0);
        let mean = |column: usize| sums.at(column, count) / rows;
        let covariance = Matrix::new(count, count, |a, b| sums.at(a, b) / rows - mean(a) * mean(b));
        let mut weights = Matrix::zeros(count, count);
        let mut intercept = Vec::with_capacity(count);
        for target in 0..count {
            let coefficients = descend(&covariance, target, penalty);
            let explained: f64 =
                coefficients.iter().enumerate().map(|(input, weight)| weight * mean(input)).sum();
            intercept.push(mean(target) - explained);
            for (input, weight) in coefficients.iter().enumerate() {
                weights.row_mut(input)[target] = *weight;
            }
        }
        Self { weights, intercept }
    }

    #[inline]
    fn expect<T>(
        &self,
        active: &[usize],
        row: &Scaled,
        take: impl FnOnce(&[f64], &[f64]) -> T,
    ) -> T {
        let (mut inputs, mut expected) = ([0.0; MAX_WIDTH], [0.0; MAX_WIDTH]);
        let (inputs, expected) = (&mut inputs[..active.len()], &mut expected[..active.len()]);
        gather(active, row, inputs);
        expected.copy_from_slice(&self.intercept);
        self.weights.add_to(inputs, expected);
        take(inputs, expected)
    }

    fn error(&self, active: &[usize], row: &Scaled) -> f64 {
        self.expect(active, row, |inputs, expected| {
            inputs.iter().zip(expected).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
        })
    }
}

/// Coefficients of one target by cyclic coordinate descent on the covariances (Friedman, Hastie and
/// Tibshirani, 2010).
fn descend(covariance: &Matrix, target: usize, penalty: f64) -> Vec<f64> {
    let count = covariance.rows;
    let mut weights = vec![0.0; count];
    // Covariance of each input with what is still unexplained.
    let mut rest: Vec<f64> = covariance.row(target).to_vec();
    for _ in 0..MAX_SWEEPS {
        let mut largest_change = 0.0_f64;
        for input in (0..count).filter(|input| *input != target) {
            let variance = covariance.at(input, input);
            if variance <= f64::EPSILON {
                continue;
            }
            let pull = rest[input] + variance * weights[input];
            let weight = (pull.abs() - penalty).max(0.0) * pull.signum() / variance;
            let change = weight - weights[input];
            if change != 0.0 {
                weights[input] = weight;
                let row = covariance.row(input);
                rest.iter_mut().zip(row).for_each(|(rest, value)| *rest -= change * value);
                largest_change = largest_change.max(change.abs());
            }
        }
        if largest_change < SETTLED {
            break;
        }
    }
    weights
}

impl Learner for Lasso {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "every metric by sparse linear regression on the others, largest residual"
    }

    fn learn(&self, lesson: &Lesson<'_>) -> Option<Box<dyn Model>> {
        if self.refusal(lesson).is_some() {
            return None;
        }
        let (rows, active) = (lesson.thinned(), lesson.active);
        let ranges = blocks(rows.len());
        let parts: Vec<Matrix> =
            ranges.iter().map(|range| sums(&rows[range.clone()], active)).collect();
        let fit = |left_out: Option<usize>| {
            let mut sum = Matrix::zeros(active.len() + 1, active.len() + 1);
            let used = parts.iter().enumerate().filter(|(place, _)| Some(*place) != left_out);
            used.for_each(|(_, part)| sum.add(part));
            Fit::new(&sum, PENALTY)
        };
        let mut errors = Vec::with_capacity(rows.len());
        for (place, range) in ranges.iter().enumerate() {
            let fit = fit(Some(place));
            errors.extend(rows[range.clone()].iter().map(|row| fit.error(active, row)));
        }
        Some(Box::new(LassoModel {
            active: active.to_vec(),
            fit: fit(None),
            threshold: limit(&mut errors, lesson.alpha),
        }))
    }
}

impl Model for LassoModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn score(&self, row: &Scaled) -> f64 {
        self.fit.error(&self.active, row) / self.threshold
    }

    fn why(&self, row: &Scaled) -> Option<(usize, f64)> {
        self.fit.expect(&self.active, row, |inputs, expected| {
            let errors = inputs.iter().zip(expected).map(|(x, y)| (x - y).abs());
            let (column, _) = largest(errors.enumerate())?;
            Some((self.active[column], expected[column]))
        })
    }

    fn stored(&self) -> Value {
        to_value(&Stored {
            head: Head::new(&self.active),
            weights: Numbers(self.fit.weights.values.clone()),
            intercept: Numbers(self.fit.intercept.clone()),
            threshold: Numbers(vec![self.threshold]),
        })
    }
}

pub(super) fn open(value: &Value) -> Result<Box<dyn Model>, String> {
    let stored: Stored = from_value(value)?;
    let count = stored.head.active.len();
    let values = stored.weights.exactly(count * count, "weights")?;
    Ok(Box::new(LassoModel {
        fit: Fit {
            weights: Matrix { rows: count, columns: count, values },
            intercept: stored.intercept.exactly(count, "intercept")?,
        },
        threshold: stored.threshold.positive(1, "threshold")?[0],
        active: stored.head.active,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::aarnn::columns;
    use super::*;
    use crate::draw::Draw;
    use crate::metrics::METRICS;

    fn related(count: usize) -> Vec<Scaled> {
        let mut draw = Draw::new(11, "related");
        let mut rows = vec![[0.0; METRICS]; count];
        for row in &mut rows {
            let (a, b) = (draw.unit(), draw.unit());
            let noise = 0.05 * draw.unit();
            let values = [a, b, 0.6 * a - 0.3 * b + noise, a * b, 0.0];
            row.iter_mut().zip(values).for_each(|(x, value)| *x = value as f32);
        }
        rows
    }

    #[test]
    fn optimality_holds_for_every_coefficient() {
        let active = [0, 1, 2, 3, 4];
        let sums = sums(&related(300), &active);
        let fit = Fit::new(&sums, 0.01);
        let rows = sums.at(5, 5);
        let covariance =
            |a: usize, b: usize| sums.at(a, b) / rows - sums.at(a, 5) / rows * sums.at(b, 5) / rows;
        for target in 0..5 {
            for input in (0..5).filter(|input| *input != target && *input != 4) {
                let weight = fit.weights.at(input, target);
                let explained: f64 =
                    (0..5).map(|k| covariance(input, k) * fit.weights.at(k, target)).sum();
                let slope = covariance(input, target) - explained;
                if weight == 0.0 {
                    assert!(slope.abs() <= 0.01 + 1e-5, "{input} -> {target}: {slope}");
                } else {
                    assert!((slope - 0.01 * weight.signum()).abs() < 1e-5, "{input} -> {target}");
                }
            }
        }
        assert_eq!(fit.weights.at(2, 2), 0.0);
    }

    #[cfg(feature = "baselines")]
    #[test]
    fn coefficients_agree_with_the_library() {
        use linfa::prelude::Fit as _;
        let (rows, active) = (related(300), [0, 1, 2, 3]);
        let fit = Fit::new(&sums(&rows, &active), 0.01);
        let matrix = columns(&rows, &active);
        for target in 0..4 {
            let inputs: Vec<usize> = (0..4).filter(|input| *input != target).collect();
            let mean =
                |column: usize| (0..300).map(|row| matrix.at(row, column)).sum::<f64>() / 300.0;
            // The library centres the target only.
            let x = ndarray::Array2::from_shape_fn((300, 3), |(row, column)| {
                matrix.at(row, inputs[column]) - mean(inputs[column])
            });
            let y = ndarray::Array1::from_shape_fn(300, |row| matrix.at(row, target));
            let library = linfa_elasticnet::ElasticNet::<f64>::lasso()
                .penalty(0.01)
                .tolerance(1e-9)
                .fit(&linfa::Dataset::new(x, y))
                .unwrap();
            for (weight, input) in library.hyperplane().iter().zip(inputs) {
                assert!(
                    (weight - fit.weights.at(input, target)).abs() < 1e-3,
                    "{input} -> {target}"
                );
            }
        }
    }
}
