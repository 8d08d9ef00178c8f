//! Labels of packets, told as labels of windows, and the figures of a detector against them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::figures::Outcome;
use super::labels::{Interval, Label};
use crate::offline::scored::ScoredWindow;

/// Windows that silence may add, per interval and device.
const MAX_SILENT_WINDOWS: i64 = 1_000_000;

/// Device, run and start of a window. Devices and runs are numbered by [`Truth`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) device: u32,
    pub(super) group: u32,
    pub(super) start_us: i64,
}

/// What is known of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowLabel {
    Positive,
    Negative,
    Unscored,
}

#[derive(Clone, Copy, Debug)]
struct WindowTruth {
    label: WindowLabel,
    /// Time of the first malicious packet in it.
    first_us: i64,
}

/// A labelled window with what a detector said of it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) key: Key,
    pub(super) label: WindowLabel,
    /// Time of the first malicious packet in the window, if it is positive.
    pub(super) first_us: i64,
    pub(super) score: f64,
    pub(super) alert: bool,
    /// The detector said nothing of this window.
    pub(super) silent: bool,
    /// The strongest reason.
    pub(super) metric: Option<Cow<'static, str>>,
}

impl Judged {
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let positive = match self.label {
            WindowLabel::Positive => true,
            WindowLabel::Negative => false,
            WindowLabel::Unscored => return None,
        };
        Some(Outcome { score: self.score, alert: self.alert, positive })
    }
}

/// Labels of the windows of the protected devices.
#[derive(Debug)]
pub(super) struct Truth {
    window_us: i64,
    devices: HashMap<Arc<str>, u32>,
    groups: HashMap<Arc<str>, u32>,
    windows: BTreeMap<Key, WindowTruth>,
    /// First and last window start of each run.
    spans: BTreeMap<u32, (i64, i64)>,
    /// Malicious packets by attack.
    pub(super) malicious: BTreeMap<u16, u64>,
}

impl Truth {
    pub(super) fn new(devices: impl IntoIterator<Item = Arc<str>>, window_us: i64) -> Self {
        Self {
            window_us,
            devices: devices.into_iter().zip(0..).collect(),
            groups: HashMap::new(),
            windows: BTreeMap::new(),
            spans: BTreeMap::new(),
            malicious: BTreeMap::new(),
        }
    }

    /// Notes that a packet or row with this label belongs to a device at a time.
    pub(super) fn note(&mut self, device: u32, group: Option<&str>, at_us: i64, label: Label) {
        let group = self.group(group);
        let start_us = at_us.div_euclid(self.window_us) * self.window_us;
        let span = self.spans.entry(group).or_insert((start_us, start_us));
        *span = (span.0.min(start_us), span.1.max(start_us));
        let key = Key { device, group, start_us };
        let window = self
            .windows
            .entry(key)
            .or_insert(WindowTruth { label: WindowLabel::Negative, first_us: at_us });
        match (label, window.label) {
            (Label::Malicious(_), WindowLabel::Positive) => {
                window.first_us = window.first_us.min(at_us);
            }
            (Label::Malicious(_), _) => {
                *window = WindowTruth { label: WindowLabel::Positive, first_us: at_us };
            }
            (Label::Unscored, WindowLabel::Negative) => window.label = WindowLabel::Unscored,
            _ => {}
        }
    }

    /// Notes the label of a packet or row once, whomever it belongs to.
    pub(super) fn count(&mut self, label: Label) {
        if let Label::Malicious(attack) = label {
            *self.malicious.entry(attack).or_insert(0) += 1;
        }
    }

    fn group(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return 0 };
        if let Some(group) = self.groups.get(name) {
            return *group;
        }
        let group = self.groups.len() as u32 + 1;
        self.groups.insert(name.into(), group);
        group
    }

    /// Number of runs; 0 where the test part is one stream.
    pub(super) fn runs(&self) -> u64 {
        self.groups.len() as u64
    }

    /// Every window of a protected device that overlaps an interval is positive, silent or not.
    pub(super) fn add_intervals(&mut self, intervals: &[Interval]) {
        for interval in intervals {
            let first = interval.start_us.div_euclid(self.window_us);
            let last = (interval.end_us - 1).div_euclid(self.window_us);
            let groups: Vec<u32> = self
                .spans
                .iter()
                .filter(|(_, (start, end))| {
                    interval.start_us < end + self.window_us && *start < interval.end_us
                })
                .map(|(group, _)| *group)
                .collect();
            for number in first..=last.min(first + MAX_SILENT_WINDOWS) {
                let start_us = number * self.window_us;
                let first_us = start_us.max(interval.start_us);
                for group in &groups {
                    for device in self.devices.values() {
                        let key = Key { device: *device, group: *group, start_us };
                        let window = self
                            .windows
                            .entry(key)
                            .or_insert(WindowTruth { label: WindowLabel::Positive, first_us });
                        if window.label != WindowLabel::Positive {
                            *window = WindowTruth { label: WindowLabel::Positive, first_us };
                        }
                    }
                }
            }
        }
    }

    /// Puts what a detector said beside what is known. Windows of other devices are left out; a
    /// window it said nothing of counts as not alerting, with the lowest score.
    pub(super) fn judge(&self, scored: &[ScoredWindow]) -> Vec<Judged> {
        let mut judged: BTreeMap<Key, Judged> = self
            .windows
            .iter()
            .map(|(key, truth)| {
                let silent = Judged {
                    key: *key,
                    label: truth.label,
                    first_us: truth.first_us,
                    score: 0.0,
                    alert: false,
                    silent: true,
                    metric: None,
                };
                (*key, silent)
            })
            .collect();
        for window in scored {
            let Some(device) = self.devices.get(&window.device) else { continue };
            let group = window.group.as_ref().and_then(|name| self.groups.get(name)).copied();
            let start_us = window.start_us.div_euclid(self.window_us) * self.window_us;
            let key = Key { device: *device, group: group.unwrap_or(0), start_us };
            let entry = judged.entry(key).or_insert_with(|| Judged {
                key,
                label: WindowLabel::Negative,
                first_us: start_us,
                score: 0.0,
                alert: false,
                silent: true,
                metric: None,
            });
            // A clock that was set back gives a window twice: the stronger judgement stands.
            if entry.silent || window.score > entry.score {
                entry.score = window.score;
                entry.metric = window.why.first().map(|why| why.metric.clone());
            }
            entry.alert |= window.alert;
            entry.silent = false;
        }
        judged.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const WINDOW_US: i64 = 10_000_000;

    fn scored(start_us: i64, score: f64) -> ScoredWindow {
        ScoredWindow {
            device: "a".into(),
            group: None,
            start_us,
            end_us: start_us + WINDOW_US,
            score,
            alert: score > 1.0,
            detector: "test",
            why: Vec::new(),
        }
    }

    #[test]
    fn one_malicious_packet_makes_a_window_positive() {
        let mut truth = Truth::new(["a".into()], WINDOW_US);
        truth.note(0, None, 1, Label::Benign);
        truth.note(0, None, 2, Label::Unscored);
        truth.note(0, None, 3, Label::Malicious(0));
        truth.note(0, None, 4, Label::Benign);
        truth.note(0, None, WINDOW_US, Label::Unscored);
        truth.note(0, None, 2 * WINDOW_US, Label::Benign);
        let judged = truth.judge(&[scored(0, 2.0), scored(3 * WINDOW_US, 3.0)]);
        let seen: Vec<_> = judged.iter().map(|one| (one.label, one.alert, one.silent)).collect();
        assert_eq!(
            seen,
            [
                (WindowLabel::Positive, true, false),
                (WindowLabel::Unscored, false, true),
                (WindowLabel::Negative, false, true),
                (WindowLabel::Negative, true, false),
            ]
        );
        assert_eq!(judged[0].first_us, 3);
    }

    #[test]
    fn silence_in_an_interval_is_positive() {
        let mut truth = Truth::new(["a".into()], WINDOW_US);
        truth.note(0, None, 1, Label::Benign);
        truth.note(0, None, 9 * WINDOW_US, Label::Benign);
        truth.add_intervals(&[Interval {
            start_us: 15_000_000,
            end_us: 30_000_000,
            attack: "gone".into(),
        }]);
        let judged = truth.judge(&[scored(2 * WINDOW_US, 2.0)]);
        let seen: Vec<_> = judged.iter().map(|one| (one.label, one.alert)).collect();
        assert_eq!(
            seen,
            [
                (WindowLabel::Negative, false),
                (WindowLabel::Positive, false),
                (WindowLabel::Positive, true),
                (WindowLabel::Negative, false),
            ]
        );
    }
}
