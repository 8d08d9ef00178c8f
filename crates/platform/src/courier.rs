//! Messages between nodes: any room may post letters, and take letters of its kinds. `federation` carries them.
//!
//! Invariants: letters of one node to another arrive in the order they were posted, each once; posting is part of the
//! poster's transaction, taking is part of the transaction that acknowledges.

use async_trait::async_trait;
use model::PeerId;
use serde_json::Value;

use crate::db::{DbError, Tx};
use crate::peers::Peer;

/// What is to be told to another node.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// The recipient.
    pub to: PeerId,
    /// What it is about, `room.word`, e.g. `communities.membership`: who takes it knows it by this.
    pub kind: String,
    /// The same key to the same recipient is posted once.
    pub key: String,
    /// The content, in the kind's own shape.
    pub body: Value,
}

/// Carries letters, also to nodes that are away now.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Queues a letter within the caller's transaction; false when its key was posted before.
    async fn post(&self, tx: &mut Tx, letter: Letter) -> Result<bool, DbError>;
}

/// A room that takes letters.
#[async_trait]
pub trait Correspondent: Send + Sync {
    /// The kinds it takes.
    fn kinds(&self) -> &'static [&'static str];

    /// Takes one letter in the transaction that acknowledges it. `Err` inside: it is refused for good with this reason,
    /// which the sender reads; the room changed nothing then. An outer error: it is sent again later.
    async fn take(
        &self,
        tx: &mut Tx,
        from: &Peer,
        kind: &str,
        body: &Value,
    ) -> Result<Result<(), String>, DbError>;

    /// Hears once what became of a letter of its kinds that it posted under `key`: taken, or refused for good with the
    /// reason that the recipient `by` signed. Part of the transaction that settles the letter.
    ///
    /// # Errors
    /// The database says no; the answer is settled again later.
    async fn answered(
        &self,
        _tx: &mut Tx,
        _by: &Peer,
        _key: &str,
        _refused: Option<&str>,
    ) -> Result<(), DbError> {
        Ok(())
    }
}
