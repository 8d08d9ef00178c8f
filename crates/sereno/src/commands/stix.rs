//! `sereno stix validate FILE`; the upgrade, patterns and batches stand in files of their own.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::stream::{self, StreamError};
use stix::validate::{Problem, Report, Severity};

use crate::arguments::StixCommand;
use crate::output::{self, Failure, NO};

/// Largest object of a bundle, bytes. The bundle itself has no limit: it is read object by object.
const MAX_OBJECT_BYTES: usize = 64 << 20;

pub(crate) fn run(command: &StixCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        StixCommand::Validate { file } => validate_file(file, json),
        StixCommand::Upgrade { file, out } => super::stix_upgrade::run(file, out.as_deref(), json),
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
    let limits = Limits { max_bytes: MAX_OBJECT_BYTES, ..DEFAULT_LIMITS };
    let report = if file.as_os_str() == "-" {
        stream::validate(std::io::stdin().lock(), limits)
    } else {
        let input = std::fs::File::open(file).map_err(Failure::file(file))?;
        stream::validate(input, limits)
    };
    let report = match report {
        Ok(report) => report,
        Err(StreamError::Io(cause)) => return Err(Failure::file(file)(cause)),
        Err(StreamError::Json(cause)) if json => {
            let unreadable = json!({ "object": "", "property": "", "clause": "RFC 8259",
                "message": cause.to_string() });
            output::value(&json!({ "valid": false, "errors": [unreadable], "warnings": [],
                "left_out": 0 }))?;
            return Ok(output::answer(false));
        }
        Err(StreamError::Json(cause)) => {
            return Err(Failure {
                code: NO,
                message: format!("{}: {cause}", file.display()),
                remedy: "STIX 2.1 is JSON: a bundle, or one object.".into(),
            });
        }
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
