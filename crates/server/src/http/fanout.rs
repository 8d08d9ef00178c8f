//! Facts as they come, read from the database once however many pages listen.
//!
//! Invariant: what is kept is one run of the sequence without a gap; whoever stands before it reads the database.

use std::collections::VecDeque;
use std::sync::Arc;

use model::Tlp;
use platform::Platform;
use platform::db::{DbError, read_facts};
use tokio::sync::Mutex;

use super::events::shown;

/// Facts read at once.
pub const FACTS_PER_READ: i64 = 500;
/// Facts kept in memory for all readers.
pub const MAX_KEPT_FACTS: usize = 4_000;
/// Bytes of facts kept in memory for all readers.
pub const MAX_KEPT_BYTES: usize = 8 << 20;

/// A fact as it is written to every page.
#[derive(Debug)]
pub struct Told {
    /// Its place.
    pub seq: i64,
    /// `room.what_happened`.
    pub kind: String,
    /// Its label.
    pub tlp: Option<Tlp>,
    /// The event, ready to be written.
    pub text: String,
}

#[derive(Debug, Default)]
struct Kept {
    facts: VecDeque<Arc<Told>>,
    bytes: usize,
}

impl Kept {
    /// The facts after a position, if none between is missing.
    fn after(&self, seq: i64) -> Option<Vec<Arc<Told>>> {
        let first = self.facts.front()?.seq;
        if seq + 1 < first {
            return None;
        }
        let from = self.facts.partition_point(|told| told.seq <= seq);
        let most = usize::try_from(FACTS_PER_READ).unwrap_or(usize::MAX);
        Some(self.facts.iter().skip(from).take(most).cloned().collect())
    }

    fn keep(&mut self, fresh: &[Arc<Told>]) {
        for told in fresh {
            self.bytes += told.text.len();
            self.facts.push_back(Arc::clone(told));
        }
        while self.facts.len() > MAX_KEPT_FACTS || self.bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.facts.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }
}

/// What all readers share; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Fanout(Arc<Mutex<Kept>>);

impl Fanout {
    /// Facts after a position, at most [`FACTS_PER_READ`]. The first reader of a fact reads it for all.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn after(&self, platform: &Platform, seq: i64) -> Result<Vec<Arc<Told>>, DbError> {
        let mut kept = self.0.lock().await;
        match kept.after(seq) {
            Some(facts) if !facts.is_empty() => return Ok(facts),
            Some(_) => {}
            // Somebody who was away: what they missed is theirs alone, and nobody waits for it.
            None if !kept.facts.is_empty() => {
                drop(kept);
                return read(platform, seq).await;
            }
            None => {}
        }
        let fresh = read(platform, seq).await?;
        kept.keep(&fresh);
        Ok(fresh)
    }
}

async fn read(platform: &Platform, seq: i64) -> Result<Vec<Arc<Told>>, DbError> {
    let mut connection = platform.db.read().await?;
    let facts = read_facts(&mut connection, seq, &[], FACTS_PER_READ).await?;
    drop(connection);
    let told = facts.into_iter().map(|fact| {
        let (seq, kind, tlp) = (fact.seq, fact.kind.clone(), fact.tlp);
        // JSON written like this has no line break, so that it is one `data` line.
        let data = serde_json::json!(shown(fact));
        Arc::new(Told { seq, kind, tlp, text: format!("id: {seq}\nevent: fact\ndata: {data}\n\n") })
    });
    Ok(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seq: i64, bytes: usize) -> Arc<Told> {
        Arc::new(Told { seq, kind: "a.b".into(), tlp: None, text: "x".repeat(bytes) })
    }

    #[test]
    fn what_is_kept_has_no_gap_and_is_bounded() {
        let mut kept = Kept::default();
        assert!(kept.after(0).is_none(), "nothing is known yet");
        kept.keep(&(5..=9).map(|seq| told(seq, 10)).collect::<Vec<_>>());
        assert!(kept.after(3).is_none(), "fact 4 is not here");
        let seqs = |list: Vec<Arc<Told>>| list.iter().map(|one| one.seq).collect::<Vec<_>>();
        assert_eq!(kept.after(4).map(seqs), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(kept.after(8).map(seqs), Some(vec![9]));
        assert_eq!(kept.after(9).map(seqs), Some(vec![]));
        kept.keep(&(10..20).map(|seq| told(seq, MAX_KEPT_BYTES / 4)).collect::<Vec<_>>());
        assert!(kept.bytes <= MAX_KEPT_BYTES && kept.facts.len() <= 4, "{} bytes", kept.bytes);
    }
}
