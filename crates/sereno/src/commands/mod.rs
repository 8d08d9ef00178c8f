//! One noun, one file.

pub(crate) mod actuator;
mod analyst;
pub(crate) mod approvals;
pub(crate) mod assets;
pub(crate) mod automation;
pub(crate) mod backup;
pub(crate) mod community;
pub(crate) mod config;
pub(crate) mod detect;
mod detect_eval;
pub(crate) mod doctor;
pub(crate) mod feed;
pub(crate) mod feedback;
pub(crate) mod gateway;
pub(crate) mod intel;
pub(crate) mod laws;
pub(crate) mod ledger;
pub(crate) mod licences;
pub(crate) mod lists;
pub(crate) mod machines;
pub(crate) mod misp;
pub(crate) mod models;
pub(crate) mod peer;
pub(crate) mod playbook;
pub(crate) mod playbook_more;
mod playbook_run;
mod playbook_sign;
mod playbook_trigger;
pub(crate) mod recovery;
pub(crate) mod sandbox;
pub(crate) mod secret;
pub(crate) mod share;
pub(crate) mod sharing;
pub(crate) mod shell;
pub(crate) mod site;
pub(crate) mod stix;
mod stix_batch;
mod stix_pattern;
mod stix_upgrade;
mod tail;
pub(crate) mod taxii;
mod taxii_certificate;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod user;
pub(crate) mod webhook;

use std::path::Path;

use serde_json::Value;

use crate::output::{self, Failure};

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let size = std::fs::metadata(path).map_err(Failure::file(path))?.len();
    if size > limit {
        return Err(Failure::wrong_use(format!(
            "{}: {size} bytes exceed the limit of {limit}",
            path.display()
        )));
    }
    std::fs::read(path).map_err(Failure::file(path))
}

/// A text field of an answer, empty when absent.
pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Prints items as lines of chosen fields, or the whole answer as JSON.
pub(crate) fn table(answer: &Value, fields: &[&str], json: bool) -> Result<(), Failure> {
    if json {
        return output::value(answer);
    }
    let items = answer.get("items").or(Some(answer)).and_then(Value::as_array);
    let Some(items) = items else { return output::value(answer) };
    if items.is_empty() {
        output::note("none yet");
    }
    for item in items {
        let cells: Vec<String> = fields.iter().map(|field| cell(item, field)).collect();
        output::line(&cells.join("  "));
    }
    if answer.get("next").is_some_and(Value::is_string) {
        output::note("there are more; raise --limit or use --json");
    }
    Ok(())
}

fn cell(item: &Value, field: &str) -> String {
    match item.get(field) {
        None | Some(Value::Null) => "-".into(),
        Some(Value::String(text)) if text.is_empty() => "-".into(),
        // Names come from the network: none may move the cursor or turn the line around.
        Some(Value::String(text)) => analytics::inventory::seen_as_it_is(text),
        Some(other) => other.to_string(),
    }
}
