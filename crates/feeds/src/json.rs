//! JSON feeds of any shape: a path to the records, pointers to the fields of each.
//!
//! The document is never held whole: records are cut out while it streams by. Nesting is bounded by
//! the parser (128 levels), each record by [`Limits::max_record_bytes`].

mod walk;

use std::io::Read;
use std::ops::ControlFlow;

use serde_json::Value;

use crate::lines::{Line, Lines};
use crate::record::{
    Emit, End, Kinds, Limits, Place, Raw, Reason, Record, Sink, Summary, split_tags,
};

pub(crate) use walk::stream;

/// Where a field of a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A JSON pointer into the record; empty for the record itself.
    Pointer(String),
    /// The key under which the record stands in its object.
    Key,
}

impl Field {
    /// A pointer.
    #[must_use]
    pub fn at(pointer: &str) -> Self {
        Self::Pointer(pointer.to_owned())
    }
}

/// How the records stand in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// One document; a JSON pointer in which `*` stands for each member: `/data/*`, `/*/*`.
    Path(String),
    /// A JSON text a line.
    Lines,
}

/// How to read a JSON feed. The default reads a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json {
    /// Which values it holds, where `kind` does not say.
    pub kinds: Kinds,
    /// Where the records stand.
    pub layout: Layout,
    /// The value.
    pub value: Field,
    /// Name of its kind ([`crate::record::kinds_of_name`]).
    pub kind: Option<Field>,
    /// Score, a number or a text.
    pub score: Option<Field>,
    /// Comment.
    pub comment: Option<Field>,
    /// First seen.
    pub first_seen: Option<Field>,
    /// Last seen.
    pub last_seen: Option<Field>,
    /// Tags: a list of texts, or one text with commas, semicolons or bars.
    pub tags: Option<Field>,
}

impl Default for Json {
    fn default() -> Self {
        Self {
            kinds: Kinds::Any,
            layout: Layout::Path("/*".into()),
            value: Field::at(""),
            kind: None,
            score: None,
            comment: None,
            first_seen: None,
            last_seen: None,
            tags: None,
        }
    }
}

/// Reads a JSON feed.
pub fn read(reader: impl Read, format: &Json, limits: Limits, sink: &mut Sink<'_>) -> Summary {
    match &format.layout {
        Layout::Path(path) => {
            stream(reader, path, limits, sink, |place, value, emit| one(place, value, format, emit))
        }
        Layout::Lines => lines(reader, format, limits, sink),
    }
}

fn lines(reader: impl Read, format: &Json, limits: Limits, sink: &mut Sink<'_>) -> Summary {
    let mut lines = Lines::new(reader, limits);
    let mut emit = Emit::new(sink, limits);
    let end = loop {
        let line = match lines.next() {
            Ok(Line::None) => break End::Complete,
            Ok(line) => line,
            Err(end) => break end,
        };
        let (place, bytes) = (Place::Line(lines.number()), lines.line());
        let flow = if matches!(line, Line::TooLong) {
            emit.reject(place, Reason::TooLong(limits.max_record_bytes), bytes)
        } else if bytes.trim_ascii().is_empty() {
            emit.counts.skipped += 1;
            ControlFlow::Continue(())
        } else {
            match serde_json::from_slice(bytes) {
                Ok(value) => one(place, value, format, &mut emit),
                Err(_) if std::str::from_utf8(bytes).is_err() => {
                    emit.reject(place, Reason::NotUtf8, bytes)
                }
                Err(error) => emit.reject(place, Reason::Format(error.to_string()), bytes),
            }
        };
        if flow.is_break() {
            break End::Stopped;
        }
    };
    emit.counts.bytes = lines.bytes();
    emit.finish(end)
}

fn one(
    place: Place,
    record: Value,
    format: &Json,
    emit: &mut Emit<'_, '_, Record>,
) -> ControlFlow<()> {
    let key = match &place {
        Place::Pointer(pointer) => last_segment(pointer),
        Place::Line(_) => String::new(),
    };
    let text = |field: &Field| -> Option<String> {
        match field {
            Field::Key => Some(key.clone()),
            Field::Pointer(pointer) => match record.pointer(pointer)? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
        }
    };
    let optional = |field: &Option<Field>| field.as_ref().and_then(text);
    let Some(value) = text(&format.value) else {
        let name = match &format.value {
            Field::Pointer(pointer) => pointer.clone(),
            Field::Key => "key".to_owned(),
        };
        return emit.reject(place, Reason::MissingField(name), record.to_string().as_bytes());
    };
    let (kind, score) = (optional(&format.kind), optional(&format.score));
    let (comment, first) = (optional(&format.comment), optional(&format.first_seen));
    let last = optional(&format.last_seen);
    let raw = Raw {
        value: &value,
        kind: kind.as_deref(),
        score: score.as_deref(),
        comment: comment.as_deref(),
        first_seen: first.as_deref(),
        last_seen: last.as_deref(),
        tags: format.tags.as_ref().map(|field| tags(field, &record)).unwrap_or_default(),
    };
    match raw.judge(&format.kinds, place, &mut emit.counts) {
        Ok(record) => emit.record(record),
        Err((place, reason)) => emit.reject(place, reason, value.as_bytes()),
    }
}

fn tags(field: &Field, record: &Value) -> Vec<String> {
    let Field::Pointer(pointer) = field else { return Vec::new() };
    match record.pointer(pointer) {
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(Value::String(text)) => split_tags(text),
        _ => Vec::new(),
    }
}

/// The last segment of a JSON pointer, unescaped.
fn last_segment(pointer: &str) -> String {
    pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
}
