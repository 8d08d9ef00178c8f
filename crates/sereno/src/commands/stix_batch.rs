//! `sereno stix batch`: one question a line, one answer a line, in the same order, as long as lines come.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::pattern::Pattern;
use stix::validate::{self, Report, Severity};

use super::stix_pattern::{evaluate, ready};
use crate::output::Failure;

/// Longest line read, bytes.
const MAX_LINE_BYTES: usize = 256 << 20;
/// Bounds of one line; the question stands two levels around its object or bundle.
const LINE_LIMITS: Limits = Limits {
    max_bytes: MAX_LINE_BYTES,
    max_values: 20_000_000,
    max_depth: DEFAULT_LIMITS.max_depth + 8,
};

pub(crate) fn run() -> Result<ExitCode, Failure> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        // Who talks line by line gets each answer before the next question; who sends many gets them together.
        let at_end = match read_line(&mut input, &mut line)
            .map_err(Failure::io("standard input"))?
        {
            Line::End => true,
            Line::Whole if line.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Whole => {
                let answer = answer(&line);
                if writeln!(output, "{answer}").is_err() {
                    return Ok(ExitCode::SUCCESS);
                }
                false
            }
            Line::TooLong => {
                let error =
                    format!("the line is longer than {MAX_LINE_BYTES} bytes; send less at once");
                if writeln!(output, "{}", json!({ "id": null, "error": error })).is_err() {
                    return Ok(ExitCode::SUCCESS);
                }
                false
            }
        };
        // A reader who has gone needs no more answers.
        if output.flush().is_err() || at_end {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads a line of bounded length; of a longer one the rest is passed over.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Line> {
    line.clear();
    let mut too_long = false;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Line::TooLong,
                (false, true) => Line::End,
                (false, false) => Line::Whole,
            });
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(buffer.len());
        if too_long || line.len() + taken > MAX_LINE_BYTES {
            too_long = true;
            line.clear();
        } else {
            line.extend_from_slice(&buffer[..taken]);
        }
        input.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}

/// The answer to one question; a broken one gets an error, never silence.
fn answer(line: &[u8]) -> Value {
    let question = match stix::json::read(line, LINE_LIMITS) {
        Ok(Value::Object(question)) => question,
        Ok(_) => return json!({ "id": null, "error": "the line is no JSON object" }),
        Err(error) => return json!({ "id": null, "error": error.to_string() }),
    };
    let mut answer = Map::new();
    answer.insert("id".into(), question.get("id").cloned().unwrap_or(Value::Null));
    match part(&question) {
        Ok(found) => answer.extend(found),
        Err(error) => {
            answer.insert("error".into(), error.into());
        }
    }
    Value::Object(answer)
}

fn part(question: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let text = |name: &str| {
        let text = question.get(name).and_then(Value::as_str);
        text.ok_or_else(|| format!("`{name}` is missing or no text"))
    };
    let mut found = Map::new();
    match text("op")? {
        "validate" => {
            let object = question.get("object").ok_or("`object` is missing")?;
            let report = validate::value(object);
            found.insert("valid".into(), report.is_valid().into());
            found.insert("errors".into(), problems(&report, Severity::Error));
            found.insert("warnings".into(), problems(&report, Severity::Warning));
        }
        "check" => {
            let read = Pattern::check(text("pattern")?);
            found.insert("valid".into(), read.is_ok().into());
            if let Err(error) = read {
                found.insert("error".into(), error.to_string().into());
            }
        }
        "match" => {
            let matcher = ready(text("pattern")?)?;
            let observed = question.get("observed").ok_or("`observed` is missing")?;
            found.insert("match".into(), evaluate(&matcher, observed)?.into());
        }
        other => {
            let clip: String = other.chars().take(40).collect();
            return Err(format!("`{clip}` is no operation; there are validate, check and match"));
        }
    }
    Ok(found)
}

fn problems(report: &Report, severity: Severity) -> Value {
    let found = report.problems.iter().filter(|problem| problem.severity == severity);
    found.map(super::stix::problem).collect()
}
