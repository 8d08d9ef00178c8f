//! The accountability log: every fact of the node becomes one entry of a Merkle tree in the manner
//! of RFC 9162, with a signed head for every size the tree has had.
//!
//! Invariants
//! - One entry per fact, in the order of the facts; the entry, the inner nodes it completes and the
//!   signed head are one transaction with the consumer's cursor.
//! - A leaf is a salted commitment: an entry can be erased and every proof still holds.
//! - Verification trusts the node's public key and nothing else in the database.
//!
//! What cannot be seen from the inside: whoever holds the node's key can write a new history. A head
//! kept elsewhere (a receipt, a printed root) and a consistency proof uncover that.
//!
//! Entry points: [`Accountability`], [`verify_folder`], [`verify_proof`], [`merkle`].

mod append;
mod config;
mod entry;
mod erase;
mod error;
mod head;
mod http;
pub mod merkle;
mod proof;
mod pseudonym;
mod store;
mod verify;

use std::sync::Arc;

use platform::Platform;
use platform::bus::Consumer;
use platform::db::{Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::{Permission, RoomRouter};
use tokio::sync::Mutex;
use utoipa_axum::routes;

pub use config::Config;
pub use entry::{SALT_BYTES, body_of, leaf_of};
pub use erase::EntryErased;
pub use error::LedgerError;
pub use head::{TreeHead, origin_of};
pub use proof::{
    Checked, ConsistencyProof, EntryProof, MAX_PATH_HASHES, ProofError, RevealedEntry, verify_proof,
};
pub use pseudonym::Pseudonyms;
pub use verify::{Altered, VerifyReport, verify, verify_file, verify_folder};

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "accountability",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_accountability.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_labels.sql") },
    ],
};

/// Facts the log may lag behind before the doctor speaks of it.
pub const MAX_LAG_FACTS: i64 = 1_000;

/// The log of a node.
#[derive(Clone)]
pub struct Accountability {
    platform: Platform,
    /// One verification at a time: it reads the whole log.
    verifying: Arc<Mutex<()>>,
}

impl Accountability {
    /// The log of a node.
    pub fn new(platform: Platform, _config: Config) -> Self {
        Self { platform, verifying: Arc::default() }
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        let read = Permission("accountability.read");
        RoomRouter::<Self>::default()
            .route(read, routes!(http::head::head))
            .route(read, routes!(http::entries::entries))
            .route(read, routes!(http::proof::proof))
            .route(read, routes!(http::consistency::consistency))
            .route(read, routes!(http::verify::verify))
            .with_state(self.clone())
    }

    /// The consumer of all facts.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(append::Scribe::new(&self.platform))]
    }

    /// The newest signed tree head; `None` before the first entry.
    ///
    /// # Errors
    /// The database said no.
    pub async fn head(&self) -> Result<Option<TreeHead>, LedgerError> {
        let mut sql = self.platform.db.read().await?;
        Ok(store::head(&mut sql, None, &self.key()).await?)
    }

    /// Checks the whole log.
    ///
    /// # Errors
    /// The database said no; an altered log is not an error but the answer.
    pub async fn verify(&self) -> Result<VerifyReport, LedgerError> {
        let _one = self.verifying.lock().await;
        let mut sql = self.platform.db.read().await?;
        verify::verify(&mut sql, &self.platform.signer.public_key()).await
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        let part = match self.state().await {
            Ok((_, _, dead)) if dead > 0 => Component::not_ok(
                "accountability log",
                Health::Failed,
                format!("{dead} facts could not be taken into the log"),
                "Run `sereno ledger verify`; it names the first altered entry.",
            ),
            Ok((size, lag, _)) if lag > MAX_LAG_FACTS => Component::not_ok(
                "accountability log",
                Health::Degraded,
                format!("{size} entries, {lag} facts behind"),
                "It catches up by itself; if not, see the node's log.",
            ),
            Ok((size, _, _)) => {
                Component::ok("accountability log", format!("{size} entries, head signed"))
            }
            Err(error) => Component::not_ok(
                "accountability log",
                Health::Failed,
                error.to_string(),
                "See the node's log; check the disk of the data folder.",
            ),
        };
        vec![part]
    }

    /// Entries, facts still to take, facts set aside.
    async fn state(&self) -> Result<(u64, i64, usize), LedgerError> {
        let mut sql = self.platform.db.read().await?;
        let size = store::size(&mut sql).await?;
        let (_, cursor) = store::outbox_span(&mut sql).await?;
        let dead = store::set_aside(&mut sql, 0, i64::MAX).await?.len();
        Ok((size, *self.platform.db.committed().borrow() - cursor, dead))
    }

    fn key(&self) -> String {
        hex::encode(self.platform.signer.public_key())
    }
}
