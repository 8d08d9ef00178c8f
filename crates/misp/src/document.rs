//! Records of the MISP core format: thin views over their JSON, which is kept whole.

use serde_json::{Map, Value};
use stix::json::{self, JsonError, Limits};

use crate::carry::{flag_of, text_of};

/// Most events of one document.
pub const MAX_EVENTS: usize = 10_000;

/// Why bytes are not MISP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are not acceptable JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// JSON of another shape.
    #[error("not MISP: {what} (at {place})")]
    Shape {
        /// What is wrong.
        what: &'static str,
        /// JSON Pointer.
        place: String,
    },
}

/// What a document holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// Events with all they hold.
    pub events: Vec<Event>,
    /// Attributes that stand alone (the answer of a search).
    pub attributes: Vec<Attribute>,
    /// Objects that stand alone.
    pub objects: Vec<MispObject>,
}

macro_rules! record {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            fields: Map<String, Value>,
        }

        impl $name {
            /// Wraps the fields as they are.
            #[must_use]
            pub const fn from_map(fields: Map<String, Value>) -> Self {
                Self { fields }
            }

            /// All fields in their order.
            #[must_use]
            pub const fn fields(&self) -> &Map<String, Value> {
                &self.fields
            }

            /// Unwraps the fields.
            #[must_use]
            pub fn into_map(self) -> Map<String, Value> {
                self.fields
            }

            /// One field as text; numbers and truth values too.
            #[must_use]
            pub fn text(&self, name: &str) -> Option<String> {
                text_of(self.fields.get(name)?)
            }

            /// One field as whole number, written as number or as text.
            #[must_use]
            pub fn integer(&self, name: &str) -> Option<i64> {
                self.text(name)?.parse().ok()
            }

            /// One field as truth value (`true`, `1`, `"1"` …).
            #[must_use]
            pub fn flag(&self, name: &str) -> Option<bool> {
                flag_of(self.fields.get(name)?)
            }

            /// The UUID, lower case.
            #[must_use]
            pub fn uuid(&self) -> Option<String> {
                self.text("uuid").map(|text| text.to_ascii_lowercase())
            }

            /// The records of a field that is a list; what is not a record is passed over.
            pub fn records<'a>(
                &'a self,
                name: &str,
            ) -> impl Iterator<Item = &'a Map<String, Value>> {
                self.fields
                    .get(name)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_object)
            }

            /// Names of the tags.
            pub fn tags(&self) -> impl Iterator<Item = &str> {
                self.records("Tag").filter_map(|tag| tag.get("name").and_then(Value::as_str))
            }
        }

        impl From<$name> for Value {
            fn from(record: $name) -> Self {
                Value::Object(record.fields)
            }
        }
    };
}

record!(Event, "An event (MISP core format §2.2).");
record!(Attribute, "An attribute (§2.4).");
record!(MispObject, "An object with its attributes (§2.6).");
record!(Tag, "A tag (§2.8).");
record!(Galaxy, "A galaxy with its clusters (§2.10).");
record!(Sighting, "A sighting (§2.9).");
record!(SharingGroup, "A sharing group.");
record!(Organisation, "An organisation (§2.3).");
record!(EventReport, "A report of an event (§2.7).");
record!(ObjectReference, "A reference of an object (§2.6.2).");
record!(ShadowAttribute, "A proposal to change an attribute (§2.5).");

impl Event {
    /// The attributes that stand in no object.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        self.records("Attribute").cloned().map(Attribute::from_map).collect()
    }

    /// The objects.
    #[must_use]
    pub fn objects(&self) -> Vec<MispObject> {
        self.records("Object").cloned().map(MispObject::from_map).collect()
    }

    /// The event in the spelling of files and interface: `{"Event": …}`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("Event".to_owned(), Value::Object(self.fields.clone()));
        Value::Object(map)
    }
}

/// Reads events, attributes or objects, in every spelling of MISP: `{"Event": …}`, `{"response": …}`, a list of either,
/// a bare event (with `info`), a bare attribute (with `type` and `value`), `{"Attribute": …}`, `{"Object": …}`.
///
/// # Errors
/// [`DocumentError`].
pub fn read(bytes: &[u8], limits: Limits) -> Result<Document, DocumentError> {
    from_value(json::read(bytes, limits)?)
}

/// Takes a document from JSON; see [`read`].
///
/// # Errors
/// [`DocumentError::Shape`].
pub fn from_value(value: Value) -> Result<Document, DocumentError> {
    let mut document = Document::default();
    // The depth of spellings inside each other is three: response, list, Event.
    sort_in(value, "", 3, &mut document)?;
    Ok(document)
}

fn shape(what: &'static str, place: &str) -> DocumentError {
    DocumentError::Shape {
        what,
        place: if place.is_empty() { "/".to_owned() } else { place.to_owned() },
    }
}

fn sort_in(
    value: Value,
    place: &str,
    depth: u8,
    document: &mut Document,
) -> Result<(), DocumentError> {
    let below = depth.checked_sub(1).ok_or_else(|| shape("lists inside lists", place))?;
    match value {
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                sort_in(item, &format!("{place}/{index}"), below, document)?;
            }
            Ok(())
        }
        Value::Object(map) => sort_record(map, place, below, document),
        _ => Err(shape("neither a record nor a list", place)),
    }
}

fn sort_record(
    mut map: Map<String, Value>,
    place: &str,
    depth: u8,
    document: &mut Document,
) -> Result<(), DocumentError> {
    let alone = !map_is_attribute(&map);
    if let Some(Value::Object(event)) = map.get_mut("Event").filter(|_| alone).map(Value::take) {
        if document.events.len() >= MAX_EVENTS {
            return Err(shape("more than 10,000 events; send them in smaller parts", place));
        }
        document.events.push(Event::from_map(event));
        return Ok(());
    }
    if let Some(answer) = map.get_mut("response").map(Value::take) {
        return sort_in(answer, &format!("{place}/response"), depth, document);
    }
    if map.contains_key("info") {
        document.events.push(Event::from_map(map));
        return Ok(());
    }
    if map.contains_key("type") && map.contains_key("value") {
        document.attributes.push(Attribute::from_map(map));
        return Ok(());
    }
    if map.contains_key("name") && map.contains_key("Attribute") {
        document.objects.push(MispObject::from_map(map));
        return Ok(());
    }
    let mut found = false;
    for name in ["Attribute", "Object"] {
        let items = match map.get_mut(name).map(Value::take) {
            None => continue,
            Some(Value::Array(items)) => items,
            Some(one) => vec![one],
        };
        found = true;
        for item in items {
            let Value::Object(record) = item else {
                return Err(shape("not a record", &format!("{place}/{name}")));
            };
            if name == "Attribute" {
                document.attributes.push(Attribute::from_map(record));
            } else {
                document.objects.push(MispObject::from_map(record));
            }
        }
    }
    if found { Ok(()) } else { Err(shape("neither event, attribute nor object", place)) }
}

fn map_is_attribute(map: &Map<String, Value>) -> bool {
    // An attribute of a search carries the event it belongs to.
    map.contains_key("type") && map.contains_key("value")
}
