//! Values of variables by type (`variable-type-ov`, §10.18.4). CACAO writes every value as text; the type says which texts are one.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

/// Whether a text is a value of this type. An empty text is a value that is known to be empty, of any type; of types that are
/// not in the vocabulary every text is one.
///
/// # Errors
/// What it should look like.
pub fn fits(kind: &str, text: &str) -> Result<(), String> {
    let Some((_, should, good)) = TYPES.iter().find(|(name, ..)| *name == kind) else {
        return Ok(());
    };
    if text.is_empty() || good(text) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    Err(format!("'{shown}' is no {kind}: {should}"))
}

/// A type: its name, what its values look like, whether a text is one.
type Type = (&'static str, &'static str, fn(&str) -> bool);

const TYPES: [Type; 14] = [
    ("bool", "write true or false", |text| matches!(text, "true" | "false")),
    ("dictionary", "write a JSON object", |text| {
        serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
    }),
    ("float", "write a number such as 0.5", |text| {
        text.parse::<f64>().is_ok_and(|number| number.is_finite())
    }),
    ("hash", "write hexadecimal digits, two a byte", is_hex),
    ("hexstring", "write hexadecimal digits, two a byte", is_hex),
    ("integer", "write a whole number of at most 64 bits", is_whole),
    ("ipv4-addr", "write an address such as 192.0.2.1 or a range such as 192.0.2.0/24", |text| {
        is_network(text, 32, |ip| ip.parse::<Ipv4Addr>().is_ok())
    }),
    (
        "ipv6-addr",
        "write an address such as 2001:db8::1 or a range such as 2001:db8::/32",
        |text| is_network(text, 128, |ip| ip.parse::<Ipv6Addr>().is_ok()),
    ),
    ("long", "write a whole number of at most 64 bits", is_whole),
    ("mac-addr", "write an address such as 00:00:5e:00:53:01", is_mac),
    ("md5-hash", "write 32 hexadecimal digits", |text| text.len() == 32 && is_hex(text)),
    ("sha256-hash", "write 64 hexadecimal digits", |text| text.len() == 64 && is_hex(text)),
    ("uri", "write an address with its scheme, such as https://example.org", is_uri),
    ("uuid", "write a UUID such as 5d1f0f0e-8a4b-4b53-9a6d-000000000000", is_uuid),
];

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_whole(text: &str) -> bool {
    text.parse::<i64>().is_ok()
}

fn is_network(text: &str, most: u8, is_address: fn(&str) -> bool) -> bool {
    match text.split_once('/') {
        None => is_address(text),
        Some((address, prefix)) => {
            is_address(address)
                && prefix.bytes().all(|byte| byte.is_ascii_digit())
                && prefix.parse::<u8>().is_ok_and(|bits| bits <= most)
        }
    }
}

/// Six bytes in hexadecimal with colons or hyphens between them.
pub(crate) fn is_mac(text: &str) -> bool {
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    [':', '-'].into_iter().any(|sign| {
        let mut parts = text.split(sign);
        parts.by_ref().take(6).filter(|part| two(part)).count() == 6 && parts.next().is_none()
    })
}

/// A scheme (RFC 3986 §3.1), then something, and nothing that a URI writes with `%`.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && !rest.chars().any(|c| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_takes_its_values_and_no_others() {
        for (kind, good, bad) in [
            ("bool", "true", "yes"),
            ("dictionary", r#"{"a":1}"#, "[1]"),
            ("float", "-0.5e3", "inf"),
            ("hash", "ab12", "ab1"),
            ("hexstring", "00ff", "0x00"),
            ("integer", "-7", "7.0"),
            ("ipv4-addr", "192.0.2.0/24", "192.0.2.256"),
            ("ipv4-addr", "192.0.2.1", "192.0.2.0/+8"),
            ("ipv6-addr", "2001:db8::/32", "192.0.2.1"),
            ("long", "9223372036854775807", "9223372036854775808"),
            ("mac-addr", "00:00:5e:00:53:01", "00:00:5e-00-53:01"),
            ("mac-addr", "00-00-5E-00-53-01", "00:00:5e:00:53:01:02"),
            ("md5-hash", "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427"),
            ("sha256-hash", &"0".repeat(64), &"g".repeat(64)),
            ("uri", "urn:sereno:x", "example.org"),
            ("uri", "https://example.org/?a=%20b", "https://example.org/a b"),
            ("uuid", "5d1f0f0e-8a4b-4b53-9a6d-000000000000", "5d1f0f0e"),
        ] {
            assert_eq!(fits(kind, good), Ok(()), "{kind} {good}");
            assert!(fits(kind, bad).is_err_and(|text| text.contains(kind)), "{kind} {bad}");
            assert_eq!(fits(kind, ""), Ok(()), "known to be empty");
        }
        assert_eq!(fits("string", "anything"), Ok(()));
        assert_eq!(fits("x-colour", "anything"), Ok(()));
    }
}
