//! Ids of observables after redaction: the standard makes them from what they hold (STIX 2.1 §2.9), so that an id kept
//! would tell what was hidden to anybody who tries all addresses.

use std::collections::HashMap;

use serde_json::{Map, Value};
use stix::id;

use super::edit;

/// How deep observables refer to each other in what makes their ids.
const MAX_ROUNDS: usize = 8;

/// The observables whose ids the standard makes (STIX 2.1 §6).
pub(crate) const OBSERVABLES: [&str; 17] = [
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

/// Properties that make the id of one observable or another (STIX 2.1 §6).
const CONTRIBUTING: [&str; 28] = [
    "account_login",
    "account_type",
    "body",
    "cpe",
    "dst_port",
    "dst_ref",
    "end",
    "extensions",
    "from_ref",
    "hashes",
    "key",
    "name",
    "number",
    "parent_directory_ref",
    "path",
    "payload_bin",
    "protocols",
    "serial_number",
    "src_port",
    "src_ref",
    "start",
    "subject",
    "swid",
    "user_id",
    "value",
    "values",
    "vendor",
    "version",
];

/// Whether leaving a property away may change the id of an observable of this type.
pub(crate) fn depends(kind: &str, property: &str) -> bool {
    let makes = |name: &&&str| {
        let probe = Map::from_iter([((**name).to_owned(), Value::Bool(true))]);
        id::deterministic(kind, &probe).is_some()
    };
    let mut names = CONTRIBUTING.iter().filter(makes);
    match property.strip_prefix('/').and_then(|rest| rest.split('/').next()) {
        Some(first) => names.any(|name| first == "*" || first == *name),
        // A name counts at any depth; within these anything may be called so.
        None => names.any(|name| {
            let deep = ["hashes", "extensions"].contains(name) && !property.starts_with("x_");
            deep || edit::glob(property, name)
        }),
    }
}

/// An object as it was, and as it is now.
pub(crate) type Pair<'o> = (&'o Map<String, Value>, &'o mut Map<String, Value>);

/// What an id became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewId {
    /// Another one.
    Is(String),
    /// Nothing is left that it could be made from.
    None,
}

/// Gives observables the ids of what they hold now and rewrites every reference among the objects (each as it was, and
/// as it is now); what changed, by old id.
pub(crate) fn settle(objects: &mut [Pair<'_>]) -> HashMap<String, NewId> {
    let mut renamed: HashMap<String, NewId> = HashMap::new();
    // Every round begins with the references as they were, so that no new id is taken for an old one.
    let mut drafts: Vec<Map<String, Value>> = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let mut news = false;
        for (before, after) in objects.iter() {
            let Some((old, new)) = own_id(before, after) else { continue };
            if renamed.get(&old) != Some(&new) {
                renamed.insert(old, new);
                news = true;
            }
        }
        if !news {
            break;
        }
        if drafts.is_empty() {
            drafts = objects.iter().map(|(_, after)| (*after).clone()).collect();
        }
        let new_id = |old: &str| match renamed.get(old) {
            Some(NewId::Is(id)) => Some(id.clone()),
            _ => None,
        };
        for ((before, after), draft) in objects.iter_mut().zip(&drafts) {
            **after = draft.clone();
            edit::references(after, &new_id, 0);
            if let Some(id) = before.get("id").and_then(Value::as_str).and_then(new_id) {
                after.insert("id".into(), Value::String(id));
            }
        }
    }
    renamed
}

/// The id an observable had and the one it must have now, where they differ.
fn own_id(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<(String, NewId)> {
    let (kind, old) = (before.get("type")?.as_str()?, before.get("id")?.as_str()?);
    // Ids of other versions are random and tell nothing.
    if !id::is_cyber_observable(kind) || id::uuid_version(old) != 5 {
        return None;
    }
    let (was, is) = (id::deterministic(kind, before), id::deterministic(kind, after));
    if was == is {
        return None;
    }
    let new = is.map_or(NewId::None, |id| NewId::Is(id.as_str().to_owned()));
    Some((old.to_owned(), new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_that_touch_no_id_are_told_from_those_that_do() {
        for (kind, property, touches) in [
            ("ipv4-addr", "value", true),
            ("ipv4-addr", "/value", true),
            ("ipv4-addr", "v*", true),
            ("ipv4-addr", "/*", true),
            ("ipv4-addr", "/*/x", true),
            ("ipv4-addr", "x_*", false),
            ("ipv4-addr", "name", false),
            ("ipv4-addr", "/name", false),
            ("ipv4-addr", "description", false),
            ("file", "MD5", true),
            ("file", "x_note", false),
            ("file", "/size", false),
            ("windows-registry-key", "values", true),
            ("process", "*", false),
        ] {
            assert_eq!(depends(kind, property), touches, "{kind} {property}");
        }
    }

    #[test]
    fn every_property_of_the_list_makes_an_id() {
        for name in CONTRIBUTING {
            let makes = |kind: &&str| depends(kind, &format!("/{name}"));
            assert!(OBSERVABLES.iter().any(makes), "{name}");
        }
        for kind in OBSERVABLES {
            assert!(depends(kind, "/*"), "{kind}");
        }
    }
}
