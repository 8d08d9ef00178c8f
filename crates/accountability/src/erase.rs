//! Erasure: what an entry says goes, its leaf stays, and that it was erased is itself an entry.

use model::event::Payload;
use serde::{Deserialize, Serialize};

use crate::Accountability;
use crate::error::LedgerError;
use crate::store;

/// An entry of the log was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryErased {
    /// Its position.
    pub index: u64,
    /// The legal ground or the retention rule.
    pub reason: String,
}

impl Payload for EntryErased {
    const KIND: &'static str = "accountability.entry_erased";
    fn subject(&self) -> String {
        format!("entry {}", self.index)
    }
    fn sentence(&self) -> String {
        format!("Entry {} was erased: {}", self.index, self.reason)
    }
}

impl Accountability {
    /// Erases what entry `index` says, here and in the outbox. Its position and its leaf stay, so
    /// every proof still holds; the erasure is a fact of its own and cannot be erased.
    ///
    /// # Errors
    /// No such entry, it is an erasure itself, or the database said no. Erasing twice is fine.
    pub async fn erase(&self, index: u64, actor: &str, reason: &str) -> Result<(), LedgerError> {
        let (actor, reason) = (actor.to_owned(), reason.to_owned());
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let entry = store::entry(tx.sql(), index).await?;
                    let entry = entry.ok_or(LedgerError::NotFound(index))?;
                    if entry.erased {
                        return Ok(());
                    }
                    if entry.kind == EntryErased::KIND {
                        let text = format!("entry {index} accounts for an erasure and stays");
                        return Err(LedgerError::Invalid(text));
                    }
                    store::erase(tx, &entry).await?;
                    tx.publish(&actor, &EntryErased { index, reason }).await?;
                    Ok(())
                })
            })
            .await
    }
}
