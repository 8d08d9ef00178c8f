//! Forms of an answer other than JSON: CSV, values, hashes, rules, STIX.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::rules;
use super::{Answer, Ask, show};
use crate::error::MispError;
use crate::fields::{Fields, text, texts, truth};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
    /// One value a line.
    Values,
    /// One hash a line.
    Hashes,
    Suricata,
    Snort,
    Yara,
    /// STIX 2.1, a bundle.
    Stix2,
}

const NAMES: &[(&str, Format)] = &[
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("text", Format::Values),
    ("values", Format::Values),
    ("hashes", Format::Hashes),
    ("suricata", Format::Suricata),
    ("snort", Format::Snort),
    ("yara", Format::Yara),
    ("stix2", Format::Stix2),
];

impl Format {
    /// The form that is asked for as `returnFormat`.
    pub(crate) fn read(ask: &Ask) -> Result<Self, MispError> {
        let said = text(&ask.fields, "returnFormat").unwrap_or_else(|| "json".into());
        let found = NAMES.iter().find(|(name, _)| *name == said);
        let known = || NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        found.map(|(_, format)| *format).ok_or_else(|| {
            let clip: String = said.chars().take(40).collect();
            let text = format!("returnFormat '{clip}' is not written here; these are: {}", known());
            MispError::bad_request(text)
        })
    }

    /// Whether it goes into tools that block: as in MISP only what is published and for detection, unless asked otherwise.
    pub(crate) const fn is_for_tools(self) -> bool {
        !matches!(self, Self::Json | Self::Csv | Self::Stix2)
    }
}

/// Writes attributes, each with its tags, its event and, where it stands in one, its object.
pub(crate) fn lines(ask: &Ask, format: Format, attributes: &[Value]) -> Answer {
    let values = |wanted: &dyn Fn(&Value) -> Option<String>| {
        let mut lines: Vec<String> = attributes.iter().filter_map(wanted).collect();
        let mut seen = std::collections::HashSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        lines.join("\n")
    };
    let plain = "text/plain; charset=utf-8";
    match format {
        Format::Csv => Answer::Text("text/csv; charset=utf-8", csv(ask, attributes)),
        Format::Hashes => Answer::Text(plain, values(&hash)),
        Format::Suricata => {
            Answer::Text(plain, values(&|one| rules::rule(one, rules::Tool::Suricata)))
        }
        Format::Snort => Answer::Text(plain, values(&|one| rules::rule(one, rules::Tool::Snort))),
        Format::Yara => {
            let yara = |one: &Value| (one["type"] == "yara").then(|| word(one, "value"));
            Answer::Text(plain, values(&yara))
        }
        _ => Answer::Text(plain, values(&|one| Some(word(one, "value")))),
    }
}

fn word(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => i64::from(*truth).to_string(),
        _ => String::new(),
    }
}

fn hash(one: &Value) -> Option<String> {
    let kind = word(one, "type");
    let kind = kind.rsplit('|').next().unwrap_or_default();
    let is_hash =
        ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "imphash"].contains(&kind);
    let value = word(one, "value");
    is_hash.then(|| value.rsplit('|').next().unwrap_or_default().to_owned())
}

/// Columns that are written when nothing is said.
const COLUMNS: &[&str] = &[
    "uuid",
    "event_id",
    "category",
    "type",
    "value",
    "comment",
    "to_ids",
    "date",
    "object_relation",
    "attribute_tag",
    "object_uuid",
    "object_name",
    "object_meta_category",
];
/// Columns that `includeContext` adds.
const CONTEXT: &[&str] = &[
    "event_info",
    "event_member_org",
    "event_source_org",
    "event_distribution",
    "event_threat_level_id",
    "event_analysis",
    "event_date",
    "event_tag",
    "event_timestamp",
];

/// A cell as CSV (RFC 4180). What a spreadsheet would take for a formula is not changed: it is a value.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn tags(value: &Value) -> String {
    let list = value["Tag"].as_array().into_iter().flatten();
    list.filter_map(|tag| tag["name"].as_str()).collect::<Vec<_>>().join(",")
}

fn column(one: &Value, name: &str) -> String {
    let event = &one["Event"];
    match name {
        "date" | "timestamp" => word(one, "timestamp"),
        "attribute_tag" => tags(one),
        "object_uuid" => word(&one["Object"], "uuid"),
        "object_name" => word(&one["Object"], "name"),
        "object_meta_category" => word(&one["Object"], "meta-category"),
        "event_member_org" => word(&event["Org"], "name"),
        "event_source_org" => word(&event["Orgc"], "name"),
        "event_threat_level_id" => word(event, "threat_level_id"),
        "event_tag" => tags(event),
        "event_info" | "event_distribution" | "event_analysis" | "event_date"
        | "event_timestamp" => word(event, name.trim_start_matches("event_")),
        other => word(one, other),
    }
}

fn csv(ask: &Ask, attributes: &[Value]) -> String {
    let mut columns = texts(&ask.fields, "requested_attributes");
    if columns.is_empty() {
        columns = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
        if truth(&ask.fields, "includeContext").unwrap_or(false) {
            columns.extend(CONTEXT.iter().map(|name| (*name).to_owned()));
        }
    }
    let mut lines = Vec::with_capacity(attributes.len() + 1);
    if !truth(&ask.fields, "headerless").unwrap_or(false) {
        lines.push(columns.iter().map(|name| cell(name)).collect::<Vec<_>>().join(","));
    }
    for one in attributes {
        let cells: Vec<String> = columns.iter().map(|name| cell(&column(one, name))).collect();
        lines.push(cells.join(","));
    }
    // Each line ends, also the head of an answer without any.
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Events as one bundle of STIX 2.1, with the markings that their tags give; what has no place in STIX is listed in it.
pub(crate) async fn stix2(events: Vec<Value>) -> Result<Answer, MispError> {
    let converted = tokio::task::spawn_blocking(move || {
        let mut events = events;
        events.iter_mut().for_each(show::without_groups);
        events.iter_mut().for_each(show::without_nulls);
        let document = misp::document::from_value(json!({ "response": events }));
        let document = document.map_err(|cause| MispError::bad_request(cause.to_string()))?;
        let converted = misp::to_stix::convert(document, misp::to_stix::Options::default());
        Ok::<_, MispError>(converted)
    });
    let faulty = |_| MispError::bad_request("the events could not be converted");
    let converted = converted.await.map_err(faulty)??;
    let mut bundle = converted.bundle.to_value();
    if !converted.not_carried.is_empty() {
        bundle["x_sereno_not_carried"] = json!(converted.not_carried);
    }
    Ok(bundle.into())
}

/// Puts its object beside each attribute that stands in one.
pub(crate) fn with_objects(attributes: &mut [Value], objects: &HashMap<i64, Fields>) {
    for one in attributes {
        let id = word(one, "object_id").parse::<i64>().unwrap_or(0);
        if let Some(object) = objects.get(&id) {
            one["Object"] = Value::Object(object.clone());
        }
    }
}
