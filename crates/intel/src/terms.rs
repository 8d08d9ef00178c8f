//! The values that an object names, in the form in which they are compared.

use std::net::IpAddr;

use serde_json::Value;
use stix::{Object, Timestamp, pattern};

use crate::prepare::Named;

/// Longest value that is indexed or looked up, in bytes.
pub const MAX_VALUE_BYTES: usize = 2_048;
/// Values taken of one object.
pub const MAX_VALUES: usize = 1_000;

/// The form in which a value is stored and asked for.
#[must_use]
pub fn normal(value: &str) -> String {
    let value = value.trim();
    match value.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => value.trim_end_matches('.').to_lowercase(),
    }
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
    named.dedup_by(|a, b| a.kind == b.kind && a.value == b.value);
    named
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
    let Some(simple) = object.text("pattern").and_then(pattern::simple_values) else { return };
    let until_us = object.timestamp("valid_until").map(Timestamp::unix_us);
    let since_us = object.timestamp("valid_from").map_or(0, Timestamp::unix_us);
    let score = object.get("confidence").and_then(Value::as_f64);
    for value in simple.iter().take(MAX_VALUES) {
        if let Some(kind) = kind_of(&value.path) {
            let value = normal(&value.value);
            if (1..=MAX_VALUE_BYTES).contains(&value.len()) {
                named.push(Named { value, kind, since_us, until_us, score });
            }
        }
    }
}

fn push(named: &mut Vec<Named>, value: &str, kind: &'static str) {
    let value = normal(value);
    if (1..=MAX_VALUE_BYTES).contains(&value.len()) && named.len() < MAX_VALUES {
        named.push(Named { value, kind, since_us: 0, until_us: None, score: None });
    }
}
