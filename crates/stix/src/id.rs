//! Identifiers: `object-type--UUID` (STIX 2.1 §2.9), deterministic ids of cyber observables
//! (§2.9, §6) and ids derived in a producer's own namespace.

use std::fmt;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::jcs;

/// Namespace of deterministic cyber-observable ids (STIX 2.1 §2.9).
pub const SCO_NAMESPACE: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// Shortest and longest object type name, in characters (STIX 2.1 §2.9, §3.1).
const TYPE_NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=250;

/// What is wrong with the text of an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// There is no `--` between type and UUID.
    #[error("no `--` between object type and UUID; an id reads `type--UUID`")]
    NoSeparator,
    /// The part before `--` is not an object type name.
    #[error("`{0}` is not an object type name (3 to 250 of a-z, 0-9 and single hyphens)")]
    TypeName(String),
    /// The part after `--` is not a UUID in the hyphenated form of RFC 4122.
    #[error("`{0}` is not a hyphenated RFC 4122 UUID (variant 10, version 1 to 5)")]
    Uuid(String),
}

/// A well-formed identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StixId {
    text: String,
    type_len: usize,
}

impl StixId {
    /// Reads `type--UUID`.
    ///
    /// # Errors
    /// [`IdError`] naming the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let at = check(text)?.len();
        Ok(Self { text: text.to_owned(), type_len: at })
    }

    /// The id of a given type and UUID. `kind` must be a type name; what is not is kept as it is
    /// and caught by validation.
    #[must_use]
    pub fn new(kind: &str, uuid: Uuid) -> Self {
        Self { text: format!("{kind}--{}", uuid.hyphenated()), type_len: kind.len() }
    }

    /// A UUIDv5 id in the producer's own `namespace` (never [`SCO_NAMESPACE`]): the same input
    /// gives the same id, so that an object made again after a crash is the same object.
    #[must_use]
    pub fn derived(kind: &str, namespace: Uuid, name: &str) -> Self {
        Self::new(kind, Uuid::new_v5(&namespace, format!("{kind}\n{name}").as_bytes()))
    }

    /// Object type, the part before `--`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.text[..self.type_len]
    }

    /// The UUID part.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Uuid::parse_str(&self.text[self.type_len + 2..]).unwrap_or_default()
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for StixId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<str> for StixId {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// Whether `name` has the form of an object type (STIX 2.1 §3.1: a-z, 0-9, hyphen; 3 to 250
/// characters; no double hyphen, no hyphen at the start).
#[must_use]
pub fn is_type_name(name: &str) -> bool {
    TYPE_NAME_CHARS.contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.contains("--")
}

/// Whether the text is an identifier; gives its object type. Allocates only for an error.
///
/// # Errors
/// [`IdError`] naming the part that is wrong.
pub fn check(text: &str) -> Result<&str, IdError> {
    let at = text.find("--").ok_or(IdError::NoSeparator)?;
    let (kind, uuid) = (&text[..at], &text[at + 2..]);
    if !is_type_name(kind) {
        return Err(IdError::TypeName(clip(kind)));
    }
    if !is_uuid_text(uuid) {
        return Err(IdError::Uuid(clip(uuid)));
    }
    Ok(kind)
}

/// The version of the UUID in a well-formed identifier, else 0.
#[must_use]
pub fn uuid_version(id: &str) -> u8 {
    let digit = id.len().checked_sub(UUID_CHARS).and_then(|start| id.as_bytes().get(start + 14));
    digit.filter(|b| b.is_ascii_digit()).map_or(0, |b| b - b'0')
}

const UUID_CHARS: usize = 36;

/// The hyphenated form of RFC 4122 §3, its variant and one of its five versions (§4.1.3). The
/// versions 6 to 8 came with RFC 9562, which STIX 2.1 does not name.
fn is_uuid_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == UUID_CHARS
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            14 => (b'1'..=b'5').contains(b),
            19 => matches!(b, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
            _ => b.is_ascii_hexdigit(),
        })
}

fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Properties that contribute to the id of a cyber observable, in the standard's order.
/// `process` has none: its id is random.
const CONTRIBUTING: &[(&str, &[&str])] = &[
    ("artifact", &["hashes", "payload_bin"]),
    ("autonomous-system", &["number"]),
    ("directory", &["path"]),
    ("domain-name", &["value"]),
    ("email-addr", &["value"]),
    ("email-message", &["from_ref", "subject", "body"]),
    ("file", &["hashes", "name", "extensions", "parent_directory_ref"]),
    ("ipv4-addr", &["value"]),
    ("ipv6-addr", &["value"]),
    ("mac-addr", &["value"]),
    ("mutex", &["name"]),
    (
        "network-traffic",
        &["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"],
    ),
    ("software", &["name", "cpe", "swid", "vendor", "version"]),
    ("url", &["value"]),
    ("user-account", &["account_type", "user_id", "account_login"]),
    ("windows-registry-key", &["key", "values"]),
    ("x509-certificate", &["hashes", "serial_number"]),
];

/// Hashes in the order in which one is chosen for the id (STIX 2.1 §2.9).
const HASH_CHOICE: &[&str] = &["MD5", "SHA-1", "SHA-256", "SHA-512"];

/// Whether `kind` is one of the standard's cyber observables.
#[must_use]
pub fn is_cyber_observable(kind: &str) -> bool {
    kind == "process" || CONTRIBUTING.iter().any(|(k, _)| *k == kind)
}

/// Whether a property contributes to the id of a type (§6, "ID Contributing Properties").
#[must_use]
pub(crate) fn contributes(kind: &str, name: &str) -> bool {
    CONTRIBUTING.iter().any(|(k, names)| *k == kind && names.contains(&name))
}

/// The deterministic id of a cyber observable: UUIDv5 over the canonical JSON of its
/// id-contributing properties. `None` where the type has none or the object carries none of them.
#[must_use]
pub fn deterministic(kind: &str, properties: &Map<String, Value>) -> Option<StixId> {
    let (_, names) = CONTRIBUTING.iter().find(|(k, _)| *k == kind)?;
    let mut chosen = Map::new();
    for name in *names {
        if let Some(value) = properties.get(*name) {
            let value = if *name == "hashes" { one_hash(value) } else { value.clone() };
            chosen.insert((*name).to_owned(), value);
        }
    }
    if chosen.is_empty() {
        return None;
    }
    let canonical = jcs::to_string(&Value::Object(chosen));
    Some(StixId::new(kind, Uuid::new_v5(&SCO_NAMESPACE, canonical.as_bytes())))
}

fn one_hash(hashes: &Value) -> Value {
    let Some(map) = hashes.as_object() else { return hashes.clone() };
    let first = HASH_CHOICE
        .iter()
        .find_map(|name| map.get_key_value(*name))
        .or_else(|| map.iter().min_by(|a, b| a.0.cmp(b.0)));
    let mut one = Map::new();
    if let Some((name, value)) = first {
        one.insert(name.clone(), value.clone());
    }
    Value::Object(one)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(kind: &str, properties: Value, expect: &str) {
        let got = deterministic(kind, properties.as_object().unwrap()).unwrap();
        assert_eq!(got.as_str(), expect);
    }

    #[test]
    fn reads_ids_and_says_what_is_wrong() {
        let id = StixId::parse("ipv4-addr--efcd5e80-570d-4131-b213-62cb18eaa6a8").unwrap();
        assert_eq!(id.kind(), "ipv4-addr");
        assert_eq!(StixId::parse("identity"), Err(IdError::NoSeparator));
        assert!(matches!(StixId::parse("Xy--1"), Err(IdError::TypeName(_))));
        assert!(matches!(StixId::parse("identity--1"), Err(IdError::Uuid(_))));
        assert!(StixId::parse("identity--{cd5e80-570d-4131-b213-62cb18eaa6a8}").is_err());
        // a nil UUID has no RFC 4122 variant
        assert!(StixId::parse("identity--00000000-0000-0000-0000-000000000000").is_err());
    }

    #[test]
    fn deterministic_ids_agree_with_the_standard_and_the_reference_library() {
        // expected values: python `stix2` 3, the reference implementation of OASIS
        check(
            "ipv4-addr",
            serde_json::json!({"value": "198.51.100.3"}),
            "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
        );
        check(
            "ipv6-addr",
            serde_json::json!({"value": "2001:db8::1"}),
            "ipv6-addr--6469e3a9-b053-5e34-a025-9396ae051d26",
        );
        check(
            "mac-addr",
            serde_json::json!({"value": "d2:fb:49:24:37:18"}),
            "mac-addr--757b1725-9903-54f5-a855-1240691d7659",
        );
        check(
            "file",
            serde_json::json!({"name": "a\u{e9}\u{1f600}.exe", "size": 3,
                "hashes": {"SHA-256": "35a01331e9ad96f751278b891b6ea09699806faedfa237d40513d92ad1b7100f",
                           "MD5": "66e2ea40dc71d5ba701574ea215a81f1"}}),
            "file--fd13a447-c588-5d20-a8b4-3e499cd68fc2",
        );
        check(
            "network-traffic",
            serde_json::json!({"src_ref": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
                "dst_port": 23, "protocols": ["ipv4", "tcp"], "start": "2018-07-25T12:00:00Z"}),
            "network-traffic--f0c3d309-5831-5fa2-9d38-64c4523ca007",
        );
    }

    #[test]
    fn derived_ids_repeat_and_differ_by_kind_and_name() {
        let ns = Uuid::from_u128(7);
        let a = StixId::derived("incident", ns, "1");
        assert_eq!(a, StixId::derived("incident", ns, "1"));
        assert_ne!(a.uuid(), StixId::derived("note", ns, "1").uuid());
        assert_ne!(a, StixId::derived("incident", ns, "2"));
        assert!(StixId::parse(a.as_str()).is_ok());
    }
}
