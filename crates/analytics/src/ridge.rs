//! Small symmetric systems by Cholesky factorisation.

/// Lower triangle `L` with `L·Lᵀ = A` for a symmetric, positive definite `A` of `size` rows,
/// row-major. `None` when `A` is not positive definite in floating point.
#[must_use]
pub fn cholesky(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    if matrix.len() != size * size {
        return None;
    }
    let mut lower = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let dot: f64 =
                (0..column).map(|k| lower[row * size + k] * lower[column * size + k]).sum();
            let rest = matrix[row * size + column] - dot;
            lower[row * size + column] = if row == column {
                if rest <= 0.0 || !rest.is_finite() {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / lower[column * size + column]
            };
        }
    }
    Some(lower)
}

/// Solves `A·x = b` in place given the factor of [`cholesky`].
pub fn solve(lower: &[f64], size: usize, vector: &mut [f64]) {
    for row in 0..size {
        let dot: f64 = (0..row).map(|k| lower[row * size + k] * vector[k]).sum();
        vector[row] = (vector[row] - dot) / lower[row * size + row];
    }
    for row in (0..size).rev() {
        let dot: f64 = (row + 1..size).map(|k| lower[k * size + row] * vector[k]).sum();
        vector[row] = (vector[row] - dot) / lower[row * size + row];
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn solution_solves(entries in proptest::collection::vec(-1.0..1.0_f64, 64), right in proptest::collection::vec(-1.0..1.0_f64, 8)) {
            let size = 8;
            // B·Bᵀ + I/10 is positive definite.
            let matrix: Vec<f64> = (0..size * size)
                .map(|place| {
                    let (row, column) = (place / size, place % size);
                    let dot: f64 = (0..size).map(|k| entries[row * size + k] * entries[column * size + k]).sum();
                    dot + if row == column { 0.1 } else { 0.0 }
                })
                .collect();
            let lower = cholesky(&matrix, size).unwrap();
            let mut x = right.clone();
            solve(&lower, size, &mut x);
            for row in 0..size {
                let back: f64 = (0..size).map(|k| matrix[row * size + k] * x[k]).sum();
                prop_assert!((back - right[row]).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn an_indefinite_matrix_is_refused() {
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(cholesky(&[f64::NAN], 1), None);
        assert_eq!(cholesky(&[1.0], 2), None);
    }
}
