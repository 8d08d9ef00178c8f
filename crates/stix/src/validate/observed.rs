//! Rules of cyber observables that join several properties (STIX 2.1 §6).

use serde_json::{Map, Value};

use super::checks::in_order;
use super::path::{Path, Sink};
use super::rules;
use super::shape::{self, Shape};
use crate::object::Object;

/// For dictionaries of which the table says all.
pub(super) fn nothing_in_map(_map: &Map<String, Value>, _at: &Path<'_>, _sink: &mut Sink<'_>) {}

pub(super) fn artifact(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §6.1";
    let (payload, url) = (object.get("payload_bin").is_some(), object.get("url").is_some());
    if payload == url {
        sink.error_at("payload_bin", CLAUSE, "needs exactly one of `payload_bin` and `url`");
    }
    if url && object.get("hashes").is_none() {
        sink.error_at("hashes", CLAUSE, "an artifact by `url` needs `hashes`");
    }
    if object.get("decryption_key").is_some() && object.get("encryption_algorithm").is_none() {
        let message = "a `decryption_key` needs the `encryption_algorithm`";
        sink.error_at("decryption_key", CLAUSE, message);
    }
}

pub(super) fn email_message(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §6.6";
    match object.get("is_multipart").and_then(Value::as_bool) {
        Some(true) if object.get("body").is_some() => {
            sink.error_at("body", CLAUSE, "a multipart message has no `body`");
        }
        Some(false) if object.get("body_multipart").is_some() => {
            let message = "only a multipart message has `body_multipart`";
            sink.error_at("body_multipart", CLAUSE, message);
        }
        _ => {}
    }
    let fields = object.get("additional_header_fields").and_then(Value::as_object);
    let at = Path::ROOT.name("additional_header_fields");
    for (name, value) in fields.into_iter().flatten() {
        // §6.6 asks for lists, its own schema and every producer write single texts as well
        match value {
            Value::String(_) => {}
            other => shape::check(other, Shape::Texts, &at.name(name), CLAUSE, sink),
        }
    }
}

pub(super) fn mime_part(map: &Map<String, Value>, at: &Path<'_>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §6.6.2";
    if map.contains_key("body") == map.contains_key("body_raw_ref") {
        sink.error(at, CLAUSE, "needs exactly one of `body` and `body_raw_ref`");
    }
}

/// §6.7.5: keys are names of EXIF tags in their spelling; all of them begin in upper case.
pub(super) fn exif_names(map: &Map<String, Value>, at: &Path<'_>, sink: &mut Sink<'_>) {
    let Some(tags) = map.get("exif_tags").and_then(Value::as_object) else { return };
    let at = at.name("exif_tags");
    for name in tags.keys().filter(|name| !name.starts_with(|c: char| c.is_ascii_uppercase())) {
        let message = "the name of an EXIF tag begins in upper case, like `XResolution`";
        sink.error(&at.name(name), "STIX 2.1 §6.7.5", message);
    }
}

pub(super) fn file(object: &Object, sink: &mut Sink<'_>) {
    if object.get("hashes").is_none() && object.get("name").is_none() {
        sink.error_at("hashes", "STIX 2.1 §6.7", "needs one of `hashes` and `name`");
    }
    if object.get("name_enc").is_some() && object.get("name").is_none() {
        sink.error_at("name", "STIX 2.1 §6.7", "`name_enc` needs the `name` that it speaks of");
    }
}

pub(super) fn network_traffic(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §6.12";
    in_order(object, "start", "end", true, CLAUSE, sink);
    if object.get("src_ref").is_none() && object.get("dst_ref").is_none() {
        sink.error_at("src_ref", CLAUSE, "needs one of `src_ref` and `dst_ref`");
    }
    if object.get("is_active") == Some(&Value::Bool(true)) && object.get("end").is_some() {
        sink.error_at("end", CLAUSE, "traffic that is active has no `end`");
    }
    protocols_of_extensions(object, sink);
    // §6.12: SHOULD, where the protocol has ports
    for (port, end) in [("src_port", "src_ref"), ("dst_port", "dst_ref")] {
        if object.get(end).is_some() && object.get(port).is_none() && names_ports(object) {
            sink.warn_at(port, CLAUSE, format!("`{port}` should be given where ports are used"));
        }
    }
}

/// §6.12: an extension of a protocol goes with its name.
fn protocols_of_extensions(object: &Object, sink: &mut Sink<'_>) {
    let of = [("http-request-ext", "http"), ("icmp-ext", "icmp"), ("tcp-ext", "tcp")];
    for (extension, protocol) in of {
        if object.extension(extension).is_some() && object.texts("protocols").all(|p| p != protocol)
        {
            let message = format!("with `{extension}`, `{protocol}` should be listed");
            sink.warn_at("protocols", "STIX 2.1 §6.12", message);
        }
    }
}

/// Whether the protocols of the traffic have ports.
fn names_ports(object: &Object) -> bool {
    object.texts("protocols").any(|name| matches!(name, "tcp" | "udp" | "sctp" | "dccp"))
}

pub(super) fn process(object: &Object, sink: &mut Sink<'_>) {
    at_least_one(object, sink);
}

/// §6.13, §6.16: at least one of the type's own properties, among which `extensions` counts.
pub(super) fn at_least_one(object: &Object, sink: &mut Sink<'_>) {
    if object.get("extensions").is_none() {
        at_least_one_own(object, sink);
    }
}

/// §6.17, §6.18: at least one of the type's own properties; their tables do not list `extensions`.
pub(super) fn at_least_one_own(object: &Object, sink: &mut Sink<'_>) {
    let Some(compiled) = rules::find(object.kind()) else { return };
    let Some(of) = compiled.rules else { return };
    let own = of.properties.iter().any(|property| object.get(property.name).is_some());
    if !own {
        let message = format!("a {} needs at least one of its properties", of.name);
        sink.error(&Path::ROOT, of.clause, message);
    }
}
