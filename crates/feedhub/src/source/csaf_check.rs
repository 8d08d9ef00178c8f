//! Whether an advisory is what its publisher put out: its digest, and its OpenPGP signature (§7.1.18 to §7.1.20).

use feeds::csaf::Key;
use feeds::openpgp::{self, Keyring, Verdict};
use reqwest::Url;
use sha2::{Digest, Sha256, Sha512};

use super::Run;
use super::csaf_list::{Beside, Offered, refer};
use crate::format::Signatures;
use crate::net::Fault;
use crate::store::Rejected;

/// Bytes of a digest file.
const MAX_DIGEST_BYTES: usize = 4_096;
/// Keys of a provider that are fetched.
const MAX_KEYS: usize = 20;
/// A provider of whose advisories so many in a row have no digest, or no signature, is not asked for more.
const MISSING_IN_A_ROW: u32 = 3;
const TEXT: &str = "text/plain, */*";
/// How refused signatures are counted.
const KIND: &str = "signature";

/// How advisories of one provider are judged.
pub(super) struct Checks {
    policy: Signatures,
    ring: Keyring,
    /// Whether the provider names keys.
    names_keys: bool,
    without_digest: u32,
    without_signature: u32,
}

impl Checks {
    /// Fetches the keys that a provider names. One that cannot be used is noted among what was refused.
    pub(super) async fn of(
        run: &mut Run<'_>,
        at: &Url,
        keys: &[Key],
        policy: Signatures,
    ) -> Result<Self, Fault> {
        let mut ring = Keyring::default();
        let wanted = if policy == Signatures::Ignore { &[] } else { keys };
        for key in wanted.iter().take(MAX_KEYS) {
            let fetched = match refer(at, &key.url) {
                Ok(url) => run.line.get(&url, "*/*", openpgp::MAX_KEY_BYTES).await,
                Err(fault) => Err(fault),
            };
            let why = match fetched {
                Ok(answer) => {
                    let added = ring.add(&answer.body, key.fingerprint.as_deref());
                    added.err().map(|error| error.to_string())
                }
                Err(fault) if fault.status.is_some() || fault.too_large => Some(fault.text),
                Err(fault) => return Err(fault),
            };
            if let Some(reason) = why {
                let place = key.fingerprint.clone().unwrap_or_else(|| "an OpenPGP key".into());
                let clip = |text: String| text.chars().take(300).collect();
                let (place, reason) = (clip(place), clip(reason));
                run.refuse("key", Rejected { place, reason, excerpt: String::new() });
            }
        }
        let names_keys = !keys.is_empty();
        Ok(Self { policy, ring, names_keys, without_digest: 0, without_signature: 0 })
    }

    /// Why an advisory is not taken, with how that is counted.
    pub(super) async fn objection(
        &mut self,
        run: &mut Run<'_>,
        one: &Offered,
        bytes: &[u8],
    ) -> Result<Option<(&'static str, String)>, Fault> {
        match self.digest(run, one).await? {
            Some(said) if !fits(bytes, &said) => {
                let why = "the digest that is offered is not that of the file";
                Ok(Some(("digest", why.into())))
            }
            _ => self.signature(run, one, bytes).await,
        }
    }

    /// The digest that is offered, in hex.
    async fn digest(&mut self, run: &Run<'_>, one: &Offered) -> Result<Option<String>, Fault> {
        let places = match &one.digest {
            Beside::At(url) => vec![url.clone()],
            Beside::Perhaps if self.without_digest < MISSING_IN_A_ROW => {
                [one.beside(".sha512"), one.beside(".sha256")].into_iter().flatten().collect()
            }
            _ => vec![],
        };
        if places.is_empty() {
            return Ok(None);
        }
        for url in places {
            if let Some(body) = small(run, &url, MAX_DIGEST_BYTES).await? {
                self.without_digest = 0;
                let text = String::from_utf8_lossy(&body);
                let hex = text.split_whitespace().next().unwrap_or_default();
                return Ok(Some(hex.to_ascii_lowercase()));
            }
        }
        self.without_digest += 1;
        Ok(None)
    }

    /// What speaks against the signature, counted.
    async fn signature(
        &mut self,
        run: &mut Run<'_>,
        one: &Offered,
        bytes: &[u8],
    ) -> Result<Option<(&'static str, String)>, Fault> {
        if self.policy == Signatures::Ignore {
            return Ok(None);
        }
        let required = self.policy == Signatures::Require;
        let place = match &one.signature {
            Beside::At(url) => Some(url.clone()),
            Beside::Perhaps if required || self.without_signature < MISSING_IN_A_ROW => {
                one.beside(".asc")
            }
            _ => None,
        };
        // Without any key there is nothing to judge by.
        let place = place.filter(|_| self.names_keys);
        let found = match place {
            Some(url) => small(run, &url, openpgp::MAX_SIGNATURE_BYTES).await?,
            None => None,
        };
        let Some(file) = found else {
            self.without_signature += 1;
            run.counts.signatures.missing += 1;
            let why = match self.names_keys {
                true => "no signature is offered, and this feed requires one",
                false => "the provider names no OpenPGP key, and this feed requires signatures",
            };
            return Ok(required.then(|| (KIND, why.into())));
        };
        self.without_signature = 0;
        let now_s = run.room.platform().now().as_micros() / 1_000_000;
        let verdict = match self.ring.is_empty() {
            true => Verdict::Unknown("none of the provider's keys can be used".into()),
            false => self.ring.verify(&file, bytes, now_s),
        };
        let counts = &mut run.counts.signatures;
        Ok(match verdict {
            Verdict::Good(_) => {
                counts.good += 1;
                None
            }
            Verdict::Bad(why) => {
                counts.bad += 1;
                Some((KIND, format!("the signature is bad: {why}")))
            }
            Verdict::Unknown(why) => {
                counts.unknown += 1;
                required.then(|| (KIND, format!("the signature cannot be judged: {why}")))
            }
        })
    }
}

/// A small file, if it is there; a page instead of it is none.
async fn small(run: &Run<'_>, url: &Url, most: usize) -> Result<Option<Vec<u8>>, Fault> {
    match run.line.get(url, TEXT, most).await {
        Ok(answer) => Ok(Some(answer.body)),
        Err(fault) if fault.refuses() || fault.too_large => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether a digest is that of the bytes; one of an unknown length is not.
fn fits(bytes: &[u8], said: &str) -> bool {
    match said.len() {
        64 => hex::encode(Sha256::digest(bytes)) == said,
        128 => hex::encode(Sha512::digest(bytes)) == said,
        _ => false,
    }
}
