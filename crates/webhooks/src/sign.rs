//! Secrets of hooks, and the signatures of their messages (`platform::standard_webhook`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use platform::standard_webhook::PREFIX;
pub use platform::standard_webhook::signature;
use ports::Signer;
use sha2::{Digest, Sha256};

/// The secret of a hook, 32 bytes: only this node's key makes it of the salt.
pub(crate) fn secret(signer: &dyn Signer, salt: &str) -> [u8; 32] {
    let signed = signer.sign(format!("sereno webhook secret {salt}").as_bytes());
    Sha256::digest(signed).into()
}

/// A secret as people and libraries take it.
pub(crate) fn shown(secret: &[u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// The signatures of a message by several secrets, the newest first (Standard Webhooks, "Signature scheme": a list that is
/// parted by blanks, of which one must fit).
pub(crate) fn signatures(secrets: &[[u8; 32]], id: &str, timestamp_s: i64, body: &str) -> String {
    let all: Vec<String> =
        secrets.iter().map(|secret| signature(secret, id, timestamp_s, body)).collect();
    all.join(" ")
}
