//! The values that an object names, in the form in which they are compared.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use feeds::value::{Kind, Observable};
use serde_json::Value;
use stix::pattern::{self, Needed};
use stix::{Object, Timestamp};

use crate::prepare::Named;

/// Longest value that is indexed or looked up, in bytes.
pub const MAX_VALUE_BYTES: usize = 2_048;
/// Conditions that are kept beside one value, in bytes; further alternatives are left out.
const MAX_BESIDES_BYTES: usize = 2_000;
/// Values taken of one object.
pub const MAX_VALUES: usize = 1_000;

/// The form in which a value is stored and asked for: addresses and networks in their shortest form, networks without
/// host bits, URLs as browsers write them (`http://a.example` is `http://a.example/`), all in lower case.
#[must_use]
pub fn normal(value: &str) -> String {
    let value = value.trim();
    if let Ok(address) = value.parse::<IpAddr>() {
        return address.to_string();
    }
    if let Some(network) = network(value) {
        return network;
    }
    if value.contains("://")
        && let Ok(url) = Observable::of_kind(Kind::Url, value)
    {
        return url.value().to_lowercase();
    }
    value.trim_end_matches('.').to_lowercase()
}

/// A network in its normal form; a network of one address is that address.
fn network(value: &str) -> Option<String> {
    if !value.contains('/') {
        return None;
    }
    [Kind::Ipv4Net, Kind::Ipv6Net, Kind::Ipv4, Kind::Ipv6]
        .into_iter()
        .find_map(|kind| Observable::of_kind(kind, value).ok())
        .map(|found| found.value().to_owned())
}

/// The networks that hold an address or network of normal form, the smallest first, each in its normal form; nothing
/// for other values. There are at most 32 around an IPv4 and 128 around an IPv6 address: asking for
/// each by its text needs no table of ranges that could lag behind.
#[must_use]
pub fn around(value: &str) -> Vec<String> {
    let (address, own) = match value.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (value, Some(u8::MAX)),
    };
    let (Ok(address), Some(own)) = (address.parse::<IpAddr>(), own) else { return vec![] };
    let own = own.min(if address.is_ipv4() { 32 } else { 128 });
    (1..own)
        .rev()
        .map(|length| match address {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                format!("{}/{length}", Ipv4Addr::from(u32::from(ip) & mask))
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                format!("{}/{length}", Ipv6Addr::from(u128::from(ip) & mask))
            }
        })
        .collect()
}

/// The kind under which a value of normal form is kept: networks are no addresses.
fn kept_kind(kind: &'static str, value: &str) -> &'static str {
    if kind == "address" && value.contains('/') { "network" } else { kind }
}

/// Object paths whose values are indexed, with the kind of value.
const PATHS: &[(&str, &str)] = &[
    ("ipv4-addr:value", "address"),
    ("ipv6-addr:value", "address"),
    ("domain-name:value", "domain"),
    ("url:value", "url"),
    ("email-addr:value", "email"),
    ("email-message:sender_ref.value", "email"),
    ("email-message:from_ref.value", "email"),
    ("email-message:subject", "subject"),
    ("mac-addr:value", "mac"),
    ("file:name", "file"),
    ("mutex:name", "mutex"),
    ("windows-registry-key:key", "registry-key"),
    ("user-account:account_login", "account"),
    ("autonomous-system:number", "asn"),
    ("vulnerability:name", "cve"),
    ("network-traffic:src_ref.value", "address"),
    ("network-traffic:dst_ref.value", "address"),
];

/// The kind of a value by its object path; hashes of any algorithm are `hash`.
#[must_use]
pub fn kind_of(path: &str) -> Option<&'static str> {
    let known = PATHS.iter().find(|(known, _)| *known == path).map(|(_, kind)| *kind);
    known.or_else(|| {
        let (_, property) = path.split_once(':')?;
        (property.starts_with("hashes.") || property.contains(".hashes.")).then_some("hash")
    })
}

/// What an object names: an observable its value, an indicator the values of its simple pattern, a
/// vulnerability its number.
pub(crate) fn of(object: &Object) -> Vec<Named> {
    let mut named = Vec::new();
    match object.kind() {
        "indicator" => of_indicator(object, &mut named),
        "vulnerability" => {
            for id in external_ids(object).chain(object.text("name")) {
                if id.len() >= 4 && id.as_bytes()[..4].eq_ignore_ascii_case(b"CVE-") {
                    push(&mut named, id, "cve");
                }
            }
        }
        kind => of_observable(kind, object, &mut named),
    }
    named.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
    merged(named)
}

fn external_ids(object: &Object) -> impl Iterator<Item = &str> {
    let references = object.get("external_references").and_then(Value::as_array);
    references.into_iter().flatten().filter_map(|entry| entry.get("external_id")?.as_str())
}

fn of_observable(kind: &str, object: &Object, named: &mut Vec<Named>) {
    let paths = PATHS.iter().filter_map(|(path, name)| {
        let (of, property) = path.split_once(':')?;
        (of == kind).then_some((property, *name))
    });
    for (property, name) in paths {
        match object.get(property) {
            Some(Value::String(text)) => push(named, text, name),
            Some(Value::Number(number)) => push(named, &number.to_string(), name),
            _ => {}
        }
    }
    let hashes = object.get("hashes").and_then(Value::as_object);
    for hash in hashes.into_iter().flat_map(|hashes| hashes.values()).filter_map(Value::as_str) {
        push(named, hash, "hash");
    }
}

fn of_indicator(object: &Object, named: &mut Vec<Named>) {
    if object.text("pattern_type") != Some("stix") {
        return;
    }
    let needed = object.text("pattern").map(pattern::needed_values).unwrap_or_default();
    let until_us = object.timestamp("valid_until").map(Timestamp::unix_us);
    let since_us = object.timestamp("valid_from").map_or(0, Timestamp::unix_us);
    let score = object.get("confidence").and_then(Value::as_f64);
    for Needed { value, besides } in needed {
        if let Some(kind) = kind_of(&value.path) {
            let value = normal(&value.value);
            if named.len() < MAX_VALUES && (1..=MAX_VALUE_BYTES).contains(&value.len()) {
                let kind = kept_kind(kind, &value);
                named.push(Named { value, kind, since_us, until_us, score, besides });
            }
        }
    }
}

/// Puts what an object says of one value into one: alone if one of its words is, else any of the conditions.
fn merged(all: Vec<Named>) -> Vec<Named> {
    let mut merged: Vec<Named> = Vec::with_capacity(all.len());
    for named in all {
        match merged.last_mut() {
            Some(last) if last.kind == named.kind && last.value == named.value => {
                last.besides = match (last.besides.take(), named.besides) {
                    (Some(one), Some(other)) if one != other => either(one, &other),
                    (one, other) => one.and(other),
                };
            }
            _ => merged.push(named),
        }
    }
    merged
}

fn either(one: String, other: &str) -> Option<String> {
    if one.len() + other.len() > MAX_BESIDES_BYTES {
        return Some(one);
    }
    let wrapped = |text: &str| match text.contains(" AND ") {
        true => format!("({text})"),
        false => text.to_owned(),
    };
    Some(format!("{} OR {}", wrapped(&one), wrapped(other)))
}

fn push(named: &mut Vec<Named>, value: &str, kind: &'static str) {
    let value = normal(value);
    if (1..=MAX_VALUE_BYTES).contains(&value.len()) && named.len() < MAX_VALUES {
        let kind = kept_kind(kind, &value);
        named.push(Named { value, kind, since_us: 0, until_us: None, score: None, besides: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_one_form() {
        for (given, wanted) in [
            ("HTTP://A.Example", "http://a.example/"),
            ("http://a.example:80/", "http://a.example/"),
            ("https://a.example/Path?q", "https://a.example/path?q"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("2001:DB8::1/32", "2001:db8::/32"),
            ("B.example.", "b.example"),
            ("a/b", "a/b"),
        ] {
            assert_eq!(normal(given), wanted);
        }
    }

    #[test]
    fn an_address_lies_in_as_many_networks_as_it_has_bits() {
        let around_it = around("198.51.100.7");
        assert_eq!(around_it.len(), 31);
        assert_eq!(
            (around_it[0].as_str(), around_it[30].as_str()),
            ("198.51.100.6/31", "128.0.0.0/1")
        );
        assert_eq!(around("198.51.100.0/24")[0], "198.51.100.0/23");
        assert_eq!(around("2001:db8::1").len(), 127);
        assert!(around("a.example").is_empty() && around("x/8").is_empty());
    }
}
