//! Keys of a publisher: primary keys and their subkeys, and which of them may sign documents when (RFC 9580 §10.1).

use super::check::{Public, as_signed, holds};
use super::packet::{self, PUBLIC_KEY, PUBLIC_SUBKEY, Packet, SIGNATURE, USER_ATTRIBUTE, USER_ID};
use super::signature::{
    CERTIFICATIONS, DIRECT_KEY, KEY_REVOCATION, PRIMARY_BINDING, SUBKEY_BINDING, SUBKEY_REVOCATION,
    Signature,
};
use super::{MAX_KEY_BYTES, armor};

/// Signatures of a key over itself that are checked.
const MAX_SELF_SIGNATURES: usize = 200;
/// Keys that may sign, of all files.
const MAX_KEYS: usize = 1_000;
/// Reasons of revocation that leave older signatures as they are: superseded, retired (§5.2.3.31).
const SOFT: [u8; 2] = [1, 3];

/// Why a file of keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Longer than [`MAX_KEY_BYTES`].
    #[error("the key has {0} bytes, more than {MAX_KEY_BYTES}")]
    TooLarge(usize),
    /// Not a file of keys.
    #[error("the key cannot be read: {0}")]
    Shape(&'static str),
    /// The key is another than it should be.
    #[error("the key is {found}, not the {wanted} that the publisher names")]
    Fingerprint {
        /// What the file holds.
        found: String,
        /// What it should hold.
        wanted: String,
    },
}

/// Keys by which signatures are judged.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: Vec<Signer>,
    primaries: usize,
}

/// A key that may sign documents.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) public: Public,
    /// Fingerprint of the primary key, hex.
    pub(super) owner: String,
    expires_s: Option<i64>,
    /// From when on its signatures are worth nothing.
    revoked_s: Option<i64>,
    /// Whether it is allowed to sign documents.
    may_sign: bool,
}

impl Signer {
    /// What speaks against a signature made at this time.
    pub(super) fn objection(&self, made_s: i64) -> Option<&'static str> {
        if !self.may_sign {
            return Some("its key is not made for signing");
        }
        if self.revoked_s.is_some_and(|from| made_s >= from) {
            return Some("its key was revoked");
        }
        if made_s < i64::from(self.public.created_s) {
            return Some("it is older than its key");
        }
        if self.expires_s.is_some_and(|end| made_s >= end) {
            return Some("it was made after its key had ended");
        }
        None
    }
}

impl Keyring {
    /// Takes the keys of a file in; with a fingerprint (hex), the file must hold that primary key and only it counts.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn add(&mut self, file: &[u8], fingerprint: Option<&str>) -> Result<(), KeyError> {
        if file.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLarge(file.len()));
        }
        let bytes = armor::open(file).map_err(KeyError::Shape)?;
        let packets = packet::all(&bytes).map_err(KeyError::Shape)?;
        let starts: Vec<usize> = (0..packets.len())
            .filter(|at| packets.get(*at).is_some_and(|packet| packet.tag == PUBLIC_KEY))
            .collect();
        let wanted = fingerprint.map(|text| {
            text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
        });
        let (mut found, mut fault) = (None, "there is no public key in it");
        let ends = starts.iter().skip(1).copied().chain([packets.len()]);
        for (start, end) in starts.iter().copied().zip(ends) {
            match certificate(packets.get(start..end).unwrap_or_default()) {
                Ok(signers) => {
                    let owner = signers.first().map(|signer| signer.owner.clone());
                    if wanted.is_some() && owner != wanted {
                        found = owner;
                        continue;
                    }
                    self.primaries += 1;
                    let room = MAX_KEYS.saturating_sub(self.keys.len());
                    self.keys.extend(signers.into_iter().take(room));
                    if wanted.is_some() {
                        return Ok(());
                    }
                }
                Err(why) => fault = why,
            }
        }
        match (wanted, found) {
            (Some(wanted), Some(found)) => Err(KeyError::Fingerprint { found, wanted }),
            (Some(_), None) => Err(KeyError::Shape(fault)),
            (None, _) if self.primaries == 0 => Err(KeyError::Shape(fault)),
            (None, _) => Ok(()),
        }
    }

    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.primaries == 0
    }

    pub(super) fn signer(&self, signature: &Signature) -> Option<&Signer> {
        self.keys.iter().find(|signer| signature.is_by(&signer.public.fingerprint))
    }
}

/// The keys of a primary key's packets; the primary one comes first.
fn certificate(packets: &[Packet]) -> Result<Vec<Signer>, &'static str> {
    let mut parts = packets.iter();
    let primary = Public::read(&parts.next().ok_or("there is no key")?.body)?;
    let owner: String = primary.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut own = Own::default();
    let mut subkeys: Vec<(Public, Own, bool)> = Vec::new();
    let mut about = as_signed(&primary.body)?;
    let mut left = MAX_SELF_SIGNATURES;
    for packet in parts {
        match packet.tag {
            USER_ID | USER_ATTRIBUTE => about = named(&primary, packet)?,
            PUBLIC_SUBKEY => {
                about = as_signed(&primary.body)?;
                // One of another version is passed over with what is said about it.
                if let Ok(subkey) = Public::read(&packet.body) {
                    about.extend(as_signed(&packet.body)?);
                    subkeys.push((subkey, Own::default(), false));
                } else {
                    about.clear();
                }
            }
            SIGNATURE if !about.is_empty() => {
                let Ok(signature) = Signature::read(&packet.body) else { continue };
                if !signature.is_by(&primary.fingerprint) || left == 0 {
                    continue;
                }
                left -= 1;
                let held = holds(&signature, &primary, about.clone());
                match (signature.kind, subkeys.last_mut()) {
                    (SUBKEY_BINDING, Some((subkey, own, bound))) if held == Ok(true) => {
                        own.take(&signature);
                        *bound |= back(&signature, &primary, subkey) == Ok(true);
                    }
                    (SUBKEY_REVOCATION, Some((_, own, _))) if held != Ok(false) => {
                        own.revoke(&signature);
                    }
                    (KEY_REVOCATION, _) if held != Ok(false) => own.revoke(&signature),
                    (DIRECT_KEY, None) if held == Ok(true) => own.take(&signature),
                    (kind, None) if CERTIFICATIONS.contains(&kind) && held == Ok(true) => {
                        own.take(&signature);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(signers(primary, own, subkeys, &owner))
}

fn signers(
    primary: Public,
    own: Own,
    subkeys: Vec<(Public, Own, bool)>,
    owner: &str,
) -> Vec<Signer> {
    let (ends, revoked) = (own.ends_s(&primary), own.revoked_s);
    // A key whose own signatures cannot be checked any more (SHA-1) is still the one that the publisher names.
    let may_sign = own.may_sign.unwrap_or(true);
    let earlier = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
    let mut all = vec![Signer {
        public: primary,
        owner: owner.to_owned(),
        expires_s: ends,
        revoked_s: revoked,
        may_sign,
    }];
    all.extend(subkeys.into_iter().map(|(public, own, bound)| Signer {
        expires_s: earlier(ends, own.ends_s(&public)),
        revoked_s: earlier(revoked, own.revoked_s),
        // Without the subkey's own word anybody could adopt it.
        may_sign: bound && own.may_sign == Some(true),
        owner: owner.to_owned(),
        public,
    }));
    all
}

/// What a key says about itself or its subkey; the newest word counts.
#[derive(Debug, Default)]
struct Own {
    at_s: Option<u32>,
    lifetime_s: Option<u32>,
    may_sign: Option<bool>,
    revoked_s: Option<i64>,
}

impl Own {
    fn take(&mut self, signature: &Signature) {
        if self.at_s.is_none_or(|at| signature.created_s >= at) {
            self.at_s = Some(signature.created_s);
            self.lifetime_s = signature.key_lifetime_s;
            self.may_sign = signature.may_sign();
        }
    }

    fn revoke(&mut self, signature: &Signature) {
        let soft = signature.reason.is_some_and(|reason| SOFT.contains(&reason));
        let from = if soft { i64::from(signature.created_s) } else { i64::MIN };
        self.revoked_s = Some(self.revoked_s.map_or(from, |earlier| earlier.min(from)));
    }

    fn ends_s(&self, key: &Public) -> Option<i64> {
        self.lifetime_s.map(|life| i64::from(key.created_s) + i64::from(life))
    }
}

/// A key with a name or picture, as a certification signs it.
fn named(primary: &Public, packet: &Packet) -> Result<Vec<u8>, &'static str> {
    let mut about = as_signed(&primary.body)?;
    about.push(if packet.tag == USER_ID { 0xb4 } else { 0xd1 });
    let length = u32::try_from(packet.body.len()).map_err(|_| "a name that is too long")?;
    about.extend(length.to_be_bytes());
    about.extend(&packet.body);
    Ok(about)
}

/// Whether a subkey says itself that it belongs to the primary key.
fn back(binding: &Signature, primary: &Public, subkey: &Public) -> Result<bool, &'static str> {
    let embedded = Signature::read(binding.embedded.as_deref().unwrap_or_default())?;
    if embedded.kind != PRIMARY_BINDING {
        return Ok(false);
    }
    let mut about = as_signed(&primary.body)?;
    about.extend(as_signed(&subkey.body)?);
    holds(&embedded, subkey, about)
}
