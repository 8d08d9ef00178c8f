//! Credentials that playbooks refer to by name.
//!
//! Invariants
//! - **Written, never read.** No route, no command and no log gives a secret back; it leaves this file
//!   only towards the actuator that logs in with it.
//! - **Bound to hosts.** Whoever writes a playbook could otherwise send a secret to a server of his own.
//! - **Sealed.** The database holds ciphertext (AES-256-GCM, the name as associated data); the key lies
//!   in `keys/`, which backups leave out unless asked.

pub(crate) mod login;
pub(crate) mod needed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::event::SecretChanged;
use platform::Platform;
use ports::PortError;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::PlaybooksError;
use crate::store::secrets::{self, SecretRow};

/// Secrets kept at most.
pub const MAX_SECRETS: usize = 500;
/// Longest name of a secret, in characters.
pub const MAX_NAME_CHARS: usize = 64;
/// Longest secret, in bytes: a private key fits.
pub const MAX_SECRET_BYTES: usize = 16 * 1024;
/// Hosts of one secret at most.
pub const MAX_HOSTS: usize = 32;
/// Stands for every host.
pub const ANY_HOST: &str = "*";
/// Shortest secret that is looked for in answers: shorter ones are in any text by chance.
const MIN_COVERED_CHARS: usize = 4;
/// The file of the key.
const KEY_FILE: &str = "playbooks-secrets";

/// The texts that logged in; they are covered wherever an answer repeats them.
#[derive(Default)]
pub(crate) struct Covers(Vec<Zeroizing<String>>);

impl Covers {
    /// Also covers this text, and what Basic authentication makes of it.
    pub(crate) fn add(&mut self, text: &str) {
        if text.trim().len() >= MIN_COVERED_CHARS {
            self.0.push(Zeroizing::new(text.to_owned()));
            self.0.push(Zeroizing::new(STANDARD.encode(text)));
            // The longest first: a part of it must not leave the rest behind.
            self.0.sort_by_key(|cover| std::cmp::Reverse(cover.len()));
        }
    }

    /// The text without what is covered.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for cover in &self.0 {
            if out.contains(cover.as_str()) {
                out = out.replace(cover.as_str(), ports::actuator::HIDDEN);
            }
        }
        out
    }

    /// The value without what is covered.
    pub(crate) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, item)| (self.text(key), self.value(item))).collect()
            }
            other => other.clone(),
        }
    }

    /// The outcome without what is covered.
    pub(crate) fn outcome(&self, outcome: model::Outcome) -> model::Outcome {
        use model::Outcome::{Done, Failed, NotEnforced};
        match outcome {
            Done { summary, data } => {
                Done { summary: self.text(&summary), data: self.value(&data) }
            }
            NotEnforced { reason, data } => {
                NotEnforced { reason: self.text(&reason), data: self.value(&data) }
            }
            Failed { reason, retry } => Failed { reason: self.text(&reason), retry },
        }
    }
}

/// Seals and opens.
#[derive(Clone)]
pub struct Secrets(pub(crate) Platform);

impl Secrets {
    /// Keeps a secret under a name, over an older one of that name.
    ///
    /// # Errors
    /// Name, length or hosts are out of bounds; the text says which and how to mend it.
    pub async fn set(
        &self,
        name: &str,
        secret: Zeroizing<String>,
        hosts: Vec<String>,
        by: String,
    ) -> Result<(), PlaybooksError> {
        check(name, &secret, &hosts).map_err(PlaybooksError::invalid)?;
        let row = SecretRow {
            name: name.to_owned(),
            sealed: self.seal(name, secret.as_bytes())?,
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            set_by: by,
            set_at: self.0.now(),
        };
        let kept: Result<bool, PlaybooksError> = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let full = secrets::count(tx.sql()).await? >= MAX_SECRETS
                        && secrets::one(tx.sql(), &row.name).await?.is_none();
                    if !full {
                        secrets::put(tx.sql(), &row).await?;
                        let fact = SecretChanged {
                            name: row.name.clone(),
                            what: "set".into(),
                            hosts: row.hosts.clone(),
                            by: row.set_by.clone(),
                        };
                        tx.publish(&row.set_by, &fact).await?;
                    }
                    Ok(!full)
                })
            })
            .await;
        if kept? {
            return Ok(());
        }
        Err(PlaybooksError::invalid(format!(
            "there are {MAX_SECRETS} secrets, the limit; remove one that is not used"
        )))
    }

    /// The secret, for one host.
    ///
    /// # Errors
    /// There is none of that name, or it is not for that host.
    pub(crate) async fn open(
        &self,
        name: &str,
        host: &str,
    ) -> Result<Zeroizing<String>, PortError> {
        let mut connection = self.0.db.read().await.map_err(PlaybooksError::from)?;
        let shown: String = name.chars().take(MAX_NAME_CHARS).collect();
        let row = secrets::one(&mut connection, name).await.map_err(PlaybooksError::from)?;
        let row = row.ok_or_else(|| {
            PortError::Invalid(format!(
                "there is no secret '{shown}' here; set it with `sereno secret set {shown}`"
            ))
        })?;
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        if !row.hosts.iter().any(|allowed| allowed == ANY_HOST || *allowed == host) {
            return Err(PortError::Invalid(format!(
                "the secret '{shown}' is not for {host}; set it again with `--for {host}` if it is"
            )));
        }
        self.unseal(name, &row.sealed)
    }

    fn key(&self) -> Result<LessSafeKey, PortError> {
        let broken = |cause: String| PortError::Internal(format!("the key of secrets: {cause}"));
        let text = self.0.data.secret_hex(KEY_FILE, 32, self.0.random.as_ref());
        let text = Zeroizing::new(text.map_err(|cause| broken(cause.to_string()))?);
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(text.as_bytes(), bytes.as_mut_slice())
            .map_err(|cause| broken(cause.to_string()))?;
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice())
            .map_err(|_| broken("it has not 32 bytes".into()))?;
        Ok(LessSafeKey::new(key))
    }

    fn seal(&self, name: &str, secret: &[u8]) -> Result<String, PortError> {
        let mut nonce = [0; NONCE_LEN];
        self.0.random.fill(&mut nonce);
        let mut text = secret.to_vec();
        self.key()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut text,
            )
            .map_err(|_| PortError::Internal("the secret cannot be sealed".into()))?;
        Ok(STANDARD.encode([nonce.as_slice(), &text].concat()))
    }

    fn unseal(&self, name: &str, sealed: &str) -> Result<Zeroizing<String>, PortError> {
        let lost = || {
            PortError::Internal(format!(
                "the secret '{name}' cannot be opened: its key was changed or the row was altered; \
                 set it again with `sereno secret set {name}`"
            ))
        };
        let bytes = STANDARD.decode(sealed).map_err(|_| lost())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(lost)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| lost())?;
        let mut text = Zeroizing::new(text.to_vec());
        let opened = self
            .key()?
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut text)
            .map_err(|_| lost())?;
        let opened = std::str::from_utf8(opened).map_err(|_| lost())?;
        Ok(Zeroizing::new(opened.to_owned()))
    }
}

/// Refuses what cannot be kept.
fn check(name: &str, secret: &str, hosts: &[String]) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || !name.chars().all(plain) {
        return Err(format!(
            "the name of a secret has 1 to {MAX_NAME_CHARS} letters, digits, '-', '_' or '.'"
        ));
    }
    if secret.is_empty() || secret.len() > MAX_SECRET_BYTES || secret.contains('\0') {
        return Err(format!(
            "a secret is a text of 1 to {MAX_SECRET_BYTES} bytes without the byte 0"
        ));
    }
    if hosts.is_empty() || hosts.len() > MAX_HOSTS {
        return Err(format!(
            "say for which hosts the secret is (1 to {MAX_HOSTS} of them, or {ANY_HOST} for any)"
        ));
    }
    let host = |host: &&String| {
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        host.as_str() != ANY_HOST
            && (host.is_empty() || host.len() > 253 || !host.chars().all(is_host))
    };
    match hosts.iter().find(host) {
        Some(wrong) => Err(format!(
            "'{}' is no name or address of a host; leave out scheme, port and path",
            wrong.chars().take(64).collect::<String>()
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use model::Outcome;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_logged_in_is_covered_in_every_form() {
        let mut covers = Covers::default();
        covers.add("s3cret");
        covers.add("guard:s3cret");
        covers.add("ab");
        let outcome = Outcome::Done {
            summary: "you said s3cret".into(),
            data: json!({ "echo": ["Basic Z3VhcmQ6czNjcmV0", { "s3cret": 1 }], "about": "ab" }),
        };
        let shown = format!("{:?}", covers.outcome(outcome));
        assert!(!shown.contains("s3cret") && !shown.contains("Z3VhcmQ6"), "{shown}");
        assert!(shown.contains("\"ab\""), "too short to be covered: {shown}");
    }

    #[test]
    fn names_and_hosts_have_a_form() {
        let fine = ["fw.example".to_owned()];
        assert!(check("fw-1", "x", &fine).is_ok());
        assert!(check("", "x", &fine).is_err());
        assert!(check("a/b", "x", &fine).is_err());
        assert!(check("a", "", &fine).is_err());
        assert!(check("a", "x", &[]).unwrap_err().contains("for which hosts"));
        assert!(check("a", "x", &["https://fw/".into()]).unwrap_err().contains("scheme"));
    }
}
