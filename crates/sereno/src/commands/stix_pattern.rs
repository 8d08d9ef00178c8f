//! `sereno stix pattern check|match|normal|equal`.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::pattern::{Matcher, Observed, Pattern};

use super::read_file;
use crate::arguments::PatternCommand;
use crate::output::{self, FAILURE, Failure, WRONG_USE};

/// Largest file of observed data read, bytes.
const MAX_OBSERVED_BYTES: usize = 256 << 20;

/// Bounds of observed data.
pub(crate) const OBSERVED_LIMITS: Limits =
    Limits { max_bytes: MAX_OBSERVED_BYTES, max_values: 20_000_000, ..DEFAULT_LIMITS };

pub(crate) fn run(command: &PatternCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        PatternCommand::Check { pattern } => {
            let read = Pattern::check(pattern);
            match (&read, json) {
                (Ok(_), true) => output::value(&json!({ "valid": true }))?,
                (Ok(_), false) => output::line("valid"),
                (Err(error), true) => output::value(&json!({
                    "valid": false, "error": error.to_string(), "byte": error.byte,
                    "line": error.line, "column": error.column,
                }))?,
                (Err(error), false) => output::line(&format!("not valid: {error}")),
            }
            Ok(output::answer(read.is_ok()))
        }
        PatternCommand::Match { pattern, observed } => {
            let found = ready(pattern).map_err(|error| (WRONG_USE, error)).and_then(|matcher| {
                from_file(&matcher, observed).map_err(|error| (FAILURE, error))
            });
            match found {
                Ok(found) => {
                    if json {
                        output::line(&json!({ "match": found }).to_string());
                    } else {
                        output::line(if found { "match" } else { "no match" });
                    }
                    Ok(output::answer(found))
                }
                Err((code, error)) if json => {
                    output::line(&json!({ "error": error }).to_string());
                    Ok(ExitCode::from(code))
                }
                Err((code, message)) => Err(Failure { code, message, remedy: String::new() }),
            }
        }
    }
}

/// A pattern ready to be evaluated.
pub(crate) fn ready(pattern: &str) -> Result<Matcher, String> {
    let pattern = Pattern::parse(pattern).map_err(|error| error.to_string())?;
    Matcher::new(&pattern).map_err(|error| error.to_string())
}

/// Whether a pattern matches a bundle, a list of bundles, or a list of objects.
pub(crate) fn evaluate(matcher: &Matcher, observed: &Value) -> Result<bool, String> {
    let values = match observed {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let observed = Observed::read(values).map_err(|error| error.to_string())?;
    matcher.matches(&observed).map_err(|error| error.to_string())
}

fn from_file(matcher: &Matcher, file: &Path) -> Result<bool, String> {
    let place = |cause: &dyn std::fmt::Display| format!("{}: {cause}", file.display());
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let limited = std::io::stdin().lock().take(MAX_OBSERVED_BYTES as u64 + 1);
        { limited }.read_to_end(&mut bytes).map_err(|cause| place(&cause))?;
        bytes
    } else {
        read_file(file, MAX_OBSERVED_BYTES as u64).map_err(|failure| failure.message)?
    };
    let value = stix::json::read(&bytes, OBSERVED_LIMITS).map_err(|cause| place(&cause))?;
    evaluate(matcher, &value).map_err(|cause| place(&cause))
}
