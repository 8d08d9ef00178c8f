//! How likely it is that a checkpoint is infected although it is older than the first evidence.
//!
//! Model (docs/recovery.md): between infection and first evidence lies a delay `X`, exponential with an unknown mean.
//! What is believed of the mean is a Gamma distribution over its inverse with shape `a` and rate `b`; integrating it out,
//! `P(X > g) = (b / (b + g))^a` (Lomax): the chance that a checkpoint `g` seconds older than the evidence holds the
//! intruder already. Before anything was learned `a = 2` and the mean delay, `b / (a − 1)`, is what the declaration says;
//! every delay that was found out afterwards adds one to `a` and itself to `b`.

/// Shape before anything was learned: the mean exists, the spread does not, which is how little is known.
const SHAPE: f64 = 2.0;

/// What is believed of the delay between infection and first evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    shape: f64,
    rate_s: f64,
}

impl Doubt {
    /// Nothing learned yet; the mean delay in seconds is a guess.
    pub fn with_mean(mean_s: f64) -> Self {
        Self { shape: SHAPE, rate_s: mean_s.max(1.0) * (SHAPE - 1.0) }
    }

    /// A delay that was found out, seconds.
    pub fn learn(&mut self, delay_s: f64) {
        if delay_s.is_finite() && delay_s >= 0.0 {
            self.shape += 1.0;
            self.rate_s += delay_s;
        }
    }

    /// The mean delay, seconds.
    pub fn mean_s(&self) -> f64 {
        self.rate_s / (self.shape - 1.0)
    }

    /// The chance that a checkpoint `older_s` seconds older than the evidence is infected.
    pub fn chance(&self, older_s: f64) -> f64 {
        if older_s <= 0.0 {
            return 1.0;
        }
        (self.rate_s / (self.rate_s + older_s)).powf(self.shape)
    }

    /// One sentence for reports.
    pub fn sentence(&self) -> String {
        format!(
            "delay from infection to first evidence exponential with a mean of about {:.0} s, uncertain after {:.0} known cases (Lomax)",
            self.mean_s(),
            self.shape - SHAPE
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_is_safer_and_younger_than_the_evidence_is_lost() {
        let doubt = Doubt::with_mean(600.0);
        assert!(
            (doubt.chance(0.0) - 1.0).abs() < 1e-12 && (doubt.chance(-5.0) - 1.0).abs() < 1e-12
        );
        // By hand: (600 / 1,200)² = 0.25.
        assert!((doubt.chance(600.0) - 0.25).abs() < 1e-12);
        assert!(doubt.chance(86_400.0) < 1e-4);
    }

    #[test]
    fn what_was_found_out_moves_the_belief() {
        let mut doubt = Doubt::with_mean(600.0);
        for _ in 0..50 {
            doubt.learn(60.0);
        }
        assert!((doubt.mean_s() - (600.0 + 3_000.0) / 51.0).abs() < 1e-9);
        assert!(doubt.chance(600.0) < 0.001, "{}", doubt.chance(600.0));
        let before = doubt;
        doubt.learn(f64::NAN);
        doubt.learn(-1.0);
        assert_eq!(doubt, before);
    }
}
