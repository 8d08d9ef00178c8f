//! Sets of numbered points.

use serde::{Deserialize, Serialize};

/// Intervals of one set; beyond, the two closest become one, which widens the set.
pub const MAX_INTERVALS: usize = 256;

/// Points from `first` to `last`, both inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// First point.
    pub first: u32,
    /// Last point.
    pub last: u32,
}

/// Points of one address space, in order, without overlap or neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Intervals(pub Vec<Interval>);

impl Intervals {
    /// Adds points; returns whether the bound forced a widening.
    pub fn add(&mut self, first: u32, last: u32) -> bool {
        let (mut first, mut last) = (first.min(last), first.max(last));
        let begin = self.0.partition_point(|have| have.last.saturating_add(1) < first);
        let mut end = begin;
        while let Some(have) = self.0.get(end) {
            if have.first > last.saturating_add(1) {
                break;
            }
            first = first.min(have.first);
            last = last.max(have.last);
            end += 1;
        }
        self.0.splice(begin..end, [Interval { first, last }]);
        let widened = self.0.len() > MAX_INTERVALS;
        if widened {
            let gap = |pair: &[Interval]| pair[1].first - pair[0].last;
            let closest = self.0.windows(2).enumerate().min_by_key(|(_, pair)| gap(pair));
            if let Some((place, _)) = closest {
                let next = self.0.remove(place + 1);
                self.0[place].last = next.last;
            }
        }
        widened
    }

    /// Whether every point is inside.
    #[must_use]
    pub fn holds(&self, first: u32, last: u32) -> bool {
        let place = self.0.partition_point(|have| have.last < first);
        self.0.get(place).is_some_and(|have| have.first <= first && last <= have.last)
    }

    /// Whether the intervals are in order, sound and apart.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.0.len() <= MAX_INTERVALS
            && self.0.iter().all(|have| have.first <= have.last)
            && self.0.windows(2).all(|pair| pair[0].last < pair[1].first)
    }
}

impl std::fmt::Display for Intervals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const TOLD: usize = 8;
        for (place, have) in self.0.iter().take(TOLD).enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            if have.first == have.last {
                write!(f, "{comma}{}", have.first)?;
            } else {
                write!(f, "{comma}{}-{}", have.first, have.last)?;
            }
        }
        if self.0.len() > TOLD {
            write!(f, " and {} more ranges", self.0.len() - TOLD)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_holds_what_was_added_and_nothing_else(
            added in proptest::collection::vec((0_u32..200, 0_u32..6), 0..40),
        ) {
            let (mut set, mut points) = (Intervals::default(), BTreeSet::new());
            for (first, more) in added {
                prop_assert!(!set.add(first, first + more));
                points.extend(first..=first + more);
            }
            prop_assert!(set.is_sound());
            for point in 0..210 {
                prop_assert_eq!(set.holds(point, point), points.contains(&point));
            }
        }

        #[test]
        fn the_bound_widens_and_never_forgets(
            added in proptest::collection::vec(any::<u32>(), MAX_INTERVALS..MAX_INTERVALS + 60),
        ) {
            let mut set = Intervals::default();
            for point in &added {
                set.add(*point, *point);
            }
            prop_assert!(set.is_sound());
            prop_assert!(added.iter().all(|point| set.holds(*point, *point)));
        }
    }
}
