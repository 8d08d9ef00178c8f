//! Reading JSON from outside: bounded in size, depth and number of values, and strict (UTF-8, no
//! doubled names), with errors that name the place.
//!
//! The depth is counted over the bytes before anything is built: input like ten thousand `[` is
//! refused by a loop, so no recursion ever follows it.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What may be read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub max_bytes: usize,
    /// Levels of arrays and objects inside each other.
    pub max_depth: usize,
    /// Values (numbers, texts, arrays, objects …) in the whole text: bounds the memory, which is
    /// about 100 bytes a value.
    pub max_values: usize,
}

/// 10 MiB, 64 levels, a million values.
pub const DEFAULT_LIMITS: Limits =
    Limits { max_bytes: 10 * 1024 * 1024, max_depth: 64, max_values: 1_000_000 };

impl Default for Limits {
    fn default() -> Self {
        DEFAULT_LIMITS
    }
}

/// A place in a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Bytes before the place.
    pub byte: usize,
    /// Line, from 1.
    pub line: usize,
    /// Byte within the line, from 1.
    pub column: usize,
    /// JSON Pointer (RFC 6901) of the value around the place, cut to
    /// [`MAX_POINTER_BYTES`]; empty for the whole text.
    pub pointer: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "byte {}, line {}, column {}, at {pointer}", self.byte, self.line, self.column)
    }
}

/// Longest pointer text that an error carries.
pub const MAX_POINTER_BYTES: usize = 256;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Larger than [`Limits::max_bytes`].
    #[error("the text has {size} bytes, the limit is {limit}; send it in smaller parts")]
    TooLarge {
        /// Bytes of the text.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Deeper than [`Limits::max_depth`].
    #[error("more than {limit} arrays or objects inside each other ({place}); make it flatter")]
    TooDeep {
        /// The limit.
        limit: usize,
        /// Where the limit is passed.
        place: Place,
    },
    /// More than [`Limits::max_values`].
    #[error("more than {limit} values ({place}); send it in smaller parts")]
    TooMany {
        /// The limit.
        limit: usize,
        /// Where the limit is passed.
        place: Place,
    },
    /// Bytes that are not UTF-8.
    #[error("not UTF-8 ({place}); JSON text is UTF-8 (RFC 8259 §8.1)")]
    NotUtf8 {
        /// The first such byte.
        place: Place,
    },
    /// Not JSON, or an object with a name twice.
    #[error("not JSON: {what} ({place})")]
    Syntax {
        /// What is wrong.
        what: String,
        /// Where.
        place: Place,
    },
}

/// Reads one JSON text.
///
/// # Errors
/// [`JsonError`] for what is too large, too deep, not UTF-8 or not JSON.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    read_counted(bytes, limits).map(|(value, _)| value)
}

/// As [`read`], with the number of values as [`Limits::max_values`] counts them.
pub(crate) fn read_counted(bytes: &[u8], limits: Limits) -> Result<(Value, usize), JsonError> {
    if bytes.len() > limits.max_bytes {
        return Err(JsonError::TooLarge { size: bytes.len(), limit: limits.max_bytes });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| JsonError::NotUtf8 { place: place_at(bytes, error.valid_up_to()) })?;
    let values = measure(bytes, limits)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map(|value| (value, values)).map_err(|error| {
        let offset = offset_of(bytes, error.line(), error.column());
        let full = error.to_string();
        let what = full.rsplit_once(" at line ").map_or(full.as_str(), |(head, _)| head).to_owned();
        JsonError::Syntax { what, place: place_at(bytes, offset) }
    })
}

/// Counts depth and values over the bytes, outside of texts. It need not understand JSON: what it
/// lets pass is still read by a real parser.
fn measure(bytes: &[u8], limits: Limits) -> Result<usize, JsonError> {
    let (mut depth, mut values, mut in_text, mut escaped) = (0usize, 1usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                values += 1;
                if depth > limits.max_depth {
                    let place = place_at(bytes, at);
                    return Err(JsonError::TooDeep { limit: limits.max_depth, place });
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if values > limits.max_values {
            return Err(JsonError::TooMany {
                limit: limits.max_values,
                place: place_at(bytes, at),
            });
        }
    }
    Ok(values)
}

fn offset_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match bytes[start..].iter().position(|b| *b == b'\n') {
            Some(at) => start += at + 1,
            None => break,
        }
    }
    (start + column.saturating_sub(1)).min(bytes.len())
}

fn place_at(bytes: &[u8], byte: usize) -> Place {
    let before = &bytes[..byte.min(bytes.len())];
    let line = 1 + before.iter().filter(|b| **b == b'\n').count();
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    Place { byte, line, column: byte - line_start + 1, pointer: pointer_to(before) }
}

/// One open array or object while looking for the pointer of a place.
enum Level {
    Array(usize),
    Object(String),
}

/// The pointer of the innermost value open at the end of `before`. Runs only once, for an error.
fn pointer_to(before: &[u8]) -> String {
    let mut levels: Vec<Level> = Vec::new();
    let (mut at, mut last_text) = (0, String::new());
    while at < before.len() {
        match before[at] {
            b'"' => {
                let end = text_end(before, at + 1);
                last_text = String::from_utf8_lossy(&before[at + 1..end]).into_owned();
                at = end;
            }
            b'[' => levels.push(Level::Array(0)),
            b'{' => levels.push(Level::Object(String::new())),
            b']' | b'}' => drop(levels.pop()),
            b':' => {
                if let Some(Level::Object(name)) = levels.last_mut() {
                    *name = std::mem::take(&mut last_text);
                }
            }
            b',' => match levels.last_mut() {
                Some(Level::Array(index)) => *index += 1,
                Some(Level::Object(name)) => name.clear(),
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    let mut pointer = String::new();
    for level in &levels {
        let step = match level {
            Level::Array(index) => index.to_string(),
            Level::Object(name) if name.is_empty() => break,
            Level::Object(name) => name.replace('~', "~0").replace('/', "~1"),
        };
        if pointer.len() + step.len() > MAX_POINTER_BYTES {
            pointer.push_str("/…");
            break;
        }
        pointer.push('/');
        pointer.push_str(&step);
    }
    pointer
}

/// Index of the closing quote of the text that starts at `from`, or the end.
fn text_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Builds a [`Value`], refusing an object that carries a name twice: two readers that pick
/// different ones of the two would see different objects under one signature.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if map.contains_key(&name) {
                let name: String = name.chars().take(80).collect();
                return Err(A::Error::custom(format_args!("the name \"{name}\" stands twice")));
            }
            map.insert(name, entries.next_value_seed(Self)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &[u8]) -> JsonError {
        read(text, DEFAULT_LIMITS).unwrap_err()
    }

    #[test]
    fn ten_thousand_nested_arrays_are_refused_with_the_place() {
        for bytes in [[b'['; 10_000].to_vec(), b"{\"a\":".repeat(10_000)] {
            match refused(&bytes) {
                JsonError::TooDeep { limit: 64, place } => {
                    assert_eq!(place.line, 1);
                    assert!(
                        place.pointer.starts_with("/0/0/0") || place.pointer.starts_with("/a/a")
                    );
                }
                other => unreachable!("{other:?}"),
            }
        }
        let deep = format!("{}1{}", "[".repeat(64), "]".repeat(64));
        assert!(read(deep.as_bytes(), DEFAULT_LIMITS).is_ok());
    }

    #[test]
    fn errors_name_the_place() {
        match refused(b"{\"a\":\n [1, {\"b~\": tru}]}") {
            JsonError::Syntax { place, .. } => {
                assert_eq!((place.line, place.pointer.as_str()), (2, "/a/1/b~0"));
            }
            other => unreachable!("{other:?}"),
        }
        match refused(b"{\"a\": \"\xff\"}") {
            JsonError::NotUtf8 { place } => {
                assert_eq!((place.byte, place.pointer.as_str()), (7, "/a"))
            }
            other => unreachable!("{other:?}"),
        }
        assert!(refused(b"{\"a\":1,\"a\":2}").to_string().contains("\"a\" stands twice"));
        assert!(refused(b"{} {}").to_string().contains("trailing"));
        assert!(refused(b"").to_string().contains("EOF"));
    }

    #[test]
    fn size_and_count_are_bounded() {
        let small = Limits { max_bytes: 40, max_depth: 4, max_values: 5 };
        assert!(matches!(
            read(&[b' '; 41], small),
            Err(JsonError::TooLarge { size: 41, limit: 40 })
        ));
        assert!(matches!(read(b"[1,2,3,4,5,6]", small), Err(JsonError::TooMany { limit: 5, .. })));
        assert!(read(b"[\"[[[[[[,,,,,,,\"]", small).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(error) = read(&bytes, DEFAULT_LIMITS) {
                prop_assert!(error.to_string().len() < 2_000);
            }
        }

        #[test]
        fn json_like_bytes_are_read_or_refused(text in "[\\[\\]{}\":,a1\\\\ \n-]{0,60}") {
            let strict = read(text.as_bytes(), DEFAULT_LIMITS).ok();
            let loose = serde_json::from_str::<Value>(&text).ok();
            if let Some(value) = strict {
                prop_assert_eq!(Some(value), loose);
            }
        }
    }
}
