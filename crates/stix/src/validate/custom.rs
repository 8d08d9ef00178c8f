//! Custom properties, types and extensions (STIX 2.1 §11) and the rules for names (§3.1).

use serde_json::{Map, Value};

use super::forms;
use super::path::{Path, Sink, clip};
use super::rules::Compiled;
use crate::object::Object;

/// Whether an extension declares this object a new one of the given extension type.
pub(super) fn has_extension_type(properties: &Map<String, Value>, extension_type: &str) -> bool {
    properties.get("extensions").and_then(Value::as_object).is_some_and(|all| {
        all.values()
            .any(|e| e.get("extension_type").and_then(Value::as_str) == Some(extension_type))
    })
}

/// Names of properties, nulls, empty lists and dictionaries over the whole object.
pub(super) fn walk(properties: &Map<String, Value>, sink: &mut Sink<'_>) {
    for (name, value) in properties {
        let at = Path::ROOT.name(name);
        if name != "id" && !forms::is_property_name(name) {
            let message = "property names have 3 to 250 characters of a-z, 0-9 and `_` and begin \
                           with a letter";
            sink.error(&at, "STIX 2.1 §3.1", message);
        }
        empties(value, &at, sink);
    }
}

fn empties(value: &Value, at: &Path<'_>, sink: &mut Sink<'_>) {
    match value {
        Value::Null => {
            sink.error(at, "STIX 2.1 §2", "null is not a value of STIX; leave the property out");
        }
        Value::Array(items) => {
            if items.is_empty() {
                sink.error(at, "STIX 2.1 §2.12", "an empty list; leave the property out");
            }
            for (index, item) in items.iter().enumerate() {
                if !item.is_string() {
                    empties(item, &at.index(index), sink);
                }
            }
        }
        Value::Object(map) => {
            if map.is_empty() {
                sink.error(at, "STIX 2.1 §2.3", "an empty dictionary; leave the property out");
            }
            for (name, item) in map {
                empties(item, &at.name(name), sink);
            }
        }
        _ => {}
    }
}

/// Properties that no table names, which §11.1 deprecates in favour of extensions. A top-level
/// extension may bring any, and a type of its own has its own properties.
pub(super) fn properties(
    map: &Map<String, Value>,
    compiled: &Compiled,
    at: &Path<'_>,
    sink: &mut Sink<'_>,
) {
    let Some(rules) = compiled.rules else { return };
    if has_extension_type(map, "toplevel-property-extension") {
        return;
    }
    for name in map.keys() {
        if compiled.find(name).is_none() {
            let message =
                format!("`{}` is not a property of {}; use an extension", clip(name), rules.name);
            sink.warn(&at.name(name), "STIX 2.1 §11.1", message);
        }
    }
}

/// Whether an object of a type that nothing declares is most likely an observable.
pub(super) fn seems_observable(object: &Object) -> bool {
    let has = |name: &str| object.get(name).is_some();
    !object.kind().is_empty() && !has("created") && !has("modified") && !is_declared(object)
}

fn is_declared(object: &Object) -> bool {
    ["new-sdo", "new-sco", "new-sro"]
        .into_iter()
        .any(|new| has_extension_type(object.properties(), new))
}

/// A type that the standard does not know: §11.2 deprecates it without an extension.
pub(super) fn object_type(object: &Object, sink: &mut Sink<'_>) {
    let kind = object.kind();
    if kind.is_empty() || is_declared(object) {
        return;
    }
    let prefix = if kind.starts_with("x-") { "" } else { " and begins with `x-`" };
    let taken = if seems_observable(object) {
        "; without `created` and `modified` it is taken for a cyber observable"
    } else {
        ""
    };
    let message = format!(
        "`{}` is no type of the standard; a type of one's own is declared by an extension\
         {prefix}{taken}",
        clip(kind)
    );
    sink.warn_at("type", "STIX 2.1 §11.2", message);
}
