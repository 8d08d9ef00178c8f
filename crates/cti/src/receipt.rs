//! Receipts: the recipient's signed word that it holds an envelope. The signature is Ed25519
//! (RFC 8032) over the canonical JSON (RFC 8785) of the statement, under a context of its own so that
//! no other signed thing of the node can pass for a receipt.

use ports::Signer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const RECEIPT_CONTEXT: &str = "sereno receipt v1\n";
const ANSWER_CONTEXT: &str = "sereno acknowledgement v1\n";
const ENVELOPE_CONTEXT: &str = "sereno envelope v1\n";

/// What the recipient states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    /// The TAXII status it belongs to.
    pub(crate) status_id: String,
    /// SHA-256 of the envelope's bytes, hex.
    pub(crate) envelope_sha256: String,
    /// Node id of the recipient.
    pub(crate) recipient: String,
    /// Node id of the sender, or its caller id when it is no node.
    pub(crate) sender: String,
    /// RFC 3339.
    pub(crate) received_at: String,
}

/// A statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// What is stated.
    pub(crate) statement: Statement,
    /// The recipient's public key, hex.
    pub(crate) key: String,
    /// The signature, hex.
    pub(crate) signature: String,
}

/// SHA-256 in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Receipt {
    /// Signs a statement.
    pub(crate) fn sign(
        signer: &dyn Signer,
        statement: Statement,
    ) -> Result<Self, serde_json::Error> {
        let value = serde_json::to_value(&statement)?;
        let signature = sign_value(signer, RECEIPT_CONTEXT, &value);
        Ok(Self { statement, key: hex::encode(signer.public_key()), signature })
    }

    /// Whether the peer with this key signed this statement.
    pub(crate) fn verify(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
            && serde_json::to_value(&self.statement)
                .is_ok_and(|value| verify_value(key, RECEIPT_CONTEXT, &value, &self.signature))
    }
}

/// Signs an acknowledgement: `value` is the answer without its signature.
pub(crate) fn sign_answer(signer: &dyn Signer, value: &serde_json::Value) -> String {
    sign_value(signer, ANSWER_CONTEXT, value)
}

/// Whether the peer with this key signed this answer.
pub(crate) fn verify_answer(key: &str, value: &serde_json::Value, signature: &str) -> bool {
    verify_value(key, ANSWER_CONTEXT, value, signature)
}

/// Signs an envelope by its digest.
pub(crate) fn sign_envelope(signer: &dyn Signer, digest: &str) -> String {
    hex::encode(signer.sign(format!("{ENVELOPE_CONTEXT}{digest}").as_bytes()))
}

/// Whether the peer with this key signed the envelope with this digest.
pub(crate) fn verify_envelope(key: &str, digest: &str, signature: &str) -> bool {
    verify(key, format!("{ENVELOPE_CONTEXT}{digest}").as_bytes(), signature)
}

fn sign_value(signer: &dyn Signer, context: &str, value: &serde_json::Value) -> String {
    hex::encode(signer.sign(format!("{context}{}", stix::jcs::to_string(value)).as_bytes()))
}

fn verify_value(key: &str, context: &str, value: &serde_json::Value, signature: &str) -> bool {
    verify(key, format!("{context}{}", stix::jcs::to_string(value)).as_bytes(), signature)
}

fn verify(key: &str, message: &[u8], signature: &str) -> bool {
    let (mut key_bytes, mut signature_bytes) = ([0; 32], [0; 64]);
    hex::decode_to_slice(key, &mut key_bytes).is_ok()
        && hex::decode_to_slice(signature, &mut signature_bytes).is_ok()
        && platform::keys::verify(&key_bytes, message, &signature_bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    struct Key(SigningKey);
    impl Signer for Key {
        fn public_key(&self) -> [u8; 32] {
            self.0.verifying_key().to_bytes()
        }
        fn sign(&self, message: &[u8]) -> [u8; 64] {
            self.0.sign(message).to_bytes()
        }
    }

    #[test]
    fn a_receipt_holds_for_its_statement_and_key_only() {
        let (ours, other) =
            (Key(SigningKey::from_bytes(&[1; 32])), Key(SigningKey::from_bytes(&[2; 32])));
        let statement = Statement {
            status_id: "s".into(),
            envelope_sha256: digest(b"{}"),
            recipient: "r".into(),
            sender: "n".into(),
            received_at: "2026-11-22T00:00:00.000000Z".into(),
        };
        let receipt = Receipt::sign(&ours, statement).unwrap();
        assert!(receipt.verify(&hex::encode(ours.public_key())));
        assert!(!receipt.verify(&hex::encode(other.public_key())));
        let mut altered = receipt.clone();
        altered.statement.envelope_sha256 = digest(b"[]");
        assert!(!altered.verify(&hex::encode(ours.public_key())));
        // an envelope signature is no receipt
        let signature = sign_envelope(&ours, &digest(b"{}"));
        assert!(verify_envelope(&receipt.key, &digest(b"{}"), &signature));
        assert!(!Receipt { signature, ..receipt }.verify(&hex::encode(ours.public_key())));
    }
}
