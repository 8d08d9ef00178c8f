//! The client hello in the form of SSL 2 (RFC 5246, appendix E.2): old programs open with it and then
//! speak SSL 3 or TLS 1.0 to 1.2.

use crate::app::Recognition;
use crate::app::bytes::{Cursor, be16};

use super::CLIENT_HELLO;

/// Highest bit of the two octets of the length: a record without padding.
const NO_PADDING: u8 = 0x80;
/// Octets of the length, and of what stands before the lists.
const LENGTH_BYTES: usize = 2;
const FIXED_BYTES: usize = 9;
/// Octets of a cipher: those of TLS begin with 0.
const CIPHER_BYTES: usize = 3;
/// Most ciphers that are believed: no program has more.
const MAX_CIPHERS: usize = 512;
/// Version of SSL 2 itself.
const SSL_2: u16 = 0x0002;

/// What a client offers in the form of SSL 2. It names no host, has no extensions and hence no JA4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldHello<'a> {
    /// Highest version offered: 0x0002 is SSL 2 itself, others as in TLS.
    pub version: u16,
    ciphers: &'a [u8],
}

/// Lengths and version of the hello, which fill the record to its last octet.
struct Form {
    version: u16,
    ciphers: usize,
    total: usize,
}

/// What the first octets say; `None` where they are no such hello, `Some(None)` where too few.
fn form(bytes: &[u8]) -> Option<Option<Form>> {
    let may_be =
        |at: usize, fits: &dyn Fn(u8) -> bool| bytes.get(at).is_none_or(|byte| fits(*byte));
    let begins = may_be(0, &|byte| byte & NO_PADDING != 0)
        && may_be(2, &|kind| kind == CLIENT_HELLO)
        && may_be(3, &|major| matches!(major, 0 | 3));
    if !begins {
        return None;
    }
    let word = |at| be16(bytes, at).map(usize::from);
    let (Some(length), Some(version), Some(ciphers), Some(session), Some(challenge)) =
        (word(0), be16(bytes, 3), word(5), word(7), word(9))
    else {
        return Some(None);
    };
    let total = LENGTH_BYTES + (length & 0x7fff);
    let fits = matches!(version, SSL_2 | 0x0300..=0x0303)
        && (CIPHER_BYTES..=MAX_CIPHERS * CIPHER_BYTES).contains(&ciphers)
        && ciphers.is_multiple_of(CIPHER_BYTES)
        && matches!(session, 0 | 16)
        && (16..=32).contains(&challenge)
        && total == LENGTH_BYTES + FIXED_BYTES + ciphers + session + challenge;
    fits.then_some(Some(Form { version, ciphers, total }))
}

/// Whether such a hello begins here.
pub(super) fn recognise(bytes: &[u8]) -> Recognition {
    match form(bytes) {
        None => Recognition::NotForUs,
        Some(None) => Recognition::Unsure,
        Some(Some(_)) => Recognition::Certain,
    }
}

/// Reads the hello with its length: it, or how many octets it needs; `None` where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Result<(OldHello<'_>, usize), usize>> {
    let Some(Form { version, ciphers, total }) = form(bytes)? else {
        return Some(Err(LENGTH_BYTES + FIXED_BYTES));
    };
    if bytes.len() < total {
        return Some(Err(total));
    }
    let mut cursor = Cursor::new(bytes.get(LENGTH_BYTES + FIXED_BYTES..)?);
    Some(Ok((OldHello { version, ciphers: cursor.take(ciphers)? }, total)))
}

impl OldHello<'_> {
    /// Ciphers in the client's order: those of TLS are below 0x1_0000, those of SSL 2 above.
    pub fn ciphers(&self) -> impl Iterator<Item = u32> {
        self.ciphers.chunks_exact(CIPHER_BYTES).map(|cipher| match *cipher {
            [a, b, c] => u32::from_be_bytes([0, a, b, c]),
            _ => 0,
        })
    }
}
