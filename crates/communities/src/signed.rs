//! Signed documents between nodes: Ed25519 (RFC 8032) over the canonical JSON (RFC 8785) of the document without its
//! `signature`, under a context of its own, so that no signed thing can pass for another.

use ports::Signer;
use serde::Serialize;
use serde_json::Value;

/// Signs a document; the hex signature.
pub(crate) fn sign(signer: &dyn Signer, context: &str, document: &impl Serialize) -> String {
    hex::encode(signer.sign(message(context, document).as_bytes()))
}

/// Whether the owner of the key (hex) signed the document.
pub(crate) fn verify(key: &str, context: &str, document: &impl Serialize, signature: &str) -> bool {
    let (mut key_bytes, mut signature_bytes) = ([0; 32], [0; 64]);
    hex::decode_to_slice(key, &mut key_bytes).is_ok()
        && hex::decode_to_slice(signature, &mut signature_bytes).is_ok()
        && platform::keys::verify(
            &key_bytes,
            message(context, document).as_bytes(),
            &signature_bytes,
        )
}

fn message(context: &str, document: &impl Serialize) -> String {
    let mut value = serde_json::to_value(document).unwrap_or(Value::Null);
    if let Some(members) = value.as_object_mut() {
        members.remove("signature");
    }
    format!("{context}{}", stix::jcs::to_string(&value))
}
