//! Signed tree heads. What is signed is a checkpoint in the form of C2SP tlog-checkpoint:
//!
//! ```text
//! sereno/NODE-ID          origin: which log
//! 42                      number of entries
//! base64(root)            root of the tree over them
//! 2026-11-22T21:00:00.000000Z   when it was signed (an extension line)
//! ```
//!
//! each line ended by a line feed, signed with the node's Ed25519 key (RFC 8032).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{NodeId, Timestamp};
use ports::Signer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entry::hash_from_hex;
use crate::merkle::Hash;

/// A signed tree head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TreeHead {
    /// Which log: `sereno/` and the node's id.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them, hex.
    pub root: String,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    pub signed_at: Timestamp,
    /// Ed25519 signature over the checkpoint text, hex.
    pub signature: String,
    /// The node's public key, hex.
    pub key: String,
}

/// Which log a node's log is.
pub fn origin_of(node: NodeId) -> String {
    format!("sereno/{node}")
}

impl TreeHead {
    /// Signs the root of a tree.
    pub fn sign(
        origin: String,
        size: u64,
        root: &Hash,
        at: Timestamp,
        signer: &dyn Signer,
    ) -> Self {
        let message = checkpoint(&origin, size, root, at);
        Self {
            origin,
            size,
            root: hex::encode(root),
            signed_at: at,
            signature: hex::encode(signer.sign(message.as_bytes())),
            key: hex::encode(signer.public_key()),
        }
    }

    /// The signed text; `None` when the root is no hash.
    pub fn checkpoint(&self) -> Option<String> {
        let root = hash_from_hex(&self.root)?;
        Some(checkpoint(&self.origin, self.size, &root, self.signed_at))
    }

    /// True when the owner of `key` signed this head.
    pub fn is_signed_by(&self, key: &[u8; 32]) -> bool {
        let mut signature = [0; 64];
        let decoded = hex::decode_to_slice(&self.signature, &mut signature).is_ok();
        decoded
            && self
                .checkpoint()
                .is_some_and(|text| platform::keys::verify(key, text.as_bytes(), &signature))
    }
}

fn checkpoint(origin: &str, size: u64, root: &Hash, at: Timestamp) -> String {
    format!("{origin}\n{size}\n{}\n{at}\n", STANDARD.encode(root))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use model::id::TypedId;

    #[test]
    fn every_field_of_a_head_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let data = platform::data::DataFolder::open(folder.path()).unwrap();
        let key = platform::keys::NodeKey::open(&data, &platform::system::SystemRandom).unwrap();
        let node = NodeId::mint(Timestamp::from_secs(1), [1; 10]);
        let at = Timestamp::from_secs(1_700_000_000);
        let head = TreeHead::sign(origin_of(node), 3, &[9; 32], at, &key);
        assert!(head.is_signed_by(&key.public_key()));
        let changed = [
            TreeHead { origin: "sereno/other".into(), ..head.clone() },
            TreeHead { size: 4, ..head.clone() },
            TreeHead { root: hex::encode([8; 32]), ..head.clone() },
            TreeHead { root: "no hash".into(), ..head.clone() },
            TreeHead { signed_at: at.plus_micros(1), ..head.clone() },
            TreeHead { signature: "00".repeat(64), ..head.clone() },
            TreeHead { signature: String::new(), ..head.clone() },
        ];
        for head in changed {
            assert!(!head.is_signed_by(&key.public_key()), "{head:?}");
        }
        assert!(!head.is_signed_by(&[0; 32]));
    }
}
