//! One value against one shape.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value};

use super::Sink;
use crate::id::{self, StixId};
use crate::time::Timestamp;
use crate::vocabulary::{HASH_ALGORITHM, Vocabulary};

/// Which types a reference may name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// Any object.
    Any,
    /// Only these types.
    Only(&'static [&'static str]),
    /// Any type but these.
    Not(&'static [&'static str]),
}

/// What a value must look like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Texts,
    Bool,
    Int(i64, i64),
    Timestamp,
    Millis,
    Id,
    Ref(Target),
    Refs(Target),
    Enum(&'static Vocabulary),
    Enums(&'static Vocabulary),
    Open(&'static Vocabulary),
    Opens(&'static Vocabulary),
    Hashes,
    Hex,
    Base64,
    Ipv4,
    Ipv6,
    Mac,
    Dictionary,
    SpecVersion,
    ExternalReferences,
    GranularMarkings,
    KillChainPhases,
    Extensions,
    RelationshipType,
    TypeName,
}

pub(super) fn is_property_name(name: &str) -> bool {
    (3..=250).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Judges `value`; problems name `pointer` and `clause`.
pub(super) fn check(
    value: &Value,
    shape: Shape,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    match shape {
        Shape::Texts => list(value, pointer, clause, sink, |v, p, s| {
            let _ = text(v, p, clause, s);
        }),
        Shape::Refs(target) => {
            list(value, pointer, clause, sink, |v, p, s| reference(v, target, p, clause, s));
        }
        Shape::Enums(vocabulary) => list(value, pointer, clause, sink, |v, p, s| {
            word(v, vocabulary, true, p, clause, s);
        }),
        Shape::Opens(vocabulary) => list(value, pointer, clause, sink, |v, p, s| {
            word(v, vocabulary, false, p, clause, s);
        }),
        Shape::ExternalReferences => list(value, pointer, clause, sink, external_reference),
        Shape::GranularMarkings => list(value, pointer, clause, sink, granular_marking),
        Shape::KillChainPhases => list(value, pointer, clause, sink, kill_chain_phase),
        Shape::Ref(target) => reference(value, target, pointer, clause, sink),
        Shape::Enum(vocabulary) => word(value, vocabulary, true, pointer, clause, sink),
        Shape::Open(vocabulary) => word(value, vocabulary, false, pointer, clause, sink),
        Shape::Timestamp | Shape::Millis => timestamp(value, shape, pointer, clause, sink),
        Shape::Hashes => hashes(value, pointer, sink),
        Shape::Extensions => extensions(value, pointer, sink),
        Shape::Dictionary => {
            if let Some(map) = dictionary(value, pointer, clause, sink) {
                dictionary_keys(map, pointer, sink);
            }
        }
        Shape::Bool if !value.is_boolean() => {
            expected("true or false", value, pointer, clause, sink)
        }
        Shape::Bool => {}
        Shape::Int(min, max) => {
            if !value.as_i64().is_some_and(|n| (min..=max).contains(&n)) {
                let what = format!("an integer from {min} to {max}");
                expected(&what, value, pointer, clause, sink);
            }
        }
        _ => formed_text(value, shape, pointer, clause, sink),
    }
}

/// Texts of a particular form.
fn formed_text(
    value: &Value,
    shape: Shape,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, pointer, clause, sink) else { return };
    let (sound, what) = match shape {
        Shape::Id => (StixId::parse(text).is_ok(), "an id of the form type--UUID"),
        Shape::Hex => (
            text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit()),
            "hexadecimal digits in pairs",
        ),
        Shape::Base64 => (
            text.len().is_multiple_of(4)
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)),
            "base64 with padding",
        ),
        Shape::Ipv4 => (is_cidr::<Ipv4Addr>(text, 32), "an IPv4 address or CIDR range"),
        Shape::Ipv6 => (is_cidr::<Ipv6Addr>(text, 128), "an IPv6 address or CIDR range"),
        Shape::Mac => (is_mac(text), "a MAC address in lower case with colons"),
        Shape::SpecVersion => (matches!(text, "2.0" | "2.1"), "\"2.1\""),
        Shape::TypeName => (id::is_type_name(text), "an object type name"),
        Shape::RelationshipType => (
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "a-z, 0-9 and hyphens",
        ),
        _ => (true, ""),
    };
    if !sound {
        expected(what, value, pointer, clause, sink);
    }
}

fn is_cidr<A: std::str::FromStr>(text: &str, max_prefix: u8) -> bool {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
    address.parse::<A>().is_ok() && prefix.parse::<u8>().is_ok_and(|n| n <= max_prefix)
}

fn is_mac(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == 17
        && text.bytes().enumerate().all(|(at, b)| if at % 3 == 2 { b == b':' } else { hex(b) })
}

fn expected(what: &str, value: &Value, pointer: &str, clause: &'static str, sink: &mut Sink<'_>) {
    sink.error(pointer, clause, format!("expected {what}, found {}", shown(value)));
}

/// A value as an error shows it: short, on one line.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(map) => format!("an object of {}", map.len()),
        other => other.to_string().chars().take(80).collect(),
    }
}

fn list(
    value: &Value,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
    each: impl Fn(&Value, &str, &mut Sink<'_>),
) {
    let Some(items) = value.as_array() else {
        return expected("a list", value, pointer, clause, sink);
    };
    for (index, item) in items.iter().enumerate() {
        each(item, &format!("{pointer}/{index}"), sink);
    }
}

fn text<'v>(
    value: &'v Value,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) -> Option<&'v str> {
    let text = value.as_str();
    if text.is_none() {
        expected("a text", value, pointer, clause, sink);
    }
    text
}

fn timestamp(
    value: &Value,
    shape: Shape,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, pointer, clause, sink) else { return };
    if let Err(error) = Timestamp::parse(text) {
        let clip: String = text.chars().take(40).collect();
        return sink.error(pointer, "STIX 2.1 §2.16", format!("`{clip}` is no timestamp: {error}"));
    }
    if matches!(shape, Shape::Millis) {
        let digits = text.len().saturating_sub("2016-01-20T12:31:12.Z".len());
        let message = "needs exactly three digits after the seconds";
        match digits {
            3 => {}
            0..3 => sink.error(pointer, clause, message),
            // Readers cope with more digits and several feeds write six.
            _ => sink.warn(pointer, clause, message),
        }
    }
}

fn reference(
    value: &Value,
    target: Target,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, pointer, clause, sink) else { return };
    let id = match StixId::parse(text) {
        Ok(id) => id,
        Err(error) => return sink.error(pointer, "STIX 2.1 §2.9", error.to_string()),
    };
    let (allowed, what) = match target {
        Target::Any => (true, String::new()),
        Target::Only(types) => (types.contains(&id.kind()), format!("one of {}", types.join(", "))),
        Target::Not(types) => {
            (!types.contains(&id.kind()), format!("none of {}", types.join(", ")))
        }
    };
    if !allowed {
        sink.error(pointer, clause, format!("refers to a {}, expected {what}", id.kind()));
    }
}

fn word(
    value: &Value,
    vocabulary: &Vocabulary,
    closed: bool,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, pointer, clause, sink) else { return };
    if !vocabulary.values.contains(&text) {
        let clip: String = text.chars().take(80).collect();
        let message = format!("`{clip}` is not a value of {}", vocabulary.name);
        if closed {
            sink.error(pointer, clause, message)
        } else {
            sink.warn(pointer, clause, message)
        }
    }
}

fn dictionary<'v>(
    value: &'v Value,
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) -> Option<&'v Map<String, Value>> {
    let map = value.as_object();
    if map.is_none() {
        expected("an object", value, pointer, clause, sink);
    }
    map
}

fn dictionary_keys(map: &Map<String, Value>, pointer: &str, sink: &mut Sink<'_>) {
    for key in map.keys() {
        let sound = (1..=250).contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !sound {
            let message = "dictionary keys have up to 250 characters of a-z, A-Z, 0-9, `-` and `_`";
            sink.error(&format!("{pointer}/{key}"), "STIX 2.1 §2.3", message);
        }
    }
}

/// Hexadecimal digits of the hashes that have a fixed length.
const HASH_DIGITS: &[(&str, usize)] = &[
    ("MD5", 32),
    ("SHA-1", 40),
    ("SHA-256", 64),
    ("SHA-512", 128),
    ("SHA3-256", 64),
    ("SHA3-512", 128),
];

pub(super) fn hashes(value: &Value, pointer: &str, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §2.7";
    let Some(map) = dictionary(value, pointer, CLAUSE, sink) else { return };
    dictionary_keys(map, pointer, sink);
    for (name, hash) in map {
        let pointer = format!("{pointer}/{name}");
        let Some(hash) = text(hash, &pointer, CLAUSE, sink) else { continue };
        if !HASH_ALGORITHM.values.contains(&name.as_str()) {
            let message = format!("`{name}` is not a value of {}", HASH_ALGORITHM.name);
            sink.warn(&pointer, CLAUSE, message);
        }
        if let Some((_, digits)) = HASH_DIGITS.iter().find(|(known, _)| known == name)
            && (hash.len() != *digits || !hash.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            sink.error(&pointer, CLAUSE, format!("a {name} hash has {digits} hexadecimal digits"));
        }
    }
}

fn extensions(value: &Value, pointer: &str, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.3";
    let Some(map) = dictionary(value, pointer, CLAUSE, sink) else { return };
    for (name, body) in map {
        let pointer = format!("{pointer}/{name}");
        let Some(body) = dictionary(body, &pointer, CLAUSE, sink) else { continue };
        if name.ends_with("-ext") && id::is_type_name(name) {
            continue;
        }
        if !StixId::parse(name).is_ok_and(|id| id.kind() == "extension-definition") {
            let message =
                "named neither by an extension-definition id nor by a predefined `-ext` name";
            sink.error(&pointer, CLAUSE, message);
        }
        match body.get("extension_type") {
            Some(kind) => {
                let pointer = format!("{pointer}/extension_type");
                word(kind, &crate::vocabulary::EXTENSION_TYPE, true, &pointer, CLAUSE, sink);
            }
            None => sink.error(&pointer, CLAUSE, "`extension_type` is required and missing"),
        }
    }
}

fn required_texts(
    value: &Value,
    names: &[&str],
    pointer: &str,
    clause: &'static str,
    sink: &mut Sink<'_>,
) -> bool {
    let Some(map) = dictionary(value, pointer, clause, sink) else { return false };
    for name in names {
        let pointer = format!("{pointer}/{name}");
        match map.get(*name) {
            Some(value) => {
                let _ = text(value, &pointer, clause, sink);
            }
            None => sink.error(&pointer, clause, format!("`{name}` is required and missing")),
        }
    }
    true
}

fn kill_chain_phase(value: &Value, pointer: &str, sink: &mut Sink<'_>) {
    let names = ["kill_chain_name", "phase_name"];
    required_texts(value, &names, pointer, "STIX 2.1 §2.10", sink);
}

fn external_reference(value: &Value, pointer: &str, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §2.5";
    if !required_texts(value, &["source_name"], pointer, CLAUSE, sink) {
        return;
    }
    let has = |name: &str| value.get(name).is_some();
    if !["description", "url", "external_id"].into_iter().any(has) {
        sink.error(pointer, CLAUSE, "needs one of `description`, `url` and `external_id`");
    }
    if let Some(value) = value.get("hashes") {
        hashes(value, &format!("{pointer}/hashes"), sink);
    }
    if has("hashes") && !has("url") {
        sink.warn(pointer, CLAUSE, "`hashes` without the `url` they belong to");
    }
}

fn granular_marking(value: &Value, pointer: &str, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.2.3.1";
    let Some(map) = dictionary(value, pointer, CLAUSE, sink) else { return };
    match map.get("selectors") {
        Some(selectors) => {
            check(selectors, Shape::Texts, &format!("{pointer}/selectors"), CLAUSE, sink);
        }
        None => sink.error(pointer, CLAUSE, "`selectors` is required and missing"),
    }
    if let Some(marking) = map.get("marking_ref") {
        let target = Target::Only(&["marking-definition"]);
        reference(marking, target, &format!("{pointer}/marking_ref"), CLAUSE, sink);
    }
    if map.contains_key("marking_ref") == map.contains_key("lang") {
        sink.error(pointer, CLAUSE, "needs exactly one of `marking_ref` and `lang`");
    }
}
