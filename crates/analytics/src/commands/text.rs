//! The model as text that an engineer reads and corrects.

use std::collections::HashSet;

use protocols::app::Protocol;

use super::model::{
    CommandModel, MAX_FUNCTIONS, MAX_NAMES, MAX_PAIRS, MAX_POINTS, MODEL_VERSION, role_of,
};

/// Longest text read, bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024 * 1024;
const HEADING: &str = "\
# Commands that are normal here, one [[pair]] per sender, receiver, protocol and unit.
# role: request (the sender is a master), response or report.
# A function that is not listed alerts. ranges: the points a function may touch.
# values: what may be written to a point; `only` lists the only values, without it low to high
# (a tenth more on both sides) in steps up to `step` (half as much again).
# most_per_window: a half more and three are tolerated. refusals: error codes that are normal.

";

/// Why a text is no model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
pub struct TextError {
    /// Line, from 1; 0 where the whole text is meant.
    pub line: usize,
    /// What is wrong, and the remedy.
    pub problem: String,
}

impl CommandModel {
    /// The model as text.
    ///
    /// # Errors
    /// When a number has no text form, which no training gives.
    pub fn to_text(&self) -> Result<String, TextError> {
        let body = toml::to_string(self)
            .map_err(|error| TextError { line: 0, problem: error.to_string() })?;
        Ok(format!("{HEADING}{body}"))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// The line and what is wrong there.
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        if text.len() > MAX_TEXT_BYTES {
            let problem = format!("the text is longer than {MAX_TEXT_BYTES} bytes: shorten it");
            return Err(TextError { line: 0, problem });
        }
        let mut model: Self = toml::from_str(text).map_err(|error| TextError {
            line: error.span().map_or(0, |span| line_of(text, span.start)),
            problem: error.message().to_owned(),
        })?;
        model.check().map_err(|(pair, function, problem)| TextError {
            line: heading_line(text, pair, function),
            problem,
        })?;
        // Binary searches rely on the order; an editor need not.
        for pair in &mut model.pairs {
            pair.functions.sort_by_key(|function| function.code);
            for function in &mut pair.functions {
                function.points.sort_by_key(|points| points.space);
                function.values.sort_by_key(|values| (values.space, values.point));
            }
        }
        Ok(model)
    }

    /// What is unsound: number of the pair and of its function, from 1, 0 for none.
    fn check(&self) -> Result<(), (usize, usize, String)> {
        if self.version != MODEL_VERSION {
            let problem =
                format!("version {} is unknown: this build reads {MODEL_VERSION}", self.version);
            return Err((0, 0, problem));
        }
        if self.window_us <= 0 {
            return Err((0, 0, "window_us must be positive".to_owned()));
        }
        if self.pairs.len() > MAX_PAIRS {
            return Err((0, 0, format!("{} pairs, the limit is {MAX_PAIRS}", self.pairs.len())));
        }
        let mut seen = HashSet::new();
        for (place, pair) in self.pairs.iter().enumerate() {
            let wrong = |problem: String| Err((place + 1, 0, problem));
            if Protocol::from_name(&pair.protocol).is_none() {
                return wrong(format!("protocol `{}` is unknown", pair.protocol));
            }
            if role_of(&pair.role).is_none() {
                let role = &pair.role;
                return wrong(format!("role `{role}`: write request, response or report"));
            }
            if !seen.insert((pair.from, pair.to, &pair.protocol, pair.unit, &pair.role)) {
                return wrong("the pair stands twice: join its functions".to_owned());
            }
            if pair.functions.len() > MAX_FUNCTIONS {
                return wrong(format!("more than {MAX_FUNCTIONS} functions"));
            }
            let mut codes = HashSet::new();
            for (number, function) in pair.functions.iter().enumerate() {
                let wrong = |problem: &str| Err((place + 1, number + 1, problem.to_owned()));
                if !codes.insert(function.code) {
                    return wrong("the function stands twice in its pair");
                }
                if function.names.len() > MAX_NAMES || function.values.len() > MAX_POINTS {
                    return wrong("too many names or values");
                }
                if !function.points.iter().all(|points| points.ranges.is_sound()) {
                    return wrong("ranges overlap, run backwards or are out of order");
                }
                if !function.values.iter().all(super::values::PointValues::is_sound) {
                    return wrong("a value is not finite, or low is above high");
                }
            }
        }
        Ok(())
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Line of the heading of a pair or of its function.
fn heading_line(text: &str, pair: usize, function: usize) -> usize {
    let (mut pairs, mut functions) = (0, 0);
    for (line, content) in text.lines().enumerate() {
        match content.trim() {
            "[[pair]]" => (pairs, functions) = (pairs + 1, 0),
            "[[pair.function]]" => functions += 1,
            _ => continue,
        }
        if (pairs, functions) == (pair, function) {
            return line + 1;
        }
    }
    0
}
