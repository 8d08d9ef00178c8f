//! Digests of files: hexadecimal ones by their length, ssdeep, TLSH.

use super::Kind;

/// A cryptographic digest, told by its length; in lower case.
pub(super) fn hexadecimal(text: &str) -> Option<(Kind, String)> {
    let kind = match text.len() {
        32 => Kind::Md5,
        40 => Kind::Sha1,
        56 => Kind::Sha224,
        64 => Kind::Sha256,
        96 => Kind::Sha384,
        128 => Kind::Sha512,
        _ => return None,
    };
    text.bytes().all(|b| b.is_ascii_hexdigit()).then(|| (kind, text.to_ascii_lowercase()))
}

/// Longest part of an ssdeep hash in characters (spamsum: 64, the second one 32; longer ones have
/// been seen from other implementations).
const MAX_SSDEEP_PART: usize = 64;

/// `blocksize:hash:hash`; the block size is 3 · 2ⁿ. Letters keep their case: it is base64.
pub(super) fn ssdeep(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    let (block, one, two) = (parts.next()?, parts.next()?, parts.next()?);
    // Some tools append the name of the file.
    let digits = block.bytes().all(|b| b.is_ascii_digit());
    let size: u64 = if digits { block.parse().ok()? } else { return None };
    let base64 = |part: &str| {
        part.len() <= MAX_SSDEEP_PART
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
    };
    let sized = size.is_multiple_of(3) && (size / 3).is_power_of_two();
    let empty = one.is_empty() && two.is_empty();
    (parts.next().is_none() && sized && base64(one) && base64(two) && (!empty || size == 3))
        .then(|| format!("{size}:{one}:{two}"))
}

/// 70 hexadecimal digits, since version 4 behind `T1`; normal form: upper case, with `T1`.
pub(super) fn tlsh(text: &str) -> Option<String> {
    let body = match text.len() {
        72 => text.strip_prefix("T1").or_else(|| text.strip_prefix("t1"))?,
        70 => text,
        _ => return None,
    };
    body.bytes().all(|b| b.is_ascii_hexdigit()).then(|| format!("T1{}", body.to_ascii_uppercase()))
}
