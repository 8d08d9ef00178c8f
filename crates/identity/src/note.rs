//! Refusals become facts, but not as many as an attacker likes: one per kind and name in a while, the
//! next one says how many were left out. Every single one is counted in the metrics.

use std::sync::{Mutex, PoisonError};

use model::Timestamp;
use model::event::AccessNoted;
use platform::Platform;
use platform::db::DbError;

use crate::limit::Bounded;

/// Seconds between two facts of the same kind about the same name.
pub(crate) const QUIET_S: i64 = 10;
/// Facts about refusals within [`QUIET_S`], whatever they are about.
pub(crate) const MAX_FACTS_PER_QUIET: u32 = 20;
/// Characters of a name or detail that came from outside.
pub(crate) const MAX_NOTED_CHARS: usize = 120;

#[derive(Debug, Default)]
struct Counts {
    by_subject: Bounded<(String, String), (Timestamp, u64)>,
    window: Timestamp,
    in_window: u32,
}

/// Notes refusals.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Counts>);

impl Notes {
    /// Counts a refusal, and makes it a fact unless there were too many of late.
    pub(crate) async fn refused(&self, platform: &Platform, what: &str, who: &str, detail: &str) {
        metrics::counter!("sereno_access_refused_total", "what" => what.to_owned()).increment(1);
        let (who, mut detail) = (clean(who), clean(detail));
        let Some(left_out) = self.admit(what, &who, platform.now()) else { return };
        if left_out > 0 {
            detail.push_str(&format!("; and {left_out} more like this"));
        }
        tracing::warn!(what, who, detail, "access refused");
        let fact = AccessNoted { what: what.to_owned(), who, detail };
        let stored: Result<i64, DbError> = platform
            .db
            .write(move |tx| Box::pin(async move { tx.publish("system", &fact).await }))
            .await;
        if let Err(error) = stored {
            tracing::error!(%error, "a refusal could not be recorded");
        }
    }

    /// How many were left out before this one, or none when this one is left out too.
    fn admit(&self, what: &str, who: &str, now: Timestamp) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet_us = QUIET_S * 1_000_000;
        if now.micros_since(counts.window) >= quiet_us {
            counts.window = now;
            counts.in_window = 0;
        }
        let full = counts.in_window >= MAX_FACTS_PER_QUIET;
        let (last, left_out) = counts.by_subject.entry((what.to_owned(), who.to_owned()), now);
        if full || now.micros_since(*last) < quiet_us {
            *left_out += 1;
            return None;
        }
        *last = now;
        let before = std::mem::take(left_out);
        counts.in_window += 1;
        Some(before)
    }
}

/// Text from outside, short and without control characters.
pub(crate) fn clean(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { '·' } else { c });
    visible.take(MAX_NOTED_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_few_facts_and_says_how_many_it_was() {
        let notes = Notes::default();
        let at = |s: i64| Timestamp::from_secs(1_700_000_000 + s);
        assert_eq!(notes.admit("sign_in_refused", "ana", at(0)), Some(0));
        for _ in 0..50 {
            assert_eq!(notes.admit("sign_in_refused", "ana", at(1)), None);
        }
        assert_eq!(notes.admit("sign_in_refused", "ana", at(QUIET_S)), Some(50));
        let many = (0..1_000).filter(|n| {
            notes.admit("sign_in_refused", &format!("user {n}"), at(QUIET_S)).is_some()
        });
        assert_eq!(many.count(), MAX_FACTS_PER_QUIET as usize - 1);
    }

    #[test]
    fn names_from_outside_are_tamed() {
        assert_eq!(clean("ana\n\u{1b}[31mroot"), "ana··[31mroot");
        assert_eq!(clean(&"x".repeat(10_000)).len(), MAX_NOTED_CHARS);
    }
}
