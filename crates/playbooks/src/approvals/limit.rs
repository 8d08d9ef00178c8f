//! How often pages of links are asked for. Nobody guesses a link; this bounds the work that trying makes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use model::Timestamp;

/// Pages that one source may ask for in a minute.
pub(crate) const MAX_PER_MINUTE: u32 = 60;
/// Sources remembered; when there are more, all are forgotten.
const MAX_SOURCES: usize = 4_096;
/// A minute, microseconds.
const MINUTE_US: i64 = 60_000_000;

/// Counts by source, in memory.
#[derive(Default)]
pub(crate) struct Openings(Mutex<HashMap<String, (Timestamp, u32)>>);

impl Openings {
    /// Counts one; false when its source has had enough for this minute.
    pub(crate) fn admit(&self, source: &str, now: Timestamp) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_SOURCES && !counts.contains_key(source) {
            counts.retain(|_, (since, _)| now.micros_since(*since) < MINUTE_US);
            if counts.len() >= MAX_SOURCES {
                counts.clear();
            }
        }
        let (since, count) = counts.entry(source.to_owned()).or_insert((now, 0));
        if !(0..MINUTE_US).contains(&now.micros_since(*since)) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MAX_PER_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_asks_too_often_waits_and_stops_nobody_else() {
        let openings = Openings::default();
        let at = Timestamp::from_secs(1_000);
        let passed = (0..100).filter(|_| openings.admit("10.0.0.1", at)).count();
        assert_eq!(passed, MAX_PER_MINUTE as usize);
        assert!(openings.admit("10.0.0.2", at));
        assert!(!openings.admit("10.0.0.1", at.plus_secs(59)));
        assert!(openings.admit("10.0.0.1", at.plus_secs(60)));
        for n in 0..3 * MAX_SOURCES {
            openings.admit(&n.to_string(), at);
        }
        assert!(openings.0.lock().unwrap_or_else(PoisonError::into_inner).len() <= MAX_SOURCES);
    }
}
