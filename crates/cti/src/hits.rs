//! Values that the node's own playbooks looked up and found: a fact each, so that others can be told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ::intel::Sight;
use model::Timestamp;
use model::event::IntelHit;
use ports::PortError;
use stix::Tlp;

use crate::error::CtiError;
use crate::intel::{look_up, source_name};
use crate::room::Cti;

/// A value that is found again within so many microseconds is no news (an hour).
const QUIET_US: i64 = 3_600_000_000;
/// Values remembered at most; then all are forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// What was told a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<HashMap<String, Timestamp>>);

impl Told {
    /// Whether a hit is news; it is remembered.
    fn is_news(&self, value: &str, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(value).is_some_and(|at| now.micros_since(*at) < QUIET_US) {
            return false;
        }
        if told.len() >= MAX_REMEMBERED {
            told.clear();
        }
        told.insert(value.to_owned(), now);
        true
    }
}

/// Publishes that a value is known, once an hour. Facts are read under every role, so that only what TLP:GREEN lets
/// everybody here read becomes one.
pub(crate) async fn note(cti: &Cti, value: &str) -> Result<(), PortError> {
    let found = look_up(cti, value, Sight::up_to(Tlp::Green)).await?;
    if !found.known || !cti.told().is_news(&found.value, cti.platform().now()) {
        return Ok(());
    }
    let mut sources: Vec<String> =
        found.words.iter().filter(|word| word.counts()).map(source_name).collect();
    sources.sort_unstable();
    sources.dedup();
    let hit = IntelHit { value: found.value, summary: found.summary, sources };
    let done: Result<(), CtiError> = cti
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                tx.publish("system", &hit).await?;
                Ok(())
            })
        })
        .await;
    Ok(done?)
}
