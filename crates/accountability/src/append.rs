//! Every fact becomes an entry.

use std::sync::Arc;

use async_trait::async_trait;
use model::event::Fact;
use platform::Platform;
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;
use ports::{Random, Signer};
use sqlx::AnyConnection;

use crate::entry::{Entry, SALT_BYTES, body_of, leaf_of};
use crate::error::LedgerError;
use crate::head::{TreeHead, origin_of};
use crate::merkle::{Edge, Range};
use crate::store;

/// Writes the log.
pub(crate) struct Scribe {
    origin: String,
    random: Arc<dyn Random>,
    signer: Arc<dyn Signer>,
}

impl Scribe {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self {
            origin: origin_of(platform.node.id),
            random: Arc::clone(&platform.random),
            signer: Arc::clone(&platform.signer),
        }
    }

    /// The entry, the inner nodes it completes and the head over it.
    async fn append(&self, tx: &mut Tx, fact: &Fact) -> Result<(), LedgerError> {
        let mut edge = edge(tx.sql()).await?;
        let mut salt = [0; SALT_BYTES];
        self.random.fill(&mut salt);
        let body = body_of(fact);
        let leaf = leaf_of(&salt, &body);
        let entry = Entry {
            index: edge.size(),
            fact_seq: fact.seq,
            kind: fact.kind.clone(),
            subject: fact.subject.clone(),
            actor: fact.actor.clone(),
            sentence: fact.sentence.clone(),
            body: Some(body),
            salt: Some(hex::encode(salt)),
            leaf_hash: hex::encode(leaf),
            recorded_at: fact.recorded_at.as_micros(),
            tlp: fact.tlp,
            erased: false,
        };
        if !store::insert(tx, &entry).await? {
            return Ok(());
        }
        for (node, hash) in edge.push(leaf) {
            store::insert_node(tx, node, &hash).await?;
        }
        let origin = self.origin.clone();
        let head =
            TreeHead::sign(origin, edge.size(), &edge.root(), tx.now(), self.signer.as_ref());
        store::insert_head(tx, &head).await?;
        Ok(())
    }
}

#[async_trait]
impl Consumer for Scribe {
    fn name(&self) -> &'static str {
        store::CONSUMER
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }
    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        Ok(self.append(tx, fact).await?)
    }
}

/// The right edge of the stored tree: O(log n) rows.
async fn edge(sql: &mut AnyConnection) -> Result<Edge, LedgerError> {
    let size = store::size(sql).await?;
    let nodes = Range { start: 0, end: size }.nodes();
    let hashes = if nodes.is_empty() { vec![] } else { store::hashes(sql, &nodes).await? };
    Edge::resume(size, hashes).ok_or(LedgerError::Incomplete { last: size, level: 0 })
}
