//! The node's signing key: Ed25519 (RFC 8032), made at first start, kept in `keys/`.

use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier, VerifyingKey};
use ports::{Random, Signer};

use crate::data::{DataError, DataFolder};

/// The node's key; the private half stays inside.
pub struct NodeKey(SigningKey);

impl NodeKey {
    /// Reads the key, or makes it at first start.
    ///
    /// # Errors
    /// The file system refuses or the file does not hold 32 bytes in hex.
    pub fn open(data: &DataFolder, random: &dyn Random) -> Result<Self, DataError> {
        let text = data.secret_hex("node.ed25519", 32, random)?;
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| DataError::Io {
            path: data.key_file("node.ed25519"),
            cause: std::io::Error::other(
                "does not hold a key of 32 bytes in hex; restore it from a backup",
            ),
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }
}

impl Signer for NodeKey {
    fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// True when `signature` over `message` was made by the owner of `public_key`.
pub fn verify(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public_key)
        .is_ok_and(|key| key.verify(message, &Signature::from_bytes(signature)).is_ok())
}
