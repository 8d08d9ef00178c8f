//! The `objects` of an observation of STIX 2.0 as cyber observables of their own.

use std::collections::HashMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Upgraded;
use crate::id::{self, StixId};
use crate::object::Object;

/// Namespace of the ids of observables whose content makes none.
pub(super) const KEYED: Uuid = Uuid::from_u128(0x6f0d_3f4e_5c1b_4c55_9d1e_2a8b_7c90_11e4);

/// Longest chain of references that is followed to compute an id.
const MAX_CHAIN: usize = 16;

/// Type, name in 2.0, name in 2.1.
const RENAMED: &[(&str, &str, &str)] = &[
    ("file", "created", "ctime"),
    ("file", "modified", "mtime"),
    ("file", "accessed", "atime"),
    ("directory", "created", "ctime"),
    ("directory", "modified", "mtime"),
    ("directory", "accessed", "atime"),
    ("process", "created", "created_time"),
    ("process", "binary_ref", "image_ref"),
    ("user-account", "password_last_changed", "credential_last_changed"),
    ("windows-registry-key", "modified", "modified_time"),
];

/// Properties that STIX 2.1 took away without a successor.
const GONE: &[(&str, &str)] = &[
    ("file", "is_encrypted"),
    ("file", "encryption_algorithm"),
    ("file", "decryption_key"),
    ("process", "name"),
    ("process", "arguments"),
];

/// The same in predefined extensions.
const GONE_IN: &[(&str, &str)] = &[
    ("archive-ext", "version"),
    ("raster-image-ext", "image_compression_algorithm"),
    ("socket-ext", "protocol_family"),
];

/// Moves `objects` of an observation out of it.
pub(super) fn expand(object: &Object, map: &mut Map<String, Value>, out: &mut Upgraded) {
    let Some(objects) = object.get("objects").and_then(Value::as_object) else { return };
    let mut renamed: Map<String, Value> = Map::new();
    for (key, value) in objects {
        match value.as_object() {
            Some(properties) if properties.get("type").is_some_and(Value::is_string) => {
                renamed.insert(key.clone(), rename(object.id_text(), key, properties, out).into());
            }
            _ => {
                let what = "not a cyber observable";
                let at = format!("/objects/{key}");
                out.lose(object.id_text(), at, what, Some(value.clone()));
            }
        }
    }
    let mut ids = Ids { observation: object.id_text(), objects: &renamed, known: HashMap::new() };
    for key in renamed.keys() {
        ids.of(key, 0);
    }
    let known = ids.known;
    let mut refs: Vec<Value> = Vec::new();
    for (key, value) in &renamed {
        let Some(id) = known.get(key) else { continue };
        let mut value = value.clone();
        resolve(&mut value, &known, &format!("/objects/{key}"), object.id_text(), out);
        let Value::Object(inner) = value else { continue };
        let mut full = Map::new();
        for name in ["type", "spec_version", "id"] {
            full.insert(name.to_owned(), Value::Null);
        }
        full.extend(inner);
        full.insert("spec_version".to_owned(), "2.1".into());
        full.insert("id".to_owned(), id.clone().into());
        // an observable carries the markings of the observation it was part of
        if let Some(markings) = object.get("object_marking_refs") {
            full.insert("object_marking_refs".to_owned(), markings.clone());
        }
        out.objects.push(Object::from_map(full));
        if !refs.iter().any(|known| known.as_str() == Some(id)) {
            refs.push(id.clone().into());
        }
    }
    map.shift_remove("objects");
    if !refs.is_empty() {
        map.insert("object_refs".to_owned(), refs.into());
    }
}

fn rename(
    observation: &str,
    key: &str,
    properties: &Map<String, Value>,
    out: &mut Upgraded,
) -> Map<String, Value> {
    let kind = properties.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut map = Map::new();
    for (name, value) in properties {
        if GONE.contains(&(kind, name.as_str())) {
            let what = "STIX 2.1 has no such property";
            let at = format!("/objects/{key}/{name}");
            out.lose(observation, at, what, Some(value.clone()));
            continue;
        }
        let new = RENAMED.iter().find(|(of, old, _)| *of == kind && old == name);
        let new = new.map_or(name.as_str(), |(_, _, new)| new);
        map.insert(new.to_owned(), value.clone());
    }
    for (extension, name) in GONE_IN {
        let body = map.get_mut("extensions").and_then(|all| all.get_mut(*extension));
        let gone = body.and_then(Value::as_object_mut).and_then(|body| body.shift_remove(*name));
        if let Some(value) = gone {
            let at = format!("/objects/{key}/extensions/{extension}/{name}");
            out.lose(observation, at, "STIX 2.1 has no such property", Some(value));
        }
    }
    // texts became lists of texts, since a header may stand several times (§6.12.2)
    let headers = map
        .get_mut("extensions")
        .and_then(|all| all.get_mut("http-request-ext"))
        .and_then(|body| body.get_mut("request_header"))
        .and_then(Value::as_object_mut);
    for (_, value) in headers.into_iter().flatten() {
        if value.is_string() {
            *value = Value::Array(vec![value.take()]);
        }
    }
    map
}

/// Ids of the observables of one observation, by key.
struct Ids<'a> {
    observation: &'a str,
    objects: &'a Map<String, Value>,
    known: HashMap<String, String>,
}

impl Ids<'_> {
    /// The id of an observable: of its content, whose references are computed first; where they
    /// form a ring or are none, of the place in the observation.
    fn of(&mut self, key: &str, depth: usize) -> Option<String> {
        if let Some(id) = self.known.get(key) {
            return Some(id.clone());
        }
        let properties = self.objects.get(key)?.as_object()?;
        let kind = properties.get("type").and_then(Value::as_str)?;
        let mut resolved = properties.clone();
        if depth < MAX_CHAIN {
            for (name, value) in &mut resolved {
                if name.ends_with("_ref")
                    && id::contributes(kind, name)
                    && let Some(id) = value.as_str().and_then(|key| self.of(key, depth + 1))
                {
                    *value = id.into();
                }
            }
            if id::contributes(kind, "extensions")
                && let Some(extensions) = resolved.get_mut("extensions")
            {
                self.inside(extensions, depth);
            }
        }
        let id = id::deterministic(kind, &resolved)
            .map_or_else(|| keyed(kind, self.observation, key), |id| id.to_string());
        Some(self.known.entry(key.to_owned()).or_insert(id).clone())
    }

    /// Resolves the references inside extensions.
    fn inside(&mut self, value: &mut Value, depth: usize) {
        let Some(map) = value.as_object_mut() else { return };
        for (name, value) in map {
            match value {
                Value::String(key) if name.ends_with("_ref") => {
                    if let Some(id) = self.of(key, depth + 1) {
                        *key = id;
                    }
                }
                Value::Array(items) if name.ends_with("_refs") => {
                    for item in items {
                        if let Some(id) = item.as_str().and_then(|key| self.of(key, depth + 1)) {
                            *item = id.into();
                        }
                    }
                }
                Value::Object(_) if depth < MAX_CHAIN => self.inside(value, depth + 1),
                _ => {}
            }
        }
    }
}

/// An id for an observable whose content makes none. The UUID must then have version 4 (§2.9), and
/// the same observation must give the same: the bits of a hash under the version bits of 4.
fn keyed(kind: &str, observation: &str, key: &str) -> String {
    let hash = Uuid::new_v5(&KEYED, format!("{observation}\n{kind}\n{key}").as_bytes());
    let bits = (hash.as_u128() & !(0xf << 76)) | (4 << 76);
    StixId::new(kind, Uuid::from_u128(bits)).to_string()
}

/// Replaces keys by ids in every property that ends in `_ref` or `_refs`.
fn resolve(
    value: &mut Value,
    ids: &HashMap<String, String>,
    at: &str,
    observation: &str,
    out: &mut Upgraded,
) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let at = format!("{at}/{name}");
                let many = name.ends_with("_refs");
                match value {
                    Value::String(key) if name.ends_with("_ref") => match ids.get(key.as_str()) {
                        Some(id) => key.clone_from(id),
                        None => dangling(value, &at, observation, out),
                    },
                    Value::Array(items) if many => {
                        for item in items {
                            match item.as_str().and_then(|key| ids.get(key)) {
                                Some(id) => *item = id.clone().into(),
                                None => dangling(item, &at, observation, out),
                            }
                        }
                    }
                    inner => resolve(inner, ids, &at, observation, out),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                resolve(item, ids, &format!("{at}/{index}"), observation, out);
            }
        }
        _ => {}
    }
}

/// A reference to a key that is not there stays as it is, and is told.
fn dangling(value: &Value, at: &str, observation: &str, out: &mut Upgraded) {
    let what = "refers to a key that is not in `objects`; kept as it is";
    out.lose(observation, at.to_owned(), what, Some(value.clone()));
}
