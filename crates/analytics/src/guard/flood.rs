//! Flooding that starves the detector: fake devices that take the places of real ones, and one
//! device that takes the time of all others.

use serde::{Deserialize, Serialize};

/// Unknown devices admitted at once from one source.
pub const NEW_DEVICES_BURST: u32 = 4_096;
/// Unknown devices admitted an hour after that, packet time.
pub const NEW_DEVICES_PER_HOUR: u32 = 1_024;
/// Windows of a device that fit into one batch before it is sampled.
pub const MAX_WINDOWS_PER_DEVICE: usize = 4_096;
/// A device that was only met briefly gives way after being away for so long.
const AWAY_US: i64 = 3_600_000_000;
/// Windows up to which a device was only met briefly.
const BRIEF_WINDOWS: i64 = 6;
const HOUR_US: f64 = 3_600e6;

/// How many new devices one source may bring: a bucket that fills with packet time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Admission {
    tokens: f64,
    last_us: i64,
    refused: u64,
    told: bool,
}

impl Default for Admission {
    fn default() -> Self {
        Self { tokens: f64::from(NEW_DEVICES_BURST), last_us: i64::MIN, refused: 0, told: false }
    }
}

impl Admission {
    /// Whether one more new device may come in at `now_us` of packet time.
    pub fn admit(&mut self, now_us: i64) -> bool {
        if self.last_us == i64::MIN {
            self.last_us = now_us;
        }
        // A clock that jumps back gives nothing; one that jumps forward at most a full bucket.
        let passed_us = now_us.saturating_sub(self.last_us).max(0);
        self.last_us = self.last_us.max(now_us);
        let gained = passed_us as f64 / HOUR_US * f64::from(NEW_DEVICES_PER_HOUR);
        self.tokens = (self.tokens + gained).min(f64::from(NEW_DEVICES_BURST));
        if self.tokens < 1.0 {
            self.refused = self.refused.saturating_add(1);
            return false;
        }
        self.tokens -= 1.0;
        if self.tokens >= f64::from(NEW_DEVICES_BURST / 2) {
            self.told = false;
        }
        true
    }

    /// Devices turned away since the start.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// True once per flood: devices were turned away and it was not told yet.
    pub fn is_news(&mut self) -> bool {
        let news = self.refused > 0 && self.tokens < 1.0 && !self.told;
        self.told |= news;
        news
    }
}

/// Shares a capacity among demands so that nobody gets more than asked for and no demand below the
/// equal share goes short (max–min fairness).
#[must_use]
pub fn fair_shares(demands: &[usize], capacity: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|place| demands[*place]);
    let mut shares = vec![0; demands.len()];
    let mut left = capacity;
    for (done, place) in order.iter().enumerate() {
        let equal = left / (demands.len() - done);
        shares[*place] = demands[*place].min(equal);
        left -= shares[*place];
    }
    shares
}

/// Whether item `place` of `total` is among `kept` items spread evenly, the first always included.
#[must_use]
pub fn is_sampled(place: usize, total: usize, kept: usize) -> bool {
    if kept >= total {
        return true;
    }
    let before = |place: usize| (place * kept).div_ceil(total.max(1));
    before(place + 1) > before(place)
}

/// A device as the question "who gives way?" sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<I> {
    /// Which.
    pub id: I,
    /// Windows learned from so far.
    pub learned: i64,
    /// End of its newest window.
    pub last_us: i64,
    /// Whether it has a model: then it never gives way.
    pub watched: bool,
}

/// Who gives way when all places are taken: a device met briefly and long away. None of those: none.
pub fn gives_way<I: Ord + Copy>(places: impl Iterator<Item = Place<I>>, now_us: i64) -> Option<I> {
    places
        .filter(|place| {
            !place.watched
                && place.learned <= BRIEF_WINDOWS
                && now_us.saturating_sub(place.last_us) >= AWAY_US
        })
        .min_by_key(|place| (place.learned, place.last_us, place.id))
        .map(|place| place.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_are_fair(demands in proptest::collection::vec(0_usize..500, 1..40), capacity in 0_usize..4_000) {
            let shares = fair_shares(&demands, capacity);
            let total: usize = shares.iter().sum();
            prop_assert!(total <= capacity);
            prop_assert!(shares.iter().zip(&demands).all(|(share, demand)| share <= demand));
            let equal = capacity / demands.len();
            prop_assert!(shares.iter().zip(&demands).all(|(share, demand)| *share >= equal.min(*demand)));
            let asked: usize = demands.iter().sum();
            // Nothing is left over while somebody goes short, but for the remainder of a division.
            prop_assert!(total == asked || capacity - total < demands.len());
        }

        #[test]
        fn samples_are_even_and_exact(total in 1_usize..2_000, kept in 0_usize..2_500) {
            let taken: Vec<usize> = (0..total).filter(|place| is_sampled(*place, total, kept)).collect();
            prop_assert_eq!(taken.len(), kept.min(total));
            if kept > 0 {
                prop_assert_eq!(taken[0], 0);
                let widest = taken.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(1);
                prop_assert!(widest <= total.div_ceil(kept));
            }
        }
    }

    /// A million fake devices in ten minutes, one real device that was there before, one after.
    #[test]
    fn a_million_fake_devices_do_not_push_out_a_real_one() {
        const PLACES: usize = 8_192;
        let mut guarded: std::collections::BTreeMap<u32, (i64, i64)> = [(7, (400, 0))].into();
        let mut unguarded: std::collections::BTreeSet<u32> = [7].into();
        let mut admission = Admission::default();
        let mut news = 0;
        for fake in 0..1_000_000_u32 {
            let now_us = i64::from(fake) * 600;
            if unguarded.len() < PLACES {
                unguarded.insert(1_000 + fake);
            }
            if admission.admit(now_us) && guarded.len() < PLACES {
                guarded.insert(1_000 + fake, (1, now_us));
            }
            news += u32::from(admission.is_news());
        }
        assert_eq!(unguarded.len(), PLACES, "first come, first served: no place is left");
        let most = 1 + NEW_DEVICES_BURST + NEW_DEVICES_PER_HOUR;
        assert!(guarded.len() <= most as usize, "{}", guarded.len());
        assert!(guarded.contains_key(&7));
        assert!(admission.refused() > 990_000);
        assert_eq!(news, 1, "told once, not a million times");
        // Hours later a real device comes: it is let in.
        let later = 4 * 3_600_000_000;
        assert!(admission.admit(later));
        let places = guarded.iter().map(|(id, (learned, last_us))| Place {
            id: *id,
            learned: *learned,
            last_us: *last_us,
            watched: *id == 7,
        });
        let victim = gives_way(places, later).unwrap();
        assert!(victim >= 1_000, "a fake one gives way, never the watched one");
    }
}
