//! What an entry commits to: the whole fact, salted, so that the log proves without revealing.

use model::Tlp;
use model::event::Fact;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::merkle::{self, Hash};

/// Bytes of an entry's salt.
pub const SALT_BYTES: usize = 32;

/// The text of a fact that an entry commits to: JSON without white space, names sorted.
pub fn body_of(fact: &Fact) -> String {
    let mut body = json!({
        "seq": fact.seq,
        "id": fact.id,
        "kind": fact.kind,
        "version": fact.version,
        "subject": fact.subject,
        "actor": fact.actor,
        "sentence": fact.sentence,
        "payload": fact.payload,
        "event_at": fact.event_at,
        "recorded_at": fact.recorded_at,
    });
    body.sort_all_objects();
    body.to_string()
}

/// The leaf of an entry: RFC 9162 leaf hash over SHA-256(salt || body).
pub fn leaf_of(salt: &[u8], body: &str) -> Hash {
    merkle::leaf_hash(&Sha256::new().chain_update(salt).chain_update(body).finalize())
}

/// One row of the log. Columns that repeat a part of the body are for lists; [`Entry::disagreement`]
/// holds them to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) index: u64,
    pub(crate) fact_seq: i64,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) actor: String,
    pub(crate) sentence: String,
    pub(crate) body: Option<String>,
    pub(crate) salt: Option<String>,
    pub(crate) leaf_hash: String,
    pub(crate) recorded_at: i64,
    /// The label of what it repeats of others' word; not part of what it commits to.
    pub(crate) tlp: Option<Tlp>,
    pub(crate) erased: bool,
}

impl Entry {
    /// The first column that does not say what the committed body says.
    pub(crate) fn disagreement(&self, body: &Value) -> Option<&'static str> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let recorded = model::Timestamp::from_micros(self.recorded_at).to_string();
        let columns = [
            ("kind", self.kind == text("kind")),
            ("subject", self.subject == text("subject")),
            ("actor", self.actor == text("actor")),
            ("sentence", self.sentence == text("sentence")),
            ("recorded_at", recorded == text("recorded_at")),
            ("fact_seq", body.get("seq").and_then(Value::as_i64) == Some(self.fact_seq)),
        ];
        columns.into_iter().find(|(_, same)| !same).map(|(name, _)| name)
    }
}

/// A hash from its hex text.
pub(crate) fn hash_from_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}
