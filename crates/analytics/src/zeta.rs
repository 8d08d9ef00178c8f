//! Activation of a dense cluster of random neurons (Gelenbe and Yin, IJCNN 2016, pp. 1633-1638).
//!
//! A cluster holds `n` identical cells with firing rate `r`, external excitation `λ⁺`, external
//! inhibition `λ⁻` and soma-to-soma trigger probability `p`. `x ≥ 0` is the inhibitory input from
//! the layer before; the activation is the steady-state probability that a cell is excited.

/// Parameters of a dense cluster. Rates are per unit of time, `p` is a probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cluster {
    /// Soma-to-soma trigger probability, `0 < p < 1`.
    pub p: f64,
    /// Firing rate of a cell, `r > 0`.
    pub r: f64,
    /// External excitation rate `λ⁺ > 0`.
    pub excitation: f64,
    /// External inhibition rate `λ⁻ > 0`.
    pub inhibition: f64,
}

/// The cluster of the detectors: spread over the whole range of ζ for inputs of about 0.2.
pub const DETECTOR_CLUSTER: Cluster =
    Cluster { p: 0.05, r: 0.001, excitation: 0.1, inhibition: 0.1 };

impl Cluster {
    /// Large-n activation: `2λ⁺ / (b + √(b² − 4aλ⁺))`, `a = p(λ⁻+x)`, `b = p(r+λ⁺) + λ⁻ + x`.
    ///
    /// This form subtracts nothing, so it stays exact where the textbook root cancels.
    /// A negative or NaN input (which no non-negative weight can give) counts as 0.
    #[inline]
    #[must_use]
    pub fn activate(&self, x: f64) -> f64 {
        let x = x.max(0.0);
        let a = self.p * (self.inhibition + x);
        // Not fused: without the instruction a fused sum is a call, and loops would not vectorise.
        let b = self.p * (self.r + self.excitation) + (self.inhibition + x);
        let discriminant = (b * b - 4.0 * a * self.excitation).max(0.0);
        2.0 * self.excitation / (b + discriminant.sqrt())
    }

    /// [`Cluster::activate`] of every drive, in place.
    #[inline]
    pub fn activate_all(&self, drives: &mut [f64]) {
        for drive in drives {
            *drive = self.activate(*drive);
        }
    }

    /// The same in single precision, written so that a loop over it vectorises.
    #[inline]
    #[must_use]
    pub fn activate_f32(&self, x: f32) -> f32 {
        let (p, excitation) = (self.p as f32, self.excitation as f32);
        let drive = self.inhibition as f32 + x;
        let a = p * drive;
        let b = p * (self.r as f32 + excitation) + drive;
        let discriminant = (b * b - 4.0 * a * excitation).max(0.0);
        2.0 * excitation / (b + discriminant.sqrt())
    }

    /// Exact activation for a cluster of `cells` cells: the smaller root of
    /// `p(n−1)(λ⁻+x)·q² + (C − n·x)·q + n·λ⁺ = 0`, `C = λ⁺p + rp − λ⁻n − r − λ⁺pn − npr`.
    #[must_use]
    pub fn activate_finite(&self, cells: u32, x: f64) -> f64 {
        let x = x.max(0.0);
        let n = f64::from(cells.max(1));
        let constant = self.excitation * self.p + self.r * self.p
            - self.inhibition * n
            - self.r
            - self.excitation * self.p * n
            - n * self.p * self.r;
        let a = self.p * (n - 1.0) * (self.inhibition + x);
        let b = n * x - constant;
        let c = n * self.excitation;
        let discriminant = (b * b - 4.0 * a * c).max(0.0);
        2.0 * c / (b + discriminant.sqrt())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn close(actual: f64, expected: f64, digits: f64) {
        assert!((actual - expected).abs() <= 0.5 * digits, "{actual} is not {expected}");
    }

    #[test]
    fn large_clusters_meet_the_check_values() {
        close(DETECTOR_CLUSTER.activate(0.0), 0.99947, 1e-5);
        close(DETECTOR_CLUSTER.activate(0.1), 0.49987, 1e-5);
        close(DETECTOR_CLUSTER.activate(1.0), 0.0909, 1e-4);
    }

    #[test]
    fn finite_clusters_meet_the_check_values() {
        let cluster = Cluster { p: 0.05, r: 0.001, excitation: 0.005, inhibition: 0.005 };
        close(cluster.activate_finite(20, 0.0), 0.97996, 1e-5);
        close(cluster.activate_finite(20, 0.1), 0.04757, 1e-5);
        close(cluster.activate_finite(20, 1.0), 0.00497, 1e-5);
    }

    fn clusters() -> impl Strategy<Value = Cluster> {
        (0.01..0.9_f64, 1e-3..1.0_f64, 1e-2..1.0_f64).prop_map(|(p, r, rate)| Cluster {
            p,
            r,
            excitation: rate,
            inhibition: rate,
        })
    }

    proptest! {
        #[test]
        fn activation_is_a_probability_and_falls(cluster in clusters(), x in 0.0..1e3_f64, step in 1e-3..1e2_f64) {
            for (here, further) in [
                (cluster.activate(x), cluster.activate(x + step)),
                (cluster.activate_finite(20, x), cluster.activate_finite(20, x + step)),
            ] {
                prop_assert!(here > 0.0 && here < 1.0, "{here}");
                prop_assert!(further < here);
            }
        }

        #[test]
        fn discriminant_is_never_negative(cluster in clusters(), x in 0.0..1e3_f64) {
            let a = cluster.p * (cluster.inhibition + x);
            let b = cluster.p * (cluster.r + cluster.excitation) + cluster.inhibition + x;
            prop_assert!(b * b - 4.0 * a * cluster.excitation >= 0.0);
        }

        #[test]
        fn activation_solves_the_quadratic(cluster in clusters(), x in 0.0..10.0_f64, cells in 2_u32..200) {
            let n = f64::from(cells);
            let q = cluster.activate_finite(cells, x);
            let constant = cluster.excitation * cluster.p + cluster.r * cluster.p - cluster.inhibition * n
                - cluster.r - cluster.excitation * cluster.p * n - n * cluster.p * cluster.r;
            let residue = cluster.p * (n - 1.0) * (cluster.inhibition + x) * q * q
                + (constant - n * x) * q + n * cluster.excitation;
            prop_assert!(residue.abs() < 1e-9 * n * (1.0 + x), "{residue}");
        }

        #[test]
        fn finite_tends_to_large(cluster in clusters(), x in 0.0..10.0_f64) {
            prop_assert!((cluster.activate_finite(50_000_000, x) - cluster.activate(x)).abs() < 1e-3);
        }

        #[test]
        fn single_precision_follows(x in 0.0..50.0_f64) {
            let exact = DETECTOR_CLUSTER.activate(x);
            prop_assert!((f64::from(DETECTOR_CLUSTER.activate_f32(x as f32)) - exact).abs() < 2e-3 * exact + 1e-5);
        }
    }
}
