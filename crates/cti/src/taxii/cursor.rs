//! The opaque cursors of `next` (§3.5): a place in a collection, sealed together with the question it belongs to.
//!
//! A place never changes, so a cursor stays good while objects are added and deleted, and may be used twice.
//! Used with another question it would silently lose objects; the seal turns that into a clear refusal.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Bytes of the place and of the seal.
const PLACE_BYTES: usize = 8;
const SEAL_BYTES: usize = 16;

/// Makes and opens cursors of one node.
pub(crate) struct Cursors {
    secret: String,
}

impl Cursors {
    /// With the node's secret, so that they outlive a restart.
    pub(crate) fn new(secret: String) -> Self {
        Self { secret }
    }

    /// The cursor behind a place, for a question about a collection.
    pub(crate) fn seal(&self, question: &str, place_us: i64) -> String {
        let mut bytes = Vec::with_capacity(PLACE_BYTES + SEAL_BYTES);
        bytes.extend_from_slice(&place_us.to_be_bytes());
        bytes.extend_from_slice(&self.digest(question, place_us));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place in a cursor; none when it was not made here for this question.
    pub(crate) fn open(&self, question: &str, cursor: &str) -> Option<i64> {
        if cursor.len() > 2 * (PLACE_BYTES + SEAL_BYTES) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (place, seal) = bytes.split_first_chunk::<PLACE_BYTES>()?;
        let place_us = i64::from_be_bytes(*place);
        // What the seal protects is the asker from itself: no secret hangs on the time this takes.
        (seal == self.digest(question, place_us)).then_some(place_us)
    }

    fn digest(&self, question: &str, place_us: i64) -> [u8; SEAL_BYTES] {
        let inner = Sha256::new()
            .chain_update(self.secret.as_bytes())
            .chain_update(place_us.to_be_bytes())
            .chain_update(question.as_bytes())
            .finalize();
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&inner[..SEAL_BYTES]);
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_opens_for_its_question_only(place: i64, question: String, other: String) {
            let cursors = Cursors::new("secret".into());
            let cursor = cursors.seal(&question, place);
            prop_assert_eq!(cursors.open(&question, &cursor), Some(place));
            prop_assert_eq!(cursors.open(&other, &cursor).is_some(), other == question);
            prop_assert_eq!(Cursors::new("another".into()).open(&question, &cursor), None);
        }

        #[test]
        fn what_is_no_cursor_opens_nothing(text: String) {
            prop_assert_eq!(Cursors::new("secret".into()).open("q", &text), None);
        }
    }
}
