//! `sereno stix validate FILE`; patterns and batches stand in files of their own.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use stix::bundle::Bundle;
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::object::Object;
use stix::validate::{self, Problem, Report, Severity};

use super::read_file;
use crate::arguments::StixCommand;
use crate::output::{self, Failure, NO};

/// Largest file read, bytes.
const MAX_FILE_BYTES: usize = 256 << 20;

pub(crate) fn run(command: &StixCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        StixCommand::Validate { file } => validate_file(file, json),
        StixCommand::Pattern(pattern) => super::stix_pattern::run(pattern, json),
        StixCommand::Batch => super::stix_batch::run(),
    }
}

/// A problem as JSON.
pub(super) fn problem(problem: &Problem) -> Value {
    json!({
        "object": problem.object,
        "property": problem.property,
        "clause": problem.clause,
        "message": problem.message,
    })
}

fn validate_file(file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let bytes = read_file(file, MAX_FILE_BYTES as u64)?;
    let limits = Limits { max_bytes: MAX_FILE_BYTES, max_values: 20_000_000, ..DEFAULT_LIMITS };
    let unreadable = |cause: String| Failure {
        code: NO,
        message: format!("{}: {cause}", file.display()),
        remedy: "STIX 2.1 is JSON: a bundle, or one object.".into(),
    };
    let value = stix::json::read(&bytes, limits).map_err(|cause| unreadable(cause.to_string()))?;
    let report = if value.get("type").and_then(|kind| kind.as_str()) == Some("bundle") {
        let bundle = Bundle::from_value(value).map_err(|cause| unreadable(cause.to_string()))?;
        validate::bundle(&bundle)
    } else {
        let object = Object::from_value(value)
            .ok_or_else(|| unreadable("neither a bundle nor an object".into()))?;
        validate::object(&object)
    };
    say(&report, json)?;
    Ok(output::answer(report.is_valid()))
}

fn say(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        let of = |severity: Severity| -> Vec<Value> {
            report.problems.iter().filter(|p| p.severity == severity).map(problem).collect()
        };
        return output::value(&json!({
            "valid": report.is_valid(),
            "errors": of(Severity::Error),
            "warnings": of(Severity::Warning),
            "left_out": report.left_out,
        }));
    }
    for problem in &report.problems {
        let word = if problem.severity == Severity::Error { "error" } else { "warning" };
        output::line(&format!(
            "{word}: {} {} (§{}): {}",
            problem.object, problem.property, problem.clause, problem.message
        ));
    }
    if report.left_out > 0 {
        output::line(&format!("and {} more", report.left_out));
    }
    if report.is_valid() {
        output::line("valid");
    }
    Ok(())
}
