//! Cuts the members at a path out of a JSON document while it streams by.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use crate::lines::too_large;
use crate::record::{Emit, End, Limits, Place, Sink, Summary};

/// Why the walk ends early; serde errors carry texts only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Early {
    Stopped,
    RecordTooLong,
    FeedTooLong,
}

/// Counts bytes as the parser takes them, so that a record is bounded while it is read.
struct Counting<'c, R> {
    inner: R,
    state: &'c State,
    limits: Limits,
}

#[derive(Default)]
struct State {
    bytes: Cell<u64>,
    /// Where the record that is being read begins; `None` between records.
    record: Cell<Option<u64>>,
    early: Cell<Option<Early>>,
    found: Cell<bool>,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        let bytes = self.state.bytes.get() + read as u64;
        self.state.bytes.set(bytes);
        let early = if bytes > self.limits.max_bytes {
            Early::FeedTooLong
        } else if self
            .state
            .record
            .get()
            .is_some_and(|from| bytes - from > self.limits.max_record_bytes as u64)
        {
            Early::RecordTooLong
        } else {
            return Ok(read);
        };
        self.state.early.set(Some(early));
        Err(io::Error::other("limit"))
    }
}

/// Reads the members at `path` (a JSON pointer in which `*` stands for every member) one by one.
pub(crate) fn stream<'b, T, F>(
    reader: impl Read,
    path: &str,
    limits: Limits,
    sink: &mut Sink<'b, T>,
    mut each: F,
) -> Summary
where
    F: FnMut(Place, Value, &mut Emit<'_, 'b, T>) -> ControlFlow<()>,
{
    let mut emit = Emit::new(sink, limits);
    let state = State::default();
    let segments: Vec<String> =
        path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    // The parser takes byte by byte: the buffer stands below the counter.
    let counting =
        Counting { inner: BufReader::with_capacity(64 << 10, reader), state: &state, limits };
    let mut parser = serde_json::Deserializer::from_reader(counting);
    let mut pointer = String::new();
    let walk = Walk {
        segments: &segments,
        pointer: &mut pointer,
        each: &mut each,
        emit: &mut emit,
        state: &state,
    };
    let result = walk.deserialize(&mut parser).and_then(|()| parser.end());
    emit.counts.bytes = state.bytes.get();
    let broken = |reason: String| End::Broken { place: Place::Pointer(pointer.clone()), reason };
    let end = match (state.early.get(), result) {
        (Some(Early::Stopped), _) => End::Stopped,
        (Some(Early::FeedTooLong), _) => broken(too_large(limits.max_bytes)),
        (Some(Early::RecordTooLong), _) => broken(format!(
            "a record longer than {} bytes (max_record_bytes); raise the limit",
            limits.max_record_bytes
        )),
        (None, Err(error)) => broken(error.to_string()),
        (None, Ok(())) if !state.found.get() => {
            broken(format!("there is nothing at `{path}`; is it the right path?"))
        }
        (None, Ok(())) => End::Complete,
    };
    emit.finish(end)
}

struct Walk<'w, 'e, 'b, T, F> {
    segments: &'w [String],
    pointer: &'w mut String,
    each: &'w mut F,
    emit: &'w mut Emit<'e, 'b, T>,
    state: &'w State,
}

impl<'e, 'b, T, F> Walk<'_, 'e, 'b, T, F> {
    fn deeper(&mut self) -> Walk<'_, 'e, 'b, T, F> {
        Walk {
            segments: &self.segments[1..],
            pointer: self.pointer,
            each: self.each,
            emit: self.emit,
            state: self.state,
        }
    }

    fn push(&mut self, segment: &str) -> usize {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        length
    }

    fn wants(&self, segment: &str) -> bool {
        self.segments.first().is_some_and(|wanted| wanted == "*" || wanted == segment)
    }
}

impl<'de, 'e, 'b, T, F> DeserializeSeed<'de> for Walk<'_, 'e, 'b, T, F>
where
    F: FnMut(Place, Value, &mut Emit<'e, 'b, T>) -> ControlFlow<()>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.segments.is_empty() {
            return deserializer.deserialize_any(self);
        }
        self.state.found.set(true);
        self.state.record.set(Some(self.state.bytes.get()));
        let value = <Value as serde::Deserialize>::deserialize(deserializer)?;
        self.state.record.set(None);
        if (self.each)(Place::Pointer(self.pointer.clone()), value, self.emit).is_break() {
            self.state.early.set(Some(Early::Stopped));
            return Err(D::Error::custom("stopped"));
        }
        Ok(())
    }
}

impl<'de, 'e, 'b, T, F> Visitor<'de> for Walk<'_, 'e, 'b, T, F>
where
    F: FnMut(Place, Value, &mut Emit<'e, 'b, T>) -> ControlFlow<()>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object or a list at `{}`", self.pointer)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        // An empty list of records is a feed without records, not a wrong path.
        self.state.found.set(self.state.found.get() || self.segments == ["*"]);
        loop {
            // A key is bounded like a record: it is held whole.
            self.state.record.set(Some(self.state.bytes.get()));
            let key: Option<String> = map.next_key()?;
            self.state.record.set(None);
            let Some(key) = key else { return Ok(()) };
            if self.wants(&key) {
                let length = self.push(&key);
                map.next_value_seed(self.deeper())?;
                self.pointer.truncate(length);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.state.found.set(self.state.found.get() || self.segments == ["*"]);
        for index in 0_u64.. {
            let segment = index.to_string();
            let more = if self.wants(&segment) {
                let length = self.push(&segment);
                let more = list.next_element_seed(self.deeper())?.is_some();
                self.pointer.truncate(length);
                more
            } else {
                list.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}
