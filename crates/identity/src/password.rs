//! Passwords: Argon2id (RFC 9106), never stored, never logged.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use ports::Random;
use tokio::sync::Semaphore;

use crate::error::IdentityError;

/// Memory of one hash, KiB (OWASP's first recommendation for Argon2id).
pub const ARGON2_MEMORY_KIB: u32 = 19_456;
/// Passes over it.
pub const ARGON2_PASSES: u32 = 2;
/// Lanes.
pub const ARGON2_LANES: u32 = 1;
/// Hashes computed at the same time; more wait, so that sign-ins cannot fill the memory.
pub(crate) const MAX_HASHES_AT_ONCE: usize = 2;
/// Shortest password, characters.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Longest password, bytes.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1_024;

/// Makes and checks password hashes.
pub(crate) struct Passwords {
    places: Semaphore,
    random: Arc<dyn Random>,
}

impl Passwords {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self { places: Semaphore::new(MAX_HASHES_AT_ONCE), random }
    }

    /// The PHC text of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, IdentityError> {
        if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
            return Err(IdentityError::Invalid(format!(
                "a password has at least {MIN_PASSWORD_CHARS} characters and at most {MAX_PASSWORD_BYTES} bytes"
            )));
        }
        if is_common(&password) {
            return Err(IdentityError::Invalid(
                "this password is among those that are tried first; take several words that nobody says together"
                    .into(),
            ));
        }
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        self.work(move || {
            let hash = engine()?.hash_password_with_salt(password.as_bytes(), &salt);
            Ok(hash.map_err(IdentityError::certificate)?.to_string())
        })
        .await
    }

    /// True when `password` made `hash`. Without a hash (no such user) it takes as long and is false.
    pub(crate) async fn check(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, IdentityError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        self.work(move || {
            let Some(hash) = hash else {
                let _ = engine()?.hash_password_with_salt(password.as_bytes(), &[0; 16]);
                return Ok(false);
            };
            let hash = PasswordHash::new(&hash)
                .map_err(|cause| IdentityError::Conflict(format!("stored password: {cause}")))?;
            Ok(engine()?.verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, IdentityError> + Send + 'static,
    ) -> Result<T, IdentityError> {
        let _place = self.places.acquire().await;
        tokio::task::spawn_blocking(job)
            .await
            .map_err(|cause| IdentityError::Conflict(format!("hashing did not end: {cause}")))?
    }
}

/// Whether a password is one of those that everybody tries first, also with digits behind it or written several times.
fn is_common(password: &str) -> bool {
    let small = password.to_lowercase();
    let word = small.trim_end_matches(|c: char| c.is_ascii_digit() || "!.?#*".contains(c));
    let one = small.chars().next();
    small.chars().all(|c| Some(c) == one)
        || include_str!("common-passwords.txt")
            .lines()
            .filter(|line| !line.is_empty())
            .any(|line| small == line || word == line || small == line.repeat(2))
}

fn engine() -> Result<Argon2<'static>, IdentityError> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None)
        .map_err(IdentityError::certificate)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_own_hash_only() {
        let passwords = Passwords::new(Arc::new(platform::system::SystemRandom));
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let check = |password: &str, hash: Option<&String>| {
            passwords.check(password.to_owned(), hash.cloned())
        };
        assert!(check("correct horse battery", Some(&hash)).await.unwrap());
        assert!(!check("correct horse batterz", Some(&hash)).await.unwrap());
        assert!(!check("correct horse battery", None).await.unwrap());
        assert!(!check(&"x".repeat(MAX_PASSWORD_BYTES + 1), Some(&hash)).await.unwrap());
        assert_ne!(passwords.hash("correct horse battery".into()).await.unwrap(), hash);
        assert!(passwords.hash("short".into()).await.is_err());
        for common in [
            "password1234",
            "1234567890",
            "Qwertyuiop",
            "aaaaaaaaaaaa",
            "sereno2026!",
            "letmeinletmein",
        ] {
            assert!(passwords.hash(common.into()).await.is_err(), "{common}");
        }
        assert!(passwords.hash("x".repeat(MAX_PASSWORD_BYTES + 1)).await.is_err());
    }
}
