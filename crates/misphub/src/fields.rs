//! Fields of MISP's JSON, which writes numbers and truth as texts, numbers or booleans.

use serde_json::{Map, Value};

/// A JSON object.
pub(crate) type Fields = Map<String, Value>;

/// A field as text; numbers are printed.
pub(crate) fn text(fields: &Fields, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(i64::from(*value).to_string()),
        _ => None,
    }
}

/// A field as a whole number.
pub(crate) fn number(fields: &Fields, name: &str) -> Option<i64> {
    text(fields, name)?.trim().parse().ok()
}

/// A field as truth.
pub(crate) fn truth(fields: &Fields, name: &str) -> Option<bool> {
    value_truth(fields.get(name)?)
}

/// A value as truth.
pub(crate) fn value_truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(number.as_f64()? != 0.0),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" => Some(true),
            "0" | "false" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A field that may be one value or a list of them, as texts.
pub(crate) fn texts(fields: &Fields, name: &str) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match fields.get(name) {
        Some(Value::Array(items)) => items.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().filter(|text| !text.is_empty()).collect(),
        None => vec![],
    }
}

/// Takes a list of objects out; a single object counts as a list of one.
pub(crate) fn take_list(fields: &mut Fields, name: &str) -> Vec<Fields> {
    match fields.remove(name) {
        Some(Value::Array(items)) => items
            .into_iter()
            .filter_map(|item| match item {
                Value::Object(map) => Some(map),
                _ => None,
            })
            .collect(),
        Some(Value::Object(map)) => vec![map],
        _ => vec![],
    }
}

/// Unwraps `{"Event": {…}}`.
pub(crate) fn unwrapped(mut fields: Fields, name: &str) -> Fields {
    match fields.remove(name) {
        Some(Value::Object(mut inner)) => {
            // What stands beside the wrapped part belongs to it (PyMISP writes tags so).
            for (key, value) in fields {
                inner.entry(key).or_insert(value);
            }
            inner
        }
        Some(other) => {
            fields.insert(name.to_owned(), other);
            fields
        }
        None => fields,
    }
}

/// A UUID in its usual form, if it is one.
pub(crate) fn uuid(text: &str) -> Option<String> {
    (text.len() == 36).then(|| uuid::Uuid::try_parse(text).ok()).flatten().map(|u| u.to_string())
}
