//! How regularly a device sends: the pauses between its packets.

use serde::{Deserialize, Serialize};

/// Sums over the pauses between packets that one address of a device sent within one window. They
/// add up over addresses and windows; pauses between windows belong to none.
/// Serialised as `[pauses, sum, sum of squares]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct Pace {
    pauses: u64,
    /// Microseconds.
    sum: u64,
    /// Square microseconds. The pauses of a window are never longer than it, so the squares of the
    /// longest window (an hour) still fit.
    squares: u64,
}

impl Pace {
    /// Whether there was no pause.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pauses == 0
    }

    /// Counts a pause, in microseconds.
    #[inline]
    pub(crate) fn add(&mut self, pause_us: u64) {
        self.pauses += 1;
        self.sum = self.sum.saturating_add(pause_us);
        self.squares = self.squares.saturating_add(pause_us.saturating_mul(pause_us));
    }

    /// Adds the pauses of another address or window.
    pub fn merge(&mut self, other: &Self) {
        self.pauses = self.pauses.saturating_add(other.pauses);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// Mean pause in milliseconds; 0 without any.
    #[must_use]
    pub fn mean_ms(&self) -> u64 {
        (self.sum / 1_000).checked_div(self.pauses).unwrap_or(0)
    }

    /// Standard deviation of the pauses in per cent of their mean: 0 for a clock, 100 for pure
    /// chance (Poisson), more for bursts. 0 without pauses.
    #[must_use]
    pub fn variation(&self) -> u64 {
        let (pauses, sum) = (self.pauses as f64, self.sum as f64);
        if sum == 0.0 {
            return 0;
        }
        let squared = (pauses * self.squares as f64 / (sum * sum) - 1.0).max(0.0);
        (100.0 * squared.sqrt()).round() as u64
    }
}

impl From<(u64, u64, u64)> for Pace {
    fn from((pauses, sum, squares): (u64, u64, u64)) -> Self {
        Self { pauses, sum, squares }
    }
}

impl From<Pace> for (u64, u64, u64) {
    fn from(pace: Pace) -> Self {
        (pace.pauses, pace.sum, pace.squares)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn pace(pauses: &[u64]) -> Pace {
        let mut pace = Pace::default();
        pauses.iter().for_each(|pause| pace.add(*pause));
        pace
    }

    #[test]
    fn a_clock_does_not_vary_and_bursts_do() {
        let clock = pace(&[2_000_000; 4]);
        assert_eq!((clock.mean_ms(), clock.variation()), (2_000, 0));
        let bursts = pace(&[1_000, 1_000, 1_000, 3_997_000]);
        assert_eq!((bursts.mean_ms(), bursts.variation()), (1_000, 173));
        assert_eq!((Pace::default().mean_ms(), Pace::default().variation()), (0, 0));
        let hour = pace(&[3_600_000_000]);
        assert_eq!((hour.mean_ms(), hour.variation()), (3_600_000, 0));
    }
}
