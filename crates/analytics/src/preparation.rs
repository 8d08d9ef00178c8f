//! From the window records of one device to the scaled rows that every model learns and judges.
//!
//! All models of a device, the shipped ensemble and the baselines alike, see the same rows: what is
//! learned here (scales, known keys, which metrics are judged) comes from the training windows only.

use crate::features::{ContextMemory, Values, values_of};
use crate::host::Host;
use crate::metrics::{METRICS, Metric};
use crate::network::Scaled;
use crate::novelty::{KnownKeys, Novelty, Usual};
use crate::record::{KeyCount, WindowRecord};

/// What turns a window record of a device into a row: learned from its training windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Preparation {
    /// `x = ln(1 + v) · inverse_scale`; 0 for metrics that are not judged.
    inverse_scale: Scaled,
    known: KnownKeys,
    novelty: bool,
    context: bool,
}

impl Preparation {
    /// From the scale of each judged metric and the known keys. Novelty and context are judged if a
    /// metric of that kind is among them.
    #[must_use]
    pub fn new(scales: impl IntoIterator<Item = (Metric, f64)>, known: KnownKeys) -> Self {
        let mut inverse_scale = [0.0; METRICS];
        let (mut novelty, mut context) = (false, false);
        for (metric, scale) in scales {
            inverse_scale[metric.index()] = (1.0 / scale) as f32;
            novelty |= metric.is_novelty();
            context |= metric.is_context();
        }
        Self { inverse_scale, known, novelty, context }
    }

    /// The keys known from training.
    #[must_use]
    pub fn known(&self) -> &KnownKeys {
        &self.known
    }

    /// The known keys, to learn more of them while the device is watched.
    pub fn known_mut(&mut self) -> &mut KnownKeys {
        &mut self.known
    }

    /// Whether windows are compared with the known keys.
    #[must_use]
    pub fn judges_novelty(&self) -> bool {
        self.novelty
    }

    /// Whether context counts are judged; if so, the memory of [`Preparation::values`] matters.
    #[must_use]
    pub fn judges_context(&self) -> bool {
        self.context
    }

    /// The metrics of a window in their own units. The windows of a device must come in the order
    /// of time, each once, with the same memory.
    pub fn values(&self, record: &WindowRecord, memory: &mut ContextMemory) -> Values {
        self.values_where(record, memory, |_| false)
    }

    /// [`Preparation::values`], with the keys that `normal` names taken as known.
    pub fn values_where(
        &self,
        record: &WindowRecord,
        memory: &mut ContextMemory,
        normal: impl Fn(&KeyCount) -> bool,
    ) -> Values {
        let new = if self.novelty {
            self.known.compare_where(record, &normal)
        } else {
            Novelty::default()
        };
        let mut values = values_of(record, new);
        if self.context {
            memory.complete(record, &mut values, |key| {
                self.known.usual(key).or_else(|| normal(key).then(Usual::default))
            });
        }
        values
    }

    /// The metrics of a window in scaled units, 0 for metrics that are not judged.
    #[inline]
    #[must_use]
    pub fn scale(&self, values: &Values) -> Scaled {
        scale_values(values, &self.inverse_scale)
    }

    /// Both steps: a later window as a row like those of the training.
    pub fn row(&self, record: &WindowRecord, memory: &mut ContextMemory) -> Scaled {
        self.scale(&self.values(record, memory))
    }

    /// A scaled value of a metric in its own unit; 0 for metrics that are not judged.
    #[must_use]
    pub fn unscale(&self, place: usize, scaled: f64) -> f64 {
        match self.inverse_scale.get(place) {
            Some(inverse) if *inverse > 0.0 && scaled > 0.0 => {
                (scaled / f64::from(*inverse)).exp() - 1.0
            }
            _ => 0.0,
        }
    }
}

/// `x = ln(1 + v) · inverse_scale`, 0 for metrics that are not judged.
#[inline]
#[must_use]
pub(crate) fn scale_values(values: &Values, inverse_scale: &Scaled) -> Scaled {
    let mut scaled = [0.0_f32; METRICS];
    for ((x, value), inverse) in scaled.iter_mut().zip(values).zip(inverse_scale) {
        if *value > 0.0 {
            *x = (1.0 + *value).ln() as f32 * inverse;
        }
    }
    scaled
}

/// The training windows of one device (or of all together), prepared: the lesson of every model.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The device; `None` for the pooled model.
    pub device: Option<Host>,
    /// Name for the random draws: the device's address, or `pooled`.
    pub name: String,
    /// Last MAC address seen in training.
    pub mac: Option<Host>,
    /// One scaled row per window, in order of time.
    pub rows: Vec<Scaled>,
    /// The judged metrics, in the order of the rows; every other place of a row is 0.
    pub active: Vec<Metric>,
    /// `x = ln(1 + v) / scale` per metric; 0 for metrics that are not judged.
    pub scale: [f64; METRICS],
    /// What turns a later window into a row.
    pub preparation: Preparation,
    /// Start of the first window, microseconds since the Unix epoch.
    pub first_us: i64,
    /// End of the last window, microseconds since the Unix epoch.
    pub last_us: i64,
}

impl Prepared {
    /// Places of the judged metrics in the rows.
    #[must_use]
    pub fn places(&self) -> Vec<usize> {
        self.active.iter().map(|metric| metric.index()).collect()
    }

    /// Places of the judged metrics that moved in training. A network reads and predicts these alone:
    /// of one that never moved it knows nothing, and the first of it would drive its cells where no
    /// training has been.
    #[must_use]
    pub fn moving(&self) -> Vec<usize> {
        let moves = |place: &usize| self.rows.iter().any(|row| row[*place] != self.rows[0][*place]);
        self.places().into_iter().filter(moves).collect()
    }
}
