//! Laws that messages keep, and windows in which they were broken.
//!
//! Protocol models ([`crate::goose`], [`crate::mms`]) do not count packets: they know what a lawful
//! next message looks like and count, per device and window, how often each law was broken. What
//! training itself broke sets the limit; a law that training never broke alerts at the first break.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::host::Host;

/// Laws one model may have.
pub const MAX_LAWS: usize = 24;
/// Windows one judge keeps open; the oldest is given up beyond it, and counted.
pub const MAX_OPEN_WINDOWS: usize = 65_536;
/// A live judge that hears of no time for so long cannot tell silence from having been blind.
pub const BLIND_US: i64 = 600_000_000;
/// How long a live judge remembers when single messages came.
pub const KEPT_US: i64 = 120_000_000;
/// Breaks before a law that training never broke alerts: half of one.
const NEVER_BROKEN: f64 = 0.5;
/// Score of a law that only informs.
const WEAK_SCORE: f64 = 0.8;

/// How often each law was broken, by its number.
pub type Breaks = [u32; MAX_LAWS];

/// One window of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LawWindow {
    /// The device.
    pub device: Host,
    /// The run, for rows of several runs.
    pub group: Option<Arc<str>>,
    /// Start, microseconds, a whole multiple of the window's length.
    pub start_us: i64,
    /// End (exclusive), microseconds.
    pub end_us: i64,
    /// Messages sent or received.
    pub messages: u64,
    /// Breaks by law.
    pub breaks: Breaks,
}

/// A law and how strongly a window broke it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LawReason {
    /// Number of the law.
    pub law: usize,
    /// Breaks counted.
    pub measured: f64,
    /// Breaks that training leads to expect at most.
    pub expected: f64,
    /// Measured over limit: above 1 alerts.
    pub ratio: f64,
}

/// How often training broke each law.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LawLimits {
    /// Windows of the training.
    pub windows: u64,
    /// Largest number of breaks in one of them, by law.
    pub largest: Vec<u32>,
    /// Windows that broke a law, by law: says when training was not benign.
    pub broken: Vec<u64>,
}

impl LawLimits {
    /// Takes in a window of a benign time.
    pub fn learn(&mut self, window: &LawWindow) {
        self.largest.resize(MAX_LAWS, 0);
        self.broken.resize(MAX_LAWS, 0);
        self.windows += 1;
        for (law, count) in window.breaks.iter().enumerate() {
            self.largest[law] = self.largest[law].max(*count);
            self.broken[law] += u64::from(*count > 0);
        }
    }

    /// Every broken law of a window, strongest first. `weak` laws inform and never alert alone.
    #[must_use]
    pub fn judge(&self, breaks: &Breaks, weak: &[usize]) -> Vec<LawReason> {
        let mut reasons: Vec<LawReason> = breaks
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(law, count)| {
                let measured = f64::from(*count);
                let expected = f64::from(self.largest.get(law).copied().unwrap_or(0));
                let ratio = if weak.contains(&law) {
                    WEAK_SCORE
                } else if expected == 0.0 {
                    // Grows slowly, so that one number stays comparable between models.
                    (1.0 / NEVER_BROKEN) + measured.ln_1p()
                } else {
                    measured / (expected * (1.0 + 1.0 / (self.windows.max(1) as f64).sqrt()))
                };
                LawReason { law, measured, expected, ratio }
            })
            .collect();
        reasons.sort_by(|a, b| b.ratio.total_cmp(&a.ratio).then(a.law.cmp(&b.law)));
        reasons
    }
}

/// The open windows of a judge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LawWindows {
    length_us: i64,
    #[serde(skip)]
    group: Option<Arc<str>>,
    #[serde(with = "crate::as_list")]
    open: BTreeMap<(i64, Host), (u64, Breaks)>,
    given_up: u64,
}

impl LawWindows {
    /// Windows of this length, at least a microsecond.
    #[must_use]
    pub fn new(length_us: i64, group: Option<Arc<str>>) -> Self {
        Self { length_us: length_us.max(1), group, open: BTreeMap::new(), given_up: 0 }
    }

    /// Start of the window that holds a time.
    #[must_use]
    pub const fn start_of(&self, ts_us: i64) -> i64 {
        ts_us.div_euclid(self.length_us).saturating_mul(self.length_us)
    }

    fn slot(&mut self, device: Host, ts_us: i64) -> &mut (u64, Breaks) {
        let key = (self.start_of(ts_us), device);
        if self.open.len() >= MAX_OPEN_WINDOWS && !self.open.contains_key(&key) {
            self.open.pop_first();
            self.given_up += 1;
        }
        self.open.entry(key).or_insert((0, [0; MAX_LAWS]))
    }

    /// A message of a device.
    pub fn message(&mut self, device: Host, ts_us: i64) {
        let slot = self.slot(device, ts_us);
        slot.0 += 1;
    }

    /// A broken law.
    pub fn note(&mut self, device: Host, ts_us: i64, law: usize) {
        if let Some(count) = self.slot(device, ts_us).1.get_mut(law) {
            *count = count.saturating_add(1);
        }
    }

    /// A law broken all through a span: once in each window it touches.
    pub fn note_span(&mut self, device: Host, from_us: i64, to_us: i64, law: usize) {
        let mut start = self.start_of(from_us);
        let mut left = MAX_OPEN_WINDOWS;
        while start < to_us && left > 0 {
            self.note(device, start, law);
            start = start.saturating_add(self.length_us);
            left -= 1;
        }
    }

    /// Windows given up because too many were open.
    #[must_use]
    pub const fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Takes out the windows that end at or before a time, in order.
    pub fn close_before(&mut self, ts_us: i64) -> Vec<LawWindow> {
        let bound = self.start_of(ts_us);
        // The smallest host there is: everything at `bound` and later stays.
        let first = Host::v6(std::net::Ipv6Addr::UNSPECIFIED);
        let later = self.open.split_off(&(bound, first));
        let closed = std::mem::replace(&mut self.open, later);
        let mut out = Vec::with_capacity(closed.len());
        for ((start_us, device), (messages, breaks)) in closed {
            let end_us = start_us.saturating_add(self.length_us);
            let group = self.group.clone();
            out.push(LawWindow { device, group, start_us, end_us, messages, breaks });
        }
        out
    }

    /// Takes out every window.
    pub fn close_all(&mut self) -> Vec<LawWindow> {
        self.close_before(i64::MAX - self.length_us)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_law_never_broken_alerts_at_once_and_a_weak_one_never() {
        let limits = LawLimits { windows: 100, ..LawLimits::default() };
        let mut breaks = [0; MAX_LAWS];
        breaks[3] = 1;
        assert!(limits.judge(&breaks, &[])[0].ratio > 1.0);
        assert!(limits.judge(&breaks, &[3])[0].ratio < 1.0);
        assert!(limits.judge(&[0; MAX_LAWS], &[]).is_empty());
    }

    #[test]
    fn what_training_broke_is_expected() {
        let mut limits = LawLimits::default();
        let mut windows = LawWindows::new(10, None);
        let device = Host::mac([1; 6]);
        windows.note(device, 5, 0);
        windows.note(device, 6, 0);
        for window in windows.close_all() {
            limits.learn(&window);
        }
        assert_eq!((limits.largest[0], limits.broken[0]), (2, 1));
        let mut breaks = [0; MAX_LAWS];
        breaks[0] = 2;
        assert!(limits.judge(&breaks, &[])[0].ratio <= 1.0);
        breaks[0] = 9;
        assert!(limits.judge(&breaks, &[])[0].ratio > 1.0);
    }

    #[test]
    fn windows_close_in_order_and_once() {
        let mut windows = LawWindows::new(10, None);
        let device = Host::v4([10, 0, 0, 1].into());
        windows.message(device, 25);
        windows.message(device, 5);
        windows.note_span(device, 12, 31, 1);
        let early = windows.close_before(20);
        assert_eq!(early.iter().map(|w| w.start_us).collect::<Vec<_>>(), [0, 10]);
        assert_eq!(windows.close_all().iter().map(|w| w.start_us).collect::<Vec<_>>(), [20, 30]);
        assert!(windows.close_all().is_empty());
    }
}
