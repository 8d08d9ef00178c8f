//! Detached OpenPGP signatures (RFC 9580, and RFC 4880 before it), verified only: what publishers of advisories use.
//!
//! Keys and signatures of version 4; RSA from 2,048 bits, ECDSA on P-256 and P-384, Ed25519 in both forms; SHA-256 and
//! longer. Everything else is [`Verdict::Unknown`], never good. The arithmetic is that of `ring`.

mod armor;
mod check;
mod keyring;
mod packet;
mod signature;

pub use keyring::{KeyError, Keyring};

use signature::Signature;

/// Largest file of keys, bytes.
pub const MAX_KEY_BYTES: usize = 1 << 20;
/// Largest file of signatures, bytes.
pub const MAX_SIGNATURE_BYTES: usize = 64 << 10;
/// Signatures of a file that are looked at.
pub const MAX_SIGNATURES: usize = 16;
/// Packets of a file at most.
pub const MAX_PACKETS: usize = 10_000;
/// A signature may be made so much later than now, seconds: clocks differ.
const MAX_AHEAD_S: i64 = 86_400;

/// What a detached signature is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Made over these bytes by a key of the ring that was allowed to sign then: the fingerprint of its primary key.
    Good(String),
    /// Not made over these bytes, or by none of the keys, or by one that may not sign; why.
    Bad(String),
    /// It cannot be judged: unreadable, or of a kind that is not known here; why.
    Unknown(String),
}

impl Keyring {
    /// Judges the signatures in `file` (armored or not) over `data` at `now_s`, seconds since 1970. One that is good
    /// is enough; else the first tells why.
    pub fn verify(&self, file: &[u8], data: &[u8], now_s: i64) -> Verdict {
        if file.len() > MAX_SIGNATURE_BYTES {
            let size = file.len();
            return Verdict::Unknown(format!(
                "{size} bytes of signature; {MAX_SIGNATURE_BYTES} are read"
            ));
        }
        let packets = match armor::open(file).and_then(|bytes| packet::all(&bytes)) {
            Ok(packets) => packets,
            Err(why) => return Verdict::Unknown(why.into()),
        };
        let signatures = packets.iter().filter(|packet| packet.tag == packet::SIGNATURE);
        let mut first = None;
        for packet in signatures.take(MAX_SIGNATURES) {
            let verdict = match Signature::read(&packet.body) {
                Ok(signature) => self.judge(&signature, data, now_s),
                Err(why) => Verdict::Unknown(why.into()),
            };
            if matches!(verdict, Verdict::Good(_)) {
                return verdict;
            }
            first.get_or_insert(verdict);
        }
        first.unwrap_or_else(|| Verdict::Unknown("there is no signature in it".into()))
    }

    fn judge(&self, signature: &Signature, data: &[u8], now_s: i64) -> Verdict {
        let bad = |why: &str| Verdict::Bad(why.to_owned());
        let Some(key) = self.signer(signature) else {
            let who = signature.issuer_text();
            return Verdict::Bad(format!(
                "made by the key {who}, which the publisher does not list"
            ));
        };
        let signed = match signature.kind {
            signature::BINARY => data.to_vec(),
            signature::TEXT => with_crlf(data),
            _ => return bad("it is no signature over a document"),
        };
        match check::holds(signature, &key.public, signed) {
            Ok(true) => {}
            Ok(false) => return bad("it was not made over this document"),
            Err(why) => return Verdict::Unknown(why.into()),
        }
        let made = i64::from(signature.created_s);
        if made > now_s.saturating_add(MAX_AHEAD_S) {
            return bad("it was made in the future");
        }
        if signature.expires_s().is_some_and(|end| end <= now_s) {
            return bad("the signature has expired");
        }
        match key.objection(made) {
            Some(why) => bad(why),
            None => Verdict::Good(key.owner.clone()),
        }
    }
}

/// Lines as a text signature has them (RFC 9580 §5.2.1.2).
fn with_crlf(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut last = 0;
    for &byte in data {
        if byte == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        last = byte;
    }
    out
}

#[cfg(test)]
mod tests;
