//! `sereno misp to-stix|from-stix FILE`: standard output is the result, standard error what cannot be carried; with
//! `--json` both stand in one object.

use std::path::Path;
use std::process::ExitCode;

use misp::NotCarried;
use serde_json::{Value, json};
use stix::bundle::Bundle;
use stix::json::{DEFAULT_LIMITS, Limits};

use super::read_file;
use crate::arguments::MispCommand;
use crate::output::{self, Failure, NO};

/// Largest file read, bytes.
const MAX_FILE_BYTES: usize = 256 << 20;
const LIMITS: Limits =
    Limits { max_bytes: MAX_FILE_BYTES, max_values: 20_000_000, ..DEFAULT_LIMITS };

pub(crate) fn run(command: &MispCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        MispCommand::ToStix { file, plain } => {
            let bytes = read_file(file, MAX_FILE_BYTES as u64)?;
            let document = misp::document::read(&bytes, LIMITS).map_err(unreadable(file))?;
            let options = misp::to_stix::Options { keep_other: !plain };
            let converted = misp::to_stix::convert(document, options);
            let bundle = converted.bundle.to_value();
            say("bundle", bundle, &converted.not_carried, json)
        }
        MispCommand::FromStix { file } => {
            let bytes = read_file(file, MAX_FILE_BYTES as u64)?;
            let value = stix::json::read(&bytes, LIMITS).map_err(unreadable(file))?;
            let bundle = Bundle::from_value(value).map_err(unreadable(file))?;
            let converted = misp::from_stix::convert(bundle);
            let events: Vec<Value> = converted
                .events
                .into_iter()
                .map(|event| json!({ "Event": event.into_map() }))
                .collect();
            let events = json!({ "response": events });
            say("misp", events, &converted.not_carried, json)
        }
    }
}

fn unreadable<E: std::fmt::Display>(file: &Path) -> impl FnOnce(E) -> Failure + use<'_, E> {
    move |cause| Failure {
        code: NO,
        message: format!("{}: {cause}", file.display()),
        remedy: "Nothing was converted.".into(),
    }
}

fn say(
    name: &str,
    result: Value,
    not_carried: &[NotCarried],
    json: bool,
) -> Result<ExitCode, Failure> {
    if json {
        output::value(&json!({ name: result, "not_carried": not_carried }))?;
    } else {
        output::value(&result)?;
        for one in not_carried {
            let why = serde_json::to_value(one.why).unwrap_or_default();
            let why = why.as_str().unwrap_or_default();
            output::note(&format!("not carried ({why}): {}: {}", one.place, one.what));
        }
    }
    Ok(output::answer(not_carried.is_empty()))
}
