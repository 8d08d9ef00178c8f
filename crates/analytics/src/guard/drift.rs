//! Has a device changed its habits? A Page–Hinkley test (one-sided CUSUM against a reference) on the
//! scores after the model came into use.
//!
//! A jump is never learned silently: the test raises its hand once and stays raised until somebody
//! says what the change means, or until the device is back at its old habits for long enough.

use serde::{Deserialize, Serialize};

/// Scores that make the reference.
pub const REFERENCE_WINDOWS: u64 = 300;
/// Smallest deviation of the reference: below this the scores are all alike.
const MIN_DEVIATION: f64 = 0.05;
/// A score above this counts as this: one burst must not decide.
const MAX_SCORE: f64 = 2.0;
/// A single window moves the sum by at most so many deviations.
const MAX_STEP: f64 = 3.0;
/// Rise, in deviations, that is no change (δ of Page–Hinkley).
const TOLERANCE: f64 = 0.75;
/// Sum of rises from which on it is a change (λ of Page–Hinkley).
const ALARM: f64 = 60.0;
/// A device is only far from its habits when its recent windows stand at least so close to a
/// threshold on average.
const NEAR_THRESHOLD: f64 = 0.6;
/// Weight of the newest window in the recent mean.
const RECENT: f64 = 1.0 / 60.0;
/// Windows at old habits after which the hand goes down by itself.
const SETTLED_WINDOWS: u32 = 600;

/// The state of the test of one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Scores seen, up to [`REFERENCE_WINDOWS`].
    count: u64,
    mean: f64,
    /// Sum of squared distances from the mean (Welford).
    squares: f64,
    sum: f64,
    recent: f64,
    since_us: i64,
    raised: bool,
    settled: u32,
}

/// What a window changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DriftEvent {
    /// The device changed its habits.
    Changed {
        /// Packet time at which the rise began.
        since_us: i64,
        /// Mean score of the recent windows.
        recent: f64,
        /// Mean score of the reference.
        reference: f64,
    },
    /// It is back at its old habits.
    Returned,
}

impl Drift {
    /// Whether the device has changed and nobody has said that it may.
    #[must_use]
    pub const fn is_raised(&self) -> bool {
        self.raised
    }

    /// Whether enough scores were seen to tell a change.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.count >= REFERENCE_WINDOWS
    }

    /// Starts again with a new reference: a person accepted the change, or a new model is in use.
    pub fn accept(&mut self) {
        *self = Self::default();
    }

    /// Takes the score of the next window.
    pub fn observe(&mut self, start_us: i64, score: f64) -> Option<DriftEvent> {
        let score = if score.is_finite() { score.clamp(0.0, MAX_SCORE) } else { MAX_SCORE };
        if self.count < REFERENCE_WINDOWS {
            self.count += 1;
            let step = score - self.mean;
            self.mean += step / self.count as f64;
            self.squares += step * (score - self.mean);
            self.recent = self.mean;
            return None;
        }
        self.recent += (score - self.recent) * RECENT;
        let deviation = (self.squares / (self.count - 1).max(1) as f64).sqrt().max(MIN_DEVIATION);
        let step = ((score - self.mean) / deviation).clamp(-MAX_STEP, MAX_STEP);
        if self.sum <= 0.0 {
            self.since_us = start_us;
        }
        // Held at twice the alarm, so that the way back is as long as the way there.
        self.sum = (self.sum + step - TOLERANCE).clamp(0.0, 2.0 * ALARM);
        if self.raised {
            let back = self.recent <= TOLERANCE.mul_add(deviation, self.mean);
            self.settled = if back { self.settled + 1 } else { 0 };
            if self.settled >= SETTLED_WINDOWS {
                (self.raised, self.settled, self.sum) = (false, 0, 0.0);
                return Some(DriftEvent::Returned);
            }
        } else if self.sum > ALARM && self.recent >= NEAR_THRESHOLD {
            self.raised = true;
            let (since_us, recent, reference) = (self.since_us, self.recent, self.mean);
            return Some(DriftEvent::Changed { since_us, recent, reference });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn feed(drift: &mut Drift, scores: impl IntoIterator<Item = f64>) -> Vec<DriftEvent> {
        scores.into_iter().enumerate().filter_map(|(i, s)| drift.observe(i as i64, s)).collect()
    }

    fn wave(place: usize) -> f64 {
        0.15f64.mul_add((place as f64 * 0.7).sin(), 0.3)
    }

    #[test]
    fn a_jump_raises_the_hand_once_and_the_way_back_lowers_it() {
        let mut drift = Drift::default();
        assert_eq!(feed(&mut drift, (0..2_000).map(wave)), []);
        let events = feed(&mut drift, (0..2_000).map(|place| wave(place) + 0.6));
        let [DriftEvent::Changed { recent, reference, .. }] = events[..] else {
            panic!("{events:?}")
        };
        assert!(recent > 0.6 && (reference - 0.3).abs() < 0.02);
        assert!(drift.is_raised());
        assert_eq!(feed(&mut drift, (0..3_000).map(wave)), [DriftEvent::Returned]);
        assert!(!drift.is_raised());
    }

    #[test]
    fn a_burst_of_alerts_is_no_change_of_habits() {
        let mut drift = Drift::default();
        let scores = (0..4_000).map(|place| if place % 500 == 499 { 90.0 } else { wave(place) });
        assert_eq!(feed(&mut drift, scores), []);
    }

    #[test]
    fn accepting_takes_a_new_reference() {
        let mut drift = Drift::default();
        feed(&mut drift, (0..400).map(wave));
        assert_eq!(feed(&mut drift, (0..400).map(|place| wave(place) + 0.6)).len(), 1);
        drift.accept();
        assert_eq!(feed(&mut drift, (0..2_000).map(|place| wave(place) + 0.6)), []);
    }

    proptest! {
        /// A restart in the middle changes nothing.
        #[test]
        fn the_state_survives_its_stored_form(
            scores in proptest::collection::vec(0.0..3.0_f64, 320..420), cut in 0_usize..320
        ) {
            let mut kept = Drift::default();
            let whole = feed(&mut kept, scores.iter().copied());
            let mut first = Drift::default();
            let mut events = feed(&mut first, scores[..cut].iter().copied());
            let text = serde_json::to_string(&first).unwrap();
            let mut again: Drift = serde_json::from_str(&text).unwrap();
            for (place, score) in scores.iter().enumerate().skip(cut) {
                events.extend(again.observe(place as i64, *score));
            }
            prop_assert_eq!(events, whole);
        }
    }
}
