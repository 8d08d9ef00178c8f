//! Signatures as Standard Webhooks writes them: HMAC-SHA-256 over `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ports::Signer;
use sha2::{Digest, Sha256};

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// The secret of a hook, 32 bytes: only this node's key makes it of the salt.
pub(crate) fn secret(signer: &dyn Signer, salt: &str) -> [u8; 32] {
    let signed = signer.sign(format!("sereno webhook secret {salt}").as_bytes());
    Sha256::digest(signed).into()
}

/// A secret as people and libraries take it.
pub(crate) fn shown(secret: &[u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// The header `webhook-signature` of a message; `secret` is the part behind `whsec_`, decoded.
#[must_use]
pub fn signature(secret: &[u8], id: &str, timestamp_s: i64, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The signatures of a message by several secrets, the newest first (Standard Webhooks, "Signature scheme": a list that is
/// parted by blanks, of which one must fit).
pub(crate) fn signatures(secrets: &[[u8; 32]], id: &str, timestamp_s: i64, body: &str) -> String {
    let all: Vec<String> =
        secrets.iter().map(|secret| signature(secret, id, timestamp_s, body)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // https://www.standardwebhooks.com, "Signature" of the reference libraries' tests
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
