//! What the schema of CACAO v2.0 says, as tables: one row per property.

use serde_json::{Map, Value};

use super::Findings;
use crate::variables::is_name;
use crate::{MAX_WORKFLOW_STEPS, variables::MAX_VARIABLES};

/// What a property must look like.
enum Form {
    Text,
    Flag,
    Whole(i64, i64),
    Exactly(&'static str),
    OneOf(&'static [&'static str]),
    Id,
    /// An identifier whose type is this word.
    IdOf(&'static str),
    Time,
    Texts,
    Ids,
    Object,
    Flags,
    Objects(&'static [Row]),
    Commands,
    /// A dictionary of objects by identifier.
    Dictionary(fn(&str, &str, &Map<String, Value>, &mut Findings)),
    Variables,
    TextOrNull,
}

/// One property: its name, whether it must be there, its form.
type Row = (&'static str, bool, Form);

const NO: bool = false;
const MUST: bool = true;
const MAX_I: i64 = i64::MAX;

static PLAYBOOK: [Row; 34] = [
    ("type", MUST, Form::Exactly("playbook")),
    ("spec_version", MUST, Form::Exactly("cacao-2.0")),
    ("id", MUST, Form::IdOf("playbook")),
    ("name", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("playbook_types", NO, Form::Texts),
    ("playbook_activities", NO, Form::Texts),
    ("playbook_processing_summary", NO, Form::Flags),
    ("created_by", MUST, Form::IdOf("identity")),
    ("created", MUST, Form::Time),
    ("modified", MUST, Form::Time),
    ("revoked", NO, Form::Flag),
    ("valid_from", NO, Form::Time),
    ("valid_until", NO, Form::Time),
    ("derived_from", NO, Form::Ids),
    ("related_to", NO, Form::Ids),
    ("priority", NO, Form::Whole(0, 100)),
    ("severity", NO, Form::Whole(0, 100)),
    ("impact", NO, Form::Whole(0, 100)),
    ("industry_sectors", NO, Form::Texts),
    ("labels", NO, Form::Texts),
    ("external_references", NO, Form::Objects(&REFERENCE)),
    ("markings", NO, Form::Ids),
    ("playbook_variables", NO, Form::Variables),
    ("workflow_start", MUST, Form::IdOf("start")),
    ("workflow_exception", NO, Form::Id),
    ("workflow", MUST, Form::Dictionary(step)),
    ("playbook_extensions", NO, Form::Object),
    ("authentication_info_definitions", NO, Form::Dictionary(authentication)),
    ("agent_definitions", NO, Form::Dictionary(agent_target)),
    ("target_definitions", NO, Form::Dictionary(agent_target)),
    ("extension_definitions", NO, Form::Dictionary(extension)),
    ("data_marking_definitions", NO, Form::Dictionary(marking)),
    ("signatures", NO, Form::Objects(&[])),
];

static REFERENCE: [Row; 5] = [
    ("name", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("source", NO, Form::Text),
    ("url", NO, Form::Text),
    ("external_id", NO, Form::Text),
];

static STEP: [Row; 12] = [
    ("type", MUST, Form::Text),
    ("name", NO, Form::Text),
    ("description", NO, Form::Text),
    ("external_references", NO, Form::Objects(&REFERENCE)),
    ("delay", NO, Form::Whole(1, MAX_I)),
    ("timeout", NO, Form::Whole(0, MAX_I)),
    ("step_variables", NO, Form::Variables),
    ("owner", NO, Form::Id),
    ("on_completion", NO, Form::Id),
    ("on_success", NO, Form::Id),
    ("on_failure", NO, Form::Id),
    ("step_extensions", NO, Form::Object),
];

static ACTION: [Row; 5] = [
    ("commands", MUST, Form::Commands),
    ("agent", MUST, Form::Id),
    ("targets", NO, Form::Ids),
    ("in_args", NO, Form::Texts),
    ("out_args", NO, Form::Texts),
];
static PLAYBOOK_ACTION: [Row; 4] = [
    ("playbook_id", MUST, Form::Id),
    ("playbook_version", NO, Form::Time),
    ("in_args", NO, Form::Texts),
    ("out_args", NO, Form::Texts),
];
static IF: [Row; 3] =
    [("condition", MUST, Form::Text), ("on_true", MUST, Form::Id), ("on_false", NO, Form::Id)];
static WHILE: [Row; 2] = [("condition", MUST, Form::Text), ("on_true", MUST, Form::Id)];
static SWITCH: [Row; 2] = [("switch", MUST, Form::Text), ("cases", MUST, Form::Object)];
static PARALLEL: [Row; 1] = [("next_steps", MUST, Form::Ids)];

static COMMAND: [Row; 10] = [
    ("type", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("version", NO, Form::Text),
    ("playbook_activity", NO, Form::Text),
    ("external_references", NO, Form::Objects(&REFERENCE)),
    ("command", NO, Form::Text),
    ("command_b64", NO, Form::Text),
    ("content", NO, Form::Text),
    ("content_b64", NO, Form::Text),
    ("arguments", NO, Form::Object),
];

static VARIABLE: [Row; 5] = [
    ("type", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("value", NO, Form::TextOrNull),
    ("constant", NO, Form::Flag),
    ("external", NO, Form::Flag),
];

static AGENT_TARGET: [Row; 5] = [
    ("type", MUST, Form::Text),
    ("name", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("location", NO, Form::Object),
    ("agent_target_extensions", NO, Form::Object),
];
static ADDRESSED: [Row; 3] = [
    ("address", MUST, Form::Object),
    ("port", NO, Form::Text),
    ("authentication_info", NO, Form::Id),
];
static CATEGORY: [Row; 1] = [("category", MUST, Form::Texts)];

static AUTHENTICATION: [Row; 3] =
    [("type", MUST, Form::Text), ("name", NO, Form::Text), ("description", NO, Form::Text)];

static EXTENSION: [Row; 5] = [
    ("type", MUST, Form::Exactly("extension-definition")),
    ("name", MUST, Form::Text),
    ("created_by", MUST, Form::IdOf("identity")),
    ("schema", MUST, Form::Text),
    ("version", MUST, Form::Text),
];

static MARKING: [Row; 4] = [
    ("type", MUST, Form::OneOf(&["marking-statement", "marking-tlp", "marking-iep"])),
    ("id", MUST, Form::Id),
    ("created_by", MUST, Form::IdOf("identity")),
    ("created", MUST, Form::Time),
];
static TLP: [Row; 1] = [(
    "tlpv2_level",
    MUST,
    Form::OneOf(&["TLP:RED", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:GREEN", "TLP:CLEAR"]),
)];
static STATEMENT: [Row; 1] = [("statement", MUST, Form::Text)];

const STEP_TYPES: [&str; 8] = [
    "start",
    "end",
    "action",
    "playbook-action",
    "parallel",
    "if-condition",
    "while-condition",
    "switch-condition",
];

/// Checks a whole playbook.
pub(super) fn check(value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error("", "a playbook is a JSON object");
        return;
    };
    rows("", map, &PLAYBOOK, found);
    let steps = map.get("workflow").and_then(Value::as_object).map_or(0, Map::len);
    if steps > MAX_WORKFLOW_STEPS {
        found.error("/workflow", format!("{steps} steps; at most {MAX_WORKFLOW_STEPS} are taken"));
    }
}

fn rows(place: &str, map: &Map<String, Value>, table: &[Row], found: &mut Findings) {
    for (name, must, form) in table {
        match map.get(*name) {
            Some(value) => property(&format!("{place}/{name}"), value, form, found),
            None if *must => found.error(place, format!("'{name}' is missing")),
            None => {}
        }
    }
}

fn property(place: &str, value: &Value, form: &Form, found: &mut Findings) {
    match form {
        Form::Text if !value.is_string() => found.error(place, "must be a text"),
        Form::TextOrNull if !(value.is_string() || value.is_null()) => {
            found.error(place, "must be a text (CACAO writes every value of a variable as text)");
        }
        Form::Flag if !value.is_boolean() => found.error(place, "must be true or false"),
        Form::Object if !value.is_object() => found.error(place, "must be an object"),
        Form::Text | Form::TextOrNull | Form::Flag | Form::Object => {}
        Form::Whole(low, high) => {
            if !value.as_i64().is_some_and(|number| (*low..=*high).contains(&number)) {
                let limit = if *high == MAX_I { String::new() } else { format!(" to {high}") };
                found.error(place, format!("must be a whole number from {low}{limit}"));
            }
        }
        Form::Exactly(word) => {
            if value.as_str() != Some(word) {
                found.error(place, format!("must be '{word}'"));
            }
        }
        Form::OneOf(words) => {
            if !value.as_str().is_some_and(|text| words.contains(&text)) {
                found.error(place, format!("must be one of {}", words.join(", ")));
            }
        }
        Form::Id => identifier(place, value, None, found),
        Form::IdOf(kind) => identifier(place, value, Some(kind), found),
        Form::Time => time(place, value, found),
        Form::Texts => list(place, value, found, |place, item, found| {
            property(place, item, &Form::Text, found);
        }),
        Form::Ids => list(place, value, found, |place, item, found| {
            identifier(place, item, None, found);
        }),
        Form::Objects(table) => list(place, value, found, |place, item, found| match item {
            Value::Object(map) => rows(place, map, table, found),
            _ => found.error(place, "must be an object"),
        }),
        Form::Commands => list(place, value, found, command),
        Form::Flags => match value.as_object() {
            Some(map) => {
                for (name, flag) in map {
                    property(&format!("{place}/{name}"), flag, &Form::Flag, found);
                }
            }
            None => found.error(place, "must be an object"),
        },
        Form::Dictionary(check) => dictionary(place, value, *check, found),
        Form::Variables => variables(place, value, found),
    }
}

fn list(
    place: &str,
    value: &Value,
    found: &mut Findings,
    check: impl Fn(&str, &Value, &mut Findings),
) {
    let Value::Array(items) = value else {
        found.error(place, "must be a list");
        return;
    };
    if items.is_empty() {
        found.error(place, "must not be an empty list; leave the property out");
    }
    for (index, item) in items.iter().enumerate() {
        check(&format!("{place}/{index}"), item, found);
    }
}

fn dictionary(
    place: &str,
    value: &Value,
    check: fn(&str, &str, &Map<String, Value>, &mut Findings),
    found: &mut Findings,
) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    for (id, item) in map {
        let here = format!("{place}/{id}");
        if !is_identifier(id) {
            found.error(&here, "the key must be an identifier of the form type--UUID");
        }
        match item {
            Value::Object(item) => check(&here, id, item, found),
            _ => found.error(&here, "must be an object"),
        }
    }
}

fn variables(place: &str, value: &Value, found: &mut Findings) {
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
        match variable {
            Value::Object(variable) => rows(&here, variable, &VARIABLE, found),
            _ => found.error(&here, "must be an object"),
        }
    }
}

fn step(place: &str, id: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &STEP, found);
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
    let table: &[Row] = match kind {
        "action" => &ACTION,
        "playbook-action" => &PLAYBOOK_ACTION,
        "if-condition" => &IF,
        "while-condition" => &WHILE,
        "switch-condition" => &SWITCH,
        "parallel" => &PARALLEL,
        _ => &[],
    };
    rows(place, map, table, found);
    if !STEP_TYPES.contains(&kind) {
        found.error(place, format!("'{kind}' is no type of step (§4)"));
    } else if type_of(id) != kind {
        found.error(place, format!("the key must begin with '{kind}--'"));
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
    if kind == "parallel"
        && map.get("next_steps").and_then(Value::as_array).is_some_and(|s| s.len() < 2)
    {
        found.error(place, "next_steps of a parallel step has at least two steps");
    }
}

fn command(place: &str, value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    rows(place, map, &COMMAND, found);
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
    let (plain, encoded) = (map.contains_key("command"), map.contains_key("command_b64"));
    match kind {
        "http-api" if !plain => found.error(place, "an http-api command needs 'command' (§5)"),
        "manual" if !plain && !encoded => {
            found.error(place, "a manual command needs 'command' or 'command_b64' (§5)");
        }
        crate::ACTUATOR if !plain => {
            found.error(place, "an x-sereno-actuator command names its verb in 'command'");
        }
        _ => {}
    }
    if let Some(headers) = map.get("headers") {
        let lists_of_texts = headers.as_object().is_some_and(|headers| {
            headers.values().all(|values| {
                values.as_array().is_some_and(|values| values.iter().all(Value::is_string))
            })
        });
        if !lists_of_texts {
            found.error(place, "headers: each header has a list of texts");
        }
    }
}

fn agent_target(place: &str, id: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &AGENT_TARGET, found);
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
    match type_of(id) {
        "http-api" => rows(place, map, &ADDRESSED, found),
        "security-category" => rows(place, map, &CATEGORY, found),
        _ => {}
    }
    if type_of(id) != kind {
        found.warning(place, format!("the key should begin with '{kind}--'"));
    }
}

fn authentication(place: &str, _: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &AUTHENTICATION, found);
    if map.get("password").is_some_and(Value::is_string) {
        found.warning(place, "holds a password in clear; whoever reads the playbook has it");
    }
}

fn extension(place: &str, _: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &EXTENSION, found);
}

fn marking(place: &str, _: &str, map: &Map<String, Value>, found: &mut Findings) {
    rows(place, map, &MARKING, found);
    match map.get("type").and_then(Value::as_str) {
        Some("marking-tlp") => rows(place, map, &TLP, found),
        Some("marking-statement") => rows(place, map, &STATEMENT, found),
        _ => {}
    }
}

fn type_of(id: &str) -> &str {
    id.split_once("--").map_or("", |(kind, _)| kind)
}

/// `type--UUID`, the type at least three letters, digits or hyphens; RFC 4122 versions 1 to 5 (§10.10).
fn is_identifier(text: &str) -> bool {
    let Some((kind, uuid)) = text.split_once("--") else { return false };
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase());
    let last = kind.chars().last();
    let good_kind = kind.len() >= 3
        && edge(kind.chars().next())
        && (edge(last) || last.is_some_and(|c| c.is_ascii_digit()))
        && kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let bytes = uuid.as_bytes();
    let good_uuid = bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            14 => (b'1'..=b'5').contains(b),
            19 => matches!(b.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
            _ => b.is_ascii_hexdigit(),
        });
    good_kind && good_uuid
}

fn identifier(place: &str, value: &Value, kind: Option<&str>, found: &mut Findings) {
    let text = value.as_str().unwrap_or_default();
    if !is_identifier(text) {
        found.error(place, "must be an identifier of the form type--UUID (§10.10)");
    } else if kind.is_some_and(|kind| type_of(text) != kind) {
        found.error(place, format!("must be an identifier of the type '{}'", kind.unwrap_or("")));
    }
}

fn time(place: &str, value: &Value, found: &mut Findings) {
    let text = value.as_str().unwrap_or_default();
    if !text.ends_with('Z') || text.parse::<model::Timestamp>().is_err() {
        found.error(place, "must be a time such as 2026-11-22T03:00:00.000Z (§10.16)");
        return;
    }
    let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.len() - 1);
    if decimals != 3 {
        found.warning(place, "should have exactly three decimals (§3.1)");
    }
}
