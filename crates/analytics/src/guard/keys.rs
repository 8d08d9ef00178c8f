//! New peers and services on probation: seen several times over a long enough time in trusted
//! windows, and only a few a day.

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::record::{KeyCount, WindowRecord};

/// Keys on probation at the same time; of more the longest unseen gives way.
pub const MAX_PROBATION: usize = 64;
/// Trusted windows a key must be seen in.
pub const MIN_WINDOWS: u32 = 4;
/// Time from its first to its last trusted window, at least.
pub const MIN_SPAN_US: i64 = 3_600_000_000;
/// A key not seen for this long starts again.
const FORGET_US: i64 = 7 * 86_400_000_000;
/// Keys learned a day at most.
pub const MAX_KEYS_PER_DAY: u32 = 8;
/// Length of a day, packet time.
pub const DAY_US: i64 = 86_400_000_000;

/// A peer with protocol and service port.
pub type Key = (Host, u8, u16);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Candidate {
    key: Key,
    first_us: i64,
    last_us: i64,
    windows: u32,
}

/// The keys on probation of one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probation {
    candidates: Vec<Candidate>,
    day: i64,
    learned_today: u32,
    /// Keys that gave way or had to wait, since the start.
    postponed: u64,
}

impl Probation {
    /// Takes a trusted window; gives the keys that have become known.
    pub fn observe(
        &mut self,
        record: &WindowRecord,
        known: impl Fn(&KeyCount) -> bool,
    ) -> Vec<Key> {
        let now_us = record.start_us;
        if now_us.div_euclid(DAY_US) != self.day {
            (self.day, self.learned_today) = (now_us.div_euclid(DAY_US), 0);
        }
        self.candidates.retain(|candidate| {
            now_us.saturating_sub(candidate.last_us) <= FORGET_US && candidate.first_us <= now_us
        });
        let mut learned = Vec::new();
        for count in record.keys.iter().filter(|key| !known(key)) {
            let key = (count.peer, count.protocol, count.port);
            let place = self.place_of(key, now_us);
            let candidate = &mut self.candidates[place];
            candidate.windows = candidate.windows.saturating_add(1);
            candidate.last_us = candidate.last_us.max(now_us);
            let proven = candidate.windows >= MIN_WINDOWS
                && candidate.last_us - candidate.first_us >= MIN_SPAN_US;
            if proven && self.learned_today < MAX_KEYS_PER_DAY {
                self.learned_today += 1;
                self.candidates.swap_remove(place);
                learned.push(key);
            } else if proven {
                self.postponed += 1;
            }
        }
        learned
    }

    /// Keys waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    fn place_of(&mut self, key: Key, now_us: i64) -> usize {
        if let Some(place) = self.candidates.iter().position(|known| known.key == key) {
            return place;
        }
        let fresh = Candidate { key, first_us: now_us, last_us: now_us, windows: 0 };
        if self.candidates.len() < MAX_PROBATION {
            self.candidates.push(fresh);
            return self.candidates.len() - 1;
        }
        self.postponed += 1;
        let oldest = (0..self.candidates.len()).min_by_key(|place| self.candidates[*place].last_us);
        let place = oldest.unwrap_or(0);
        self.candidates[place] = fresh;
        place
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::metrics::COUNTS;
    use crate::record::RECORD_VERSION;

    fn window(at_s: i64, peers: impl Iterator<Item = u8>) -> WindowRecord {
        WindowRecord {
            version: RECORD_VERSION,
            device: Host::v4([10, 0, 0, 1].into()),
            mac: None,
            start_us: at_s * 1_000_000,
            end_us: (at_s + 10) * 1_000_000,
            counts: [0; COUNTS],
            keys: peers
                .map(|last| KeyCount::new(Host::v4([192, 0, 2, last].into()), 6, 443, 2))
                .collect(),
            ..serde_json::from_value(serde_json::json!({
                "version": RECORD_VERSION, "device": "10.0.0.1", "start_us": 0, "end_us": 1,
                "counts": vec![0; COUNTS], "keys": [], "overflow_packets": 0
            }))
            .unwrap()
        }
    }

    #[test]
    fn a_key_needs_windows_and_time() {
        let mut probation = Probation::default();
        for second in 0..10 {
            assert_eq!(probation.observe(&window(second * 10, 1..2), |_| false), []);
        }
        let learned = probation.observe(&window(3_600, 1..2), |_| false);
        assert_eq!(learned, [(Host::v4([192, 0, 2, 1].into()), 6, 443)]);
        assert!(probation.is_empty());
    }

    #[test]
    fn a_crowd_is_learned_slowly_and_memory_is_bounded() {
        let mut probation = Probation::default();
        let mut learned = 0;
        for hour in 0..12 {
            learned += probation.observe(&window(hour * 3_600, 0..40), |_| false).len();
        }
        assert_eq!(learned, MAX_KEYS_PER_DAY as usize);
        probation.observe(&window(50_000, 0..200), |_| false);
        assert_eq!(probation.len(), MAX_PROBATION);
    }
}
