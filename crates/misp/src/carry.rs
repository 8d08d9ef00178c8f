//! What the mapping could not carry, and the taking of fields that makes the list complete.

use serde::Serialize;
use serde_json::{Map, Value};

/// Longest copy of a value in the list, in characters.
pub const MAX_WHAT_CHARS: usize = 200;
/// Under this name properties that STIX has no place for travel with their object.
pub const OTHER: &str = "x_misp_other";

/// Why something was not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The other format has no place for it.
    NoPlace,
    /// The value came out in another spelling.
    Respelled,
    /// It is not of the shape that the format prescribes.
    Malformed,
    /// It points at something that is not there.
    Dangling,
    /// The same id stood there before.
    Doubled,
}

/// One thing that is not in the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCarried {
    /// JSON Pointer (RFC 6901) into the input; everything below it is meant.
    pub place: String,
    /// The value, cut to [`MAX_WHAT_CHARS`].
    pub what: String,
    /// The reason.
    pub why: Why,
}

impl NotCarried {
    pub(crate) fn new(place: String, what: &Value, why: Why) -> Self {
        let text = what.as_str().map_or_else(|| what.to_string(), str::to_owned);
        Self { place, what: text.chars().take(MAX_WHAT_CHARS).collect(), why }
    }
}

/// A record whose fields are taken out one by one.
pub(crate) struct Taker {
    map: Map<String, Value>,
    /// Where the record stands in the input.
    pub(crate) place: String,
}

impl Taker {
    pub(crate) const fn new(map: Map<String, Value>, place: String) -> Self {
        Self { map, place }
    }

    /// Takes a text; numbers and truth values, which MISP writes both ways, become text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let found = text_of(self.map.get(name)?)?;
        self.map.swap_remove(name);
        Some(found)
    }

    /// Takes a truth value in any of MISP's spellings.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let found = flag_of(self.map.get(name)?)?;
        self.map.swap_remove(name);
        Some(found)
    }

    /// Takes a list of objects; what is not a list stays.
    pub(crate) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.map.get_mut(name) {
            Some(Value::Array(items)) => {
                let items = std::mem::take(items);
                self.map.swap_remove(name);
                items
            }
            _ => Vec::new(),
        }
    }

    /// Takes whatever stands there.
    pub(crate) fn any(&mut self, name: &str) -> Option<Value> {
        self.map.swap_remove(name)
    }

    /// Takes an object.
    pub(crate) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        if !self.map.get(name)?.is_object() {
            return None;
        }
        match self.map.swap_remove(name) {
            Some(Value::Object(map)) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn put(&mut self, name: &str, value: Value) {
        self.map.insert(name.to_owned(), value);
    }

    pub(crate) fn peek(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.map
    }

    pub(crate) fn peek_all(&self) -> Map<String, Value> {
        self.map.clone()
    }

    /// What nobody took, without fields that say nothing (null, empty text, list or object).
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.map.into_iter().filter(|(_, value)| !is_empty(value)).collect()
    }

    /// Writes what nobody took to the list.
    pub(crate) fn report(self, list: &mut Vec<NotCarried>) {
        let place = self.place.clone();
        for (name, value) in self.rest() {
            list.push(NotCarried::new(join(&place, &name), &value, Why::NoPlace));
        }
    }
}

pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(crate) fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|n| n != 0),
        Value::String(text) => match text.as_str() {
            "1" | "true" | "True" => Some(true),
            "0" | "false" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// One step further in a JSON Pointer.
pub(crate) fn join(place: &str, step: &str) -> String {
    format!("{place}/{}", step.replace('~', "~0").replace('/', "~1"))
}
