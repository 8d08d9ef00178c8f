//! JA4: fingerprint of a TLS client, as FoxIO describes it (`technical_details/JA4.md`). JA4 alone:
//! the other methods of its family carry another licence.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::hello::{ClientHello, is_grease};

/// Ciphers, extensions and signature algorithms each that are taken.
const MAX_LIST: usize = 512;
/// Characters of a fingerprint, and of each of its two digests.
const TEXT_BYTES: usize = 36;
const DIGEST_CHARS: usize = 12;
/// Extensions told in the first part and therefore not in the last.
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A fingerprint, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ja4([u8; TEXT_BYTES]);

impl Ja4 {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(super) fn of(hello: &ClientHello<'_>) -> Option<Self> {
        let mut ciphers = List::of(hello.ciphers())?;
        let all = List::of(hello.extensions())?;
        let mut extensions =
            List::of(hello.extensions().filter(|kind| !matches!(*kind, SERVER_NAME | ALPN)))?;
        let signatures = List::of(hello.signatures())?;
        let mut text = [b'_'; TEXT_BYTES];
        let (first, digests) = text.split_at_mut(10);
        let named = hello.extensions().any(|kind| kind == SERVER_NAME);
        first[0] = b't';
        first[1..3].copy_from_slice(version(hello.version()));
        first[3] = if named { b'd' } else { b'i' };
        first[4..6].copy_from_slice(&two_digits(ciphers.len));
        first[6..8].copy_from_slice(&two_digits(all.len));
        let protocol = hello.protocols().next();
        first[8..10].copy_from_slice(&ends(protocol.as_ref().map_or(&[], |text| text.as_bytes())));
        digests[1..1 + DIGEST_CHARS].copy_from_slice(&digest(ciphers.sorted(), &[]));
        digests[2 + DIGEST_CHARS..]
            .copy_from_slice(&digest(extensions.sorted(), signatures.values()));
        Some(Self(text))
    }
}

impl fmt::Display for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const fn version(version: u16) -> &'static [u8; 2] {
    match version {
        0x0304 => b"13",
        0x0303 => b"12",
        0x0302 => b"11",
        0x0301 => b"10",
        0x0300 => b"s3",
        0x0002 => b"s2",
        _ => b"00",
    }
}

fn two_digits(count: usize) -> [u8; 2] {
    let count = u8::try_from(count.min(99)).unwrap_or(99);
    [b'0' + count / 10, b'0' + count % 10]
}

/// First and last character of a protocol's name, or of its hexadecimal form where those are no
/// letters or digits.
fn ends(protocol: &[u8]) -> [u8; 2] {
    match (protocol.first(), protocol.last()) {
        (Some(&first), Some(&last)) if [first, last].iter().all(u8::is_ascii_alphanumeric) => {
            [first, last]
        }
        (Some(&first), Some(&last)) => [HEX[usize::from(first >> 4)], HEX[usize::from(last & 0xf)]],
        _ => *b"00",
    }
}

fn hex(value: u16) -> [u8; 4] {
    [12, 8, 4, 0].map(|shift| HEX[usize::from(value >> shift & 0xf)])
}

/// Digest of a list, joined by commas, and of a second behind an underscore, if it has any.
fn digest(values: &[u16], more: &[u16]) -> [u8; DIGEST_CHARS] {
    if values.is_empty() {
        return [b'0'; DIGEST_CHARS];
    }
    let mut hash = Sha256::new();
    for (list, separator) in [(values, &b""[..]), (more, b"_")] {
        for (place, value) in list.iter().enumerate() {
            hash.update(if place == 0 { separator } else { b"," });
            hash.update(hex(*value));
        }
    }
    let hash = hash.finalize();
    let mut text = [b'0'; DIGEST_CHARS];
    for (pair, octet) in text.chunks_exact_mut(2).zip(hash.iter()) {
        pair.copy_from_slice(&[HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 0xf)]]);
    }
    text
}

struct List {
    values: [u16; MAX_LIST],
    len: usize,
}

impl List {
    /// The values but for those without meaning; `None` where there are too many.
    fn of(values: impl Iterator<Item = u16>) -> Option<Self> {
        let mut list = Self { values: [0; MAX_LIST], len: 0 };
        for value in values.filter(|value| !is_grease(*value)) {
            *list.values.get_mut(list.len)? = value;
            list.len += 1;
        }
        Some(list)
    }

    fn values(&self) -> &[u16] {
        &self.values[..self.len]
    }

    fn sorted(&mut self) -> &[u16] {
        self.values[..self.len].sort_unstable();
        self.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_protocol_are_those_of_the_description() {
        for (protocol, expected) in [
            (&b"h2"[..], b"h2"),
            (b"http/1.1", b"h1"),
            (b"", b"00"),
            (b"x", b"xx"),
            (&[0xab], b"ab"),
            (&[0xab, 0xcd], b"ad"),
            (&[0x30, 0xab], b"3b"),
            (&[0x30, 0x31, 0xab, 0xcd], b"3d"),
            (&[0x30, 0xab, 0xcd, 0x31], b"01"),
        ] {
            assert_eq!(&ends(protocol), expected, "{protocol:x?}");
        }
    }

    #[test]
    fn the_digests_are_those_of_the_description() {
        let ciphers = [
            0x002f, 0x0035, 0x009c, 0x009d, 0x1301, 0x1302, 0x1303, 0xc013, 0xc014, 0xc02b, 0xc02c,
            0xc02f, 0xc030, 0xcca8, 0xcca9,
        ];
        let extensions = [
            0x0005, 0x000a, 0x000b, 0x000d, 0x0012, 0x0015, 0x0017, 0x001b, 0x0023, 0x002b, 0x002d,
            0x0033, 0x4469, 0xff01,
        ];
        let signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        assert_eq!(&digest(&ciphers, &[]), b"8daaf6152771");
        assert_eq!(&digest(&extensions, &signatures), b"e5627efa2ab1");
        assert_eq!(&digest(&extensions, &[]), b"6d807ffa2a79");
        assert_eq!(&digest(&[], &signatures), b"000000000000");
    }
}
