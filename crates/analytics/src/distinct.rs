//! How many different values there are in a set that is merged, stored and sent.
//!
//! The smallest digests are kept (Bar-Yossef et al., *Counting distinct elements in a data stream*,
//! 2002; Beyer et al., *On synopses for distinct-value estimation*, 2007): the smallest of two sets
//! together are the smallest of both, whichever way they were put together.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Number of digests there are.
const DIGESTS: f64 = 4_294_967_296.0;

/// The `K` smallest digests of a set, rising: the count is exact below `K`, from there on estimated
/// (standard error about `1 / √K`). Two values share a digest once in four thousand million pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distinct<const K: usize>(Vec<u32>);

impl<const K: usize> Distinct<K> {
    /// Whether it holds nothing.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a value, by a well-mixed digest of it.
    pub fn insert(&mut self, digest: u64) {
        self.insert_short((digest >> 32) as u32);
    }

    fn insert_short(&mut self, digest: u32) {
        let Err(place) = self.0.binary_search(&digest) else { return };
        if place >= K {
            return;
        }
        if self.0.len() >= K {
            self.0.pop();
        }
        self.0.insert(place, digest);
    }

    /// Takes all values of another set.
    pub fn merge(&mut self, other: &Self) {
        for digest in &other.0 {
            self.insert_short(*digest);
        }
    }

    /// Different values: exact below `K`.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self.0.last() {
            Some(largest) if self.0.len() >= K => {
                let share = (f64::from(*largest) + 1.0) / DIGESTS;
                (((K - 1) as f64 / share).round() as u64).max(K as u64)
            }
            _ => self.0.len() as u64,
        }
    }
}

impl<const K: usize> Serialize for Distinct<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, const K: usize> Deserialize<'de> for Distinct<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digests = Vec::<u32>::deserialize(deserializer)?;
        if digests.len() > K {
            return Err(D::Error::custom(format!("{} digests, the limit is {K}", digests.len())));
        }
        if digests.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(D::Error::custom("digests must rise"));
        }
        Ok(Self(digests))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::host::mix;

    fn set(values: &[u16]) -> Distinct<8> {
        let mut set = Distinct::default();
        values.iter().for_each(|value| set.insert(mix(u64::from(*value))));
        set
    }

    proptest! {
        #[test]
        fn sets_are_put_together_in_any_way(
            a in proptest::collection::vec(0_u16..40, 0..30),
            b in proptest::collection::vec(0_u16..40, 0..30),
            c in proptest::collection::vec(0_u16..40, 0..30),
        ) {
            let together = set(&[a.clone(), b.clone(), c.clone()].concat());
            let (mut left, mut right) = (set(&a), set(&b));
            left.merge(&right);
            left.merge(&set(&c));
            right.merge(&set(&c));
            right.merge(&set(&a));
            prop_assert_eq!(&left, &together);
            prop_assert_eq!(&right, &together);
            let exact: BTreeSet<u16> = [a, b, c].concat().into_iter().collect();
            if exact.len() < 8 {
                prop_assert_eq!(together.count(), exact.len() as u64);
            } else {
                prop_assert!(together.count() >= 8);
            }
            let json = serde_json::to_string(&together).unwrap();
            prop_assert_eq!(serde_json::from_str::<Distinct<8>>(&json).unwrap(), together);
        }
    }

    #[test]
    fn beyond_the_bound_the_count_is_near() {
        let mut set = Distinct::<256>::default();
        (0..20_000_u64).for_each(|value| set.insert(mix(value)));
        let share = set.count() as f64 / 20_000.0;
        assert!((share - 1.0).abs() < 0.2, "{share}");
    }

    #[test]
    fn foreign_digests_are_refused() {
        for (text, word) in [("[3,1]", "rise"), ("[1,2,3,4,5,6,7,8,9]", "limit is 8")] {
            let error = serde_json::from_str::<Distinct<8>>(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
