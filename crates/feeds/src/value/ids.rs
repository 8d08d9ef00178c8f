//! Identifiers with a prefix or a fixed form: CVE, GHSA, AS numbers, MAC addresses.

use super::Kind;

/// Most digits behind the year of a CVE (CVE record format 5: 4 to 19).
const CVE_DIGITS: std::ops::RangeInclusive<usize> = 4..=19;
/// Letters and digits of GHSA identifiers, those easily mistaken left out.
const GHSA_LETTERS: &[u8] = b"23456789cfghjmpqrvwx";

pub(super) fn any(text: &str) -> Option<(Kind, String)> {
    match text.as_bytes()[0] {
        b'C' | b'c' if let Some(value) = cve(text) => return Some((Kind::Cve, value)),
        b'G' | b'g' if let Some(value) = ghsa(text) => return Some((Kind::Ghsa, value)),
        b'A' | b'a' if let Some(value) = asn(text, false) => return Some((Kind::Asn, value)),
        _ => {}
    }
    mac(text, false).map(|value| (Kind::Mac, value))
}

/// `CVE-YYYY-NNNN`, in upper case.
pub(super) fn cve(text: &str) -> Option<String> {
    let rest = strip_prefix_ascii(text, "CVE-")?;
    let (year, number) = rest.split_once('-')?;
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let plausible = year.len() == 4 && digits(year) && ("1999".."2100").contains(&year);
    (plausible && CVE_DIGITS.contains(&number.len()) && digits(number))
        .then(|| format!("CVE-{rest}"))
}

/// `GHSA-xxxx-xxxx-xxxx`: prefix in upper, the rest in lower case, as GitHub prints it.
pub(super) fn ghsa(text: &str) -> Option<String> {
    let rest = strip_prefix_ascii(text, "GHSA-")?.to_ascii_lowercase();
    let groups: Vec<&str> = rest.split('-').collect();
    let good = groups.len() == 3
        && groups.iter().all(|g| g.len() == 4 && g.bytes().all(|b| GHSA_LETTERS.contains(&b)));
    good.then(|| format!("GHSA-{rest}"))
}

/// `AS64496`; with `bare` also the number alone and the form `1.10` (RFC 5396 asdot).
pub(super) fn asn(text: &str, bare: bool) -> Option<String> {
    let number = strip_prefix_ascii(text, "ASN").or_else(|| strip_prefix_ascii(text, "AS"));
    let number = match number {
        Some(number) => number.trim_start(),
        None if bare => text,
        None => return None,
    };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let value = match number.split_once('.') {
        None => number.parse::<u32>().ok()?,
        Some((high, low)) => {
            u32::from(high.parse::<u16>().ok()?) << 16 | u32::from(low.parse::<u16>().ok()?)
        }
    };
    Some(format!("AS{value}"))
}

/// A MAC address in colons; reads colons, hyphens and Cisco's dots, with `bare` also 12 digits.
pub(super) fn mac(text: &str, bare: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let (separator, group) = match bytes.len() {
        17 => (bytes[2], 2),
        14 => (bytes[4], 4),
        12 if bare => (0, 12),
        _ => return None,
    };
    let allowed = match group {
        2 => matches!(separator, b':' | b'-'),
        4 => separator == b'.',
        _ => true,
    };
    if !allowed {
        return None;
    }
    let mut digits = String::with_capacity(17);
    let mut count = 0;
    for (place, byte) in bytes.iter().enumerate() {
        if place % (group + 1) == group {
            if *byte != separator {
                return None;
            }
            continue;
        }
        if !byte.is_ascii_hexdigit() {
            return None;
        }
        if count > 0 && count % 2 == 0 {
            digits.push(':');
        }
        digits.push(char::from(byte.to_ascii_lowercase()));
        count += 1;
    }
    (count == 12).then_some(digits)
}

fn strip_prefix_ascii<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}
