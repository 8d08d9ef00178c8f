//! Taking an object apart, outside of any transaction: what is stored beside its text so that it can be
//! found.

use feeds::decay::Report;
use serde_json::{Map, Value};
use stix::{Object, Timestamp, Tlp};

use crate::sight::rank;
use crate::{reports, terms};

/// Characters of the title kept for lists.
const MAX_NAME_CHARS: usize = 300;
/// Bytes of text of one object that are searched; the rest is stored, not found.
pub(crate) const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Relations taken of one object.
pub(crate) const MAX_EDGES: usize = 10_000;

/// A relation that an object tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// STIX id where it begins.
    pub origin: String,
    /// STIX id where it ends.
    pub target: String,
    /// `relationship_type`, `sighting-of`, `where-sighted`, or the property that refers.
    pub kind: String,
}

/// A value that an object names.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// In its normal form.
    pub value: String,
    /// `address`, `domain`, `url`, `email`, `hash`, `file`, `mac`, `cve`, …
    pub kind: &'static str,
    /// From when, microseconds UTC.
    pub since_us: i64,
    /// Until when, microseconds UTC.
    pub until_us: Option<i64>,
    /// 0 to 100.
    pub score: Option<f64>,
    /// What must be seen besides, as a STIX pattern says it; the value alone decides when there is nothing.
    pub besides: Option<String>,
}

/// What an object says of another: it was seen, it was none, it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// STIX id of the object spoken of.
    pub target: String,
    /// What is said.
    pub report: Report,
    /// When that was, microseconds UTC.
    pub at_us: i64,
}

/// An object ready to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// STIX id.
    pub id: String,
    /// STIX type.
    pub kind: String,
    /// Version key, microseconds UTC; 0 for what has no versions.
    pub version_us: i64,
    /// What lists show.
    pub name: String,
    /// `created`, microseconds UTC.
    pub created_us: Option<i64>,
    /// `modified`, microseconds UTC.
    pub modified_us: Option<i64>,
    /// Whether it takes its word back.
    pub revoked: bool,
    /// `2.0` or `2.1`.
    pub spec_version: String,
    /// Rank of its own TLP marking; `None` leaves it to the source.
    pub tlp: Option<i64>,
    /// 0 to 100.
    pub confidence: Option<i64>,
    /// The JSON text as it goes out.
    pub body: String,
    /// Labels, aliases, kinds and external ids, for full-text search.
    pub tags: String,
    /// What else full-text search reads.
    pub text: String,
    /// What it says of others.
    pub edges: Vec<Edge>,
    /// What it names.
    pub named: Vec<Named>,
    /// What it reports of others.
    pub reports: Vec<Reported>,
}

/// The version key of an object, microseconds UTC; 0 for what has no versions.
#[must_use]
pub fn version_us(object: &Object) -> i64 {
    object.version().map_or(0, Timestamp::unix_us)
}

impl Prepared {
    /// Takes an object apart; its body is printed anew.
    #[must_use]
    pub fn new(object: &Object) -> Self {
        Self::with_body(object, object.to_json())
    }

    /// Takes an object apart whose text is at hand.
    #[must_use]
    pub fn with_body(object: &Object, body: String) -> Self {
        Self {
            id: object.id_text().to_owned(),
            kind: object.kind().to_owned(),
            version_us: version_us(object),
            name: name(object),
            created_us: object.created().map(Timestamp::unix_us),
            modified_us: object.modified().map(Timestamp::unix_us),
            revoked: object.is_revoked(),
            spec_version: spec_version(object).to_owned(),
            tlp: strictest(object).map(rank),
            confidence: object.get("confidence").and_then(Value::as_i64),
            body,
            tags: tags(object),
            text: text(object),
            edges: edges(object),
            named: if object.is_revoked() { vec![] } else { terms::of(object) },
            reports: if object.is_revoked() { vec![] } else { reports::of(object) },
        }
    }
}

/// The STIX version an object is written in. Where it does not say: 2.0 for what has a time of creation, which all
/// objects but cyber observables have (STIX 2.1 §3.2).
fn spec_version(object: &Object) -> &str {
    let implied = if object.created().is_some() { "2.0" } else { "2.1" };
    object.text("spec_version").unwrap_or(implied)
}

/// The strictest label on the object or on any part of it: a reader gets the whole object, so its most
/// protected part decides.
fn strictest(object: &Object) -> Option<Tlp> {
    let parts = object.get("granular_markings").and_then(Value::as_array).into_iter().flatten();
    let of_parts = parts.filter_map(|part| Tlp::from_id(part.get("marking_ref")?.as_str()?));
    Tlp::of(object).into_iter().chain(of_parts).max()
}

/// The line that stands for an object: its name, else what it says of itself.
fn name(object: &Object) -> String {
    let said =
        ["name", "value", "path", "key", "subject", "abstract", "content", "opinion", "product"];
    let first = said.iter().find_map(|property| object.text(property));
    let line = match (object.kind(), first) {
        (_, Some(text)) => text.lines().next().unwrap_or_default().to_owned(),
        ("relationship", None) => {
            let end = |property: &str| {
                object
                    .text(property)
                    .and_then(|id| id.split_once("--"))
                    .map_or("?", |(kind, _)| kind)
            };
            let kind = object.text("relationship_type").unwrap_or("related-to");
            format!("{} {kind} {}", end("source_ref"), end("target_ref"))
        }
        ("indicator", None) => object.text("pattern").unwrap_or_default().to_owned(),
        (_, None) => String::new(),
    };
    line.chars().take(MAX_NAME_CHARS).collect()
}

/// Properties that hold no words: ids, references, kinds, times.
fn is_wordless(name: &str) -> bool {
    name.ends_with("_ref")
        || name.ends_with("_refs")
        || matches!(
            name,
            "id" | "type"
                | "spec_version"
                | "created"
                | "modified"
                | "granular_markings"
                | "url"
                | "pattern_type"
                | "extension_type"
                | "source_name"
                | "relationship_type"
                | "phase_name"
                | "kill_chain_name"
                | "payload_bin"
                | "lang"
        )
}

/// Properties that are words to find an object by rather than to read.
fn is_tag(name: &str) -> bool {
    matches!(name, "labels" | "aliases" | "sectors" | "roles" | "external_id")
        || name.ends_with("_types")
        || name.ends_with("_aliases")
        || name.ends_with("_platforms")
}

fn tags(object: &Object) -> String {
    let mut tags = String::new();
    for (name, value) in object.properties() {
        if is_tag(name) {
            word(value, &mut tags);
        }
    }
    let references = object.get("external_references").and_then(Value::as_array);
    for id in references.into_iter().flatten().filter_map(|entry| entry.get("external_id")) {
        word(id, &mut tags);
    }
    tags
}

fn text(object: &Object) -> String {
    let mut text = String::new();
    words(object.properties(), object.kind() == "url", &mut text);
    text
}

/// All words of an object at any depth (the depth was bounded when it was read).
fn words(map: &Map<String, Value>, is_url: bool, text: &mut String) {
    for (name, value) in map {
        let cited = name == "description" && map.contains_key("source_name");
        if cited
            || name == "name"
            || is_tag(name)
            || (is_wordless(name) && !(is_url && name == "url"))
        {
            continue;
        }
        word(value, text);
    }
}

fn word(value: &Value, text: &mut String) {
    if text.len() >= MAX_TEXT_BYTES {
        return;
    }
    match value {
        Value::String(said) => {
            let room = MAX_TEXT_BYTES - text.len();
            let end = if said.len() <= room { said.len() } else { said.floor_char_boundary(room) };
            text.push_str(&said[..end]);
            text.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| word(item, text)),
        Value::Object(map) => words(map, false, text),
        _ => {}
    }
}

/// References that stand on nearly every object lead nowhere: they are columns and markings, not relations.
fn is_edge(property: &str) -> bool {
    !matches!(
        property,
        "created_by_ref" | "object_marking_refs" | "marking_ref" | "x_mitre_modified_by_ref"
    )
}

fn edges(object: &Object) -> Vec<Edge> {
    let own = object.id_text();
    let edge = |origin: &str, target: &str, kind: &str| Edge {
        origin: origin.to_owned(),
        target: target.to_owned(),
        kind: kind.to_owned(),
    };
    let mut edges = Vec::new();
    match object.kind() {
        "relationship" => {
            if let (Some(origin), Some(target)) =
                (object.text("source_ref"), object.text("target_ref"))
            {
                edges.push(edge(
                    origin,
                    target,
                    object.text("relationship_type").unwrap_or("related-to"),
                ));
            }
            return edges;
        }
        "sighting" => {
            if let Some(of) = object.text("sighting_of_ref") {
                edges.push(edge(own, of, "sighting-of"));
            }
        }
        _ => {}
    }
    for (pointer, id) in stix::object::references(object) {
        let property = pointer
            .rsplit('/')
            .find(|part| !part.bytes().all(|b| b.is_ascii_digit()))
            .unwrap_or_default();
        if edges.len() >= MAX_EDGES {
            break;
        }
        if !is_edge(property) || property == "sighting_of_ref" || id == own {
            continue;
        }
        edges.push(edge(own, &id, property.trim_end_matches("_refs").trim_end_matches("_ref")));
    }
    edges
}
