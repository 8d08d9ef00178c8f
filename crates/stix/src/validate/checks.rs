//! Rules that join several properties.

use serde_json::Value;

use super::Sink;
use super::rules::Family;
use crate::id::{self, StixId};
use crate::marking::{TLP_2_0_EXTENSION, Tlp, tlp_1_definition};
use crate::object::Object;
use crate::pattern;
use crate::vocabulary::{HASH_ALGORITHM, RELATIONSHIP_TYPE};

/// The id names the type, and a deterministic id is the one of its content.
pub(super) fn identity(object: &Object, sink: &mut Sink<'_>) {
    let Ok(id) = StixId::parse(object.id_text()) else { return };
    if id.kind() != object.kind() {
        let kind: String = object.kind().chars().take(80).collect();
        let message = format!("the id names the type {}, `type` is `{kind}`", id.kind());
        return sink.error("/id", "STIX 2.1 §2.9", message);
    }
    if id.uuid().get_version_num() == 5
        && let Some(expect) = id::deterministic(object.kind(), object.properties())
        && expect != id
    {
        let message = format!("a deterministic id of this content would be {expect}");
        sink.warn("/id", "STIX 2.1 §2.9", message);
    }
}

/// Rules of the common properties.
pub(super) fn common(object: &Object, family: Family, sink: &mut Sink<'_>) {
    if family == Family::Domain {
        in_order(object, "created", "modified", true, "STIX 2.1 §3.6", sink);
    }
    if object.text("spec_version") == Some("2.0") {
        let message = "the object says it is STIX 2.0; it is held to the rules of 2.1";
        sink.warn("/spec_version", "STIX 2.1 §3.2", message);
    }
}

/// `later` must not be before `earlier`; without `may_equal` it must be after it.
fn in_order(
    object: &Object,
    earlier: &str,
    later: &str,
    may_equal: bool,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let (Some(a), Some(b)) = (object.timestamp(earlier), object.timestamp(later)) else { return };
    if b < a || (b == a && !may_equal) {
        let than = if may_equal { "before" } else { "not after" };
        sink.error(&format!("/{later}"), clause, format!("`{later}` is {than} `{earlier}`"));
    }
}

pub(super) fn seen_order(object: &Object, sink: &mut Sink<'_>) {
    in_order(object, "first_seen", "last_seen", true, "STIX 2.1 §5.2", sink);
}

pub(super) fn indicator(object: &Object, sink: &mut Sink<'_>) {
    in_order(object, "valid_from", "valid_until", false, "STIX 2.1 §4.7", sink);
    if object.text("pattern_type") == Some("stix")
        && !object.text("pattern").is_none_or(pattern::looks_like_pattern)
    {
        let message = "not a STIX pattern: brackets do not open first or do not close";
        sink.error("/pattern", "STIX 2.1 §9", message);
    }
}

pub(super) fn malware(object: &Object, sink: &mut Sink<'_>) {
    seen_order(object, sink);
    if object.get("is_family") == Some(&Value::Bool(true)) && object.get("name").is_none() {
        sink.error("/name", "STIX 2.1 §4.11", "a malware family needs a `name`");
    }
}

pub(super) fn observed_data(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §4.14";
    in_order(object, "first_observed", "last_observed", true, CLAUSE, sink);
    match (object.get("objects"), object.get("object_refs")) {
        (None, None) => sink.error("/object_refs", CLAUSE, "needs `object_refs` (or `objects`)"),
        (Some(_), Some(_)) => {
            sink.error("/objects", CLAUSE, "`objects` and `object_refs` exclude each other");
        }
        (Some(_), None) => {
            sink.warn("/objects", CLAUSE, "`objects` is deprecated; use `object_refs`");
        }
        (None, Some(_)) => {}
    }
}

pub(super) fn relationship(object: &Object, sink: &mut Sink<'_>) {
    in_order(object, "start_time", "stop_time", false, "STIX 2.1 §5.1", sink);
    if let Some(kind) = object.text("relationship_type")
        && !RELATIONSHIP_TYPE.values.contains(&kind)
    {
        let clip: String = kind.chars().take(80).collect();
        let message = format!("`{clip}` is not one of the {}", RELATIONSHIP_TYPE.name);
        sink.warn("/relationship_type", "STIX 2.1 §5.1", message);
    }
}

pub(super) fn extension_definition(object: &Object, sink: &mut Sink<'_>) {
    let top_level = object.texts("extension_types").any(|t| t == "toplevel-property-extension");
    if object.get("extension_properties").is_some() && !top_level {
        let message = "`extension_properties` needs the type toplevel-property-extension";
        sink.error("/extension_properties", "STIX 2.1 §7.3", message);
    }
}

pub(super) fn marking_definition(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §7.2.1";
    let bare = object.get("definition_type").is_none() && object.get("definition").is_none();
    if bare && object.get("extensions").is_none() {
        sink.error(
            "/definition",
            CLAUSE,
            "needs `definition_type` and `definition`, or `extensions`",
        );
    }
    if object.get("definition_type").is_some() != object.get("definition").is_some() {
        sink.error("/definition", CLAUSE, "`definition_type` and `definition` go together");
    }
    if object.text("definition_type") == Some("tlp") {
        let fixed = tlp_1_definition(object.id_text());
        if fixed.as_ref().and_then(|f| f.get("definition")) != object.get("definition") {
            let message = "TLP 1 has four fixed marking definitions, this is none of them";
            sink.error("/definition", "STIX 2.1 §7.2.1.4", message);
        }
    }
    let claimed = object
        .extension(TLP_2_0_EXTENSION)
        .and_then(|body| body.get("tlp_2_0").and_then(Value::as_str));
    if let Some(label) = claimed {
        let fixed = Tlp::from_label(label).map(Tlp::id);
        if fixed != Some(object.id_text()) {
            let pointer = format!("/extensions/{TLP_2_0_EXTENSION}/tlp_2_0");
            let message = "TLP 2.0 has five fixed marking definitions, this is none of them";
            sink.error(&pointer, "STIX 2.1 §7.2.1.4, TLP 2.0 extension", message);
        }
    }
}

pub(super) fn artifact(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §6.1";
    let (payload, url) = (object.get("payload_bin").is_some(), object.get("url").is_some());
    if payload == url {
        sink.error("/payload_bin", CLAUSE, "needs exactly one of `payload_bin` and `url`");
    }
    if url && object.get("hashes").is_none() {
        sink.error("/hashes", CLAUSE, "an artifact by `url` needs `hashes`");
    }
}

pub(super) fn file(object: &Object, sink: &mut Sink<'_>) {
    if object.get("hashes").is_none() && object.get("name").is_none() {
        sink.error("/hashes", "STIX 2.1 §6.7", "needs one of `hashes` and `name`");
    }
    let weak = object
        .get("hashes")
        .and_then(Value::as_object)
        .is_some_and(|map| !map.keys().any(|name| HASH_ALGORITHM.values.contains(&name.as_str())));
    if weak {
        sink.warn("/hashes", "STIX 2.1 §6.7", "no hash of hash-algorithm-ov");
    }
}

pub(super) fn network_traffic(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §6.12";
    in_order(object, "start", "end", true, CLAUSE, sink);
    if object.get("src_ref").is_none() && object.get("dst_ref").is_none() {
        sink.error("/src_ref", CLAUSE, "needs one of `src_ref` and `dst_ref`");
    }
    if object.get("is_active") == Some(&Value::Bool(true)) && object.get("end").is_some() {
        sink.error("/end", CLAUSE, "traffic that is active has no `end`");
    }
}
