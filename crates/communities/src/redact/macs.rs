//! MAC addresses inside texts, in the forms people write them.

use ports::pseudonyms::{Mac, is_device};

/// Forms: what stands between the digits, and how many digits stand together.
const FORMS: [(u8, usize); 3] = [(b':', 2), (b'-', 2), (b'.', 4)];
/// Digits of a MAC address.
const DIGITS: usize = 12;

/// The text with the MAC address of every device replaced; `None` when there is none.
pub(crate) fn replaced(text: &str, hide: impl Fn(Mac) -> Mac) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        let found = FORMS.into_iter().find_map(|form| Some((form, read(bytes, at, form)?)));
        let Some(((between, together), (mac, end))) = found.filter(|(_, (mac, _))| is_device(*mac))
        else {
            at += 1;
            continue;
        };
        let upper = bytes[at..end].iter().any(u8::is_ascii_uppercase);
        out.push_str(&text[kept..at]);
        out.push_str(&written(hide(mac), between, together, upper));
        (at, kept) = (end, end);
    }
    (kept > 0).then(|| out + &text[kept..])
}

/// The MAC address of a form that begins here and is no part of something longer, and where it ends.
fn read(bytes: &[u8], at: usize, (between, together): (u8, usize)) -> Option<(Mac, usize)> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == between;
    if at > 0 && part(&bytes[at - 1]) {
        return None;
    }
    let length = DIGITS + DIGITS / together - 1;
    let core = bytes.get(at..at + length)?;
    let mut mac = [0; 6];
    let mut digits = 0;
    for (place, byte) in core.iter().enumerate() {
        if place % (together + 1) == together {
            if *byte != between {
                return None;
            }
            continue;
        }
        let digit = char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())?;
        mac[digits / 2] = mac[digits / 2] << 4 | digit;
        digits += 1;
    }
    let after = &bytes[at + length..];
    let goes_on = match after.first() {
        Some(byte) if byte.is_ascii_alphanumeric() => true,
        // A colon or a full stop may end a phrase.
        Some(byte) if *byte == between => after.get(1).is_some_and(u8::is_ascii_hexdigit),
        _ => false,
    };
    (!goes_on).then_some((mac, at + length))
}

fn written(mac: Mac, between: u8, together: usize, upper: bool) -> String {
    let digits: Vec<u8> = mac.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
    let mut text = String::new();
    for (place, digit) in digits.iter().enumerate() {
        if place > 0 && place % together == 0 {
            text.push(char::from(between));
        }
        let digit = char::from_digit(u32::from(*digit), 16).unwrap_or('0');
        text.push(if upper { digit.to_ascii_uppercase() } else { digit });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let got = replaced(text, |[a, b, c, d, e, f]| [a | 2, f, e, d, c, b]);
        assert_eq!(got.as_deref().unwrap_or(text), expect, "{text}");
        assert_eq!(got.is_some(), text != expect, "told only when something changed");
    }

    #[test]
    fn mac_addresses_are_found_in_every_form_and_nothing_else_is() {
        check("b8:27:eb:7d:6b:a6", "ba:a6:6b:7d:eb:27");
        check("(B8-27-EB-7D-6B-A6).", "(BA-A6-6B-7D-EB-27).");
        check("b827.eb7d.6ba6, b8:27:eb:7d:6b:a6:", "baa6.6b7d.eb27, ba:a6:6b:7d:eb:27:");
        check("[mac-addr:value = 'b8:27:eb:7d:6b:a6']", "[mac-addr:value = 'ba:a6:6b:7d:eb:27']");
        check("é b8:27:eb:7d:6b:a6 é", "é ba:a6:6b:7d:eb:27 é");
        for text in [
            "",
            "b8:27:eb:7d:6b",
            "b8:27:eb:7d:6b:a6:01:02", // an EUI-64
            "fd00:b8:27:eb:7d:6b:a6",  // an IPv6 address
            "b8:27-eb:7d:6b:a6",
            "ff:ff:ff:ff:ff:ff", // everybody
            "01:00:5e:00:00:fb", // a group
            "00:00:00:00:00:00",
            "12:34:56",
            "b827eb7d6ba6", // may as well be the half of a hash
            "2026-11-30-12-00-00-01",
            "xb8:27:eb:7d:6b:a6",
        ] {
            check(text, text);
        }
    }
}
