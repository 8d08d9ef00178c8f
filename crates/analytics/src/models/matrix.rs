//! Small dense matrices in double precision: the pseudo-inverse of the published training divides by
//! what nearly equal columns differ in, which single precision does not carry.

/// Sweeps of the Jacobi rotations; a matrix of this size needs about ten.
const JACOBI_SWEEPS: usize = 60;
/// Steps of the power iteration at most; a non-negative matrix needs about ten.
const POWER_STEPS: usize = 200;
/// Eigenvalues below this share of the largest are left out of the pseudo-inverse.
const EIGENVALUE_FLOOR: f64 = 1e-12;
/// Iterations of the reconstruction.
const FISTA_STEPS: usize = 150;

/// A dense matrix, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

/// `target += Σ factors · sources`, four at a time: the sum stays in registers four times as long.
#[inline]
fn accumulate(target: &mut [f64], factors: [f64; 4], sources: [&[f64]; 4]) {
    let count = target.len();
    let [a, b, c, d] = sources.map(|source| &source[..count]);
    for (place, sum) in target.iter_mut().enumerate() {
        *sum += factors[0] * a[place]
            + factors[1] * b[place]
            + factors[2] * c[place]
            + factors[3] * d[place];
    }
}

impl Matrix {
    pub(crate) fn new(
        rows: usize,
        columns: usize,
        mut value: impl FnMut(usize, usize) -> f64,
    ) -> Self {
        let values =
            (0..rows * columns).map(|place| value(place / columns, place % columns)).collect();
        Self { rows, columns, values }
    }

    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// `target = vector · self`; `target` is as long as a row.
    #[inline]
    pub(crate) fn apply(&self, vector: &[f64], target: &mut [f64]) {
        target.fill(0.0);
        self.add_to(vector, target);
    }

    /// `target += vector · self`; `target` is as long as a row.
    #[inline]
    pub(crate) fn add_to(&self, vector: &[f64], target: &mut [f64]) {
        let width = self.columns;
        let (fours, rest) = vector.as_chunks::<4>();
        let mut place = 0;
        for factors in fours {
            let source = |step: usize| &self.values[(place + step) * width..][..width];
            accumulate(target, *factors, [source(0), source(1), source(2), source(3)]);
            place += 4;
        }
        for factor in rest {
            let source = &self.values[place * width..][..width];
            target.iter_mut().zip(source).for_each(|(sum, value)| *sum += factor * value);
            place += 1;
        }
    }

    /// `self · other`.
    pub(crate) fn times(&self, other: &Self) -> Self {
        let mut product = Self::zeros(self.rows, other.columns);
        for row in 0..self.rows {
            let target = &mut product.values[row * other.columns..(row + 1) * other.columns];
            other.add_to(self.row(row), target);
        }
        product
    }

    /// `sum += selfᵀ · other`, four rows at a time.
    pub(crate) fn add_cross(&self, other: &Self, sum: &mut Self) {
        let whole = self.rows / 4 * 4;
        for row in (0..whole).step_by(4) {
            let sources = [0, 1, 2, 3].map(|step| other.row(row + step));
            let factors = [0, 1, 2, 3].map(|step| self.row(row + step));
            for column in 0..self.columns {
                accumulate(sum.row_mut(column), factors.map(|factor| factor[column]), sources);
            }
        }
        for row in whole..self.rows {
            for (column, factor) in self.row(row).iter().enumerate() {
                let target = sum.row_mut(column);
                target
                    .iter_mut()
                    .zip(other.row(row))
                    .for_each(|(sum, value)| *sum += factor * value);
            }
        }
    }

    /// `selfᵀ · other`.
    pub(crate) fn cross(&self, other: &Self) -> Self {
        let mut sum = Self::zeros(self.columns, other.columns);
        self.add_cross(other, &mut sum);
        sum
    }

    pub(crate) fn transposed(&self) -> Self {
        Self::new(self.columns, self.rows, |row, column| self.at(column, row))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += value);
    }
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi rotations.
pub(crate) fn eigen(matrix: &Matrix) -> (Vec<f64>, Matrix) {
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
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let tangent = if theta == 0.0 { 1.0 } else { tangent };
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
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

/// Largest eigenvalue of a symmetric matrix without negative entries, by power iteration.
fn top_eigenvalue(matrix: &Matrix) -> f64 {
    let size = matrix.rows;
    let (mut vector, mut next) = (vec![1.0; size], vec![0.0; size]);
    let mut top = 0.0;
    for _ in 0..POWER_STEPS {
        matrix.apply(&vector, &mut next);
        let norm = next.iter().map(|value| value * value).sum::<f64>().sqrt();
        if norm <= f64::MIN_POSITIVE {
            return top;
        }
        next.iter_mut().for_each(|value| *value /= norm);
        std::mem::swap(&mut vector, &mut next);
        let settled = (norm - top).abs() <= 1e-12 * norm;
        top = norm;
        if settled {
            break;
        }
    }
    top
}

/// `pinv(H)·X` from `HᵀH` and `HᵀX`.
pub(crate) fn least_squares(gram: &Matrix, toward: &Matrix) -> Matrix {
    let (values, vectors) = eigen(gram);
    let largest = values.iter().copied().fold(0.0, f64::max);
    let inverse = |value: f64| if value > EIGENVALUE_FLOOR * largest { 1.0 / value } else { 0.0 };
    // V·diag·Vᵀ·HᵀX, from the right: no inverse is formed.
    let mut turned = vectors.cross(toward);
    for (row, value) in values.iter().enumerate() {
        turned.row_mut(row).iter_mut().for_each(|entry| *entry *= inverse(*value));
    }
    vectors.times(&turned)
}

/// `argmin ‖H·W − X‖² / 2 + sparsity·‖W‖₁, W ≥ 0` from `HᵀH` (without negative entries) and `HᵀX`
/// (Beck and Teboulle, 2009).
pub(crate) fn sparse_reconstruction(gram: &Matrix, toward: &Matrix, sparsity: f64) -> Matrix {
    let step = 1.0 / top_eigenvalue(gram).max(f64::MIN_POSITIVE);
    let mut weights = Matrix::zeros(toward.rows, toward.columns);
    let (mut ahead, mut momentum) = (weights.clone(), 1.0_f64);
    for _ in 0..FISTA_STEPS {
        let mut next = gram.times(&ahead);
        for ((slope, value), pull) in next.values.iter_mut().zip(&ahead.values).zip(&toward.values)
        {
            *slope = (value - step * (*slope - pull + sparsity)).max(0.0);
        }
        let faster = f64::midpoint(1.0, (4.0 * momentum * momentum + 1.0).sqrt());
        let carry = (momentum - 1.0) / faster;
        for ((value, new), old) in ahead.values.iter_mut().zip(&next.values).zip(&weights.values) {
            *value = new + carry * (new - old);
        }
        (weights, momentum) = (next, faster);
    }
    weights
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::draw::Draw;
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
        fn products_agree_with_the_definition(seed in any::<u64>(), rows in 0_usize..11, inner in 1_usize..9, columns in 1_usize..7) {
            let (a, b, c) = (matrix(rows, inner, seed), matrix(inner, columns, seed ^ 1), matrix(rows, columns, seed ^ 2));
            let slow = Matrix::new(rows, columns, |row, column| (0..inner).map(|k| a.at(row, k) * b.at(k, column)).sum());
            prop_assert!(distance(&a.times(&b), &slow) < 1e-12);
            prop_assert!(distance(&a.cross(&c), &a.transposed().times(&c)) < 1e-12);
        }

        #[test]
        fn eigenvectors_rebuild_the_matrix(seed in any::<u64>(), size in 1_usize..12) {
            let half = matrix(size + 2, size, seed);
            let symmetric = half.cross(&half);
            let (values, vectors) = eigen(&symmetric);
            let scaled = Matrix::new(size, size, |row, column| vectors.at(row, column) * values[column]);
            prop_assert!(distance(&scaled.times(&vectors.transposed()), &symmetric) < 1e-9 * size as f64);
            let top = values.iter().copied().fold(0.0, f64::max);
            prop_assert!((top_eigenvalue(&symmetric) - top).abs() < 1e-9 * top);
        }

        #[test]
        fn least_squares_leaves_an_orthogonal_rest(seed in any::<u64>()) {
            let (hidden, target) = (matrix(30, 5, seed), matrix(30, 3, seed ^ 1));
            let made = hidden.times(&least_squares(&hidden.cross(&hidden), &hidden.cross(&target)));
            let rest = Matrix::new(30, 3, |row, column| target.at(row, column) - made.at(row, column));
            prop_assert!(hidden.cross(&rest).values.iter().all(|dot| dot.abs() < 1e-6));
        }

        #[test]
        fn sparse_reconstruction_meets_its_optimum(seed in any::<u64>()) {
            let hidden = matrix(40, 4, seed);
            let target = hidden.times(&matrix(4, 3, seed ^ 1));
            let found = sparse_reconstruction(&hidden.cross(&hidden), &hidden.cross(&target), 1e-3);
            prop_assert!(found.values.iter().all(|weight| *weight >= 0.0));
            prop_assert!(distance(&hidden.times(&found), &target) < 0.1);
        }
    }
}
