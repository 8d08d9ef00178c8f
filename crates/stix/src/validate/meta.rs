//! References to the outside, kill chains, markings, languages and extensions (STIX 2.1 §2, §7).

use serde_json::{Map, Value};

use super::path::{Path, Sink, clip};
use super::shape::{self, Shape, Target};
use super::{extensions as predefined, forms};
use crate::id;
use crate::marking::{TLP_2_0_EXTENSION, Tlp, selection, tlp_1_definition};
use crate::object::Object;
use crate::vocabulary as v;

/// A required text of a small dictionary.
fn required<'v>(
    map: &'v Map<String, Value>,
    name: &str,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) -> Option<&'v str> {
    let at = at.name(name);
    let Some(value) = map.get(name) else {
        sink.error(&at, clause, format!("`{name}` is required and missing"));
        return None;
    };
    shape::text(value, &at, clause, sink)
}

pub(super) fn kill_chain_phase(value: &Value, at: &Path<'_>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §2.11";
    let Some(map) = shape::object(value, at, CLAUSE, sink) else { return };
    for name in ["kill_chain_name", "phase_name"] {
        if let Some(text) = required(map, name, at, CLAUSE, sink)
            && !(forms::PHASE_NAME.test)(text)
        {
            sink.warn(&at.name(name), CLAUSE, format!("should be {}", forms::PHASE_NAME.what));
        }
    }
}

pub(super) fn external_reference(value: &Value, at: &Path<'_>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §2.5";
    let Some(map) = shape::object(value, at, CLAUSE, sink) else { return };
    let source = required(map, "source_name", at, CLAUSE, sink);
    for name in ["description", "url", "external_id"] {
        if let Some(value) = map.get(name) {
            let _ = shape::text(value, &at.name(name), CLAUSE, sink);
        }
    }
    let has = |name: &str| map.contains_key(name);
    if !has("description") && !has("url") && !has("external_id") {
        sink.error(at, CLAUSE, "needs one of `description`, `url` and `external_id`");
    }
    if let Some(value) = map.get("hashes") {
        shape::hashes(value, &at.name("hashes"), sink);
        listed_algorithms(value, &at.name("hashes"), sink);
    }
    if let Some(url) = map.get("url").and_then(Value::as_str)
        && !(forms::URL.test)(url)
    {
        let message = format!("expected {}, found \"{}\"", forms::URL.what, clip(url));
        sink.warn(&at.name("url"), CLAUSE, message);
    }
    let Some(source) = source else { return };
    let kind = sink.object.split("--").next().unwrap_or_default().to_owned();
    named_id(&kind, source, map, at, sink);
}

/// Here the text asks for "one of the entries listed" in the vocabulary, elsewhere only for the open
/// vocabulary, which any name extends (§2.14).
fn listed_algorithms(hashes: &Value, at: &Path<'_>, sink: &mut Sink<'_>) {
    for name in hashes.as_object().into_iter().flat_map(Map::keys) {
        if !v::HASH_ALGORITHM.values.contains(&name.as_str()) {
            let message = format!("`{}` is not an entry of {}", clip(name), v::HASH_ALGORITHM.name);
            sink.error(&at.name(name), "STIX 2.1 §2.5.1", message);
        }
    }
}

/// CVE and CAPEC identifiers (§4.19, §4.1): binding where the type defines them, advice elsewhere.
fn named_id(
    kind: &str,
    source: &str,
    map: &Map<String, Value>,
    at: &Path<'_>,
    sink: &mut Sink<'_>,
) {
    const OWNERS: [(&str, &str, &str); 2] =
        [("cve", "STIX 2.1 §4.19", "vulnerability"), ("capec", "STIX 2.1 §4.1", "attack-pattern")];
    let Some((_, clause, owner)) = OWNERS.iter().find(|(name, _, _)| *name == source) else {
        let id = map.get("external_id").and_then(Value::as_str).unwrap_or_default();
        for (name, clause, _) in OWNERS.iter().filter(|(name, ..)| identifies(name, id)) {
            let message = format!("`{}` is an identifier of {name}: that is its source", clip(id));
            // The text binds it to the types that define it; a copy in a report names where it was read.
            if OWNERS.iter().any(|(own, _, owner)| own == name && *owner == kind) {
                sink.error(&at.name("source_name"), clause, message);
            } else {
                sink.warn(&at.name("source_name"), clause, message);
            }
        }
        return;
    };
    let Some(external_id) = map.get("external_id") else {
        let message = format!("a reference to {source} should carry its `external_id`");
        return sink.warn(at, clause, message);
    };
    if !external_id.as_str().is_none_or(|id| identifies(source, id)) {
        let shown = clip(external_id.as_str().unwrap_or_default());
        let message = format!("`{shown}` is no identifier of {source}");
        if kind == *owner {
            sink.error(&at.name("external_id"), clause, message);
        } else {
            sink.warn(&at.name("external_id"), clause, message);
        }
    }
}

/// Whether an `external_id` has the form its source demands; sources without a form take any (§4.1, §4.19).
#[must_use]
pub fn identifies(source: &str, external_id: &str) -> bool {
    match source {
        "cve" => is_cve(external_id),
        "capec" => is_capec(external_id),
        _ => true,
    }
}

fn is_cve(text: &str) -> bool {
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
        year.len() == 4 && digits(year) && number.len() >= 4 && digits(number)
    })
}

fn is_capec(text: &str) -> bool {
    text.strip_prefix("CAPEC-")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn granular_marking(value: &Value, at: &Path<'_>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.2.3";
    let Some(map) = shape::object(value, at, CLAUSE, sink) else { return };
    match map.get("selectors") {
        // whether they select something is judged where the whole object is at hand
        Some(selectors) => {
            shape::check(selectors, Shape::Texts, &at.name("selectors"), CLAUSE, sink);
        }
        None => sink.error(&at.name("selectors"), CLAUSE, "`selectors` is required and missing"),
    }
    if let Some(marking) = map.get("marking_ref") {
        let target = Target::Only(&["marking-definition"]);
        shape::reference(marking, target, &at.name("marking_ref"), CLAUSE, sink);
    }
    if let Some(lang) = map.get("lang") {
        shape::check(lang, Shape::Must(&forms::LANGUAGE), &at.name("lang"), CLAUSE, sink);
    }
    if map.contains_key("marking_ref") == map.contains_key("lang") {
        sink.error(at, CLAUSE, "needs exactly one of `marking_ref` and `lang`");
    }
}

/// What needs the whole object: every selector selects something, no marking marks itself.
pub(super) fn markings(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.2.3.1";
    let own = object.id_text();
    let is_marking = object.kind() == "marking-definition";
    if is_marking && object.marking_refs().any(|id| id == own) {
        let message = "a marking definition must not mark itself";
        sink.error_at("object_marking_refs", "STIX 2.1 §7.2.2", message);
    }
    let Some(list) = object.get("granular_markings").and_then(Value::as_array) else { return };
    let all = Path::ROOT.name("granular_markings");
    for (index, marking) in list.iter().enumerate() {
        let at = all.index(index);
        if is_marking && marking.get("marking_ref").and_then(Value::as_str) == Some(own) {
            sink.error(
                &at.name("marking_ref"),
                CLAUSE,
                "a marking definition must not mark itself",
            );
        }
        let selectors = marking.get("selectors").and_then(Value::as_array);
        let at = at.name("selectors");
        for (index, selector) in selectors.into_iter().flatten().enumerate() {
            let Some(selector) = selector.as_str() else { continue };
            if let Err(error) = selection(object.properties(), selector) {
                let message = format!("`{}`: {error}", clip(selector));
                sink.error(&at.index(index), CLAUSE, message);
            }
        }
    }
}

/// The `extensions` property (§7.3, predefined ones §6, custom ones §11.3).
pub(super) fn extensions(value: &Value, at: &Path<'_>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.3";
    let Some(map) = shape::object(value, at, CLAUSE, sink) else { return };
    for (name, body) in map {
        let at = at.name(name);
        if let Some((_, _, table)) = predefined::find(name) {
            shape::structure(body, table, &at, sink);
            continue;
        }
        let Some(body) = shape::object(body, &at, CLAUSE, sink) else { continue };
        let defined = name.starts_with("extension-definition--");
        if defined {
            if let Err(error) = id::check(name) {
                sink.error(&at, CLAUSE, error.to_string());
            }
        } else if !(id::is_type_name(name) && name.ends_with("-ext")) {
            let message = "named neither by an extension-definition id nor by 3 to 250 of a-z, \
                           0-9 and hyphen that end in `-ext`";
            sink.error(&at, "STIX 2.1 §11.3.1", message);
        } else {
            let message = "an extension of one's own is named by the id of its definition";
            sink.warn(&at, "STIX 2.1 §11.3", message);
        }
        extension_body(body, defined, &at, sink);
    }
}

/// What an extension that the standard does not know carries.
fn extension_body(body: &Map<String, Value>, defined: bool, at: &Path<'_>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §3.2";
    let kind = at.name("extension_type");
    match body.get("extension_type") {
        Some(value) => shape::word(value, &v::EXTENSION_TYPE, true, &kind, CLAUSE, sink),
        None if defined => sink.error(&kind, CLAUSE, "`extension_type` is required and missing"),
        None => {}
    }
    for name in body.keys().filter(|name| !forms::is_property_name(name)) {
        let clause = if defined { "STIX 2.1 §7.3.2" } else { "STIX 2.1 §11.3.1" };
        let message =
            format!("properties of an extension are named by {}", forms::PROPERTY_NAME.what);
        sink.error(&at.name(name), clause, message);
    }
}

/// A predefined extension stands on the type it was made for.
pub(super) fn extension_places(object: &Object, sink: &mut Sink<'_>) {
    let Some(map) = object.get("extensions").and_then(Value::as_object) else { return };
    let all = Path::ROOT.name("extensions");
    for name in map.keys() {
        if let Some((_, owner, table)) = predefined::find(name)
            && *owner != object.kind()
        {
            let message = format!("`{name}` is an extension of {owner}");
            sink.warn(&all.name(name), table.clause, message);
        }
    }
}

pub(super) fn extension_definition(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.3";
    if object.get("created_by_ref").is_none() {
        sink.error_at("created_by_ref", CLAUSE, "`created_by_ref` is required and missing");
    }
    if object.get("description").is_none() {
        sink.warn_at("description", CLAUSE, "a `description` is recommended");
    }
    let top_level = object.texts("extension_types").any(|t| t == "toplevel-property-extension");
    match (object.get("extension_properties").is_some(), top_level) {
        (true, false) => {
            let message = "`extension_properties` needs the type toplevel-property-extension";
            sink.error_at("extension_properties", CLAUSE, message);
        }
        (false, true) => {
            let message = "a top-level extension should list its `extension_properties`";
            sink.warn_at("extension_properties", CLAUSE, message);
        }
        _ => {}
    }
}

pub(super) fn language_content(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.1";
    let Some(contents) = object.get("contents").and_then(Value::as_object) else { return };
    let at = Path::ROOT.name("contents");
    for (language, translations) in contents {
        let at = at.name(language);
        if !forms::is_language(language) {
            let message = format!("`{}` is no RFC 5646 language tag", clip(language));
            sink.error(&at, CLAUSE, message);
        }
        let Some(translations) = shape::object(translations, &at, CLAUSE, sink) else { continue };
        for (name, value) in translations {
            let at = at.name(name);
            if !forms::is_property_name(name) {
                sink.error(&at, CLAUSE, "not the name of a property");
            }
            // "MUST be ignored" by who reads it, so it breaks nothing.
            if !(value.is_string() || value.is_array() || value.is_object() || value.is_null()) {
                sink.warn(&at, CLAUSE, "only texts, lists and objects are translated");
            }
        }
    }
}

pub(super) fn marking_definition(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.2.1";
    let has = |name: &str| object.get(name).is_some();
    if !has("extensions") {
        for name in ["definition_type", "definition"] {
            if !has(name) {
                let message = format!("without `extensions`, `{name}` is required");
                sink.error_at(name, CLAUSE, message);
            }
        }
    } else if has("definition_type") != has("definition") {
        let message = "`definition_type` and `definition` belong together";
        sink.warn_at("definition", CLAUSE, message);
    }
    match object.text("definition_type") {
        Some("statement") => statement(object, sink),
        Some("tlp") => tlp_1(object, sink),
        Some(other) => {
            let message = format!("`{}` is neither `statement` nor `tlp`", clip(other));
            sink.warn_at("definition_type", CLAUSE, message);
        }
        None => {}
    }
    let claimed = object
        .extension(TLP_2_0_EXTENSION)
        .map(|body| body.get("tlp_2_0").and_then(Value::as_str).unwrap_or_default());
    if let Some(label) = claimed {
        let fixed = Tlp::ALL.into_iter().find(|tlp| tlp.value() == label).map(Tlp::id);
        if fixed != Some(object.id_text()) {
            let extensions = Path::ROOT.name("extensions");
            let at = extensions.name(TLP_2_0_EXTENSION);
            let message = "TLP 2.0 has five fixed marking definitions, this is none of them";
            sink.error(&at.name("tlp_2_0"), "STIX 2.1 §7.2.1.4, TLP 2.0 extension", message);
        }
    }
}

fn statement(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.2.1.3";
    let Some(map) = object.get("definition").and_then(Value::as_object) else { return };
    let _ = required(map, "statement", &Path::ROOT.name("definition"), CLAUSE, sink);
}

/// "The only instances of TLP marking definitions permitted are those defined here" (§7.2.1.4).
fn tlp_1(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.2.1.4";
    let Some(fixed) = tlp_1_definition(object.id_text()) else {
        let message = "TLP 1 has four fixed marking definitions, this is none of them";
        return sink.error_at("definition", CLAUSE, message);
    };
    if fixed.get("definition") != object.get("definition") {
        let message = "TLP 1 has four fixed marking definitions, this is none of them";
        sink.error_at("definition", CLAUSE, message);
    }
    if fixed.created() != object.created() {
        sink.error_at("created", CLAUSE, "TLP 1 was created at 2017-01-20T00:00:00.000Z");
    }
    match object.get("name") {
        None => sink.error_at("name", CLAUSE, "the definition of the standard carries a `name`"),
        name if name != fixed.get("name") => {
            sink.error_at("name", CLAUSE, "not the `name` of this fixed marking definition");
        }
        _ => {}
    }
}
