//! Rules of domain objects that join several properties (STIX 2.1 §3, §4, §5.2).

use serde_json::{Map, Value};

use super::path::{Path, Sink, clip};
use super::rules::{self, Compiled, Family};
use super::{custom, forms, judge_properties};
use crate::id;
use crate::object::Object;
use crate::pattern;

/// Object types and property names that §3.8 keeps for later versions of the standard.
pub(super) const RESERVED_TYPES: &[&str] = &["action"];
/// Properties that §3.8 keeps for later versions.
pub(super) const RESERVED_PROPERTIES: &[&str] =
    &["severity", "action", "username", "phone_number", "phone_numbers"];

/// The id names the type, and a cyber observable's is the one of its content (§2.9).
pub(super) fn identity(object: &Object, family: Family, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §2.9";
    let text = object.id_text();
    let Ok(kind) = id::check(text) else { return };
    if kind != object.kind() {
        let message = format!("the id names the type {kind}, `type` is `{}`", clip(object.kind()));
        return sink.error_at("id", CLAUSE, message);
    }
    let version = id::uuid_version(text);
    if family != Family::Observable {
        if version != 4 && crate::marking::Tlp::from_id(text).is_none() {
            let message = format!("the UUID has version {version}; version 4 is recommended");
            sink.warn_at("id", CLAUSE, message);
        }
        return;
    }
    if !id::is_cyber_observable(kind) {
        return;
    }
    match (version, id::deterministic(kind, object.properties())) {
        (4, None) => {}
        (_, None) => {
            let message = "none of the properties that make a deterministic id is present: \
                           the UUID must have version 4";
            sink.error_at("id", CLAUSE, message);
        }
        (5, Some(expect)) if expect.as_str().eq_ignore_ascii_case(text) => {}
        (5, Some(expect)) => {
            let message = format!("a deterministic id of this content would be {expect}");
            sink.warn_at("id", CLAUSE, message);
        }
        (_, Some(expect)) => {
            let message = format!("a deterministic id is recommended: {expect}");
            sink.warn_at("id", CLAUSE, message);
        }
    }
}

/// Rules of the common properties.
pub(super) fn common(object: &Object, family: Family, sink: &mut Sink<'_>) {
    if matches!(family, Family::Domain | Family::Relation) {
        in_order(object, "created", "modified", true, "STIX 2.1 §3.6", sink);
    }
    if family != Family::Observable && object.get("defanged").is_some() {
        let message = "only cyber observables have `defanged`";
        sink.error_at("defanged", rules::COMMON_CLAUSE, message);
    }
    for name in RESERVED_PROPERTIES {
        if object.get(name).is_some() {
            let message = format!("`{name}` is reserved for later versions of the standard");
            sink.error_at(name, "STIX 2.1 §3.8", message);
        }
    }
    if RESERVED_TYPES.contains(&object.kind()) {
        let message = format!("the type `{}` is reserved", object.kind());
        sink.error_at("type", "STIX 2.1 §3.8", message);
    }
}

/// `later` must not be before `earlier`; without `may_equal` it must be after it.
pub(super) fn in_order(
    object: &Object,
    earlier: &str,
    later: &str,
    may_equal: bool,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let (Some(first), Some(second)) = (object.text(earlier), object.text(later)) else { return };
    // the same text is the common case
    if first == second && may_equal {
        return;
    }
    let (Some(a), Some(b)) = (object.exact(earlier), object.exact(later)) else { return };
    if b < a || (b == a && !may_equal) {
        let than = if may_equal { "before" } else { "not after" };
        sink.error_at(later, clause, format!("`{later}` is {than} `{earlier}`"));
    }
}

pub(super) fn seen_order(object: &Object, sink: &mut Sink<'_>) {
    let clause = rules::find(object.kind()).and_then(|found| found.rules).map(|of| of.clause);
    in_order(object, "first_seen", "last_seen", true, clause.unwrap_or("STIX 2.1 §4"), sink);
}

pub(super) fn indicator(object: &Object, sink: &mut Sink<'_>) {
    in_order(object, "valid_from", "valid_until", false, "STIX 2.1 §4.7", sink);
    if object.text("pattern_type") != Some("stix") {
        return;
    }
    match object.text("pattern").map(pattern::Pattern::check) {
        Some(Ok(pattern)) => pattern_paths(&pattern, sink),
        Some(Err(error)) => {
            sink.error_at("pattern", "STIX 2.1 §9", format!("not a STIX pattern: {error}"));
        }
        None => {}
    }
}

/// What a path begins with is the name of a type and of a property (§9.7), which no object could have otherwise.
fn pattern_paths(pattern: &pattern::Pattern, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §9.7";
    for path in pattern.paths() {
        if !id::is_type_name(&path.kind) {
            let message = format!("`{}` is not the name of a type", clip(&path.kind));
            sink.error_at("pattern", CLAUSE, message);
        }
        if let Some(pattern::Step::Key(name)) = path.steps.first()
            && name != "id"
            && !forms::is_property_name(name)
        {
            sink.error_at(
                "pattern",
                CLAUSE,
                format!("`{}` is not the name of a property", clip(name)),
            );
        }
    }
}

pub(super) fn location(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §4.10";
    let has = |name: &str| object.get(name).is_some();
    if has("latitude") != has("longitude") {
        let (there, missing) =
            if has("latitude") { ("latitude", "longitude") } else { ("longitude", "latitude") };
        sink.error_at(missing, CLAUSE, format!("`{there}` needs `{missing}`"));
    }
    if has("precision") && !(has("latitude") && has("longitude")) {
        sink.error_at("precision", CLAUSE, "`precision` needs `latitude` and `longitude`");
    }
    if !["region", "country", "latitude", "longitude"].into_iter().any(has) {
        let message = "needs `region`, `country`, or `latitude` and `longitude`";
        sink.error(&Path::ROOT, CLAUSE, message);
    }
}

pub(super) fn malware(object: &Object, sink: &mut Sink<'_>) {
    seen_order(object, sink);
    if object.get("is_family") == Some(&Value::Bool(true)) && object.get("name").is_none() {
        sink.error_at("name", "STIX 2.1 §4.11", "a malware family needs a `name`");
    }
}

pub(super) fn malware_analysis(object: &Object, sink: &mut Sink<'_>) {
    if object.get("result").is_none() && object.get("analysis_sco_refs").is_none() {
        let message = "needs one of `result` and `analysis_sco_refs`";
        sink.error_at("result", "STIX 2.1 §4.12", message);
    }
}

pub(super) fn sighting(object: &Object, sink: &mut Sink<'_>) {
    seen_order(object, sink);
}

pub(super) fn observed_data(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §4.14";
    in_order(object, "first_observed", "last_observed", true, CLAUSE, sink);
    match (object.get("objects"), object.get("object_refs")) {
        (None, None) => sink.error_at("object_refs", CLAUSE, "needs `object_refs` (or `objects`)"),
        (Some(_), Some(_)) => {
            sink.error_at("objects", CLAUSE, "`objects` and `object_refs` exclude each other");
        }
        (Some(objects), None) => {
            sink.warn_at("objects", CLAUSE, "`objects` is deprecated; use `object_refs`");
            if let Some(map) = objects.as_object() {
                container(map, sink);
            }
        }
        (None, Some(_)) => {
            let kinds: Vec<&str> =
                object.texts("object_refs").filter_map(|text| id::check(text).ok()).collect();
            let observable =
                |kind: &&str| rules::family(kind).is_none_or(|family| family == Family::Observable);
            if !kinds.is_empty() && !kinds.iter().any(observable) {
                let message = "`object_refs` must name at least one cyber observable";
                sink.error_at("object_refs", CLAUSE, message);
            }
        }
    }
}

/// The deprecated container: observables by keys, which refer to each other by key. They need no
/// id of their own.
fn container(map: &Map<String, Value>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §4.14";
    let objects = Path::ROOT.name("objects");
    let mut inner = Sink {
        report: &mut *sink.report,
        object: sink.object,
        index: sink.index,
        defanged: false,
        container: Some(map),
    };
    for (key, value) in map {
        let at = objects.name(key);
        let Some(properties) = value.as_object() else {
            inner.error(&at, CLAUSE, "not a cyber observable");
            continue;
        };
        let Some(kind) = properties.get("type").and_then(Value::as_str) else {
            inner.error(&at.name("type"), CLAUSE, "`type` is required and missing");
            continue;
        };
        let compiled: &Compiled = match rules::find(kind) {
            Some(compiled) if compiled.family == Family::Observable => compiled,
            Some(_) => {
                inner.error(&at.name("type"), CLAUSE, format!("a {kind} is no cyber observable"));
                continue;
            }
            None => rules::of_unknown(Family::Observable),
        };
        judge_properties(properties, compiled, true, &at, &mut inner);
        custom::properties(properties, compiled, &at, &mut inner);
    }
}
