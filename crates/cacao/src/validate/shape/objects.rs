//! What a table of properties cannot say about one object.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value};

use super::words::{self};
use super::{Form, is_identifier, object, property, rows, tables, type_of};
use crate::validate::Findings;
use crate::value::{fits, is_mac};
use crate::variables::{MAX_VARIABLES, is_name, references};

/// Longest key of a dictionary, in bytes (§10.6).
const MAX_KEY_BYTES: usize = 250;
/// Counter-signatures upon each other that are looked into.
const MAX_COUNTER_DEPTH: usize = crate::signature::MAX_COUNTER_DEPTH;

fn kind_of(map: &Map<String, Value>) -> &str {
    map.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// The key of a definition names its type: two words of the vocabulary must not contradict each other.
fn key_fits(place: &str, id: &str, kind: &str, closed: bool, found: &mut Findings) {
    if type_of(id) == kind {
        return;
    }
    if closed {
        found.error(place, format!("the key must begin with '{kind}--'"));
    } else {
        found.warning(place, format!("the key should begin with '{kind}--'"));
    }
}

/// A step (§4).
pub(super) fn step(place: &str, id: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &tables::STEP, found);
    let kind = kind_of(map);
    match tables::of_step(kind) {
        Some(table) => {
            rows(place, map, table, found);
            key_fits(place, id, kind, true, found);
        }
        None => found.error(place, format!("'{kind}' is no type of step (§4.2)")),
    }
    let has = |name: &str| map.contains_key(name);
    if has("on_completion") && (has("on_success") || has("on_failure")) {
        found.error(place, "on_completion excludes on_success and on_failure (§4.1)");
    }
    let forbidden: &[&str] = match kind {
        "start" => &["on_success", "on_failure"],
        "end" => &["on_completion", "on_success", "on_failure"],
        _ => &[],
    };
    for name in forbidden.iter().filter(|name| has(name)) {
        found.error(place, format!("a step of the type {kind} has no {name}"));
    }
    let branches = map.get("next_steps").and_then(Value::as_array);
    if kind == "parallel" && branches.is_some_and(|steps| steps.len() < 2) {
        found.error(place, "next_steps of a parallel step has at least two steps (§4.7)");
    }
}

/// The cases of a switch: a step by value (§4.10).
pub(super) fn cases(place: &str, value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    if map.is_empty() {
        found.error(place, "a switch has at least one case (§4.10)");
    }
    for (name, next) in map {
        let here = format!("{place}/{name}");
        key(&here, name, found);
        property(&here, next, &Form::Id, found);
    }
}

/// A key of a dictionary (§10.6).
fn key(place: &str, name: &str, found: &mut Findings) {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() > MAX_KEY_BYTES || !name.chars().all(letter) {
        let text = format!("a key has letters, digits, - and _, at most {MAX_KEY_BYTES} (§10.6)");
        found.warning(place, text);
    }
}

/// A command (§5).
pub(super) fn command(place: &str, value: &Value, found: &mut Findings) {
    object(place, value, &tables::COMMAND, found);
    let Value::Object(map) = value else { return };
    let kind = kind_of(map);
    rows(place, map, tables::of_command(kind), found);
    let has = |name: &str| map.contains_key(name);
    for (plain, encoded) in [("command", "command_b64"), ("content", "content_b64")] {
        if has(plain) && has(encoded) {
            found.warning(place, format!("has both {plain} and {encoded}; {plain} counts"));
        }
    }
    let known = words::COMMANDS.words.contains(&kind);
    if known && !has("command") && !has("command_b64") {
        found.error(place, format!("a command of the type {kind} has 'command' or 'command_b64'"));
    }
}

/// Headers of a request: lists of texts by name.
pub(super) fn headers(place: &str, value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    for (name, values) in map {
        let here = format!("{place}/{name}");
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            found.error(&here, "is no name of a header (RFC 9110 §5.1)");
        }
        let Value::Array(values) = values else {
            found.error(&here, "must be a list of texts");
            continue;
        };
        for one in values {
            match one.as_str() {
                None => found.error(&here, "must be a list of texts"),
                Some(text) if text.contains(['\r', '\n', '\0']) => {
                    found.error(&here, "a header has no line breaks");
                }
                Some(_) => {}
            }
        }
    }
}

/// Variables by name (§10.18).
pub(super) fn variables(place: &str, value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    if map.len() > MAX_VARIABLES {
        found.error(place, format!("{} variables; at most {MAX_VARIABLES} are taken", map.len()));
    }
    for (name, variable) in map {
        let here = format!("{place}/{name}");
        if !is_name(name) {
            found.error(&here, "the name of a variable has the form __name__ (§10.18.2)");
        }
        object(&here, variable, &tables::VARIABLE, found);
        let text = |name: &str| variable.get(name).and_then(Value::as_str);
        if let (Some(kind), Some(value)) = (text("type"), text("value"))
            && references(value).is_empty()
            && let Err(cause) = fits(kind, value)
        {
            found.error(&format!("{here}/value"), cause);
        }
    }
}

/// An agent or a target (§7).
pub(super) fn party(place: &str, id: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &tables::PARTY, found);
    let kind = kind_of(map);
    rows(place, map, tables::of_party(kind), found);
    let known = |word: &str| words::PARTIES.words.contains(&word);
    key_fits(place, id, kind, known(type_of(id)), found);
    // The key decides for those who read by schema.
    if known(type_of(id)) && !known(kind) {
        rows(place, map, tables::of_party(type_of(id)), found);
    }
}

/// Addresses by kind (§7.8).
pub(super) fn address(place: &str, value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    for (kind, all) in map {
        let here = format!("{place}/{kind}");
        let good: fn(&str) -> bool = match kind.as_str() {
            "dname" => |text| !text.is_empty() && !text.contains(char::is_whitespace),
            "url" => |text| {
                text.split_once("://").is_some_and(|(s, rest)| is_scheme(s) && !rest.is_empty())
            },
            "ipv4" => |text| text.parse::<Ipv4Addr>().is_ok(),
            "ipv6" => {
                |text| text.split('%').next().is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
            }
            "l2mac" => is_mac,
            "vlan" => |text| text.parse::<u16>().is_ok_and(|vlan| vlan < 4096),
            _ => {
                found.error(&here, "is none of dname, ipv4, ipv6, l2mac, vlan and url (§7.8)");
                continue;
            }
        };
        let Value::Array(all) = all else {
            found.error(&here, "must be a list");
            continue;
        };
        for one in all {
            let text = match one {
                Value::String(text) => text.clone(),
                Value::Number(number) if kind == "vlan" => number.to_string(),
                _ => {
                    found.error(&here, "must be a list of texts");
                    continue;
                }
            };
            if references(&text).is_empty() && !good(&text) {
                let shown: String = text.chars().take(80).collect();
                found.error(&here, format!("'{shown}' is no {kind} address"));
            }
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Texts by key, as contacts have them.
pub(super) fn texts_by_key(place: &str, value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    for (name, text) in map {
        let here = format!("{place}/{name}");
        key(&here, name, found);
        property(&here, text, &Form::Text, found);
    }
}

/// Authentication information (§6).
pub(super) fn credential(place: &str, id: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &tables::CREDENTIAL, found);
    let kind = kind_of(map);
    rows(place, map, tables::of_credential(kind), found);
    let known = |word: &str| words::CREDENTIALS.words.contains(&word);
    key_fits(place, id, kind, known(type_of(id)), found);
    if known(type_of(id)) && !known(kind) {
        rows(place, map, tables::of_credential(type_of(id)), found);
    }
    for name in ["password", "token"] {
        let secret = map.get(name).and_then(Value::as_str);
        if secret.is_some_and(|secret| !secret.is_empty() && references(secret).is_empty()) {
            let text = format!("holds a {name} in clear; whoever reads the playbook has it");
            found.warning(place, text);
        }
    }
    if map.get("kms") == Some(&Value::Bool(true)) && !map.contains_key("kms_key_identifier") {
        found.error(place, "kms is true, and kms_key_identifier is missing (§6)");
    }
}

/// Extensions in use, by the identifier of their definition.
pub(super) fn extensions(place: &str, value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    if map.is_empty() {
        found.error(place, "must not be empty; leave the property out");
    }
    for (id, extension) in map {
        let here = format!("{place}/{id}");
        if !is_identifier(id) || type_of(id) != "extension-definition" {
            found.warning(&here, "the key should be the identifier of an extension-definition");
        }
        if !extension.is_object() {
            found.error(&here, "must be an object");
        }
    }
}

/// The definition of an extension (§8).
pub(super) fn extension(place: &str, id: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &tables::EXTENSION, found);
    key_fits(place, id, "extension-definition", false, found);
}

/// A data marking (§9).
pub(super) fn marking(place: &str, id: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &tables::MARKING, found);
    let kind = kind_of(map);
    rows(place, map, tables::of_marking(kind), found);
    if !tables::of_marking(kind).is_empty() {
        key_fits(place, id, kind, true, found);
    }
    if map.get("id").and_then(Value::as_str).is_some_and(|own| own != id) {
        found.warning(place, "its id is not the key it stands under");
    }
}

/// A reference of an IEP marking: the policy framework has texts, the standard's common properties have external references,
/// and the published schema asks for both at once.
pub(super) fn iep_reference(place: &str, value: &Value, found: &mut Findings) {
    if !value.is_string() {
        object(place, value, &tables::REFERENCE, found);
    }
}

/// A signature (§10.15); whether it holds is another question.
pub(super) fn signature(place: &str, value: &Value, found: &mut Findings) {
    let depth = place.split('/').filter(|part| *part == "signature").count();
    if depth > MAX_COUNTER_DEPTH {
        let text = format!("more than {MAX_COUNTER_DEPTH} signatures upon each other are not read");
        found.error(place, text);
        return;
    }
    object(place, value, &tables::SIGNATURE, found);
    let ways = ["public_key", "public_cert_chain", "cert_url", "thumbprint"];
    let given = ways.iter().filter(|way| value.get(**way).is_some()).count();
    if value.is_object() && given != 1 {
        let text = format!("names its key in exactly one of {} (§10.15)", ways.join(", "));
        found.error(place, text);
    }
}

pub(super) fn counter_signature(place: &str, value: &Value, found: &mut Findings) {
    signature(place, value, found);
}
