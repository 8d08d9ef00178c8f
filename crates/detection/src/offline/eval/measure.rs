//! Figures of one detector, one seed, one device (or all protected devices together).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::figures::{Counts, Outcome, area, roc};
use super::truth::{Judged, WindowLabel};

/// Alerts of one device with the same strongest reason, no further apart than this, are one alarm.
pub const CORRELATION_US: i64 = 1_800_000_000;
/// Points of a printed ROC curve.
const ROC_POINTS: usize = 60;
/// Points of a printed course of scores.
const COURSE_POINTS: usize = 240;
const DAY_US: f64 = 86.4e9;

/// Figures of one seed.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub(super) counts: Counts,
    pub(super) area: Option<f64>,
    pub(super) unscored: u64,
    /// Windows the detector said nothing of.
    pub(super) silent: u64,
    /// Windows from the first attack window to the first alerting one, and seconds from the first
    /// malicious packet to the end of the alerting window; one entry per attacked device (and run).
    pub(super) delays: Vec<(f64, f64)>,
    /// Attacked devices (and runs) without any alert in an attack window.
    pub(super) missed: u64,
    /// Alarms without any attack window after correlation.
    pub(super) false_alarms_correlated: u64,
    /// Observed time without attack, days.
    pub(super) benign_days: f64,
}

/// A point of the course of scores.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CoursePoint {
    /// Start of the window, Unix seconds.
    pub start: f64,
    /// Score; of several windows behind one point the largest.
    pub score: f64,
    /// Whether the window holds an attack.
    pub attack: bool,
}

/// Measures the judged windows of some devices. `together`: the devices are watched as one, so that
/// the first alert of any of them counts for the delay.
pub(super) fn measure(judged: &[&Judged], window_us: i64, together: bool) -> Measured {
    let outcomes = outcomes(judged);
    let positives = judged.iter().filter(|one| one.label == WindowLabel::Positive);
    let mut attacked: BTreeMap<(u32, u32), Vec<&Judged>> = BTreeMap::new();
    for one in positives.clone() {
        let device = if together { 0 } else { one.key.device };
        attacked.entry((device, one.key.group)).or_default().push(one);
    }
    let mut measured = Measured {
        counts: Counts::of(&outcomes),
        area: area(&outcomes),
        unscored: judged.iter().filter(|one| one.label == WindowLabel::Unscored).count() as u64,
        silent: judged.iter().filter(|one| one.silent).count() as u64,
        false_alarms_correlated: correlated_false_alarms(judged),
        benign_days: benign_days(judged, window_us),
        ..Measured::default()
    };
    for windows in attacked.values() {
        let first_start = windows.iter().map(|one| one.key.start_us).min().unwrap_or_default();
        let first_packet = windows.iter().map(|one| one.first_us).min().unwrap_or_default();
        match windows.iter().filter(|one| one.alert).map(|one| one.key.start_us).min() {
            Some(alert) => measured.delays.push((
                (alert - first_start) as f64 / window_us as f64,
                (alert + window_us - first_packet) as f64 / 1e6,
            )),
            None => measured.missed += 1,
        }
    }
    measured
}

/// The scored windows as outcomes.
pub(super) fn outcomes(judged: &[&Judged]) -> Vec<Outcome> {
    judged.iter().filter_map(|one| one.outcome()).collect()
}

/// The ROC curve, reduced.
pub(super) fn curve(judged: &[&Judged]) -> Vec<[f64; 2]> {
    roc(&outcomes(judged), ROC_POINTS)
}

fn correlated_false_alarms(judged: &[&Judged]) -> u64 {
    type Series<'a> = BTreeMap<(u32, u32, Option<&'a Cow<'static, str>>), (i64, bool)>;
    let mut open: Series<'_> = BTreeMap::new();
    let mut alarms = 0;
    let mut alerts: Vec<&&Judged> = judged.iter().filter(|one| one.alert).collect();
    alerts.sort_by_key(|one| one.key.start_us);
    for one in alerts {
        let attack = one.label != WindowLabel::Negative;
        let name = (one.key.device, one.key.group, one.metric.as_ref());
        match open.get_mut(&name) {
            Some((last_us, holds_attack)) if one.key.start_us - *last_us <= CORRELATION_US => {
                *last_us = one.key.start_us;
                *holds_attack |= attack;
            }
            Some(series) => {
                alarms += u64::from(!series.1);
                *series = (one.key.start_us, attack);
            }
            None => {
                open.insert(name, (one.key.start_us, attack));
            }
        }
    }
    alarms + open.values().filter(|(_, attack)| !attack).count() as u64
}

/// From the first to the last window of each device and run, without the attack windows.
fn benign_days(judged: &[&Judged], window_us: i64) -> f64 {
    let mut spans: BTreeMap<(u32, u32), (i64, i64, i64)> = BTreeMap::new();
    for one in judged {
        let start = one.key.start_us;
        let span = spans.entry((one.key.device, one.key.group)).or_insert((start, start, 0));
        span.0 = span.0.min(start);
        span.1 = span.1.max(start);
        span.2 += i64::from(one.label == WindowLabel::Positive);
    }
    spans
        .values()
        .map(|(first, last, attacks)| (last - first + window_us - attacks * window_us) as f64)
        .sum::<f64>()
        / DAY_US
}

/// The course of scores over time, reduced: of neighbouring windows the largest score with and the
/// largest without attack stay.
pub(super) fn course(judged: &[&Judged]) -> Vec<CoursePoint> {
    let scored: Vec<&&Judged> = judged.iter().filter(|one| one.outcome().is_some()).collect();
    let point = |one: &&&Judged| CoursePoint {
        start: one.key.start_us as f64 / 1e6,
        score: (one.score * 1e4).round() / 1e4,
        attack: one.label == WindowLabel::Positive,
    };
    if scored.len() <= COURSE_POINTS {
        return scored.iter().map(point).collect();
    }
    let size = (2 * scored.len()).div_ceil(COURSE_POINTS);
    let mut points = Vec::with_capacity(COURSE_POINTS + 2);
    for chunk in scored.chunks(size) {
        let mut kept: Vec<&&&Judged> = [WindowLabel::Negative, WindowLabel::Positive]
            .into_iter()
            .filter_map(|label| {
                chunk
                    .iter()
                    .filter(|one| one.label == label)
                    .max_by(|a, b| a.score.total_cmp(&b.score))
            })
            .collect();
        kept.sort_by_key(|one| one.key.start_us);
        points.extend(kept.into_iter().map(point));
    }
    points
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::truth::Key;
    use super::*;

    const WINDOW_US: i64 = 10_000_000;

    fn judged(number: i64, alert: bool, label: WindowLabel) -> Judged {
        Judged {
            key: Key { device: 0, group: 0, start_us: number * WINDOW_US },
            label,
            first_us: number * WINDOW_US + 1_000_000,
            score: f64::from(u8::from(alert)) * 2.0,
            alert,
            silent: false,
            metric: Some("syn".into()),
        }
    }

    #[test]
    fn alarms_close_together_are_one_and_alarms_of_an_attack_are_none() {
        use WindowLabel::{Negative, Positive};
        let windows = [
            judged(0, true, Negative),
            judged(1, true, Negative),
            judged(2, false, Negative),
            // Half an hour and more later.
            judged(400, true, Negative),
            // A quarter of an hour before the attack's own alerts.
            judged(1_000, true, Negative),
            judged(1_090, true, Positive),
        ];
        let measured = measure(&windows.iter().collect::<Vec<_>>(), WINDOW_US, false);
        assert_eq!(measured.counts.false_positives, 4);
        assert_eq!(measured.false_alarms_correlated, 2);
    }

    #[test]
    fn delay_runs_from_the_first_malicious_packet_to_the_end_of_the_alerting_window() {
        use WindowLabel::{Negative, Positive};
        let windows = [
            judged(0, true, Negative),
            judged(1, false, Positive),
            judged(2, false, Positive),
            judged(3, true, Positive),
        ];
        let measured = measure(&windows.iter().collect::<Vec<_>>(), WINDOW_US, false);
        assert_eq!(measured.delays, [(2.0, 29.0)]);
        assert_eq!(measured.missed, 0);
        let missed = measure(&[&judged(1, false, Positive)], WINDOW_US, false);
        assert_eq!((missed.missed, missed.delays.len()), (1, 0));
    }

    #[test]
    fn long_courses_keep_their_peaks() {
        let mut windows: Vec<Judged> =
            (0..10_000).map(|number| judged(number, false, WindowLabel::Negative)).collect();
        windows[7_777] = judged(7_777, true, WindowLabel::Positive);
        let points = course(&windows.iter().collect::<Vec<_>>());
        assert!(points.len() <= COURSE_POINTS + 2, "{}", points.len());
        assert!(points.iter().any(|point| point.attack && point.score == 2.0));
    }
}
