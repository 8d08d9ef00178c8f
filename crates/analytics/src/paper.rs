//! The published feature set: three metrics of the whole network's traffic, for comparison.
//!
//! Nakip and Gelenbe (2021) judge the total size of the last 500 packets, the mean time between them
//! and the number of packets in the last 100 s, over all traffic together, scaled to `[0, 1]` by
//! training and reproduced by the auto-associative network. Three network-wide metrics do not
//! transfer between benign days; the rows of this model show it. (Ours: the metrics are taken at the
//! last packet of every window, and the score is that of all devices in the window.)

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::models::{Numbers, StoredDense, from_value, to_value};
use crate::textbook::Textbook;

/// Name in files and in the output contract.
pub const NAME: &str = "paper";
/// Version of the stored form.
const VERSION: u32 = 1;
/// Packets whose sizes and times count.
pub const PACKETS: usize = 500;
/// Time whose packets are counted, nanoseconds.
pub const SPAN_NS: i64 = 100_000_000_000;
/// Steps in which that time is forgotten: its count costs as much memory however many packets come.
const STEP_NS: i64 = 100_000_000;
/// Hidden layers.
const CELLS: [usize; 2] = [8, 8];
/// Windows below which nothing is learned.
pub const LEAST_WINDOWS: usize = crate::models::LEAST_ROWS;
/// Names of the metrics.
pub const METRIC_NAMES: [&str; 3] =
    ["size_of_last_500_packets", "mean_gap_of_last_500_packets", "packets_in_last_100_s"];

/// The metrics at the end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaperWindow {
    /// Start of the window, microseconds since the Unix epoch.
    pub start_us: i64,
    /// End of the window (exclusive), microseconds since the Unix epoch.
    pub end_us: i64,
    /// Total bytes of the last 500 packets; mean time between them, seconds; packets in the last 100 s.
    pub values: [f64; 3],
}

/// Takes the metrics from packets. Memory is bounded whatever comes.
#[derive(Debug)]
pub struct Extractor {
    window_ns: i64,
    last: VecDeque<(i64, u32)>,
    bytes: u64,
    steps: VecDeque<(i64, u64)>,
    recent: u64,
    /// The open window and its latest metrics.
    open: Option<PaperWindow>,
}

impl Extractor {
    /// For windows of a length in microseconds, on whole multiples of it; at least one millisecond.
    #[must_use]
    pub fn new(window_us: i64) -> Self {
        Self {
            window_ns: window_us.clamp(1_000, i64::MAX / 2_000) * 1_000,
            last: VecDeque::with_capacity(PACKETS + 1),
            bytes: 0,
            steps: VecDeque::new(),
            recent: 0,
            open: None,
        }
    }

    /// Takes a packet in the order of time; returns the window that ended before it, if one did.
    ///
    /// A packet from before the last one counts as at the same time; after a step back of more than
    /// 100 s the memory starts again.
    pub fn push(&mut self, ts_ns: i64, wire_len: u32) -> Option<PaperWindow> {
        let before = self.last.back().map_or(ts_ns, |(ts_ns, _)| *ts_ns);
        let mut now = ts_ns.max(before);
        if before.saturating_sub(ts_ns) > SPAN_NS {
            self.last.clear();
            self.steps.clear();
            (self.bytes, self.recent) = (0, 0);
            now = ts_ns;
        }
        self.last.push_back((now, wire_len));
        self.bytes += u64::from(wire_len);
        if self.last.len() > PACKETS {
            self.bytes -= self.last.pop_front().map_or(0, |(_, bytes)| u64::from(bytes));
        }
        let step = now.div_euclid(STEP_NS);
        match self.steps.back_mut() {
            Some((last, count)) if *last == step => *count += 1,
            _ => self.steps.push_back((step, 1)),
        }
        self.recent += 1;
        while self.steps.front().is_some_and(|(first, _)| step - first >= SPAN_NS / STEP_NS) {
            self.recent -= self.steps.pop_front().map_or(0, |(_, count)| count);
        }
        let start_us = now.div_euclid(self.window_ns).saturating_mul(self.window_ns / 1_000);
        let first = self.last.front().map_or(now, |(ts_ns, _)| *ts_ns);
        let gaps = self.last.len().saturating_sub(1).max(1) as f64;
        let window = PaperWindow {
            start_us,
            end_us: start_us.saturating_add(self.window_ns / 1_000),
            values: [
                self.bytes as f64,
                now.saturating_sub(first) as f64 / 1e9 / gaps,
                self.recent as f64,
            ],
        };
        self.open.replace(window).filter(|open| open.start_us != start_us)
    }

    /// The open window, at the end of the packets.
    pub fn finish(&mut self) -> Option<PaperWindow> {
        self.open.take()
    }
}

/// The published model.
#[derive(Clone, Debug)]
pub struct Paper {
    /// Smallest value and span of each metric in training.
    low: [f64; 3],
    span: [f64; 3],
    network: Textbook,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    low: Numbers,
    span: Numbers,
    network: StoredDense,
    threshold: Numbers,
}

impl Paper {
    /// Learns from benign windows in the order of time. `None` for fewer than [`LEAST_WINDOWS`].
    #[must_use]
    pub fn learn(windows: &[PaperWindow], seed: u64, alpha: f64) -> Option<Self> {
        if windows.len() < LEAST_WINDOWS {
            return None;
        }
        let column = |metric: usize| windows.iter().map(move |window| window.values[metric]);
        let low = std::array::from_fn(|metric| column(metric).fold(f64::INFINITY, f64::min));
        let span = std::array::from_fn(|metric| {
            let span = column(metric).fold(f64::NEG_INFINITY, f64::max) - low[metric];
            if span > 0.0 { span } else { 1.0 }
        });
        let scaled = |window: &PaperWindow| scale(&window.values, &low, &span).to_vec();
        let rows: Vec<Vec<f64>> = windows.iter().map(scaled).collect();
        Some(Self { low, span, network: Textbook::train(&rows, &CELLS, seed, alpha)? })
    }

    /// Error over threshold: above 1 is an alert.
    #[must_use]
    pub fn score(&self, window: &PaperWindow) -> f64 {
        self.network.score(&scale(&window.values, &self.low, &self.span))
    }

    /// The metric reproduced worst, its value and the expected one, in its own unit.
    #[must_use]
    pub fn why(&self, window: &PaperWindow) -> (&'static str, f64, f64) {
        let row = scale(&window.values, &self.low, &self.span);
        let made = self.network.reproduce(&row);
        let errors = row.iter().zip(&made).map(|(value, made)| (value - made).abs());
        let (place, _) = crate::models::largest(errors.enumerate()).unwrap_or((0, 0.0));
        let expected = made[place] * self.span[place] + self.low[place];
        (METRIC_NAMES[place], window.values[place], expected)
    }

    /// The stored form.
    #[must_use]
    pub fn stored(&self) -> Value {
        let (network, threshold) = self.network.stored();
        to_value(&Stored {
            version: VERSION,
            low: Numbers(self.low.to_vec()),
            span: Numbers(self.span.to_vec()),
            network,
            threshold: Numbers(vec![threshold]),
        })
    }

    /// Opens the stored form.
    ///
    /// # Errors
    /// When it is of another version or damaged.
    pub fn open(value: &Value) -> Result<Self, String> {
        Self::opened(value).map_err(|error| format!("model `{NAME}`: {error}"))
    }

    fn opened(value: &Value) -> Result<Self, String> {
        let stored: Stored = from_value(value)?;
        if stored.version != VERSION {
            return Err(format!(
                "stored as version {}, this build reads version {VERSION}; train again",
                stored.version
            ));
        }
        let three = |numbers: Vec<f64>| -> [f64; 3] { std::array::from_fn(|place| numbers[place]) };
        let threshold = stored.threshold.positive(1, "threshold")?[0];
        Ok(Self {
            low: three(stored.low.exactly(3, "low")?),
            span: three(stored.span.positive(3, "span")?),
            network: Textbook::opened(stored.network.open(3, 3)?, threshold),
        })
    }
}

fn scale(values: &[f64; 3], low: &[f64; 3], span: &[f64; 3]) -> [f64; 3] {
    std::array::from_fn(|metric| (values[metric] - low[metric]) / span[metric])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const SECOND_NS: i64 = 1_000_000_000;
    const WINDOW_US: i64 = 10_000_000;

    fn extract(packets: impl Iterator<Item = (i64, u32)>) -> Vec<PaperWindow> {
        let mut extractor = Extractor::new(WINDOW_US);
        let mut windows: Vec<PaperWindow> =
            packets.filter_map(|(ts_ns, bytes)| extractor.push(ts_ns, bytes)).collect();
        windows.extend(extractor.finish());
        windows
    }

    #[test]
    fn the_metrics_are_those_of_the_last_packets() {
        // One packet a second of 100 bytes for 1,000 s.
        let windows = extract((0..1_000).map(|second| (second * SECOND_NS, 100)));
        assert_eq!(windows.len(), 100);
        assert_eq!(windows[0].values, [1_000.0, 1.0, 10.0]);
        assert_eq!(windows[99].values, [50_000.0, 1.0, 100.0]);
        assert_eq!((windows[99].start_us, windows[99].end_us), (990_000_000, 1_000_000_000));
        assert!(Extractor::new(0).finish().is_none());
    }

    proptest! {
        #[test]
        fn any_times_are_counted_in_bounded_memory(times in proptest::collection::vec(any::<i64>(), 0..400)) {
            let mut extractor = Extractor::new(WINDOW_US);
            for ts_ns in times {
                extractor.push(ts_ns, 60);
                prop_assert!(extractor.last.len() <= PACKETS && extractor.steps.len() <= 1_001);
                let counted: u64 = extractor.steps.iter().map(|(_, count)| count).sum();
                prop_assert_eq!(counted, extractor.recent);
            }
        }
    }

    fn training() -> Vec<PaperWindow> {
        extract((0..20_000_i64).map(|turn| {
            let pause = if turn % 7 == 0 { SECOND_NS / 5 } else { 0 };
            (turn * SECOND_NS / 10 + pause, 60 + (turn * turn % 900) as u32)
        }))
    }

    #[test]
    fn a_flood_alerts_and_the_stored_form_scores_alike() {
        let model = Paper::learn(&training(), 1, 0.005).unwrap();
        let flood = extract((0..20_000_i64).map(|turn| (turn * SECOND_NS / 2_000, 60)));
        let worst = flood.last().unwrap();
        assert!(model.score(worst) > 1.0, "{}", model.score(worst));
        assert!(METRIC_NAMES.contains(&model.why(worst).0));
        let again = Paper::open(&model.stored()).unwrap();
        assert_eq!(again.score(worst), model.score(worst));
        let mut damaged = model.stored();
        damaged["version"] = 9.into();
        assert!(Paper::open(&damaged).unwrap_err().contains("version 9"));
        assert!(Paper::open(&Value::Null).is_err());
        assert!(Paper::learn(&training()[..2], 1, 0.005).is_none());
    }
}
