//! How much operating time shall lie between two checkpoints.
//!
//! Derived in docs/recovery.md. With a checkpoint that costs `C` seconds, failures at rate `γ` in *operating* time, and
//! `k` seconds of repeated work for a second of operation (the load), the part of the time that is lost is least at
//! `T = sqrt(2·C / (γ·k))`: E. Gelenbe, "On the Optimum Checkpoint Interval", J. ACM 26(2), 1979, pp. 259–270, whose
//! result is that the optimum is a fixed interval of operating time that depends on the load. J. W. Young (CACM 17(9),
//! 1974) has the case `k = 1`; J. T. Daly (FGCS 22(3), 2006) counts in wall time, to a higher order.

use ports::checkpoint::IntervalState;

/// Load below this counts as this: a service that sleeps still has state worth keeping.
pub const MIN_LOAD: f64 = 0.01;
/// Cheaper checkpoints than this are counted as costing this, seconds: the clock's own grain.
pub const MIN_COST_S: f64 = 0.000_1;
/// At most this part of the operating time goes into checkpoints.
pub const MAX_OVERHEAD: f64 = 0.1;
/// What is believed before anything failed: one failure in so many seconds of operation (30 days).
pub const PRIOR_S: f64 = 2_592_000.0;
/// Weight of the newest measurement of cost and load.
const NEWEST: f64 = 0.3;

/// Failures per second of operating time: the mean of the Gamma distribution that one failure in [`PRIOR_S`] and what
/// was seen leave.
pub fn failure_rate(failures: u64, operating_s: f64) -> f64 {
    (failures as f64 + 1.0) / (operating_s.max(0.0) + PRIOR_S)
}

/// The optimum after Gelenbe, seconds of operating time.
pub fn gelenbe(cost_s: f64, rate_per_s: f64, load: f64) -> f64 {
    (2.0 * cost_s / (rate_per_s * load)).sqrt()
}

/// Young's first order, seconds: full load.
pub fn young(cost_s: f64, rate_per_s: f64) -> f64 {
    gelenbe(cost_s, rate_per_s, 1.0)
}

/// Daly's higher order, seconds of work between two checkpoints.
pub fn daly(cost_s: f64, rate_per_s: f64) -> f64 {
    let mean_s = 1.0 / rate_per_s;
    if cost_s >= 2.0 * mean_s {
        return mean_s;
    }
    let x = cost_s / (2.0 * mean_s);
    (2.0 * cost_s * mean_s).sqrt() * (1.0 + x.sqrt() / 3.0 + x / 9.0) - cost_s
}

/// Part of the time that checkpoints and repeated work take, at an interval of `t` seconds: what [`gelenbe`] makes least.
pub fn lost_part(t: f64, cost_s: f64, rate_per_s: f64, load: f64) -> f64 {
    let over = cost_s / t + rate_per_s * load * t / 2.0;
    over / (1.0 + over)
}

/// What was measured of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Smoothed cost of a checkpoint, seconds; `None` before the first.
    pub cost_s: Option<f64>,
    /// Smoothed load, 0 to 1; `None` before the first measurement.
    pub load: Option<f64>,
    /// Ends that nobody asked for.
    pub failures: u64,
    /// Seconds of operation.
    pub operating_s: f64,
}

fn smooth(known: Option<f64>, newest: f64) -> Option<f64> {
    Some(known.map_or(newest, |known| known + NEWEST * (newest - known)))
}

impl Measured {
    /// A checkpoint held the service up for so long.
    pub fn cost(&mut self, seconds: f64) {
        self.cost_s = smooth(self.cost_s, seconds.max(MIN_COST_S));
    }

    /// The service worked for this part of the time.
    pub fn load(&mut self, part: f64) {
        self.load = smooth(self.load, part.clamp(0.0, 1.0));
    }

    /// The interval within `bounds` (seconds), with its reasons.
    pub fn interval(&self, bounds: (f64, f64)) -> IntervalState {
        let cost_s = self.cost_s.unwrap_or(MIN_COST_S);
        let load = self.load.unwrap_or(1.0).max(MIN_LOAD);
        let rate = failure_rate(self.failures, self.operating_s);
        let gelenbe_s = gelenbe(cost_s, rate, load);
        let least = bounds.0.max(cost_s / MAX_OVERHEAD);
        IntervalState {
            // The dearer bound wins: a service that does nothing but checkpoints serves nobody.
            interval_s: gelenbe_s.min(bounds.1).max(least),
            gelenbe_s,
            young_s: young(cost_s, rate),
            daly_s: daly(cost_s, rate),
            failure_rate_per_s: rate,
            cost_s,
            load,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimum_is_where_least_is_lost() {
        for (cost, mean, load) in [(0.5, 3_600.0, 1.0), (30.0, 86_400.0, 0.2), (2.0, 600.0, 0.7)] {
            let best = gelenbe(cost, 1.0 / mean, load);
            let lost = |t| lost_part(t, cost, 1.0 / mean, load);
            for other in [0.5, 0.9, 1.1, 2.0] {
                assert!(lost(best) < lost(best * other), "{cost} {mean} {load} {other}");
            }
        }
    }

    #[test]
    fn the_three_agree_where_failures_are_rare_and_the_load_is_full() {
        let (cost, rate) = (1.0, 1.0 / 86_400.0);
        let (gelenbe, young, daly) =
            (gelenbe(cost, rate, 1.0), young(cost, rate), daly(cost, rate));
        assert!((gelenbe - young).abs() < 1e-9);
        assert!((daly / young - 1.0).abs() < 0.01, "{daly} {young}");
        // By hand: sqrt(2 · 1 · 86,400) = 415.69.
        assert!((young - 415.69).abs() < 0.01);
        assert!((super::daly(10.0, 1.0 / 4.0) - 4.0).abs() < 1e-9, "hopeless: one mean time");
    }

    #[test]
    fn load_and_failures_move_it_within_its_bounds() {
        let mut measured = Measured { operating_s: 1e6, ..Measured::default() };
        measured.cost(1.0);
        measured.load(0.5);
        let quiet = measured.interval((1.0, 1e6)).interval_s;
        measured.load(1.0);
        assert!(measured.interval((1.0, 1e6)).interval_s < quiet, "more load, more often");
        measured.failures = 20;
        let restless = measured.interval((1.0, 1e6)).interval_s;
        assert!(restless < quiet / 3.0, "more failures, more often");
        assert!((measured.interval((1.0, 60.0)).interval_s - 60.0).abs() < 1e-9);
        measured.cost_s = Some(20.0);
        let dear = measured.interval((1.0, 60.0)).interval_s;
        assert!((dear - 200.0).abs() < 1e-9, "never more than a tenth of the time: {dear}");
    }
}
