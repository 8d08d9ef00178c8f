//! Attacks that hide in normal volumes: what tells them is with whom, over what, how regularly, and
//! whether the metrics fit together.

use serde::{Deserialize, Serialize};

use super::keys::Key;
use crate::metrics::Metric;
use crate::record::{KeyCount, WindowRecord};

/// Unknown keys whose rhythm is watched at the same time; of more the longest unseen gives way.
pub const MAX_WATCHED: usize = 32;
/// Sightings before a rhythm is told.
pub const MIN_SIGHTINGS: u32 = 8;
/// Standard deviation of the gaps over their mean, below which they are a clock's.
pub const MAX_VARIATION: f64 = 0.15;
/// Gaps shorter than this are no rhythm but plain conversation.
const MIN_PERIOD_US: f64 = 30e6;
/// A gap longer than this ends a rhythm.
const MAX_GAP_US: i64 = 86_400_000_000;

/// A party met again and again in equal steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rhythm {
    /// The party.
    pub key: Key,
    /// Mean gap between windows with it, seconds.
    pub period_s: f64,
    /// Standard deviation of the gaps over their mean.
    pub variation: f64,
    /// Windows with it.
    pub sightings: u32,
    /// Start of the first, microseconds of packet time.
    pub since_us: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Watched {
    key: Key,
    first_us: i64,
    last_us: i64,
    sightings: u32,
    mean_us: f64,
    squares: f64,
    told: bool,
}

/// The rhythms of one device's unknown keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rhythms {
    watched: Vec<Watched>,
    /// Keys that gave way.
    dropped: u64,
}

impl Rhythms {
    /// Takes a window; gives a rhythm that has just become clear. Known keys are not watched: most
    /// devices speak to their own servers like clocks.
    pub fn observe(
        &mut self,
        record: &WindowRecord,
        known: impl Fn(&KeyCount) -> bool,
    ) -> Option<Rhythm> {
        let mut found = None;
        for count in record.keys.iter().filter(|key| !known(key)) {
            let key = (count.peer, count.protocol, count.port);
            let watched = self.entry(key, record.start_us);
            let gap_us = record.start_us.saturating_sub(watched.last_us);
            if watched.sightings > 0 && !(1..=MAX_GAP_US).contains(&gap_us) {
                let (first_us, told) = (record.start_us, watched.told);
                *watched = Watched::new(key, first_us);
                watched.told = told;
            } else if watched.sightings > 0 {
                let gaps = f64::from(watched.sightings);
                let step = gap_us as f64 - watched.mean_us;
                watched.mean_us += step / gaps;
                watched.squares += step * (gap_us as f64 - watched.mean_us);
            }
            watched.sightings = watched.sightings.saturating_add(1);
            watched.last_us = record.start_us;
            if found.is_none() && !watched.told {
                found = watched.rhythm();
                watched.told = found.is_some();
            }
        }
        found
    }

    fn entry(&mut self, key: Key, now_us: i64) -> &mut Watched {
        let place = self.watched.iter().position(|known| known.key == key).unwrap_or_else(|| {
            if self.watched.len() < MAX_WATCHED {
                self.watched.push(Watched::new(key, now_us));
                return self.watched.len() - 1;
            }
            self.dropped += 1;
            // A clear rhythm is worth more than a new face.
            let place = (0..self.watched.len())
                .min_by_key(|place| {
                    (self.watched[*place].sightings > 2, self.watched[*place].last_us)
                })
                .unwrap_or(0);
            self.watched[place] = Watched::new(key, now_us);
            place
        });
        &mut self.watched[place]
    }
}

impl Watched {
    const fn new(key: Key, now_us: i64) -> Self {
        Self {
            key,
            first_us: now_us,
            last_us: now_us,
            sightings: 0,
            mean_us: 0.0,
            squares: 0.0,
            told: false,
        }
    }

    fn rhythm(&self) -> Option<Rhythm> {
        if self.sightings < MIN_SIGHTINGS || self.mean_us < MIN_PERIOD_US {
            return None;
        }
        let gaps = f64::from(self.sightings - 1);
        let variation = (self.squares / gaps).max(0.0).sqrt() / self.mean_us;
        (variation <= MAX_VARIATION).then_some(Rhythm {
            key: self.key,
            period_s: self.mean_us / 1e6,
            variation,
            sightings: self.sightings,
            since_us: self.first_us,
        })
    }
}

/// Whether an alert shows in anything but the volumes: `alerting` are its metrics above the
/// threshold. Such traffic keeps the amounts of every day and differs in all else.
#[must_use]
pub fn hides_in_volumes(alerting: &[Metric]) -> bool {
    let volume = |metric: &Metric| {
        matches!(
            metric,
            Metric::PacketsOut
                | Metric::PacketsIn
                | Metric::BytesOut
                | Metric::BytesIn
                | Metric::MeanSizeOut
                | Metric::MeanSizeIn
        )
    };
    !alerting.is_empty() && !alerting.iter().any(volume)
}
