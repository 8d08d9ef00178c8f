//! Bundles (STIX 2.1 §8) and the reading of objects from untrusted bytes.

use serde_json::{Map, Value};

use crate::id::StixId;
use crate::json::{self, JsonError, Limits};
use crate::object::Object;

/// A bundle: an id and objects. The objects need not be related.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// `bundle--UUID`.
    pub id: String,
    /// The objects in their order.
    pub objects: Vec<Object>,
    /// Properties other than `type`, `id` and `objects` (custom ones, or the `spec_version` of
    /// STIX 2.0), kept.
    pub other: Map<String, Value>,
}

/// Why bytes are not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The bytes are not acceptable JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The JSON has another shape than a bundle.
    #[error("not a STIX bundle: {what} (at {pointer})")]
    Shape {
        /// What is wrong.
        what: &'static str,
        /// JSON Pointer of the place.
        pointer: String,
    },
}

fn shape(what: &'static str, pointer: impl Into<String>) -> BundleError {
    BundleError::Shape { what, pointer: pointer.into() }
}

impl Bundle {
    /// A bundle of `objects` under `id`.
    #[must_use]
    pub fn new(id: &StixId, objects: Vec<Object>) -> Self {
        Self { id: id.to_string(), objects, other: Map::new() }
    }

    /// Reads a bundle. The objects are only split, not judged: see [`crate::validate::bundle`].
    ///
    /// # Errors
    /// [`BundleError`] where the bytes are not JSON within `limits` or not of a bundle's shape.
    pub fn read(bytes: &[u8], limits: Limits) -> Result<Self, BundleError> {
        Self::from_value(json::read(bytes, limits)?)
    }

    /// Takes a bundle from a JSON value.
    ///
    /// # Errors
    /// [`BundleError::Shape`].
    pub fn from_value(value: Value) -> Result<Self, BundleError> {
        let Value::Object(mut map) = value else {
            return Err(shape("the text is not a JSON object", "/"));
        };
        if map.get("type").and_then(Value::as_str) != Some("bundle") {
            return Err(shape("`type` is not \"bundle\"", "/type"));
        }
        let Some(id) = map.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(shape("`id` is missing or not a text", "/id"));
        };
        if !StixId::parse(&id).is_ok_and(|id| id.kind() == "bundle") {
            return Err(shape("`id` is not of the form bundle--UUID", "/id"));
        }
        let objects = match map.get_mut("objects").map(Value::take) {
            None => Vec::new(),
            Some(Value::Array(items)) if items.is_empty() => {
                return Err(shape("`objects` is an empty list; leave it out", "/objects"));
            }
            Some(Value::Array(items)) => split(items)?,
            Some(_) => return Err(shape("`objects` is not a list", "/objects")),
        };
        for name in ["type", "id", "objects"] {
            map.shift_remove(name);
        }
        Ok(Self { id, objects, other: map })
    }

    /// The bundle as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("type".to_owned(), "bundle".into());
        map.insert("id".to_owned(), self.id.clone().into());
        map.extend(self.other.clone());
        if !self.objects.is_empty() {
            let objects = self.objects.iter().map(Object::to_value).collect();
            map.insert("objects".to_owned(), Value::Array(objects));
        }
        Value::Object(map)
    }

    /// The JSON text, compact.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// The object with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.id_text() == id)
    }

    /// The objects of one type.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.kind() == kind)
    }
}

/// Turns a list of JSON values into objects.
///
/// # Errors
/// [`BundleError::Shape`] naming the first value that is not a JSON object.
pub fn split(items: Vec<Value>) -> Result<Vec<Object>, BundleError> {
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            Object::from_value(item)
                .ok_or_else(|| shape("not a JSON object", format!("/objects/{index}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::DEFAULT_LIMITS;

    const ID: &str = "bundle--44af6c39-c09b-49c5-9de2-394224b04982";

    #[test]
    fn a_bundle_goes_out_as_it_came_in() {
        let text = format!(
            r#"{{"type":"bundle","id":"{ID}","x_more":true,"objects":[{{"type":"x-a","n":1e3}}]}}"#
        );
        let bundle = Bundle::read(text.as_bytes(), DEFAULT_LIMITS).unwrap();
        let again: Value = serde_json::from_str(&bundle.to_json()).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn what_is_not_a_bundle_is_named() {
        for (text, pointer) in [
            ("[]".to_owned(), "/"),
            ("{}".to_owned(), "/type"),
            (r#"{"type":"bundle"}"#.to_owned(), "/id"),
            (r#"{"type":"bundle","id":"bundle--1"}"#.to_owned(), "/id"),
            (format!(r#"{{"type":"bundle","id":"{ID}","objects":{{}}}}"#), "/objects"),
            (format!(r#"{{"type":"bundle","id":"{ID}","objects":[]}}"#), "/objects"),
            (format!(r#"{{"type":"bundle","id":"{ID}","objects":[{{}},7]}}"#), "/objects/1"),
        ] {
            match Bundle::read(text.as_bytes(), DEFAULT_LIMITS) {
                Err(BundleError::Shape { pointer: got, .. }) => assert_eq!(got, pointer, "{text}"),
                other => unreachable!("{text}: {other:?}"),
            }
        }
    }
}
