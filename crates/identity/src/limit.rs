//! How often a sign-in may fail. Failures count per source and per name, but a source from which the
//! name has signed in before is counted for itself: strangers cannot lock a person out of the place
//! they work from, and the admin socket is never limited.

use std::collections::HashMap;
use std::hash::Hash;

use model::Timestamp;

/// Failures are remembered this long, seconds.
pub const WINDOW_S: i64 = 300;
/// Failures of one source, whatever the name.
pub const MAX_PER_SOURCE: usize = 30;
/// Failures for one name from sources it has not signed in from.
pub const MAX_PER_NAME: usize = 10;
/// Failures for one name from a source it has signed in from.
pub const MAX_PER_NAME_AND_SOURCE: usize = 10;
/// Keys remembered at most; beyond, the one whose last failure is oldest is forgotten.
pub(crate) const MAX_KEYS: usize = 4_096;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Source(String),
    Name(String),
    Both(String, String),
}

/// Failures and known places; kept in memory.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    failures: Bounded<Key, Vec<Timestamp>>,
    known: Bounded<(String, String), Timestamp>,
}

impl Limits {
    /// Seconds to wait, or none when a try is welcome.
    pub(crate) fn wait_s(
        &self,
        name: &str,
        source: &str,
        per_source: usize,
        now: Timestamp,
    ) -> Option<i64> {
        self.longest(self.keys(name, source, per_source), now)
    }

    /// The same for credentials that name nobody.
    pub(crate) fn source_wait_s(&self, source: &str, most: usize, now: Timestamp) -> Option<i64> {
        self.longest(vec![(Key::Source(source.to_owned()), most)], now)
    }

    fn longest(&self, keys: Vec<(Key, usize)>, now: Timestamp) -> Option<i64> {
        keys.into_iter()
            .filter_map(|(key, limit)| {
                let failures = self.failures.items.get(&key)?;
                let recent: Vec<_> = failures
                    .iter()
                    .filter(|at| now.micros_since(**at) < WINDOW_S * 1_000_000)
                    .collect();
                let oldest = recent.len().checked_sub(limit).and_then(|at| recent.get(at))?;
                Some((WINDOW_S - now.micros_since(**oldest) / 1_000_000).max(1))
            })
            .max()
    }

    pub(crate) fn failed(&mut self, name: &str, source: &str, per_source: usize, now: Timestamp) {
        self.count(self.keys(name, source, per_source), now);
    }

    /// The same for credentials that name nobody.
    pub(crate) fn source_failed(&mut self, source: &str, most: usize, now: Timestamp) {
        self.count(vec![(Key::Source(source.to_owned()), most)], now);
    }

    fn count(&mut self, keys: Vec<(Key, usize)>, now: Timestamp) {
        for (key, limit) in keys {
            let list = self.failures.entry(key, now);
            list.push(now);
            let surplus = list.len().saturating_sub(limit);
            list.drain(..surplus);
        }
    }

    pub(crate) fn succeeded(&mut self, name: &str, source: &str, now: Timestamp) {
        *self.known.entry((name.to_owned(), source.to_owned()), now) = now;
        self.failures.remove(&Key::Both(name.to_owned(), source.to_owned()));
    }

    /// The name is known at this place: somebody proved that they signed in there before.
    pub(crate) fn vouch(&mut self, name: &str, place: &str, now: Timestamp) {
        *self.known.entry((name.to_owned(), place.to_owned()), now) = now;
    }

    fn keys(&self, name: &str, source: &str, per_source: usize) -> Vec<(Key, usize)> {
        let both = (name.to_owned(), source.to_owned());
        if self.known.items.contains_key(&both) {
            return vec![(Key::Both(both.0, both.1), MAX_PER_NAME_AND_SOURCE)];
        }
        vec![(Key::Source(both.1), per_source), (Key::Name(both.0), MAX_PER_NAME)]
    }
}

/// A map that never holds more than [`MAX_KEYS`].
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    items: HashMap<K, V>,
    touched: HashMap<K, Timestamp>,
}

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self { items: HashMap::new(), touched: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, V: Default> Bounded<K, V> {
    /// The value under `key`, made when new.
    pub(crate) fn entry(&mut self, key: K, now: Timestamp) -> &mut V {
        if !self.items.contains_key(&key) && self.items.len() >= MAX_KEYS {
            let oldest = self.touched.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.remove(&oldest);
            }
        }
        self.touched.insert(key.clone(), now);
        self.items.entry(key).or_default()
    }

    fn remove(&mut self, key: &K) {
        self.items.remove(key);
        self.touched.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + seconds)
    }

    #[test]
    fn strangers_are_stopped_and_the_person_is_not() {
        let mut limits = Limits::default();
        limits.succeeded("ana", "10.0.0.1", at(0));
        for n in 0..100 {
            limits.failed("ana", &format!("10.9.9.{n}"), MAX_PER_SOURCE, at(1));
        }
        assert!(
            limits.wait_s("ana", "10.9.9.200", MAX_PER_SOURCE, at(2)).is_some(),
            "a stranger waits"
        );
        assert_eq!(
            limits.wait_s("ana", "10.0.0.1", MAX_PER_SOURCE, at(2)),
            None,
            "ana at her desk does not"
        );
        assert_eq!(
            limits.wait_s("ben", "10.9.9.200", MAX_PER_SOURCE, at(2)),
            None,
            "others do not"
        );
        assert_eq!(
            limits.wait_s("ana", "10.9.9.200", MAX_PER_SOURCE, at(2 + WINDOW_S)),
            None,
            "it passes"
        );
    }

    #[test]
    fn a_source_that_tries_many_names_waits() {
        let mut limits = Limits::default();
        for n in 0..MAX_PER_SOURCE {
            assert_eq!(
                limits.wait_s(&format!("user {n}"), "10.9.9.9", MAX_PER_SOURCE, at(0)),
                None
            );
            limits.failed(&format!("user {n}"), "10.9.9.9", MAX_PER_SOURCE, at(0));
        }
        let wait = limits.wait_s("somebody", "10.9.9.9", MAX_PER_SOURCE, at(10));
        assert_eq!(wait, Some(WINDOW_S - 10));
        assert_eq!(limits.wait_s("somebody", "10.9.9.8", MAX_PER_SOURCE, at(10)), None);
        limits.succeeded("ana", "10.9.9.9", at(11));
        assert_eq!(
            limits.wait_s("ana", "10.9.9.9", MAX_PER_SOURCE, at(12)),
            None,
            "known there, so judged alone"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut limits = Limits::default();
        for n in 0..2 * MAX_KEYS as i64 {
            limits.failed(&format!("user {n}"), "10.9.9.9", MAX_PER_SOURCE, at(n));
        }
        assert_eq!(limits.failures.items.len(), MAX_KEYS);
        assert_eq!(limits.failures.touched.len(), MAX_KEYS);
    }
}
