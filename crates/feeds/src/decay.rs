//! How the score of an indicator fades, and what sightings do to it.
//!
//! The model is the polynomial one of MISP (Iklody, Wagener, Dulaunoy, Mokaddem, Wagner, "Decaying
//! Indicators of Compromise", 2018, arXiv:1803.11052; Mokaddem et al., "Taxonomy driven indicator scoring in
//! MISP threat intelligence platforms", 2019): `score = base · (1 − (t/τ)^(1/δ))`, zero from τ on.
//! τ is the lifetime, δ the speed of decay: above 1 most is lost early, below 1 late. Everything is
//! a pure function of the model, the history and a time; parameters are plain fields to be shown.

use crate::value::Kind;

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// Parameters of a kind of indicator.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Model {
    /// τ, in days, above 0.
    pub lifetime_days: f64,
    /// δ, above 0.
    pub decay_speed: f64,
    /// Score below which an indicator is treated as expired, 0–100.
    pub threshold: f64,
    /// Base score where the source names none, 0–100.
    pub default_base: f64,
    /// Part of the way to 100 that a sighting raises the base, 0–1.
    pub sighting_gain: f64,
    /// Part of the base that a report of a false positive takes away, 0–1.
    pub false_positive_cost: f64,
}

/// What is wrong with parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Lifetime or speed is not a finite number above zero.
    #[error("{0} must be a finite number above 0")]
    NotPositive(&'static str),
    /// A score is outside of 0–100.
    #[error("{0} must lie between 0 and 100")]
    NotAScore(&'static str),
    /// A part is outside of 0–1.
    #[error("{0} must lie between 0 and 1")]
    NotAPart(&'static str),
}

impl Model {
    /// Judges parameters that a person or a file gives.
    ///
    /// # Errors
    /// [`ModelError`] naming the first that is wrong.
    pub fn check(&self) -> Result<(), ModelError> {
        for (name, value) in
            [("lifetime_days", self.lifetime_days), ("decay_speed", self.decay_speed)]
        {
            if !(value.is_finite() && value > 0.0) {
                return Err(ModelError::NotPositive(name));
            }
        }
        for (name, value) in [("threshold", self.threshold), ("default_base", self.default_base)] {
            if !(0.0..=100.0).contains(&value) {
                return Err(ModelError::NotAScore(name));
            }
        }
        for (name, value) in [
            ("sighting_gain", self.sighting_gain),
            ("false_positive_cost", self.false_positive_cost),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(ModelError::NotAPart(name));
            }
        }
        Ok(())
    }

    /// The part of the base, 0–1, that is left after `age_us`.
    #[must_use]
    pub fn left(&self, age_us: i64) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let days = age_us.max(0) as f64 / DAY_US as f64;
        let part = days / self.lifetime_days;
        if part >= 1.0 {
            return 0.0;
        }
        (1.0 - part.powf(1.0 / self.decay_speed)).clamp(0.0, 1.0)
    }
}

/// The parameters that hold where nobody chose others. Judgement, not measurement: addresses change
/// hands within weeks, names within months, digests never (they only lose their use).
#[must_use]
pub const fn default_model(kind: Kind) -> Model {
    let (lifetime_days, decay_speed) = match kind {
        Kind::Ipv4 | Kind::Ipv6 | Kind::Endpoint => (30.0, 2.0),
        Kind::Ipv4Net | Kind::Ipv6Net | Kind::Asn => (90.0, 1.0),
        Kind::Url => (45.0, 1.5),
        Kind::Domain | Kind::Email => (120.0, 1.0),
        Kind::Mac | Kind::UserAgent | Kind::FileName | Kind::FilePath | Kind::RegistryKey => {
            (180.0, 1.0)
        }
        Kind::Bitcoin => (365.0, 0.7),
        Kind::Md5
        | Kind::Sha1
        | Kind::Sha224
        | Kind::Sha256
        | Kind::Sha384
        | Kind::Sha512
        | Kind::Ssdeep
        | Kind::Tlsh
        | Kind::Imphash => (730.0, 0.3),
        Kind::Cve | Kind::Ghsa => (1_825.0, 0.3),
    };
    Model {
        lifetime_days,
        decay_speed,
        threshold: 20.0,
        default_base: 70.0,
        sighting_gain: 0.2,
        false_positive_cost: 0.4,
    }
}

/// What somebody said of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// It was seen: its age starts anew, its base rises.
    Sighting,
    /// It was no indicator there: its base falls.
    FalsePositive,
    /// It has ended: the score is 0 until it is seen again.
    Expiration,
}

/// Where the score of an indicator stands.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Score {
    /// 0–100.
    pub value: f64,
    /// The base after all reports, 0–100.
    pub base: f64,
    /// From when its age counts, microseconds since 1970.
    pub since_us: i64,
    /// Whether it counts as expired: ended, or below the threshold.
    pub expired: bool,
}

/// The score at `now_us`. `base` is what the source says (0–100; `None`: the model's), `reports` are
/// ordered by time or not; later ones than `now_us` do not count yet.
#[must_use]
pub fn score(
    model: &Model,
    base: Option<f64>,
    since_us: i64,
    reports: &[(i64, Report)],
    now_us: i64,
) -> Score {
    let given = base.filter(|base| base.is_finite()).unwrap_or(model.default_base);
    let mut score = Score { value: 0.0, base: given.clamp(0.0, 100.0), since_us, expired: false };
    let mut ended = false;
    let mut known: Vec<(i64, Report)> =
        reports.iter().copied().filter(|(at, _)| *at <= now_us).collect();
    // At the same time an end comes first: being seen is the stronger word.
    let order = |report: Report| match report {
        Report::Expiration => 0,
        Report::FalsePositive => 1,
        Report::Sighting => 2,
    };
    known.sort_by_key(|(at, report)| (*at, order(*report)));
    for (at, report) in known {
        match report {
            Report::Sighting => {
                ended = false;
                score.since_us = score.since_us.max(at);
                score.base += (100.0 - score.base) * model.sighting_gain.clamp(0.0, 1.0);
            }
            Report::FalsePositive => {
                score.base *= 1.0 - model.false_positive_cost.clamp(0.0, 1.0);
            }
            Report::Expiration => ended = true,
        }
    }
    score.base = score.base.clamp(0.0, 100.0);
    if !ended {
        score.value = score.base * model.left(now_us.saturating_sub(score.since_us));
    }
    score.expired = ended || score.value < model.threshold;
    score
}

/// When the score falls below the threshold if nothing else is said, microseconds since 1970;
/// `None` where it is below already.
#[must_use]
pub fn expires_at(model: &Model, score: &Score) -> Option<i64> {
    if score.expired || score.base <= 0.0 {
        return None;
    }
    // base · (1 − (t/τ)^(1/δ)) = threshold, solved for t
    let part = (1.0 - model.threshold / score.base).max(0.0).powf(model.decay_speed);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    let age = (part * model.lifetime_days * DAY_US as f64) as i64;
    Some(score.since_us.saturating_add(age))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;
    use crate::value::KINDS;
    use proptest::prelude::*;

    fn model() -> impl Strategy<Value = Model> {
        (0.1..2_000.0, 0.05..10.0, 0.0..100.0, 0.0..=1.0, 0.0..=1.0).prop_map(
            |(lifetime_days, decay_speed, threshold, sighting_gain, false_positive_cost)| Model {
                lifetime_days,
                decay_speed,
                threshold,
                default_base: 50.0,
                sighting_gain,
                false_positive_cost,
            },
        )
    }

    fn reports() -> impl Strategy<Value = Vec<(i64, Report)>> {
        let report = prop_oneof![
            Just(Report::Sighting),
            Just(Report::FalsePositive),
            Just(Report::Expiration)
        ];
        prop::collection::vec((0..1_000 * DAY_US, report), 0..8)
    }

    #[test]
    fn the_formula_by_hand() {
        let model = Model { lifetime_days: 10.0, decay_speed: 1.0, ..default_model(Kind::Ipv4) };
        let at = |days: i64| score(&model, Some(80.0), 0, &[], days * DAY_US).value;
        assert_eq!((at(0), at(10), at(11)), (80.0, 0.0, 0.0));
        assert!((at(5) - 40.0).abs() < 1e-9);
        // δ = 2: after a quarter of the lifetime half is lost
        let fast = Model { decay_speed: 2.0, ..model };
        assert!((score(&fast, Some(80.0), 0, &[], 5 * DAY_US / 2).value - 40.0).abs() < 1e-9);
        let seen = score(&model, Some(80.0), 0, &[(5 * DAY_US, Report::Sighting)], 5 * DAY_US);
        assert!((seen.value - 84.0).abs() < 1e-9);
        let ended = score(&model, Some(80.0), 0, &[(1, Report::Expiration)], DAY_US);
        assert_eq!((ended.value, ended.expired), (0.0, true));
    }

    #[test]
    fn defaults_are_sound() {
        for kind in KINDS {
            default_model(*kind).check().unwrap();
        }
        let bad = Model { decay_speed: f64::NAN, ..default_model(Kind::Md5) };
        assert_eq!(bad.check(), Err(ModelError::NotPositive("decay_speed")));
    }

    proptest! {
        #[test]
        fn scores_stay_in_bounds_and_only_fall_by_age(
            model in model(), base in -10.0..200.0, reports in reports(),
            t in 0..3_000 * DAY_US, more in 0..3_000 * DAY_US,
        ) {
            let last = reports.iter().map(|(at, _)| *at).max().unwrap_or(0);
            let early = score(&model, Some(base), 0, &reports, last + t);
            let late = score(&model, Some(base), 0, &reports, last + t + more);
            prop_assert!((0.0..=100.0).contains(&early.value));
            prop_assert!(late.value <= early.value + 1e-9);
        }

        #[test]
        fn a_sighting_never_lowers_and_a_false_positive_never_raises(
            model in model(), base in 0.0..100.0, reports in reports(),
            at in 0..1_000 * DAY_US, now in 0..2_000 * DAY_US,
        ) {
            let without = score(&model, Some(base), 0, &reports, now).value;
            let with = |report| {
                let mut more = reports.clone();
                more.push((at, report));
                score(&model, Some(base), 0, &more, now).value
            };
            prop_assert!(with(Report::Sighting) >= without - 1e-9);
            prop_assert!(with(Report::FalsePositive) <= without + 1e-9);
            prop_assert!(with(Report::Expiration) <= without + 1e-9);
        }

        #[test]
        fn nothing_is_left_after_the_lifetime(
            model in model(), base in 0.0..200.0, reports in reports(), more in 0..3_000 * DAY_US,
        ) {
            let last = reports.iter().map(|(at, _)| *at).max().unwrap_or(0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
            let lifetime = (model.lifetime_days * DAY_US as f64).ceil() as i64;
            let end = score(&model, Some(base), 0, &reports, last + lifetime + more);
            prop_assert_eq!(end.value, 0.0);
        }

        #[test]
        fn it_expires_when_it_was_said_to(model in model(), base in 1.0..100.0) {
            let now = score(&model, Some(base), 0, &[], 0);
            if let Some(at) = expires_at(&model, &now) {
                prop_assert!(!score(&model, Some(base), 0, &[], at - DAY_US / 1_000).expired || at < DAY_US / 1_000);
                prop_assert!(score(&model, Some(base), 0, &[], at + DAY_US / 1_000).expired || model.threshold == 0.0);
            }
        }
    }
}
