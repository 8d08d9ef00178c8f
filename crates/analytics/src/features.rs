//! From a window record to the numbers a model judges.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::lately::Lately;
use crate::metrics::{CONTEXTS, COUNTS, FIRST_CONTEXT, GATED, METRICS, Metric, SAID, told};
use crate::minute::Minute;
use crate::novelty::{Novelty, Usual};
use crate::record::{KeyCount, WindowRecord};

/// Time a context count looks back, up to and including its window.
pub const CONTEXT_US: i64 = 300_000_000;
/// Training shorter than this gets no context counts: they would grow from 0 and alert on themselves.
pub const CONTEXT_TRAINING_US: i64 = 3_000_000_000;
/// The same for the metrics that look back an hour ([`Metric::is_long`]).
pub const LONG_TRAINING_US: i64 = 36_000_000_000;
/// Windows remembered for the context: as many as fit at the shortest window length.
const MAX_REMEMBERED: usize = 300;

/// The metrics of one window in their own units, in the order of [`crate::metrics::ALL`].
pub type Values = [f64; METRICS];

/// What a device did lately, as far as the metrics that look back need it. The stored form gives the
/// same numbers from then on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContextMemory {
    windows: VecDeque<(i64, [f64; CONTEXTS])>,
    lately: Lately,
    #[serde(default)]
    minute: Box<Minute>,
}

impl ContextMemory {
    /// Completes the values of a window by those that look back, and remembers the window.
    ///
    /// `usual` tells the most a conversation did in training, or `None` if it is not known. Windows
    /// must come in the order of time; after a step back the memory starts again.
    pub fn complete(
        &mut self,
        record: &WindowRecord,
        values: &mut Values,
        usual: impl FnMut(&KeyCount) -> Option<Usual>,
    ) {
        self.sum(record.start_us, record.end_us, values);
        self.minute.complete(record, values);
        self.lately.complete(record, values, usual);
    }

    /// What people are told of the newest window and of its minute so far, as far as there is some of
    /// it: the metrics without a place in the rows of models.
    #[must_use]
    pub fn told(&self, record: &WindowRecord) -> Vec<(Metric, u64)> {
        let minute = self.minute.is_at(record);
        let count = |metric: Metric| match metric.is_minute() {
            true if minute => self.minute.count(metric),
            true => 0,
            false => record.count(metric),
        };
        let told = told().iter().map(|metric| (*metric, count(*metric)));
        told.filter(|(_, count)| *count > 0).collect()
    }

    /// The sums over the context.
    fn sum(&mut self, start_us: i64, end_us: i64, values: &mut Values) {
        while self.windows.back().is_some_and(|(start, _)| *start > start_us) {
            self.windows.pop_back();
        }
        let horizon_us = end_us.saturating_sub(CONTEXT_US);
        while self.windows.front().is_some_and(|(start, _)| *start < horizon_us) {
            self.windows.pop_front();
        }
        let gated = GATED.map(|metric| values[metric.index()]);
        if gated.iter().all(|value| *value == 0.0) {
            return;
        }
        if self.windows.len() >= MAX_REMEMBERED {
            self.windows.pop_front();
        }
        self.windows.push_back((start_us, gated));
        for (place, now) in gated.iter().enumerate() {
            // The gate: a window without the event is not blamed for its neighbours.
            if *now > 0.0 {
                values[FIRST_CONTEXT + place] =
                    self.windows.iter().map(|(_, past)| past[place]).sum();
            }
        }
    }
}

/// The counts and novelty counts of a window; the metrics that look back are still 0.
#[must_use]
pub fn values_of(record: &WindowRecord, novelty: Novelty) -> Values {
    let mut values = [0.0; METRICS];
    for (value, count) in values.iter_mut().zip(record.counts) {
        *value = count as f64;
    }
    debug_assert_eq!(COUNTS, Metric::NewPeer.index());
    if let Some(talk) = &record.talk {
        for metric in SAID {
            values[metric.index()] = talk.count(metric) as f64;
        }
    }
    values[Metric::NewPeer.index()] = novelty.peers as f64;
    values[Metric::NewService.index()] = novelty.service as f64;
    values[Metric::NewPeerService.index()] = novelty.pairing as f64;
    values
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const WINDOW_US: i64 = 10_000_000;

    fn complete(memory: &mut ContextMemory, window: i64, failed: f64) -> f64 {
        let mut values = [0.0; METRICS];
        values[Metric::SynFailed.index()] = failed;
        memory.sum(window * WINDOW_US, (window + 1) * WINDOW_US, &mut values);
        values[Metric::SynFailedContext.index()]
    }

    #[test]
    fn context_sums_thirty_windows_and_forgets() {
        let mut memory = ContextMemory::default();
        let sums: Vec<f64> = (0..40).map(|window| complete(&mut memory, window, 2.0)).collect();
        assert_eq!(sums[0], 2.0);
        assert_eq!(sums[29], 60.0);
        assert_eq!(sums[39], 60.0);
        assert_eq!(complete(&mut memory, 1_000, 1.0), 1.0);
    }

    #[test]
    fn a_quiet_window_has_no_context() {
        let mut memory = ContextMemory::default();
        complete(&mut memory, 0, 5.0);
        assert_eq!(complete(&mut memory, 1, 0.0), 0.0);
        assert_eq!(complete(&mut memory, 2, 1.0), 6.0);
    }

    #[test]
    fn a_step_back_starts_again() {
        let mut memory = ContextMemory::default();
        complete(&mut memory, 100, 5.0);
        assert_eq!(complete(&mut memory, 50, 1.0), 1.0);
    }
}
