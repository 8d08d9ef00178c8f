//! The key that signs checkpoints.

use std::path::Path;

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
use ports::Random;

use super::CheckpointError;
use super::counter::write_whole;

/// What a signature is over, before the text: a signature for something else never fits.
const CONTEXT: &[u8] = b"sereno checkpoint 1\n";

/// The key in this file (64 hexadecimal digits, the seed of RFC 8032), made at first use, 0600.
///
/// # Errors
/// The file cannot be read or made, or holds something else.
pub fn open_key(path: &Path, random: &dyn Random) -> Result<SigningKey, CheckpointError> {
    let seed = match std::fs::read_to_string(path) {
        Ok(text) => {
            let mut seed = [0; 32];
            hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| {
                CheckpointError::Settings(format!(
                    "{} is not a key: 64 hexadecimal digits are expected",
                    path.display()
                ))
            })?;
            seed
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            random.fill(&mut seed);
            write_whole(path, hex::encode(seed).as_bytes())?;
            seed
        }
        Err(error) => return Err(CheckpointError::io(path)(error)),
    };
    Ok(SigningKey::from_bytes(&seed))
}

fn message(text: &str) -> Vec<u8> {
    [CONTEXT, text.as_bytes()].concat()
}

/// The signature over a text, hex.
pub(crate) fn sign(key: &SigningKey, text: &str) -> String {
    hex::encode(key.sign(&message(text)).to_bytes())
}

/// Does the signature fit?
pub(crate) fn verify(key: &SigningKey, text: &str, signature: &str) -> bool {
    let mut bytes = [0; 64];
    hex::decode_to_slice(signature, &mut bytes).is_ok()
        && key.verifying_key().verify(&message(text), &Signature::from_bytes(&bytes)).is_ok()
}
