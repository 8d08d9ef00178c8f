//! Plain lists: a value a line, perhaps with a score, a comment, other columns.

use std::io::Read;
use std::ops::ControlFlow;

use crate::extract::refang;
use crate::lines::{Line, Lines};
use crate::record::{Emit, End, Kinds, Limits, Place, Raw, Reason, Record, Sink, Summary};

/// What separates the columns of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Separator {
    /// The whole line is the value.
    None,
    /// Any run of blanks and tabs.
    #[default]
    Blank,
    /// One character.
    Char(char),
}

/// How to read a plain list. The default reads the first word of each line; `#`, `;` and `//` at
/// the beginning of a line, and ` #` behind a value, begin comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// Which values it holds.
    pub kinds: Kinds,
    /// What separates columns.
    pub separator: Separator,
    /// Column of the value, from 0 (1 for a hosts file).
    pub value: usize,
    /// Column of the score.
    pub score: Option<usize>,
    /// Column of a comment.
    pub comment: Option<usize>,
    /// Whether defanged values (`evil[.]example`) are read.
    pub refang: bool,
}

impl Default for Plain {
    fn default() -> Self {
        Self {
            kinds: Kinds::Any,
            separator: Separator::Blank,
            value: 0,
            score: None,
            comment: None,
            refang: false,
        }
    }
}

/// Reads a plain list.
pub fn read(reader: impl Read, format: &Plain, limits: Limits, sink: &mut Sink<'_>) -> Summary {
    let mut lines = Lines::new(reader, limits);
    let mut emit = Emit::new(sink, limits);
    let end = loop {
        let line = match lines.next() {
            Ok(Line::None) => break End::Complete,
            Ok(line) => line,
            Err(end) => break end,
        };
        let flow = if matches!(line, Line::TooLong) {
            let reason = Reason::TooLong(limits.max_record_bytes);
            emit.reject(Place::Line(lines.number()), reason, lines.line())
        } else {
            one(lines.line(), lines.number(), format, &mut emit)
        };
        if flow.is_break() {
            break End::Stopped;
        }
    };
    emit.counts.bytes = lines.bytes();
    emit.finish(end)
}

fn one(
    bytes: &[u8],
    number: u64,
    format: &Plain,
    emit: &mut Emit<'_, '_, Record>,
) -> ControlFlow<()> {
    let place = Place::Line(number);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return emit.reject(place, Reason::NotUtf8, bytes);
    };
    let (content, remark) = split_comment(text.trim());
    if content.is_empty() {
        emit.counts.skipped += 1;
        return ControlFlow::Continue(());
    }
    let Some(value) = column(content, format.separator, format.value) else {
        let reason = Reason::MissingField(format!("column {}", format.value));
        return emit.reject(place, reason, bytes);
    };
    let restored;
    let value = if format.refang {
        restored = refang(value);
        restored.as_ref()
    } else {
        value
    };
    let at = |index: Option<usize>| index.and_then(|at| column(content, format.separator, at));
    let raw = Raw {
        value,
        score: at(format.score),
        comment: at(format.comment).or(remark),
        ..Raw::default()
    };
    match raw.judge(&format.kinds, place, &mut emit.counts) {
        Ok(record) => emit.record(record),
        Err((place, reason)) => emit.reject(place, reason, bytes),
    }
}

/// Content and comment of a line. `#` inside a URL is no comment: one needs a blank before it.
fn split_comment(text: &str) -> (&str, Option<&str>) {
    if let Some(rest) = text.strip_prefix(['#', ';']).or_else(|| text.strip_prefix("//")) {
        return ("", Some(rest.trim()));
    }
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'#', &text.as_bytes()[from..]) {
        let at = from + found;
        if text[..at].ends_with([' ', '\t']) {
            return (text[..at].trim_end(), Some(text[at + 1..].trim()));
        }
        from = at + 1;
    }
    (text, None)
}

fn column(line: &str, separator: Separator, index: usize) -> Option<&str> {
    match separator {
        Separator::None => (index == 0).then_some(line),
        Separator::Blank => line.split_ascii_whitespace().nth(index),
        Separator::Char(c) => line.split(c).nth(index).map(str::trim),
    }
}
