//! Is somebody teaching the model? What was learned lately is compared with what the first model
//! learned (the anchor): the total drift is bounded, and a CUSUM over the growth of each metric's
//! range finds a ramp whose single steps are too small to see.

use std::collections::VecDeque;
use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use crate::metrics::Metric;
use crate::record::WindowRecord;
use crate::threshold::quantile;

/// Windows below which a range says nothing.
pub const MIN_WINDOWS: usize = 20;
/// Upper end of a range: this quantile of `ln(1 + v)`.
const HIGH: f64 = 0.99;
/// Blocks of the anchor whose ends tell how much a range moves by itself.
const BLOCKS: usize = 5;
/// What lately was learned may lie above the anchor by this at most, in `ln(1 + v)`: half as much again.
const MAX_TOTAL: f64 = 0.405;
/// Where the anchor saw less than one event, one event is no drift.
const ONE_EVENT: f64 = 0.75;
/// Growth from one refit to the next that is no ramp.
const STEP_TOLERANCE: f64 = 0.005;
/// Sum of growths from which on it is a ramp.
const RAMP: f64 = 0.2;
/// Both are widened by the anchor's own spread times this.
const SPREADS: f64 = 3.0;
/// Spread above this is not believed: a wide anchor must not open the door.
const MAX_SPREAD: f64 = 0.25;
/// A ramp is told after so many refits at the earliest.
const MIN_REFITS: u32 = 3;
/// Refits whose range ends are remembered.
const MAX_REMEMBERED: usize = 16;

/// The upper ends of the ranges of some windows, one per count of a record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    high: Vec<f64>,
    /// How much the ends of single blocks differ.
    spread: Vec<f64>,
}

impl Ranges {
    /// Of windows in the order of time; `None` for too few.
    #[must_use]
    pub fn of(windows: &[&WindowRecord]) -> Option<Self> {
        if windows.len() < MIN_WINDOWS {
            return None;
        }
        let places = windows[0].counts.len();
        let end = |part: &[&WindowRecord], place: usize| {
            let mut logs: Vec<f64> =
                part.iter().map(|record| (record.counts[place] as f64).ln_1p()).collect();
            quantile(&mut logs, HIGH)
        };
        let (mut high, mut spread) = (Vec::with_capacity(places), Vec::with_capacity(places));
        for place in 0..places {
            high.push(end(windows, place));
            let ends: Vec<f64> = windows
                .chunks(windows.len().div_ceil(BLOCKS))
                .map(|block| end(block, place))
                .collect();
            let mean = ends.iter().sum::<f64>() / ends.len() as f64;
            let squares: f64 = ends.iter().map(|end| (end - mean).powi(2)).sum();
            spread.push((squares / ends.len() as f64).sqrt());
        }
        Some(Self { high, spread })
    }
}

/// A metric whose range grew too far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The metric.
    pub metric: Metric,
    /// Upper end of the anchor's range, in the metric's unit.
    pub anchor: f64,
    /// Upper end of what was learned lately.
    pub lately: f64,
    /// Refits the growth took.
    pub refits: u32,
}

/// What a refit is.
#[derive(Clone, Debug, PartialEq)]
pub enum PoisonVerdict {
    /// Within bounds.
    Sound,
    /// Steady growth in small steps: somebody may be teaching the model.
    Ramp(Growth),
    /// Beyond the bound around the first model.
    Beyond(Growth),
}

impl PoisonVerdict {
    /// What grew, where something did.
    #[must_use]
    pub const fn growth(&self) -> Option<&Growth> {
        match self {
            Self::Sound => None,
            Self::Ramp(growth) | Self::Beyond(growth) => Some(growth),
        }
    }
}

/// The memory of the guard of one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoisonGuard {
    anchor: Option<Ranges>,
    sums: Vec<f64>,
    past: VecDeque<Vec<f64>>,
    refits: u32,
}

impl PoisonGuard {
    /// Takes the first model's windows as the anchor; forgets everything before.
    pub fn anchor(&mut self, windows: &[&WindowRecord]) {
        *self = Self { anchor: Ranges::of(windows), ..Self::default() };
    }

    /// Whether there is an anchor.
    #[must_use]
    pub const fn is_anchored(&self) -> bool {
        self.anchor.is_some()
    }

    /// A person said that what grew may be so: the bounds lie around it from now on.
    pub fn accept(&mut self) {
        if let (Some(anchor), Some(lately)) = (&mut self.anchor, self.past.back()) {
            for (own, now) in anchor.high.iter_mut().zip(lately) {
                *own = own.max(*now);
            }
        }
        self.sums.clear();
        self.past.clear();
        self.refits = 0;
    }

    /// Judges the windows learned since the last refit, before they are used. Without anchor or with
    /// too few windows nothing is judged.
    pub fn judge(&mut self, lately: &[&WindowRecord]) -> PoisonVerdict {
        let (Some(anchor), Some(now)) = (&self.anchor, Ranges::of(lately)) else {
            return PoisonVerdict::Sound;
        };
        self.refits = self.refits.saturating_add(1);
        let before = self.past.back().unwrap_or(&anchor.high).clone();
        self.sums.resize(now.high.len(), 0.0);
        let (mut worst, mut worst_by) = (PoisonVerdict::Sound, 1.0);
        let places = anchor.high.len().min(now.high.len()).min(before.len());
        for (place, before) in before.iter().enumerate().take(places) {
            let Some(metric) = Metric::from_index(place) else { continue };
            let own = anchor.spread.get(place).copied().unwrap_or(0.0).min(MAX_SPREAD) * SPREADS;
            let total = now.high[place] - anchor.high[place];
            let one_event = if anchor.high[place] < LN_2 { ONE_EVENT } else { 0.0 };
            let step = now.high[place] - before;
            self.sums[place] = (self.sums[place] + step - STEP_TOLERANCE).max(0.0);
            let growth = Growth {
                metric,
                anchor: anchor.high[place].exp_m1(),
                lately: now.high[place].exp_m1(),
                refits: self.refits,
            };
            let beyond = total / (MAX_TOTAL + own).max(one_event);
            let ramp = (self.sums[place].min(total) / (RAMP + own).max(one_event))
                * f64::from(u8::from(self.refits >= MIN_REFITS));
            if beyond > worst_by {
                (worst, worst_by) = (PoisonVerdict::Beyond(growth), beyond);
            } else if ramp > worst_by {
                (worst, worst_by) = (PoisonVerdict::Ramp(growth), ramp);
            }
        }
        if self.past.len() >= MAX_REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back(now.high);
        worst
    }
}
