//! Signatures of messages as Standard Webhooks writes them (HMAC-SHA-256 over `id.timestamp.body`): for every room that
//! calls receivers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How a secret begins.
pub const PREFIX: &str = "whsec_";

/// The header `webhook-signature` of a message; `secret` is the part behind `whsec_`, decoded.
#[must_use]
pub fn signature(secret: &[u8], id: &str, timestamp_s: i64, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The key in a secret's text, `whsec_` and base64.
///
/// # Errors
/// One sentence, without the text.
pub fn key(text: &str) -> Result<Vec<u8>, String> {
    let form =
        || "the secret of a webhook is whsec_ and base64, as its receiver shows it".to_owned();
    let encoded = text.trim().strip_prefix(PREFIX).ok_or_else(form)?;
    STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()).ok_or_else(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // https://www.standardwebhooks.com, "Signature" of the reference libraries' tests
        let secret = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap_or_default();
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn what_is_no_secret_is_told_without_it() {
        for text in ["", "hush", "whsec_", "whsec_%%%"] {
            assert!(key(text).is_err_and(|why| !why.contains("hush")), "{text}");
        }
    }
}
