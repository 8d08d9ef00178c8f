//! Texts of a row: times, numbers, addresses, data sets.

use analytics::goose::{Entry, MAX_ENTRIES};
use analytics::host::Host;

/// Microseconds of a time: Unix seconds, milli-, micro- or nanoseconds by their size, or ISO 8601.
#[must_use]
pub fn time_us(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let scale = match number.abs() {
            // The year 5138 in seconds, 1973 in milliseconds: nothing lies between.
            size if size < 1e11 => 1e6,
            size if size < 1e14 => 1e3,
            size if size < 1e17 => 1.0,
            _ => 1e-3,
        };
        let scaled = number * scale;
        return (scaled.is_finite() && scaled.abs() < 9e18).then(|| scaled.round() as i64);
    }
    iso_us(text)
}

/// `2023-05-05T10:00:00.123456Z`, also with a blank, without zone, or with an offset.
fn iso_us(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let sound = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..=9_999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !sound {
        return None;
    }
    // Days from the civil calendar (Hinnant): March begins the year.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let mut rest = text.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let mut place = 100_000;
        for digit in fraction.bytes().take(digits.min(6)) {
            micros += i64::from(digit - b'0') * place;
            place /= 10;
        }
        rest = fraction.get(digits..)?;
    }
    let zone = zone_seconds(rest.trim())?;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second - zone) * 1_000_000 + micros)
}

fn zone_seconds(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (text.len() == 1).then_some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let hours: i64 = digits.get(0..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4).unwrap_or("0").parse().ok()?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// A whole number, decimal or `0x…`; a decimal fraction is cut.
#[must_use]
pub fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok();
    }
    text.parse().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?;
        (number.is_finite() && (0.0..1.8e19).contains(&number)).then_some(number as u64)
    })
}

/// As [`whole`], in 32 bits.
#[must_use]
pub fn whole32(text: &str) -> Option<u32> {
    whole(text).and_then(|number| u32::try_from(number).ok())
}

/// `true`, `1`, `yes`, in any case.
#[must_use]
pub fn truth(text: &str) -> bool {
    ["true", "1", "yes", "t"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}

/// An internet or MAC address.
#[must_use]
pub fn host(text: &str) -> Option<Host> {
    text.trim().parse().ok()
}

/// The entries of a data set written as a list: `[True, 0, 1.5, "x"]`.
pub fn data(text: &str, entries: &mut Vec<Entry>) {
    entries.clear();
    let inner = text.trim().trim_start_matches(['[', '{', '(']).trim_end_matches([']', '}', ')']);
    let (mut depth, mut start) = (0_i32, 0);
    let mut put = |piece: &str| {
        if entries.len() < MAX_ENTRIES && !piece.trim().is_empty() {
            entries.push(entry(piece.trim()));
        }
    };
    for (place, letter) in inner.char_indices() {
        match letter {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            ',' | ';' if depth <= 0 => {
                put(&inner[start..place]);
                start = place + letter.len_utf8();
            }
            _ => {}
        }
    }
    put(&inner[start..]);
}

fn entry(text: &str) -> Entry {
    if text.eq_ignore_ascii_case("true") {
        return Entry::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Entry::Bool(false);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Entry::Number(number);
    }
    if let Ok(number) = text.parse::<f64>() {
        return Entry::Real(number.to_bits());
    }
    Entry::Other(digest(text))
}

/// FNV-1a, 64 bit: tells texts apart, the same on every machine.
#[must_use]
pub fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_every_kind_are_the_same_time() {
        let expected = Some(1_683_280_800_123_000);
        for text in [
            "1683280800.123",
            "1683280800123",
            "1683280800123000",
            "1683280800123000000",
            "2023-05-05T10:00:00.123Z",
            "2023-05-05 10:00:00.123",
            "2023-05-05T12:00:00.123+02:00",
        ] {
            assert_eq!(time_us(text), expected, "{text}");
        }
        assert_eq!(time_us("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(time_us("2023-13-01T00:00:00Z"), None);
        assert_eq!(time_us("soon"), None);
        assert_eq!(time_us("NaN"), None);
    }

    #[test]
    fn lists_become_entries() {
        let mut entries = Vec::new();
        data("[False, 0, True, 1.5, [1, 2], x]", &mut entries);
        assert_eq!(
            entries[..4],
            [
                Entry::Bool(false),
                Entry::Number(0),
                Entry::Bool(true),
                Entry::Real(1.5_f64.to_bits()),
            ]
        );
        assert_eq!(entries.len(), 6);
        assert_eq!(whole("0x3101"), Some(0x3101));
        assert_eq!(whole("12.0"), Some(12));
        assert_eq!(whole("-1"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,60}") {
            let _ = (time_us(&text), whole(&text), host(&text), truth(&text));
            data(&text, &mut Vec::new());
        }
    }
}
