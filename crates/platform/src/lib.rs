//! The plumbing of a node; rooms stand on it and never on each other.
//!
//! Entry points: [`db::Db`] (the only way to the database), [`db::Tx::publish`] (a fact and the row
//! that made it true are one transaction), [`bus`] (facts in sequence to consumers), [`jobs`]
//! (durable work with the outside), [`http`] (problems, callers, permissions), [`config`],
//! [`data::DataFolder`], [`live`], [`tasks`].
//!
//! Invariants
//! - **One writer.** Every change goes through `Db::write`; the answer comes after the commit.
//! - **No network inside a transaction**, and no `Db::write` inside a `Db::write`.
//! - **Clock and randomness are handed in.** This crate holds the only real ones ([`system`]).

pub mod blobs;
pub mod bus;
pub mod config;
pub mod courier;
pub mod data;
pub mod db;
pub mod health;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod lists;
pub mod live;
pub mod measures;
pub mod observe;
pub mod outward;
pub mod peers;
pub mod people;
pub mod standard_webhook;
pub mod system;
pub mod tasks;

use std::sync::Arc;

use ports::{Clock, Random, Signer};

/// What every room is handed at start.
#[derive(Clone)]
pub struct Platform {
    /// The database.
    pub db: db::Db,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub random: Arc<dyn Random>,
    /// Fleeting news for open pages.
    pub live: live::Live,
    /// The node's signing key.
    pub signer: Arc<dyn Signer>,
    /// The data folder.
    pub data: Arc<data::DataFolder>,
    /// Who this node is.
    pub node: config::NodeIdentity,
    /// Supervised background tasks.
    pub tasks: tasks::Tasks,
}

impl Platform {
    /// Mints a typed id.
    pub fn mint<T: model::id::TypedId>(&self) -> T {
        ports::mint(self.clock.as_ref(), self.random.as_ref())
    }

    /// A random UUID (version 4), as STIX and TAXII want them.
    pub fn uuid4(&self) -> uuid::Uuid {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Now, UTC.
    pub fn now(&self) -> model::Timestamp {
        self.clock.now()
    }
}

pub mod testing;
