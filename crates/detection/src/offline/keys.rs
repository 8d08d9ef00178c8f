//! Key files of model signatures: Ed25519, as `openssl genpkey -algorithm ed25519` writes them.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey};
use ed25519_dalek::{SigningKey, VerifyingKey};

/// Bytes of a key file at most.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds no such key.
    #[error("{path}: not an Ed25519 {kind}: {remedy}")]
    Form {
        /// The file.
        path: PathBuf,
        /// Which key was expected.
        kind: &'static str,
        /// How to make one.
        remedy: &'static str,
    },
}

fn text(path: &Path) -> Result<String, KeyError> {
    let read = |source| KeyError::Read { path: path.to_path_buf(), source };
    if std::fs::metadata(path).map_err(read)?.len() > MAX_KEY_BYTES {
        return Err(read(std::io::Error::other("too large for a key")));
    }
    std::fs::read_to_string(path).map_err(read)
}

/// Reads a private key (PKCS #8, PEM).
///
/// # Errors
/// When the file cannot be read or holds no such key.
pub fn signing_key(path: &Path) -> Result<SigningKey, KeyError> {
    SigningKey::from_pkcs8_pem(&text(path)?).map_err(|_| KeyError::Form {
        path: path.to_path_buf(),
        kind: "private key (PKCS #8, PEM)",
        remedy: "make one with `openssl genpkey -algorithm ed25519 -out FILE`",
    })
}

/// Reads a public key: PEM, or the base64 line that `detect train --sign` prints.
///
/// # Errors
/// When the file cannot be read or holds no such key.
pub fn verifying_key(path: &Path) -> Result<VerifyingKey, KeyError> {
    let text = text(path)?;
    let plain = || {
        let bytes: [u8; 32] = BASE64.decode(text.trim()).ok()?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok()
    };
    VerifyingKey::from_public_key_pem(&text).ok().or_else(plain).ok_or_else(|| KeyError::Form {
        path: path.to_path_buf(),
        kind: "public key",
        remedy: "take it with `openssl pkey -in PRIVATE -pubout -out FILE`, or the line `detect train --sign` prints",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    // Made with openssl for this test alone.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n-----END PRIVATE KEY-----\n";

    #[test]
    fn keys_are_read_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let private = signing_key(&file("private.pem", PRIVATE)).unwrap();
        let public = private.verifying_key();
        let line = super::super::store::key_text(&public);
        assert_eq!(verifying_key(&file("public.txt", &line)).unwrap(), public);
        for path in [file("none", ""), file("text", "hello"), file("half", &PRIVATE[..60])] {
            assert!(matches!(signing_key(&path), Err(KeyError::Form { .. })));
            assert!(matches!(verifying_key(&path), Err(KeyError::Form { .. })));
        }
        assert!(matches!(signing_key(&folder.path().join("absent")), Err(KeyError::Read { .. })));
    }
}
