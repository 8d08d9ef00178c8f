//! Signature packets of version 4 (RFC 9580 §5.2).

use super::packet::Bytes;

/// Over a document as it is.
pub(super) const BINARY: u8 = 0x00;
/// Over a text, line ends as CR LF.
pub(super) const TEXT: u8 = 0x01;
pub(super) const CERTIFICATIONS: std::ops::RangeInclusive<u8> = 0x10..=0x13;
pub(super) const SUBKEY_BINDING: u8 = 0x18;
pub(super) const PRIMARY_BINDING: u8 = 0x19;
pub(super) const DIRECT_KEY: u8 = 0x1f;
pub(super) const KEY_REVOCATION: u8 = 0x20;
pub(super) const SUBKEY_REVOCATION: u8 = 0x28;

/// Key flag: may sign documents (§5.2.3.29).
const MAY_SIGN: u8 = 0x02;
/// Subpackets that are understood or may be passed over although they are critical.
const KNOWN: [u8; 21] =
    [2, 3, 4, 5, 6, 7, 9, 11, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33];
/// Subpackets of a signature at most.
const MAX_SUBPACKETS: usize = 500;

/// A signature, taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Signature {
    pub(super) kind: u8,
    pub(super) algorithm: u8,
    pub(super) hash: u8,
    /// What of the signature itself is hashed, without the trailer.
    pub(super) head: Vec<u8>,
    /// The algorithm's numbers.
    pub(super) numbers: Vec<u8>,
    pub(super) created_s: u32,
    lifetime_s: Option<u32>,
    /// Lifetime of the key from its making on.
    pub(super) key_lifetime_s: Option<u32>,
    flags: Option<u8>,
    /// Reason for a revocation (§5.2.3.31).
    pub(super) reason: Option<u8>,
    issuer: Option<[u8; 8]>,
    issuer_fingerprint: Option<Vec<u8>>,
    /// A signature of the subkey over the primary key.
    pub(super) embedded: Option<Vec<u8>>,
    /// Something critical in it is not understood.
    odd: bool,
}

impl Signature {
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let mut rest = Bytes(body);
        if rest.byte()? != 4 {
            return Err("a signature of another version than 4");
        }
        let (kind, algorithm, hash) = (rest.byte()?, rest.byte()?, rest.byte()?);
        let hashed = rest.sized(2)?;
        let head = body.get(..6 + hashed.len()).unwrap_or_default().to_vec();
        let unhashed = rest.sized(2)?;
        // The first two bytes of the digest only save work.
        rest.take(2)?;
        let numbers = rest.0.to_vec();
        let mut read = Self { kind, algorithm, hash, head, numbers, ..Self::default() };
        let mut dated = false;
        read.subpackets(hashed, true, &mut dated)?;
        read.subpackets(unhashed, false, &mut dated)?;
        if !dated {
            return Err("a signature without a date");
        }
        if read.odd {
            return Err("something critical in the signature is not understood");
        }
        Ok(read)
    }

    fn subpackets(
        &mut self,
        area: &[u8],
        hashed: bool,
        dated: &mut bool,
    ) -> Result<(), &'static str> {
        let mut rest = Bytes(area);
        for _ in 0..MAX_SUBPACKETS {
            if rest.0.is_empty() {
                return Ok(());
            }
            let length = rest.length(false)?;
            let mut body = Bytes(rest.take(length)?);
            let head = body.byte()?;
            let (critical, kind) = (head & 0x80 != 0, head & 0x7f);
            // What is not hashed may have been put there by anybody: it may only help to find the key.
            match kind {
                16 => self.issuer = self.issuer.or(body.0.try_into().ok()),
                33 if self.issuer_fingerprint.is_none() => {
                    self.issuer_fingerprint = body.0.get(1..).map(<[u8]>::to_vec);
                }
                // It proves itself.
                32 => self.embedded = Some(body.0.to_vec()),
                _ if !hashed => {}
                2 => {
                    self.created_s = body.number(4)?;
                    *dated = true;
                }
                3 => self.lifetime_s = Some(body.number(4)?).filter(|s| *s > 0),
                9 => self.key_lifetime_s = Some(body.number(4)?).filter(|s| *s > 0),
                27 => self.flags = Some(body.byte().unwrap_or(0)),
                29 => self.reason = Some(body.byte()?),
                other => self.odd |= critical && !KNOWN.contains(&other),
            }
        }
        Err("a signature with more parts than are read")
    }

    /// Whether it says who made it, and that this is the key.
    pub(super) fn is_by(&self, fingerprint: &[u8; 20]) -> bool {
        match (&self.issuer_fingerprint, &self.issuer) {
            (Some(said), _) => said.as_slice() == fingerprint,
            (None, Some(id)) => fingerprint.ends_with(id),
            (None, None) => false,
        }
    }

    pub(super) fn issuer_text(&self) -> String {
        match (&self.issuer_fingerprint, &self.issuer) {
            (Some(said), _) => said.iter().map(|byte| format!("{byte:02x}")).collect(),
            (None, Some(id)) => id.iter().map(|byte| format!("{byte:02x}")).collect(),
            (None, None) => "of no name".into(),
        }
    }

    /// When it ends, seconds since 1970.
    pub(super) fn expires_s(&self) -> Option<i64> {
        self.lifetime_s.map(|life| i64::from(self.created_s) + i64::from(life))
    }

    /// Whether it lets the key sign documents; without flags that is not said.
    pub(super) fn may_sign(&self) -> Option<bool> {
        self.flags.map(|flags| flags & MAY_SIGN != 0)
    }
}
