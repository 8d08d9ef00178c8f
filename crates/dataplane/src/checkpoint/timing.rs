//! When a service is stopped and when it runs again: not to be foreseen by whoever sits in it.
//!
//! Both waits are drawn from an exponential distribution cut off at a bound. Of all waits with a given mean it tells
//! least: having waited in vain does not make the next second more likely (the hazard is constant), so an intruder who
//! knows the procedure and sees the alarm cannot time a last change or a way back in. The bound keeps the promise of a
//! longest downtime; docs/recovery.md has what the cut costs.

use std::time::Duration;

use ports::Random;

/// Longest wait that may be declared, seconds.
pub const MAX_WAIT_S: f64 = 3_600.0;

/// A number in (0, 1], all 53-bit steps equally likely.
fn unit(random: &dyn Random) -> f64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    ((u64::from_le_bytes(bytes) >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
}

/// A wait from the exponential distribution with `mean_s` before the cut, cut off at `max_s` (the rest of the
/// probability is spread over what lies below, not heaped on the bound).
pub fn draw(random: &dyn Random, mean_s: f64, max_s: f64) -> Duration {
    if mean_s <= 0.0 || max_s <= 0.0 {
        return Duration::ZERO;
    }
    let max_s = max_s.min(MAX_WAIT_S);
    let below = 1.0 - (-max_s / mean_s).exp();
    // The inverse of the distribution function; `ln_1p` keeps small waits exact.
    let wait = -mean_s * (-unit(random) * below).ln_1p();
    Duration::from_secs_f64(wait.clamp(0.0, max_s))
}

#[cfg(test)]
mod tests {
    use ports::fake::FakeRandom;

    use super::*;

    #[test]
    fn waits_have_the_shape_that_is_promised() {
        let random = FakeRandom::seeded(11);
        let waits: Vec<f64> = (0..20_000).map(|_| draw(&random, 3.0, 12.0).as_secs_f64()).collect();
        assert!(waits.iter().all(|wait| (0.0..=12.0).contains(wait)));
        // Mean of the cut distribution: m − b·e^(−b/m) / (1 − e^(−b/m)) = 3 − 12·0.018316/0.981684 = 2.7761.
        let mean = waits.iter().sum::<f64>() / waits.len() as f64;
        assert!((mean - 2.776).abs() < 0.06, "{mean}");
        // No memory: of those beyond 2 s, the part beyond 4 s is that of all beyond 2 s (up to the cut).
        let part = |from: f64, to: f64| {
            let base = waits.iter().filter(|wait| **wait > from).count() as f64;
            waits.iter().filter(|wait| **wait > to).count() as f64 / base
        };
        assert!((part(0.0, 2.0) - part(2.0, 4.0)).abs() < 0.04);
    }

    #[test]
    fn the_same_seed_draws_the_same_and_nothing_waits_without_a_mean() {
        let wait = |seed| draw(&FakeRandom::seeded(seed), 5.0, 20.0);
        assert_eq!(wait(3), wait(3));
        assert_ne!(wait(3), wait(4));
        assert_eq!(draw(&FakeRandom::seeded(1), 0.0, 20.0), Duration::ZERO);
    }
}
