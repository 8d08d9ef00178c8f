//! Letters and receipts as they travel: signed with Ed25519 (RFC 8032) over the canonical JSON (RFC 8785), each under
//! a context of its own so that no other signed thing of the node can pass for one.

use model::{LetterId, NodeId};
use ports::Signer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use stix::json::Limits;
use utoipa::ToSchema;

/// Version of the form.
pub(crate) const VERSION: u32 = 1;
/// A letter's text at most, bytes.
pub const MAX_LETTER_BYTES: usize = 1 << 20;
/// Letters that travel together at most, and so those under way to a peer.
pub const MAX_LETTERS: usize = 64;
/// All that travels together at most, bytes.
pub const MAX_BATCH_BYTES: usize = 4 << 20;
/// Levels of arrays and objects at most: 64 of a STIX object within the letter's own.
const MAX_DEPTH: usize = 72;
/// Values in one message at most.
const MAX_VALUES: usize = 500_000;

const LETTER_CONTEXT: &str = "sereno federation letter v1\n";
const RECEIPT_CONTEXT: &str = "sereno federation receipt v1\n";

/// One letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FederationLetter)]
pub struct Letter {
    /// Version of this form, 1.
    pub version: u32,
    /// The letter's id.
    #[schema(value_type = String)]
    pub id: LetterId,
    /// The node that sends it.
    #[schema(value_type = String)]
    pub from: NodeId,
    /// The node it is for.
    #[schema(value_type = String)]
    pub to: NodeId,
    /// The row of numbers it belongs to; who lost its memory of the other begins a new one.
    pub stream: String,
    /// Its number in the stream, from 1, without gaps.
    pub seq: i64,
    /// Digest of the letter before it in the stream; empty for the first.
    pub previous: String,
    /// What it is about: `room.word`.
    pub kind: String,
    /// When it was sealed, RFC 3339.
    pub sent_at: String,
    /// The content, in the kind's own form.
    #[schema(value_type = Object)]
    pub body: Value,
    /// Ed25519 over the canonical form without this member, hex.
    pub signature: String,
}

impl Letter {
    /// The canonical text, which is what is signed and digested.
    fn canonical(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(members) = &mut value {
            members.remove("signature");
        }
        stix::jcs::to_string(&value)
    }

    /// Signs the letter; its digest.
    pub(crate) fn seal(&mut self, signer: &dyn Signer) -> String {
        let text = self.canonical();
        self.signature = sign(signer, LETTER_CONTEXT, &text);
        digest(&text)
    }

    /// The digest, when the owner of `key` (hex) signed this very letter.
    pub(crate) fn verified(&self, key: &str) -> Option<String> {
        let text = self.canonical();
        verify(key, LETTER_CONTEXT, &text, &self.signature).then(|| digest(&text))
    }
}

/// An object that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FederationRefusedObject)]
pub struct RefusedObject {
    /// STIX id.
    pub object: String,
    /// Why.
    pub reason: String,
}

/// What the recipient states about one letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FederationStatement)]
pub struct Statement {
    /// Digest of the letter, SHA-256 of its canonical form, hex.
    pub letter: String,
    /// Its number.
    pub seq: i64,
    /// The node that states this.
    #[schema(value_type = String)]
    pub from: NodeId,
    /// The node that sent the letter.
    #[schema(value_type = String)]
    pub to: NodeId,
    /// Why it was refused; absent when it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Objects in it that were not taken; as many as a letter holds at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<RefusedObject>,
    /// When, RFC 3339.
    pub at: String,
}

/// A statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FederationReceipt)]
pub struct Receipt {
    /// What is stated.
    pub statement: Statement,
    /// Ed25519 over the canonical form of the statement, hex.
    pub signature: String,
}

impl Receipt {
    /// Signs a statement.
    pub(crate) fn sign(signer: &dyn Signer, statement: Statement) -> Self {
        let signature = sign(signer, RECEIPT_CONTEXT, &canonical(&statement));
        Self { statement, signature }
    }

    /// Whether the owner of `key` (hex) signed this.
    pub(crate) fn verify(&self, key: &str) -> bool {
        verify(key, RECEIPT_CONTEXT, &canonical(&self.statement), &self.signature)
    }
}

/// Letters that travel together.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FederationLetters)]
pub(crate) struct Letters {
    /// In their order.
    pub(crate) letters: Vec<Letter>,
}

/// Receipts that travel together.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FederationReceipts)]
pub(crate) struct Receipts {
    /// In the order of their letters.
    pub(crate) receipts: Vec<Receipt>,
}

/// Reads a message from outside: bounded in bytes, depth and values.
///
/// # Errors
/// What is wrong, with the place and the limit.
pub(crate) fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let limits =
        Limits { max_bytes: MAX_BATCH_BYTES, max_depth: MAX_DEPTH, max_values: MAX_VALUES };
    let value = stix::json::read(bytes, limits).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| format!("the message is none: {error}"))
}

/// The text of a message around texts of letters.
pub(crate) fn letters_text(wires: &[String]) -> String {
    format!("{{\"letters\":[{}]}}", wires.join(","))
}

fn canonical<T: Serialize>(value: &T) -> String {
    stix::jcs::to_string(&serde_json::to_value(value).unwrap_or_default())
}

/// SHA-256 in hex.
pub(crate) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn sign(signer: &dyn Signer, context: &str, text: &str) -> String {
    hex::encode(signer.sign(format!("{context}{text}").as_bytes()))
}

fn verify(key: &str, context: &str, text: &str, signature: &str) -> bool {
    let (mut key_bytes, mut signature_bytes) = ([0; 32], [0; 64]);
    hex::decode_to_slice(key, &mut key_bytes).is_ok()
        && hex::decode_to_slice(signature, &mut signature_bytes).is_ok()
        && platform::keys::verify(
            &key_bytes,
            format!("{context}{text}").as_bytes(),
            &signature_bytes,
        )
}

/// At most `most` characters of a text from outside, without control characters.
pub(crate) fn clip(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}
