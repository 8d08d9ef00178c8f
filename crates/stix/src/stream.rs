//! Reading a bundle object by object from any `Read`: the memory is that of the largest object,
//! not of the bundle. As strict as [`crate::json::read`]: UTF-8, no name twice, bounded depth.
//!
//! The reader looks only for the borders of values; each value is then read by [`crate::json`].
//! A text that is not a bundle (one object) is given back whole in [`Reader::head`].

use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::json::{self, JsonError, Limits, Place};
use crate::object::Object;
use crate::scan::Scan;

/// Bytes asked of the source at once.
const CHUNK: usize = 64 * 1024;
/// Most members of the bundle itself.
const MAX_MEMBERS: usize = 1_000;

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The source failed.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// Not JSON, or beyond a limit.
    #[error(transparent)]
    Json(#[from] JsonError),
}

/// One object of the bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Place in `objects`, from 0.
    pub index: u64,
    /// Bytes before the object in the whole text.
    pub byte: u64,
    /// The object; an element that is no JSON object stands here as it is.
    pub value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Inside the outer object; `true`: a member must follow (after a comma).
    Members(bool),
    /// Inside `objects`; `true`: an element must follow.
    Objects(bool),
    End,
}

/// Reads a bundle object by object.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    /// Limits of each object alone.
    limits: Limits,
    /// What the members beside the objects may still take together: they are kept.
    head_left: Limits,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes, lines and the start of the line before `buffer`.
    passed: usize,
    lines: usize,
    line_start: usize,
    eof: bool,
    state: State,
    index: u64,
    head: Map<String, Value>,
    has_objects: bool,
    names: usize,
}

impl<R: Read> Reader<R> {
    /// Reads from `input`; `limits` hold for each object of the bundle alone, and for the other
    /// members together.
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            head_left: limits,
            buffer: Vec::new(),
            at: 0,
            passed: 0,
            lines: 0,
            line_start: 0,
            eof: false,
            state: State::Start,
            index: 0,
            head: Map::new(),
            has_objects: false,
            names: 0,
        }
    }

    /// The members beside a list `objects` that were met so far; all of them once
    /// [`Reader::next_item`] gave `None`.
    #[must_use]
    pub const fn head(&self) -> &Map<String, Value> {
        &self.head
    }

    /// Whether the text has a list `objects`.
    #[must_use]
    pub const fn has_objects(&self) -> bool {
        self.has_objects
    }

    /// The next object, or `None` at the end of the text.
    ///
    /// # Errors
    /// [`StreamError`]; reading does not go on behind an error.
    pub fn next_item(&mut self) -> Result<Option<Item>, StreamError> {
        let result = self.step();
        if result.is_err() {
            self.state = State::End;
        }
        result
    }

    fn step(&mut self) -> Result<Option<Item>, StreamError> {
        loop {
            match self.state {
                State::Start => {
                    if self.peek()? != Some(b'{') {
                        return Err(self.wrong("the text is not a JSON object"));
                    }
                    self.at += 1;
                    self.state = State::Members(false);
                }
                State::Members(must) => {
                    if !must && self.peek()? == Some(b'}') {
                        self.at += 1;
                        self.finish()?;
                        return Ok(None);
                    }
                    self.member()?;
                }
                State::Objects(must) => {
                    if !must && self.peek()? == Some(b']') {
                        self.at += 1;
                        self.after_member()?;
                        continue;
                    }
                    return self.element().map(Some);
                }
                State::End => return Ok(None),
            }
        }
    }

    /// One member of the outer object; stops at the first element of a list `objects`.
    fn member(&mut self) -> Result<(), StreamError> {
        self.names += 1;
        if self.names > MAX_MEMBERS {
            let limit = MAX_MEMBERS;
            return Err(JsonError::TooMany { limit, place: self.place() }.into());
        }
        if self.peek()? != Some(b'"') {
            return Err(self.wrong("a name in quotes is expected"));
        }
        let name = self.head_value("")?;
        let name = name.as_str().unwrap_or_default().to_owned();
        if self.head.contains_key(&name) || (name == "objects" && self.has_objects) {
            let short: String = name.chars().take(80).collect();
            return Err(self.wrong(&format!("the name \"{short}\" stands twice")));
        }
        if self.peek()? != Some(b':') {
            return Err(self.wrong("a colon is expected"));
        }
        self.at += 1;
        let kind = self.head.get("type").and_then(Value::as_str);
        let may_be_bundle = kind.is_none_or(|kind| kind == "bundle");
        if name == "objects" && may_be_bundle && self.peek()? == Some(b'[') {
            self.at += 1;
            self.has_objects = true;
            self.state = State::Objects(false);
            return Ok(());
        }
        self.peek()?;
        let value = self.head_value(&name)?;
        self.head.insert(name, value);
        self.after_member()
    }

    fn after_member(&mut self) -> Result<(), StreamError> {
        match self.peek()? {
            Some(b',') => {
                self.at += 1;
                self.state = State::Members(true);
                Ok(())
            }
            Some(b'}') => {
                self.state = State::Members(false);
                Ok(())
            }
            _ => Err(self.wrong("a comma or the end of the object is expected")),
        }
    }

    fn element(&mut self) -> Result<Item, StreamError> {
        self.peek()?;
        let index = self.index;
        let byte = self.start();
        let (value, _) = self.value(&format!("objects/{index}"), self.limits)?;
        self.index += 1;
        match self.peek()? {
            Some(b',') => {
                self.at += 1;
                self.state = State::Objects(true);
            }
            Some(b']') => self.state = State::Objects(false),
            _ => return Err(self.wrong("a comma or the end of the list is expected")),
        }
        Ok(Item { index, byte: u64::try_from(byte).unwrap_or(u64::MAX), value })
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        if self.peek()?.is_some() {
            return Err(self.wrong("something follows the end"));
        }
        self.state = State::End;
        Ok(())
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Result<Option<u8>, StreamError> {
        loop {
            while let Some(byte) = self.buffer.get(self.at) {
                if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                    return Ok(Some(*byte));
                }
                self.at += 1;
            }
            self.forget();
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Drops what was read, keeping count of lines.
    fn forget(&mut self) {
        for (at, byte) in self.buffer[..self.at].iter().enumerate() {
            if *byte == b'\n' {
                self.lines += 1;
                self.line_start = self.passed + at + 1;
            }
        }
        self.buffer.drain(..self.at);
        self.passed += self.at;
        self.at = 0;
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> Result<bool, StreamError> {
        if self.eof {
            return Ok(false);
        }
        let before = self.buffer.len();
        self.buffer.resize(before + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[before..]) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(before);
                    return Err(error.into());
                }
            }
        };
        self.buffer.truncate(before + read);
        self.eof = read == 0;
        Ok(read > 0)
    }

    /// Bytes before the next one.
    const fn start(&self) -> usize {
        self.passed + self.at
    }

    /// A name or a value beside the objects, within what is left for all of them.
    fn head_value(&mut self, pointer: &str) -> Result<Value, StreamError> {
        let (limits, left) = (self.limits, self.head_left);
        let (value, values) = self.value(pointer, left).map_err(|error| match error {
            // told against what they may have together
            StreamError::Json(JsonError::TooLarge { size, .. }) => JsonError::TooLarge {
                size: limits.max_bytes - left.max_bytes + size,
                limit: limits.max_bytes,
            }
            .into(),
            StreamError::Json(JsonError::TooMany { place, .. }) => {
                JsonError::TooMany { limit: limits.max_values, place }.into()
            }
            other => other,
        })?;
        self.head_left.max_bytes = left.max_bytes.saturating_sub(self.at);
        self.head_left.max_values = left.max_values.saturating_sub(values);
        Ok(value)
    }

    /// Reads the value that starts here and counts the values in it; `at` is then its length.
    fn value(&mut self, pointer: &str, limits: Limits) -> Result<(Value, usize), StreamError> {
        self.forget();
        let length = self.border(limits)?;
        let value = json::read_counted(&self.buffer[..length], limits);
        let value = value.map_err(|error| self.moved(error, pointer))?;
        self.at = length;
        Ok(value)
    }

    /// Bytes of the value at the start of the buffer.
    fn border(&mut self, limits: Limits) -> Result<usize, StreamError> {
        let mut scan = Scan::default();
        let mut at = 0;
        loop {
            while let Some(byte) = self.buffer.get(at) {
                if scan.ends_before(*byte) {
                    return Ok(at);
                }
                at += 1;
                if scan.take(*byte) {
                    return Ok(at);
                }
                if scan.depth > limits.max_depth {
                    let limit = limits.max_depth;
                    self.at = at;
                    return Err(JsonError::TooDeep { limit, place: self.place() }.into());
                }
            }
            if self.buffer.len() > limits.max_bytes {
                let (size, limit) = (self.buffer.len(), limits.max_bytes);
                return Err(JsonError::TooLarge { size, limit }.into());
            }
            if !self.fill()? {
                return Ok(at);
            }
        }
    }

    /// The place of the next byte.
    fn place(&mut self) -> Place {
        let pointer = match self.state {
            State::Objects(_) => format!("/objects/{}", self.index),
            _ => String::new(),
        };
        self.forget();
        let (byte, line) = (self.passed, self.lines + 1);
        Place { byte, line, column: byte - self.line_start + 1, pointer }
    }

    fn wrong(&mut self, what: &str) -> StreamError {
        JsonError::Syntax { what: what.to_owned(), place: self.place() }.into()
    }

    /// An error inside a value, with its place in the whole text.
    fn moved(&self, error: JsonError, pointer: &str) -> JsonError {
        let lift = |mut place: Place| {
            if place.line == 1 {
                place.column += self.passed - self.line_start;
            }
            place.byte += self.passed;
            place.line += self.lines;
            place.pointer = match pointer {
                "" => place.pointer,
                outer => format!("/{outer}{}", place.pointer),
            };
            place
        };
        match error {
            JsonError::TooDeep { limit, place } => JsonError::TooDeep { limit, place: lift(place) },
            JsonError::TooMany { limit, place } => JsonError::TooMany { limit, place: lift(place) },
            JsonError::NotUtf8 { place } => JsonError::NotUtf8 { place: lift(place) },
            JsonError::Syntax { what, place } => JsonError::Syntax { what, place: lift(place) },
            large @ JsonError::TooLarge { .. } => large,
        }
    }
}

/// Judges a whole text from a source: a bundle object by object, or one object.
///
/// # Errors
/// [`StreamError`] where the text cannot be read; [`crate::bundle::BundleError::Shape`] as a
/// syntax error where it is neither.
pub fn validate<R: Read>(input: R, limits: Limits) -> Result<crate::validate::Report, StreamError> {
    let mut reader = Reader::new(input, limits);
    let mut judge = crate::validate::Judge::new();
    while let Some(item) = reader.next_item()? {
        match Object::from_value(item.value) {
            Some(object) => judge.object(&object),
            None => judge.not_an_object(),
        }
    }
    let is_bundle =
        reader.has_objects() || reader.head().get("type").and_then(Value::as_str) == Some("bundle");
    if !is_bundle {
        return Ok(crate::validate::object(&Object::from_map(reader.head)));
    }
    if reader.has_objects() {
        judge.list_seen();
    }
    judge.head(reader.head());
    Ok(judge.finish())
}
