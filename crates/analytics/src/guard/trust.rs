//! How far a window may be believed to be benign: the gate before anything is learned.

use serde::{Deserialize, Serialize};

/// From this trust on a window may teach.
pub const ENOUGH: f64 = 0.5;
/// After an alert nothing is learned for so long, packet time.
pub const QUIET_US: i64 = 600_000_000;
/// After that the trust comes back with this time constant.
const QUIET_RETURN_US: f64 = 3_600e6;
/// A model younger than this is believed less.
const MATURE_US: f64 = 86_400e6;
/// Trust in a model that has just been made.
const YOUNG: f64 = 0.75;
/// Below this share of the threshold all judges agree that a window is benign.
const CLEAR_SCORE: f64 = 0.5;
/// Agreement left at the threshold itself.
const AT_THRESHOLD: f64 = 0.4;
/// Judges further apart than this disagree.
const APART: f64 = 0.6;
/// What disagreement leaves.
const DISAGREEMENT: f64 = 0.8;
/// What each confirmation by a person leaves of the doubt…
const DOUBT_LEFT: f64 = 0.8;
/// …of at most so many.
const MAX_CONFIRMATIONS: u32 = 5;

/// What is known around a window when it is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circumstances {
    /// Time since the device's last alerting window; `None` when it never had one.
    pub since_alert_us: Option<i64>,
    /// Whether an incident of the device is open.
    pub incident_open: bool,
    /// Score of the window: largest error over its threshold.
    pub score: f64,
    /// Ratio of the range judge.
    pub range: f64,
    /// Ratio of the network, where there is one.
    pub network: Option<f64>,
    /// Age of the model in use, packet time.
    pub model_age_us: i64,
    /// How often people called something of this device normal.
    pub confirmations: u32,
    /// Whether the daily budget of teaching is used up.
    pub budget_spent: bool,
    /// Whether the device has changed its habits and nobody has said what that means.
    pub drifting: bool,
    /// Whether learning is held: a person or the poisoning guard said so.
    pub held: bool,
}

/// What speaks against learning, where something does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// Learning is held.
    Held,
    /// An incident of the device is open.
    Incident,
    /// The window itself alerts.
    Alert,
    /// An alert was a short time ago.
    RecentAlert,
    /// The device changed its habits.
    Drift,
    /// The day's budget is used up.
    Budget,
    /// Nothing forbids it, but the trust is too low.
    Doubt,
}

impl Obstacle {
    /// In plain words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Held => "learning is held",
            Self::Incident => "an incident of the device is open",
            Self::Alert => "the window alerts",
            Self::RecentAlert => "the device alerted within the last ten minutes",
            Self::Drift => "the device changed its habits and nobody has said that it may",
            Self::Budget => "the day's budget of learning is used up",
            Self::Doubt => "the trust is too low",
        }
    }
}

/// The estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// 0 (nothing is learned) to 1.
    pub value: f64,
    /// What stands against learning.
    pub obstacle: Option<Obstacle>,
}

impl Trust {
    /// Whether the window may teach.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.obstacle.is_none()
    }
}

/// Estimates the trust in a window.
#[must_use]
pub fn estimate(around: &Circumstances) -> Trust {
    let recent = around.since_alert_us.is_some_and(|since| since < QUIET_US);
    let forbidden = [
        (around.held, Obstacle::Held),
        (around.incident_open, Obstacle::Incident),
        // Also no number at all.
        (around.score > 1.0 || !around.score.is_finite(), Obstacle::Alert),
        (recent, Obstacle::RecentAlert),
        (around.drifting, Obstacle::Drift),
        (around.budget_spent, Obstacle::Budget),
    ];
    if let Some((_, obstacle)) = forbidden.into_iter().find(|(holds, _)| *holds) {
        return Trust { value: 0.0, obstacle: Some(obstacle) };
    }
    let quiet = around.since_alert_us.map_or(1.0, |since| {
        0.5_f64.mul_add(-(-((since - QUIET_US) as f64) / QUIET_RETURN_US).exp(), 1.0)
    });
    let maturity = (around.model_age_us.max(0) as f64 / MATURE_US).min(1.0);
    let age = (1.0 - YOUNG).mul_add(maturity, YOUNG);
    let value = quiet * age * agreement(around);
    let doubt_left = DOUBT_LEFT.powi(around.confirmations.min(MAX_CONFIRMATIONS) as i32);
    let value = 1.0 - (1.0 - value) * doubt_left;
    let obstacle = (value < ENOUGH).then_some(Obstacle::Doubt);
    Trust { value, obstacle }
}

/// How clearly the judges call the window benign, and how far they are of one mind.
fn agreement(around: &Circumstances) -> f64 {
    let beyond = ((around.score - CLEAR_SCORE) / (1.0 - CLEAR_SCORE)).clamp(0.0, 1.0);
    let clear = (AT_THRESHOLD - 1.0).mul_add(beyond, 1.0);
    let apart = around.network.is_some_and(|network| (network - around.range).abs() > APART);
    if apart { clear * DISAGREEMENT } else { clear }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn calm() -> Circumstances {
        Circumstances {
            since_alert_us: None,
            incident_open: false,
            score: 0.3,
            range: 0.3,
            network: Some(0.3),
            model_age_us: 7 * 86_400_000_000,
            confirmations: 0,
            budget_spent: false,
            drifting: false,
            held: false,
        }
    }

    #[test]
    fn a_calm_window_teaches_and_one_at_the_threshold_does_not() {
        assert_eq!(estimate(&calm()).value, 1.0);
        let close = Circumstances { score: 0.97, range: 0.97, ..calm() };
        assert_eq!(estimate(&close).obstacle, Some(Obstacle::Doubt));
    }

    #[test]
    fn whatever_forbids_learning_is_not_outweighed_by_people() {
        for (around, obstacle) in [
            (Circumstances { held: true, ..calm() }, Obstacle::Held),
            (Circumstances { incident_open: true, ..calm() }, Obstacle::Incident),
            (Circumstances { score: 1.01, ..calm() }, Obstacle::Alert),
            (Circumstances { score: f64::NAN, ..calm() }, Obstacle::Alert),
            (Circumstances { since_alert_us: Some(QUIET_US - 1), ..calm() }, Obstacle::RecentAlert),
            (Circumstances { drifting: true, ..calm() }, Obstacle::Drift),
            (Circumstances { budget_spent: true, ..calm() }, Obstacle::Budget),
        ] {
            let trust = estimate(&Circumstances { confirmations: 99, ..around });
            assert_eq!((trust.value, trust.obstacle), (0.0, Some(obstacle)));
        }
    }

    proptest! {
        #[test]
        fn trust_is_a_share_and_falls_with_the_score(
            low in 0.0..1.0_f64, more in 0.0..1.0_f64, since in proptest::option::of(QUIET_US..1_i64 << 50),
            age in 0_i64..1 << 50, confirmations in 0_u32..9
        ) {
            let at = |score: f64| estimate(&Circumstances {
                score, range: score, network: Some(score), since_alert_us: since, model_age_us: age, confirmations, ..calm()
            });
            let (first, second) = (at(low), at((low + more).min(1.0)));
            prop_assert!((0.0..=1.0).contains(&first.value) && first.value >= second.value);
            prop_assert_eq!(first.is_enough(), first.value >= ENOUGH);
        }
    }
}
