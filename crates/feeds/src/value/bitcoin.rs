//! Bitcoin addresses: Base58Check of version 0 and 5, Bech32 (BIP 173) and Bech32m (BIP 350).

use sha2::{Digest, Sha256};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Version, hash, checksum.
const BASE58_BYTES: usize = 25;
/// Longest Bech32 text (BIP 173).
const MAX_BECH32: usize = 90;
/// Constants of the two checksums (BIP 350).
const BECH32_ONE: u32 = 1;
const BECH32M_ONE: u32 = 0x2bc8_30a3;

/// The address, where its checksum is right; Bech32 in lower case.
pub(super) fn address(text: &str) -> Option<String> {
    if text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("bc1")) {
        return bech32(text);
    }
    (base58_form(text) && base58_checks(text)).then(|| text.to_owned())
}

/// Whether it looks like one, its checksum aside.
pub(super) fn has_form(text: &str) -> bool {
    let bech = text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("bc1"));
    base58_form(text) || bech && text.len() <= MAX_BECH32
}

fn base58_form(text: &str) -> bool {
    (26..=35).contains(&text.len())
        && text.starts_with(['1', '3'])
        && text.bytes().all(|b| BASE58.contains(&b))
}

fn base58_checks(text: &str) -> bool {
    let mut number = [0_u8; BASE58_BYTES];
    for byte in text.bytes() {
        let Some(digit) = BASE58.iter().position(|b| *b == byte) else { return false };
        let mut carry = digit;
        for place in number.iter_mut().rev() {
            carry += usize::from(*place) * 58;
            *place = u8::try_from(carry % 256).unwrap_or(0);
            carry /= 256;
        }
        if carry > 0 {
            return false;
        }
    }
    let leading = text.bytes().take_while(|b| *b == b'1').count();
    let zeros = number.iter().take_while(|b| **b == 0).count();
    let sum = Sha256::digest(Sha256::digest(&number[..21]));
    leading == zeros && matches!(number[0], 0 | 5) && sum[..4] == number[21..]
}

fn bech32(text: &str) -> Option<String> {
    let mixed = text.bytes().any(|b| b.is_ascii_lowercase())
        && text.bytes().any(|b| b.is_ascii_uppercase());
    if mixed || !(14..=MAX_BECH32).contains(&text.len()) {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let data: Vec<u8> = text.as_bytes()[3..]
        .iter()
        .map(|byte| BECH32.iter().position(|b| b == byte).and_then(|at| u8::try_from(at).ok()))
        .collect::<Option<_>>()?;
    // "bc" expanded: high bits, zero, low bits.
    let mut sum = 1_u32;
    for value in [3, 3, 0, 2, 3].into_iter().chain(data.iter().copied()) {
        sum = step(sum, value);
    }
    let version = *data.first()?;
    let expected = if version == 0 { BECH32_ONE } else { BECH32M_ONE };
    (sum == expected && version <= 16).then_some(text)
}

fn step(sum: u32, value: u8) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let mut next = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
    for (bit, generator) in GENERATOR.into_iter().enumerate() {
        if top >> bit & 1 == 1 {
            next ^= generator;
        }
    }
    next
}
