//! The auto-associative dense random neural network as published (Nakip and Gelenbe, 2021, after
//! Gelenbe and Yin, 2016): the model to compare with, not the one that alerts.
//!
//! Its output depends on its seed: the hidden columns are nearly alike, and the pseudo-inverse
//! divides by what little they differ in. Eigenvalues below a bound are therefore left out here,
//! and constant metrics, which the published scaling divides by, are guarded.

use crate::draw::Draw;
use crate::threshold::{BLOCKS, block_of, limit};
use crate::zeta::DETECTOR_CLUSTER;

/// Weight of the sparsity in the reconstruction.
const SPARSITY: f64 = 1e-3;
/// Iterations of the reconstruction.
const FISTA_STEPS: usize = 150;
/// Largest drive of a layer after scaling.
const LARGEST_DRIVE: f64 = 0.1;
/// Eigenvalues below this share of the largest are left out of the pseudo-inverse.
const EIGENVALUE_FLOOR: f64 = 1e-12;
/// Sweeps of the Jacobi rotations; a matrix of this size needs about ten.
const JACOBI_SWEEPS: usize = 60;

/// A dense matrix, row-major.
#[derive(Clone, Debug, PartialEq)]
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    fn new(rows: usize, columns: usize, mut value: impl FnMut(usize, usize) -> f64) -> Self {
        let values =
            (0..rows * columns).map(|place| value(place / columns, place % columns)).collect();
        Self { rows, columns, values }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    fn times(&self, other: &Self) -> Self {
        let mut product = Self::new(self.rows, other.columns, |_, _| 0.0);
        for row in 0..self.rows {
            let target = &mut product.values[row * other.columns..(row + 1) * other.columns];
            for (factor, source) in
                self.row(row).iter().zip(other.values.chunks_exact(other.columns.max(1)))
            {
                target.iter_mut().zip(source).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        product
    }

    fn transposed(&self) -> Self {
        Self::new(self.columns, self.rows, |row, column| self.at(column, row))
    }

    fn map(mut self, change: impl Fn(f64) -> f64) -> Self {
        self.values.iter_mut().for_each(|value| *value = change(*value));
        self
    }
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi rotations.
fn eigen(matrix: &Matrix) -> (Vec<f64>, Matrix) {
    let size = matrix.rows;
    let mut a = matrix.clone();
    let mut vectors = Matrix::new(size, size, |row, column| if row == column { 1.0 } else { 0.0 });
    for _ in 0..JACOBI_SWEEPS {
        let off: f64 = (0..size)
            .flat_map(|p| (0..p).map(move |q| (p, q)))
            .map(|(p, q)| a.at(p, q).powi(2))
            .sum();
        let diagonal: f64 = (0..size).map(|p| a.at(p, p).powi(2)).sum();
        if off <= 1e-28 * diagonal {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    ((0..size).map(|place| a.at(place, place)).collect(), vectors)
}

fn rotate(a: &mut Matrix, vectors: &mut Matrix, p: usize, q: usize) {
    let (size, apq) = (a.rows, a.at(p, q));
    if apq == 0.0 {
        return;
    }
    let theta = (a.at(q, q) - a.at(p, p)) / (2.0 * apq);
    let tangent = theta.signum() / (theta.abs() + theta.mul_add(theta, 1.0).sqrt());
    let tangent = if theta == 0.0 { 1.0 } else { tangent };
    let cosine = 1.0 / tangent.mul_add(tangent, 1.0).sqrt();
    let sine = tangent * cosine;
    for k in 0..size {
        let (left, right) = (a.at(k, p), a.at(k, q));
        a.values[k * size + p] = cosine * left - sine * right;
        a.values[k * size + q] = sine * left + cosine * right;
    }
    for k in 0..size {
        let (left, right) = (a.at(p, k), a.at(q, k));
        a.values[p * size + k] = cosine * left - sine * right;
        a.values[q * size + k] = sine * left + cosine * right;
        let (left, right) = (vectors.at(k, p), vectors.at(k, q));
        vectors.values[k * size + p] = cosine * left - sine * right;
        vectors.values[k * size + q] = sine * left + cosine * right;
    }
}

/// `pinv(H)·X`, through the eigenvalues of `Hᵀ·H`.
fn least_squares(hidden: &Matrix, target: &Matrix) -> Matrix {
    let transposed = hidden.transposed();
    let (values, vectors) = eigen(&transposed.times(hidden));
    let largest = values.iter().copied().fold(0.0, f64::max);
    let inverse = |value: f64| if value > EIGENVALUE_FLOOR * largest { 1.0 / value } else { 0.0 };
    let scaled = Matrix::new(vectors.rows, vectors.columns, |row, column| {
        vectors.at(row, column) * inverse(values[column])
    });
    scaled.times(&vectors.transposed()).times(&transposed.times(target))
}

/// `argmin ‖H·W − X‖² / 2 + sparsity·‖W‖₁, W ≥ 0` (Beck and Teboulle, 2009).
fn sparse_reconstruction(hidden: &Matrix, target: &Matrix) -> Matrix {
    let transposed = hidden.transposed();
    let gram = transposed.times(hidden);
    let toward = transposed.times(target);
    let step = 1.0 / eigen(&gram).0.into_iter().fold(f64::MIN_POSITIVE, f64::max);
    let mut weights = Matrix::new(hidden.columns, target.columns, |_, _| 0.0);
    let (mut ahead, mut momentum) = (weights.clone(), 1.0_f64);
    for _ in 0..FISTA_STEPS {
        let gradient = gram.times(&ahead);
        let mut next = ahead.clone();
        for ((value, slope), pull) in
            next.values.iter_mut().zip(&gradient.values).zip(&toward.values)
        {
            *value = (*value - step * (slope - pull + SPARSITY)).max(0.0);
        }
        let faster = f64::midpoint(1.0, (4.0 * momentum).mul_add(momentum, 1.0).sqrt());
        let carry = (momentum - 1.0) / faster;
        ahead = next.clone();
        for ((value, new), old) in ahead.values.iter_mut().zip(&next.values).zip(&weights.values) {
            *value = carry.mul_add(new - old, *value);
        }
        (weights, momentum) = (next, faster);
    }
    weights
}

/// Rows to `[0, 1]`, columns to zero mean and unit deviation, then all to non-negative.
fn rescale(mut hidden: Matrix) -> Matrix {
    let columns = hidden.columns.max(1);
    for row in hidden.values.chunks_exact_mut(columns) {
        let low = row.iter().copied().fold(f64::INFINITY, f64::min);
        let span = row.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low;
        row.iter_mut()
            .for_each(|value| *value = if span > 0.0 { (*value - low) / span } else { 0.0 });
    }
    let count = hidden.rows.max(1) as f64;
    for column in 0..hidden.columns {
        let mean = (0..hidden.rows).map(|row| hidden.at(row, column)).sum::<f64>() / count;
        let variance =
            (0..hidden.rows).map(|row| (hidden.at(row, column) - mean).powi(2)).sum::<f64>()
                / count;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        for row in 0..hidden.rows {
            let value = &mut hidden.values[row * columns + column];
            *value = (*value - mean) / deviation;
        }
    }
    let low = hidden.values.iter().copied().fold(0.0, f64::min);
    hidden.map(|value| value - low)
}

/// The published network: dense layers trained one by one, output by pseudo-inverse.
#[derive(Clone, Debug)]
pub struct Textbook {
    layers: Vec<Matrix>,
    output: Matrix,
    threshold: f64,
}

impl Textbook {
    /// Trains on scaled rows of benign windows (equally long, about 0 to 1) with one hidden layer
    /// per entry of `cells`. The threshold is one for all metrics, from held-out time blocks.
    ///
    /// `None` when there are no rows, or rows of different length.
    #[must_use]
    pub fn train(rows: &[Vec<f64>], cells: &[usize], seed: u64, alpha: f64) -> Option<Self> {
        let width = rows.first()?.len();
        if rows.iter().any(|row| row.len() != width) {
            return None;
        }
        let total = rows.len();
        let mut errors = Vec::with_capacity(total);
        for block in 0..BLOCKS.min(total) {
            let part = |inside: bool| {
                let of_block = move |place: usize| (block_of(place, total) == block) == inside;
                rows.iter()
                    .enumerate()
                    .filter(move |(place, _)| of_block(*place))
                    .map(|(_, row)| row)
            };
            let others: Vec<&Vec<f64>> = part(false).collect();
            let fitted = Self::fit(&others, cells, seed);
            errors.extend(part(true).map(|row| fitted.error(row)));
        }
        let mut network = Self::fit(&rows.iter().collect::<Vec<_>>(), cells, seed);
        network.threshold = limit(&mut errors, alpha);
        Some(network)
    }

    fn fit(rows: &[&Vec<f64>], cells: &[usize], seed: u64) -> Self {
        let width = rows.first().map_or(0, |row| row.len());
        let target = Matrix::new(rows.len(), width, |row, column| rows[row][column]);
        let mut draw = Draw::new(seed, "textbook");
        let mut x =
            Matrix::new(rows.len(), width + 1, |row, column| with_constant(rows[row], column));
        let mut layers = Vec::with_capacity(cells.len());
        for count in cells {
            let random = Matrix::new(x.columns, *count, |_, _| draw.unit());
            let hidden = rescale(x.times(&random).map(|drive| DETECTOR_CLUSTER.activate(drive)));
            let weights = sparse_reconstruction(&hidden, &x).transposed();
            let largest = x.times(&weights).values.into_iter().fold(0.0, f64::max);
            let scale = if largest > 0.0 { LARGEST_DRIVE / largest } else { 0.0 };
            let weights = weights.map(|weight| weight * scale);
            x = x.times(&weights).map(|drive| DETECTOR_CLUSTER.activate(drive));
            layers.push(weights);
        }
        let output = least_squares(&x, &target);
        Self { layers, output, threshold: 0.0 }
    }

    /// What the network makes of a row.
    #[must_use]
    pub fn reproduce(&self, row: &[f64]) -> Vec<f64> {
        let mut x = Matrix::new(1, row.len() + 1, |_, column| with_constant(row, column));
        for weights in &self.layers {
            x = x.times(weights).map(|drive| DETECTOR_CLUSTER.activate(drive));
        }
        x.times(&self.output).values
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

fn with_constant(row: &[f64], column: usize) -> f64 {
    row.get(column).copied().unwrap_or_else(|| DETECTOR_CLUSTER.activate(0.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn matrix(rows: usize, columns: usize, seed: u64) -> Matrix {
        let mut draw = Draw::new(seed, "matrix");
        Matrix::new(rows, columns, |_, _| draw.unit())
    }

    fn distance(a: &Matrix, b: &Matrix) -> f64 {
        a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    proptest! {
        #[test]
        fn eigenvectors_rebuild_the_matrix(seed in any::<u64>(), size in 1_usize..12) {
            let half = matrix(size, size + 2, seed);
            let symmetric = half.times(&half.transposed());
            let (values, vectors) = eigen(&symmetric);
            let scaled = Matrix::new(size, size, |row, column| vectors.at(row, column) * values[column]);
            prop_assert!(distance(&scaled.times(&vectors.transposed()), &symmetric) < 1e-9 * size as f64);
        }

        #[test]
        fn least_squares_leaves_an_orthogonal_rest(seed in any::<u64>()) {
            let (hidden, target) = (matrix(30, 5, seed), matrix(30, 3, seed ^ 1));
            let made = hidden.times(&least_squares(&hidden, &target));
            let rest = Matrix::new(30, 3, |row, column| target.at(row, column) - made.at(row, column));
            prop_assert!(hidden.transposed().times(&rest).values.iter().all(|dot| dot.abs() < 1e-6));
        }

        #[test]
        fn sparse_reconstruction_meets_its_optimum(seed in any::<u64>()) {
            let hidden = matrix(40, 4, seed);
            let truth = matrix(4, 3, seed ^ 1);
            let found = sparse_reconstruction(&hidden, &hidden.times(&truth));
            prop_assert!(found.values.iter().all(|weight| *weight >= 0.0));
            prop_assert!(distance(&hidden.times(&found), &hidden.times(&truth)) < 0.1);
        }
    }

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
    }
}
