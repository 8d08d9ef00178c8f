//! What was read a moment ago and has not changed since.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Entries kept at most; beyond, all are forgotten and read again.
const MAX_ENTRIES: usize = 4_096;

/// A bounded map that a change empties.
#[derive(Debug)]
pub(crate) struct Cache<K, V>(Mutex<(u64, HashMap<K, V>)>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::new((0, HashMap::new())))
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// What is kept under a key, and the number of changes so far: to be handed to [`Self::keep`] with what is read now.
    pub(crate) fn get(&self, key: &K) -> (Option<V>, u64) {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (held.1.get(key).cloned(), held.0)
    }

    /// Keeps what was read, unless something changed since.
    pub(crate) fn keep(&self, change: u64, key: K, value: V) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 != change {
            return;
        }
        if held.1.len() >= MAX_ENTRIES {
            held.1.clear();
        }
        held.1.insert(key, value);
    }

    /// To be called after the commit of a change.
    pub(crate) fn clear(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.0 += 1;
        held.1.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cache: Cache<u8, u8> = Cache::default();
        let (none, change) = cache.get(&1);
        assert_eq!(none, None);
        cache.clear();
        cache.keep(change, 1, 7);
        assert_eq!(cache.get(&1).0, None);
        cache.keep(cache.get(&1).1, 1, 8);
        assert_eq!(cache.get(&1).0, Some(8));
    }
}
