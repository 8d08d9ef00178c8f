//! Digital signatures of playbooks (CACAO v2.0 §10.15, JSON Signature Scheme, ITU-T X.590).
//!
//! **What is signed**: the playbook with `signatures` holding the one signature without its `value`, in canonical JSON (RFC 8785),
//! hashed with `hash_algorithm`; the lower-case hexadecimal text of the hash is what the named algorithm signs. So a signature stays good
//! whatever other signatures come and go. One that covers the signatures before it as well is accepted too.
//!
//! **A counter-signature** stands in the `signature` property of a signature. It signs the signature it stands in, `value` included,
//! with itself inside without its own `value`. The signature below does not cover it. (The standard names the property and leaves
//! the bytes open; this is our reading.)
//!
//! **Two ways to be no good**: *broken* (content, key or value do not fit: somebody changed something) and *lapsed* (revoked, not
//! valid at the time asked for, key revoked). A playbook is well signed when nothing is broken and one signature at least holds.

mod algorithm;
mod check;
mod keys;
mod make;

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

pub use algorithm::{Algorithm, PublicKey, SigningKey, ed25519_spki};
pub use check::{Checked, State, Trust, Verdict, verify};
pub use keys::{private_key, public_key, public_spki, thumbprint};
pub use make::{Signer, Signing, counter_sign, sign};

/// Signatures of a playbook at most, and counter-signatures upon each other.
pub const MAX_SIGNATURES: usize = 100;
/// Counter-signatures upon each other at most.
pub const MAX_COUNTER_DEPTH: usize = 8;

/// How the canonical form is hashed (`hash_algorithm`, names of IANA).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

const HASHES: [(Hash, &str); 3] =
    [(Hash::Sha256, "sha-256"), (Hash::Sha384, "sha-384"), (Hash::Sha512, "sha-512")];

impl Hash {
    fn named(name: &str) -> Option<Self> {
        HASHES.iter().find(|(_, known)| *known == name).map(|(hash, _)| *hash)
    }

    /// The hash of the canonical form, as the text that is signed.
    fn text_of(self, value: &Value) -> String {
        let canonical = stix::jcs::to_string(value);
        match self {
            Self::Sha256 => hex::encode(Sha256::digest(canonical)),
            Self::Sha384 => hex::encode(Sha384::digest(canonical)),
            Self::Sha512 => hex::encode(Sha512::digest(canonical)),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HASHES.iter().find(|(known, _)| known == self).map_or("", |(_, name)| name))
    }
}

/// The id of a new signature, from random bytes (a UUIDv4: identifiers are those of RFC 4122, CACAO v2.0 §10.10).
pub fn new_id(random: [u8; 16]) -> String {
    format!("jss--{}", uuid::Builder::from_random_bytes(random).into_uuid())
}

/// The signature without what it cannot cover: its value and its counter-signature.
fn bare(signature: &Value) -> Value {
    let mut bare = signature.clone();
    if let Some(members) = bare.as_object_mut() {
        members.shift_remove("value");
        members.shift_remove("signature");
    }
    bare
}

/// The playbook as this signature covers it: with it, and with the first `before` of the others.
fn covered(playbook: &Value, signature: &Value, before: usize) -> Value {
    let mut whole = playbook.clone();
    let others = playbook.get("signatures").and_then(Value::as_array);
    let mut signatures: Vec<Value> = others.into_iter().flatten().take(before).cloned().collect();
    signatures.push(bare(signature));
    whole["signatures"] = Value::Array(signatures);
    whole
}

/// A signature as its counter-signature covers it.
fn countered(signature: &Value, counter: &Value) -> Value {
    let mut whole = signature.clone();
    whole["signature"] = bare(counter);
    whole
}
