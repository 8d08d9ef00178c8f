//! Free text as a feed: what [`crate::extract`] finds without doubt are its records.

use std::io::Read;
use std::ops::ControlFlow;

use crate::extract::{self, Found, LIMITS};
use crate::lines::{Line, Lines};
use crate::record::{Emit, End, Kinds, Limits, Place, Reason, Record, Sink, Summary};

/// How to read free text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreeText {
    /// Which values are taken.
    pub kinds: Kinds,
    /// Whether what a person should look at is taken as well.
    pub doubtful: bool,
}

/// Reads free text line by line. Doubtful finds are rejects whose reason names the doubts.
pub fn read(reader: impl Read, format: &FreeText, limits: Limits, sink: &mut Sink<'_>) -> Summary {
    let mut lines = Lines::new(reader, limits);
    let mut emit = Emit::new(sink, limits);
    let end = loop {
        let line = match lines.next() {
            Ok(Line::None) => break End::Complete,
            Ok(line) => line,
            Err(end) => break end,
        };
        let place = Place::Line(lines.number());
        let flow = if matches!(line, Line::TooLong) {
            emit.reject(place, Reason::TooLong(limits.max_record_bytes), lines.line())
        } else {
            match std::str::from_utf8(lines.line()) {
                Ok(text) => one(text, &place, format, &mut emit),
                Err(_) => emit.reject(place, Reason::NotUtf8, lines.line()),
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
    text: &str,
    place: &Place,
    format: &FreeText,
    emit: &mut Emit<'_, '_, Record>,
) -> ControlFlow<()> {
    let Ok(review) = extract::extract(text, None, LIMITS) else {
        return emit.reject(place.clone(), Reason::Format("too long".into()), text.as_bytes());
    };
    if review.candidates.is_empty() {
        emit.counts.skipped += 1;
    }
    for candidate in review.candidates {
        let Found::Observable(observable) = candidate.found else { continue };
        let raw = candidate.spelling.as_bytes();
        let wanted = match &format.kinds {
            Kinds::Any => true,
            Kinds::OneOf(kinds) => kinds.contains(&observable.kind()),
        };
        let flow = if !wanted {
            emit.reject(place.clone(), Reason::Unwanted(observable.kind()), raw)
        } else if !candidate.doubts.is_empty() && !format.doubtful {
            let doubts = serde_json::to_string(&candidate.doubts).unwrap_or_default();
            emit.reject(place.clone(), Reason::Format(format!("doubtful: {doubts}")), raw)
        } else {
            emit.record(Record {
                observable,
                score: None,
                comment: None,
                first_seen: None,
                last_seen: None,
                tags: Vec::new(),
                place: place.clone(),
            })
        };
        flow?;
    }
    ControlFlow::Continue(())
}
