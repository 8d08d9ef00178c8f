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
        PatternCommand::Check { pattern } => check(pattern, json),
        PatternCommand::Normal { pattern } => match read(pattern) {
            Ok(pattern) => {
                let normal = pattern.normal().to_string();
                if json {
                    output::line(&json!({ "normal": normal }).to_string());
                } else {
                    output::line(&normal);
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => refused(WRONG_USE, error, json),
        },
        PatternCommand::Equal { a, b } => match read(a).and_then(|a| Ok((a, read(b)?))) {
            Ok((a, b)) => {
                let equal = stix::pattern::equivalent(&a, &b);
                if json {
                    output::line(&json!({ "equal": equal }).to_string());
                } else {
                    output::line(if equal { "equal" } else { "not shown to be equal" });
                }
                Ok(output::answer(equal))
            }
            Err(error) => refused(WRONG_USE, error, json),
        },
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
                Err((code, error)) => refused(code, error, json),
            }
        }
    }
}

/// An error as the answer: with `--json` on standard output, where the other answers are.
fn refused(code: u8, message: String, json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::line(&json!({ "error": message }).to_string());
        return Ok(ExitCode::from(code));
    }
    Err(Failure { code, message, remedy: String::new() })
}

fn check(pattern: &str, json: bool) -> Result<ExitCode, Failure> {
    let read = Pattern::check(pattern);
    match (&read, json) {
        (Ok(pattern), true) => {
            output::value(&json!({ "valid": true, "warnings": pattern.cautions() }))?;
        }
        (Ok(pattern), false) => {
            for caution in pattern.cautions() {
                output::line(&format!("warning: {caution}"));
            }
            output::line("valid");
        }
        (Err(error), true) => output::value(&json!({
            "valid": false, "error": error.to_string(), "byte": error.byte,
            "line": error.line, "column": error.column,
        }))?,
        (Err(error), false) => output::line(&format!("not valid: {error}")),
    }
    Ok(output::answer(read.is_ok()))
}

fn read(pattern: &str) -> Result<Pattern, String> {
    Pattern::parse(pattern).map_err(|error| error.to_string())
}

/// A pattern ready to be evaluated.
pub(crate) fn ready(pattern: &str) -> Result<Matcher, String> {
    Matcher::new(&read(pattern)?).map_err(|error| error.to_string())
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
