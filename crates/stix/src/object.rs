//! One STIX object: a thin typed view over its JSON, which is kept whole. What comes in goes out,
//! custom properties and unknown types included.

use serde_json::{Map, Value};

use crate::id::StixId;
use crate::time::{Exact, Timestamp};

/// A STIX object as it was read or built.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    properties: Map<String, Value>,
}

impl Object {
    /// Wraps the properties as they are; [`crate::validate::object`] judges them.
    #[must_use]
    pub const fn from_map(properties: Map<String, Value>) -> Self {
        Self { properties }
    }

    /// Wraps a JSON object; `None` for any other value.
    #[must_use]
    pub fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(properties) => Some(Self { properties }),
            _ => None,
        }
    }

    /// All properties, in the order in which they came.
    #[must_use]
    pub const fn properties(&self) -> &Map<String, Value> {
        &self.properties
    }

    /// Unwraps the properties.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.properties
    }

    /// The object as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.properties.clone())
    }

    /// The JSON text, compact.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.properties.clone()).to_string()
    }

    /// One property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    /// One property that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The texts of a property that is a list; what is not a text is passed over.
    pub fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// One property that is a timestamp.
    #[must_use]
    pub fn timestamp(&self, name: &str) -> Option<Timestamp> {
        self.text(name).and_then(|text| Timestamp::parse(text).ok())
    }

    /// The `type`, or an empty text.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    /// The `id` as text, or an empty text.
    #[must_use]
    pub fn id_text(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    /// The `id`, where it is well-formed.
    #[must_use]
    pub fn id(&self) -> Option<StixId> {
        StixId::parse(self.id_text()).ok()
    }

    /// `created`, where it is present and well-formed.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.timestamp("created")
    }

    /// `modified`, where it is present and well-formed.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.timestamp("modified")
    }

    /// The version of the object: `modified`, else `created` (marking definitions), else `None`
    /// (cyber observables, which have one version). TAXII 2.1 §3.4.
    #[must_use]
    pub fn version(&self) -> Option<Timestamp> {
        self.modified().or_else(|| self.created())
    }

    /// The version to the last digit written: what [`Object::version`] cuts orders versions too.
    #[must_use]
    pub fn exact_version(&self) -> Option<Exact<'_>> {
        self.exact("modified").or_else(|| self.exact("created"))
    }

    /// One property that is a timestamp, to the last digit.
    #[must_use]
    pub fn exact(&self, name: &str) -> Option<Exact<'_>> {
        self.text(name).and_then(|text| Exact::parse(text).ok())
    }

    /// Whether the object is revoked.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.get("revoked").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Ids of the marking definitions on the whole object.
    pub fn marking_refs(&self) -> impl Iterator<Item = &str> {
        self.texts("object_marking_refs")
    }

    /// The body of one extension.
    #[must_use]
    pub fn extension(&self, key: &str) -> Option<&Map<String, Value>> {
        self.get("extensions")?.get(key)?.as_object()
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object.properties)
    }
}

/// Every id that an object refers to: the values of properties that end in `_ref` or `_refs`, at
/// any depth (STIX 2.1 §3.1 keeps these endings for references).
#[must_use]
pub fn references(object: &Object) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&object.properties, "", &mut found);
    found
}

fn collect(map: &Map<String, Value>, at: &str, found: &mut Vec<(String, String)>) {
    for (name, value) in map {
        let pointer = format!("{at}/{name}");
        match value {
            Value::String(id) if name.ends_with("_ref") => found.push((pointer, id.clone())),
            Value::Array(items) if name.ends_with("_refs") => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(id) = item.as_str() {
                        found.push((format!("{pointer}/{index}"), id.to_owned()));
                    }
                }
            }
            Value::Object(inner) => collect(inner, &pointer, found),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::Object(inner) = item {
                        collect(inner, &format!("{pointer}/{index}"), found);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keeps_what_it_does_not_know() {
        let text = r#"{"type":"x-odd","id":"x-odd--1","zeta":[1,2.5,null],"alpha":{"b":"é"}}"#;
        let object = Object::from_value(serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(object.to_json(), text);
        assert_eq!(object.kind(), "x-odd");
        assert!(object.id().is_none());
    }

    #[test]
    fn finds_references_at_any_depth() {
        let object = Object::from_value(serde_json::json!({
            "type": "report", "created_by_ref": "identity--a", "object_refs": ["x--1", "x--2"],
            "granular_markings": [{"marking_ref": "marking-definition--b", "selectors": ["name"]}],
        }))
        .unwrap();
        let found: Vec<_> = references(&object).into_iter().map(|(p, _)| p).collect();
        assert_eq!(
            found,
            [
                "/created_by_ref",
                "/object_refs/0",
                "/object_refs/1",
                "/granular_markings/0/marking_ref"
            ]
        );
    }
}
