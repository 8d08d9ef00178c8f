//! Types and categories of attributes, as PyMISP describes them (describeTypes.json, BSD-2-Clause).

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::error::MispError;

/// The description as MISP answers it.
pub(crate) const DESCRIPTION: &str = include_str!("../data/describe-types.json");
/// Longest value of an attribute, in bytes (attachments are base64).
const MAX_VALUE_BYTES: usize = 8 << 20;

struct Types {
    /// Type to its usual category and whether it is for detection.
    defaults: HashMap<String, (String, bool)>,
    /// Category to its types.
    allowed: HashMap<String, Vec<String>>,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap_or_default();
    let result = &description["result"];
    let defaults =
        result["sane_defaults"].as_object().into_iter().flatten().map(|(name, value)| {
            let category = value["default_category"].as_str().unwrap_or("Other").to_owned();
            let to_ids = crate::fields::value_truth(&value["to_ids"]).unwrap_or(false);
            (name.clone(), (category, to_ids))
        });
    let allowed = result["category_type_mappings"].as_object().into_iter().flatten();
    let allowed = allowed.map(|(category, types)| {
        let types = types.as_array().into_iter().flatten();
        (category.clone(), types.filter_map(Value::as_str).map(str::to_owned).collect())
    });
    Types { defaults: defaults.collect(), allowed: allowed.collect() }
});

/// The usual category of a type, and whether it is for detection.
pub(crate) fn defaults(kind: &str) -> Option<(&'static str, bool)> {
    TYPES.defaults.get(kind).map(|(category, to_ids)| (category.as_str(), *to_ids))
}

/// Whether an attribute of this type may stand in this category with this value.
pub(crate) fn check(kind: &str, category: &str, value: &str) -> Result<(), MispError> {
    let clip = |text: &str| text.chars().take(60).collect::<String>();
    if !TYPES.defaults.contains_key(kind) {
        let text = format!("'{}' is no type; see attributes/describeTypes", clip(kind));
        return Err(MispError::field("type", text));
    }
    let Some(types) = TYPES.allowed.get(category) else {
        let text = format!("'{}' is no category; see attributes/describeTypes", clip(category));
        return Err(MispError::field("category", text));
    };
    if !types.iter().any(|allowed| allowed == kind) {
        let text = format!("{kind} does not belong into the category {category}");
        return Err(MispError::field("category", text));
    }
    if value.trim().is_empty() {
        return Err(MispError::field("value", "a value is needed"));
    }
    if value.len() > MAX_VALUE_BYTES {
        let text = format!("{} bytes, the limit is {MAX_VALUE_BYTES}", value.len());
        return Err(MispError::field("value", text));
    }
    check_value(kind, value)
}

/// Hexadecimal digits of the hashes.
const HASHES: &[(&str, usize)] = &[
    ("md5", 32),
    ("sha1", 40),
    ("sha224", 56),
    ("sha256", 64),
    ("sha384", 96),
    ("sha512", 128),
    ("imphash", 32),
    ("pehash", 40),
];

fn check_value(kind: &str, value: &str) -> Result<(), MispError> {
    let wrong = |what: &str| Err(MispError::field("value", format!("'{value}' is no {what}")));
    let first = value.split('|').next().unwrap_or(value);
    let last = value.rsplit('|').next().unwrap_or(value);
    let address = |text: &str| {
        let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
        address.parse::<std::net::IpAddr>().is_ok() && prefix.parse::<u8>().is_ok_and(|n| n <= 128)
    };
    if let Some((_, digits)) =
        HASHES.iter().find(|(name, _)| kind.rsplit('|').next() == Some(*name))
        && (last.len() != *digits || !last.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return wrong(&format!("{kind}: the hash has {digits} hexadecimal digits"));
    }
    match kind {
        "ip-src" | "ip-dst" if !address(value) => wrong("IP address"),
        "ip-src|port" | "ip-dst|port" if !address(first) || last.parse::<u16>().is_err() => {
            wrong("IP address with a port, written address|port")
        }
        "domain|ip" if !address(last) => wrong("domain with an IP address, written domain|address"),
        "port" if value.parse::<u16>().is_err() => wrong("port"),
        "domain" | "hostname" if value.contains(char::is_whitespace) => wrong("name"),
        "email-src" | "email-dst" | "email" if !value.contains('@') => wrong("e-mail address"),
        "vulnerability" if value.len() < 4 => wrong("vulnerability"),
        _ => Ok(()),
    }
}

/// The form of a value that is stored.
pub(crate) fn normal(kind: &str, value: &str) -> String {
    let value = value.trim();
    let lower = matches!(kind, "domain" | "hostname" | "email-src" | "email-dst" | "domain|ip")
        || HASHES.iter().any(|(name, _)| *name == kind);
    let refanged =
        if matches!(kind, "url" | "link" | "uri" | "domain" | "hostname" | "ip-src" | "ip-dst") {
            value.replace("[.]", ".").replace("hxxp", "http")
        } else {
            value.to_owned()
        };
    if lower { refanged.to_lowercase() } else { refanged }
}
