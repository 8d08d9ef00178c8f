//! The thresholds of the ensemble's judges: what the errors of training say, and what an event is worth
//! that training never saw.

use crate::metrics::{METRICS, Metric};
use crate::network::Scaled;
use crate::preparation::Prepared;
use crate::threshold::{BLOCKS, Rarity, block_of, tail_limit};

/// What a factor `e` of rareness is worth, in events more than the most of training: of a metric that
/// training saw, of one it never saw, and of one it never saw that is harmless in small numbers. With
/// these, an event that none of a hundred windows showed is an alarm of its own, and one that fifty
/// did not show is not.
const GRAIN_SEEN: f64 = 0.275;
const GRAIN_UNSEEN: f64 = 0.167;
const GRAIN_HARMLESS: f64 = 0.49;
/// A threshold of a metric that training never saw is not below so many events: a single event then
/// scores little above 2 however long the training was, and what persists ranks above it. Windows
/// that were chosen for showing nothing new cannot make the new rarer than it is.
const UNSEEN_FLOOR: f64 = 0.45;
/// Packets of a network's housekeeping in one window that are no alarm, however rare they were: as
/// many as a person's `ping` of ten, one a second.
const HOUSEKEEPING: f64 = 10.0;
/// The traffic of one conversation is no alarm below so many times the most of training.
const TIMES_THE_MOST: f64 = 4.0;
/// The network's thresholds are so much wider than its tail says: it speaks where the metrics do not
/// fit together at all, and the lottery of its draws stays below that.
const NETWORK_MARGIN: f64 = 1.6;
/// So much time is worth one window with traffic: what did not happen in days of silence is rarer
/// than the few windows between them can tell.
const WATCHED_US: f64 = 3.6e9;

/// What the thresholds of a device need beside its errors.
pub(crate) struct Tails {
    budget: f64,
    /// Whether the metric at a place moved in training, so that the network may speak of it.
    moving: [bool; METRICS],
    metrics: Vec<(Metric, Rarity)>,
}

impl Tails {
    /// `budget` is the share of benign windows that each single threshold may let alert.
    pub(crate) fn new(lesson: &Prepared, budget: f64) -> Self {
        let mut moving = [false; METRICS];
        lesson.moving().into_iter().for_each(|place| moving[place] = true);
        let metrics = lesson.active.iter().map(|metric| (*metric, rarity(lesson, *metric)));
        Self { budget, moving, metrics: metrics.collect() }
    }

    /// Thresholds of the range judge and of the network from the errors of the windows at `places`;
    /// none of the network's where training never saw the metric move.
    pub(crate) fn limits(
        &self,
        errors: &[[Scaled; 2]],
        metric: Metric,
        places: impl Fn(usize) -> bool,
    ) -> (f64, Option<f64>) {
        let own = self.metrics.iter().find(|(own, _)| *own == metric);
        let rarity = own.map_or_else(Rarity::default, |(_, rarity)| *rarity);
        let column = |judge: usize| -> Vec<f64> {
            let chosen = errors.iter().enumerate().filter(|(place, _)| places(*place));
            chosen.map(|(_, error)| f64::from(error[judge][metric.index()])).collect()
        };
        let range = tail_limit(&mut column(0), self.budget, &rarity);
        let network = self.moving[metric.index()].then(|| {
            let floor = Rarity { floor: range / 2.0, ..Rarity::default() };
            tail_limit(&mut column(1), self.budget, &floor) * NETWORK_MARGIN
        });
        (range, network)
    }

    /// Windows that alert under thresholds from the other blocks: the measured false-alarm count.
    pub(crate) fn held_out_alarms(&self, errors: &[[Scaled; 2]], network_votes: bool) -> u64 {
        let total = errors.len();
        let mut alarms = vec![false; total];
        for block in 0..BLOCKS.min(total) {
            let inside = |place: usize| block_of(place, total) == block;
            for (metric, _) in &self.metrics {
                let (range, network) = self.limits(errors, *metric, |place| !inside(place));
                let limits = [Some(range), network.filter(|_| network_votes)];
                for (place, error) in errors.iter().enumerate().filter(|(place, _)| inside(*place))
                {
                    alarms[place] |= error.iter().zip(limits).any(|(error, limit)| {
                        limit.is_some_and(|limit| f64::from(error[metric.index()]) > limit)
                    });
                }
            }
        }
        alarms.iter().filter(|alarm| **alarm).count() as u64
    }
}

/// How rare one more event of a metric is after this training.
fn rarity(lesson: &Prepared, metric: Metric) -> Rarity {
    let place = metric.index();
    let scale = lesson.scale[place];
    let largest = lesson.rows.iter().map(|row| row[place]).fold(0.0, f32::max);
    let count = (f64::from(largest) * scale).exp();
    // One event more than the most, in scaled units.
    let step = ((count + 1.0) / count).ln() / scale;
    let worth = match (largest > 0.0, metric.is_harmless_in_small()) {
        (true, _) => GRAIN_SEEN,
        (false, false) => GRAIN_UNSEEN,
        (false, true) => GRAIN_HARMLESS,
    };
    let floor = match metric {
        Metric::TrafficKeyContext | Metric::TrafficKeyHour => TIMES_THE_MOST.ln() / scale,
        Metric::Arp | Metric::Icmp | Metric::BroadcastOut => HOUSEKEEPING.ln_1p() / scale,
        _ if largest > 0.0 => 0.0,
        _ => UNSEEN_FLOOR * step,
    };
    let watched_us = lesson.last_us.saturating_sub(lesson.first_us) as f64;
    Rarity { grain: step * worth, floor, idle_windows: watched_us / WATCHED_US }
}
