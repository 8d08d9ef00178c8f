//! Whether a playbook is well signed, signature by signature.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use model::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::algorithm::{Algorithm, PublicKey};
use super::{Hash, MAX_COUNTER_DEPTH, MAX_SIGNATURES, countered, covered, keys};

/// Which keys count.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Fingerprints of the keys that are trusted; empty: the key that the signature itself carries will do, and the
    /// verdict then says only that the owner of that key signed.
    pub trusted: Vec<String>,
    /// Keys by certificate thumbprint (`x5t#S256`), for signatures that only name one.
    pub by_thumbprint: Vec<(String, PublicKey)>,
    /// Fingerprints of revoked keys and since when; without a time: always.
    pub revoked: Vec<(String, Option<Timestamp>)>,
}

/// What became of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It holds.
    Good,
    /// It was right and does not count: revoked, not valid at this time, key revoked or not trusted.
    Lapsed,
    /// A newer version of the same signature is there.
    Superseded,
    /// Content, key or value do not fit, or it cannot be read.
    Broken,
}

/// One signature looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// `jss--UUID`.
    pub id: String,
    /// Who is said to have signed.
    pub signee: String,
    /// The algorithm it names.
    pub algorithm: String,
    /// The fingerprint of the key: SHA-256 of its SubjectPublicKeyInfo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What became of it.
    pub state: State,
    /// Why, where it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its counter-signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<Box<Checked>>,
}

/// The verdict on a playbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Nothing is broken and one signature at least holds.
    pub valid: bool,
    /// In one sentence.
    pub reason: String,
    /// The signatures in their order.
    pub signatures: Vec<Checked>,
}

/// Verifies the signatures of a playbook as of a time.
pub fn verify(playbook: &Value, trust: &Trust, at: Timestamp) -> Verdict {
    let none = |reason: String| Verdict { valid: false, reason, signatures: vec![] };
    let signatures = match playbook.get("signatures") {
        None => return none("it is not signed".into()),
        Some(Value::Array(signatures)) if signatures.is_empty() => {
            return none("it is not signed".into());
        }
        Some(Value::Array(signatures)) => signatures,
        Some(_) => return none("/signatures is no list".into()),
    };
    if signatures.len() > MAX_SIGNATURES {
        let count = signatures.len();
        return none(format!("{count} signatures; a playbook has at most {MAX_SIGNATURES}"));
    }
    let look = Look { trust, at };
    let checked: Vec<Checked> = signatures
        .iter()
        .enumerate()
        .map(|(place, signature)| {
            let messages = |hash: Hash| {
                let mut all = vec![hash.text_of(&covered(playbook, signature, 0))];
                if place > 0 {
                    all.push(hash.text_of(&covered(playbook, signature, place)));
                }
                all
            };
            let mut checked = look.at_one(signature, &messages, 0);
            if checked.state != State::Broken {
                let (state, reason) = about(playbook, signature, signatures);
                if let Some(reason) = reason {
                    (checked.state, checked.reason) = (state, Some(reason));
                }
            }
            checked
        })
        .collect();
    judge(checked)
}

fn judge(signatures: Vec<Checked>) -> Verdict {
    let broken = signatures.iter().find_map(Checked::first_broken);
    let good = signatures.iter().filter(|s| s.state == State::Good).count();
    let reason = match broken {
        Some(broken) => {
            format!("{} is broken: {}", broken.id, broken.reason.as_deref().unwrap_or_default())
        }
        None if good == 0 => "no signature holds".to_owned(),
        None => format!("{good} of {} signatures hold", signatures.len()),
    };
    Verdict { valid: broken.is_none() && good > 0, reason, signatures }
}

impl Checked {
    /// This one or the first of its counter-signatures that is broken.
    fn first_broken(&self) -> Option<&Self> {
        if self.state == State::Broken {
            return Some(self);
        }
        self.counter.as_deref().and_then(Self::first_broken)
    }
}

/// Whether the signature is about this playbook in this version, and the newest of its own versions.
fn about(playbook: &Value, signature: &Value, all: &[Value]) -> (State, Option<String>) {
    let says = |name: &str| signature.get(name).and_then(Value::as_str);
    for (name, of_playbook) in [("related_to", "id"), ("related_version", "modified")] {
        let own = playbook.get(of_playbook).and_then(Value::as_str);
        if says(name).is_some_and(|related| Some(related) != own) {
            return (
                State::Broken,
                Some(format!("its {name} is another playbook's {of_playbook}")),
            );
        }
    }
    let modified = |signature: &Value| {
        let text = signature.get("modified").and_then(Value::as_str)?;
        text.parse::<Timestamp>().ok()
    };
    let newer = all.iter().any(|other| {
        other.get("id") == signature.get("id") && modified(other) > modified(signature)
    });
    let reason = newer.then(|| "a newer version of it is there".to_owned());
    (State::Superseded, reason)
}

struct Look<'a> {
    trust: &'a Trust,
    at: Timestamp,
}

impl Look<'_> {
    fn at_one(
        &self,
        signature: &Value,
        messages: &dyn Fn(Hash) -> Vec<String>,
        depth: usize,
    ) -> Checked {
        let text =
            |name: &str| signature.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut checked = Checked {
            id: text("id"),
            signee: text("signee"),
            algorithm: text("algorithm"),
            key: None,
            state: State::Good,
            reason: None,
            counter: None,
        };
        match self.fits(signature, messages) {
            Err(reason) => (checked.state, checked.reason) = (State::Broken, Some(reason)),
            Ok(keys) => {
                checked.key = keys.first().map(|key| key.fingerprint.clone());
                match self.lapsed(signature, &keys) {
                    Err(reason) => (checked.state, checked.reason) = (State::Broken, Some(reason)),
                    Ok(None) => {}
                    Ok(reason) => (checked.state, checked.reason) = (State::Lapsed, reason),
                }
            }
        }
        if let Some(counter) = signature.get("signature") {
            let below = |hash: Hash| vec![hash.text_of(&countered(signature, counter))];
            let counter = if depth + 1 < MAX_COUNTER_DEPTH {
                self.at_one(counter, &below, depth + 1)
            } else {
                let reason =
                    format!("more than {MAX_COUNTER_DEPTH} counter-signatures upon each other");
                Checked {
                    state: State::Broken,
                    reason: Some(reason),
                    counter: None,
                    ..checked.clone()
                }
            };
            checked.counter = Some(Box::new(counter));
        }
        checked
    }

    /// The keys that stand behind a signature whose value fits; the first one signed.
    fn fits(
        &self,
        signature: &Value,
        messages: &dyn Fn(Hash) -> Vec<String>,
    ) -> Result<Vec<PublicKey>, String> {
        let text = |name: &str| {
            let missing = || format!("it has no {name}");
            signature.get(name).and_then(Value::as_str).ok_or_else(missing)
        };
        if text("type")? != "jss" {
            return Err("its type is not jss".into());
        }
        let hash = text("hash_algorithm")?;
        let hash = Hash::named(hash).ok_or_else(|| {
            format!("the hash {hash} is not known here (sha-256, sha-384, sha-512)")
        })?;
        let algorithm = text("algorithm")?;
        let algorithm = Algorithm::named(algorithm).ok_or_else(|| {
            format!("the algorithm {algorithm} is not verified here (RS, PS 256 to 512, ES256, ES384, Ed25519)")
        })?;
        let value = text("value")?;
        let value = URL_SAFE_NO_PAD
            .decode(value)
            .or_else(|_| URL_SAFE.decode(value))
            .map_err(|_| "its value is no base64url".to_owned())?;
        let keys = self.keys(signature)?;
        let key = keys.first().ok_or("its certificate chain is empty")?;
        let mut wrong = String::new();
        for message in messages(hash) {
            match key.verify(algorithm, message.as_bytes(), &value) {
                Ok(()) => return Ok(keys),
                Err(reason) => wrong = reason,
            }
        }
        Err(wrong)
    }

    fn keys(&self, signature: &Value) -> Result<Vec<PublicKey>, String> {
        if let Some(key) = signature.get("public_key").and_then(Value::as_str) {
            return Ok(vec![keys::embedded(key)?]);
        }
        if let Some(chain) = signature.get("public_cert_chain").and_then(Value::as_array) {
            let texts: Vec<&str> = chain.iter().filter_map(Value::as_str).collect();
            return keys::chain(&texts, self.at);
        }
        if let Some(print) = signature.get("thumbprint").and_then(Value::as_str) {
            let known = self.trust.by_thumbprint.iter().find(|(known, _)| known == print);
            return known.map(|(_, key)| vec![key.clone()]).ok_or_else(|| {
                format!("it only names the certificate {print}, which was not given (--key FILE)")
            });
        }
        if signature.get("cert_url").is_some() {
            return Err(
                "its key lies behind cert_url, which is not fetched: give it with --key".into()
            );
        }
        Err("it carries no key".into())
    }

    /// Why a fitting signature does not count, if so; an error where its times cannot be read.
    fn lapsed(&self, signature: &Value, keys: &[PublicKey]) -> Result<Option<String>, String> {
        let is_revoked = |key: &PublicKey| {
            let known = self.trust.revoked.iter().find(|(print, _)| *print == key.fingerprint);
            known.is_some_and(|(_, since)| since.is_none_or(|since| self.at >= since))
        };
        if keys.iter().any(is_revoked) {
            return Ok(Some("its key is revoked".into()));
        }
        if signature.get("revoked").and_then(Value::as_bool) == Some(true) {
            return Ok(Some("its signer revoked it".into()));
        }
        let time = |name: &str| match signature.get(name) {
            None => Ok(None),
            Some(value) => {
                let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
                time.map(Some).ok_or_else(|| format!("its {name} is no time"))
            }
        };
        if let Some(from) = time("valid_from")?.filter(|from| self.at < *from) {
            return Ok(Some(format!("it holds from {from} on")));
        }
        if let Some(until) = time("valid_until")?.filter(|until| self.at >= *until) {
            return Ok(Some(format!("it held until {until}")));
        }
        let trusted = &self.trust.trusted;
        let is_trusted =
            trusted.is_empty() || keys.iter().any(|k| trusted.contains(&k.fingerprint));
        Ok((!is_trusted).then(|| "its key is not among the trusted ones".to_owned()))
    }
}
