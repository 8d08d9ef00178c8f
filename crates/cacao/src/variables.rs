//! Variables (§10.18): `__name__:value` in texts is replaced by the value, once, never twice.

use std::collections::BTreeMap;

use serde_json::Value;

/// Largest text after substitution, in bytes.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Largest value a variable keeps, in bytes.
pub const MAX_VALUE_BYTES: usize = 16 * 1024;
/// Most variables of a run.
pub const MAX_VARIABLES: usize = 1_000;

const END: &str = "__:value";

/// Values by name (`__name__`).
pub type Values = BTreeMap<String, String>;

/// Why a text could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// A variable that is nowhere defined or has no value yet.
    #[error(
        "variable {0} has no value; define it in playbook_variables or set it by out_args of an earlier step"
    )]
    NoValue(String),
    /// The result is too long.
    #[error("the text is longer than {MAX_TEXT_BYTES} bytes after its variables are filled in")]
    TooLong,
}

/// True for `__name__` with a name of the standard's form.
pub fn is_name(text: &str) -> bool {
    text.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")).is_some_and(is_inner)
}

fn is_inner(name: &str) -> bool {
    let mut chars = name.chars();
    name.len() <= 200
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The name in an argument, which is written `__name__` or `__name__:value`.
pub fn bare(argument: &str) -> &str {
    argument.strip_suffix(":value").unwrap_or(argument)
}

/// The first reference in `text`: where it begins, where it ends, its name.
fn first_reference(text: &str) -> Option<(usize, usize, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find(END).map(|at| at + from) {
        let stop = at + 2;
        // The longest name that ends here: the earliest `__` before it from which all is a name.
        let mut begin = None;
        let mut back = at;
        while let Some(earlier) = text[from..back].rfind("__").map(|i| i + from) {
            if !is_inner(text.get(earlier + 2..at).unwrap_or("!")) {
                break;
            }
            begin = Some(earlier);
            back = earlier + 1;
            if earlier == from {
                break;
            }
        }
        if let Some(begin) = begin {
            return Some((begin, at + END.len(), &text[begin..stop]));
        }
        from = at + END.len();
    }
    None
}

/// Names of all variables a text refers to.
pub fn references(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, end, name)) = first_reference(rest) {
        names.push(name);
        rest = &rest[end..];
    }
    names
}

/// Fills a text in. Values are not looked into again.
///
/// # Errors
/// A variable without a value, or a text that grows too long.
pub fn fill(text: &str, values: &Values) -> Result<String, FillError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((begin, end, name)) = first_reference(rest) {
        let value = values.get(name).ok_or_else(|| FillError::NoValue(name.to_owned()))?;
        out.push_str(&rest[..begin]);
        out.push_str(value);
        rest = &rest[end..];
        if out.len() > MAX_TEXT_BYTES {
            return Err(FillError::TooLong);
        }
    }
    out.push_str(rest);
    if out.len() > MAX_TEXT_BYTES { Err(FillError::TooLong) } else { Ok(out) }
}

/// Fills every text inside a JSON value in.
///
/// # Errors
/// As [`fill`].
pub fn fill_json(value: &Value, values: &Values) -> Result<Value, FillError> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text, values)?),
        Value::Array(items) => Value::Array(
            items.iter().map(|item| fill_json(item, values)).collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, item)| Ok((key.clone(), fill_json(item, values)?)))
                .collect::<Result<_, FillError>>()?,
        ),
        other => other.clone(),
    })
}

/// A JSON value as a variable keeps it: texts as they are, lists of texts comma-separated, the rest
/// as JSON; cut at [`MAX_VALUE_BYTES`].
pub fn to_text(value: &Value) -> String {
    let mut text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    if text.len() > MAX_VALUE_BYTES {
        let mut end = MAX_VALUE_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn values() -> Values {
        [("__a__", "1"), ("__b_c__", "x"), ("__loop__", "__a__:value")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    #[test]
    fn references_are_filled_once_and_only_where_they_stand() {
        let check = |text: &str, expect: &str| assert_eq!(fill(text, &values()).unwrap(), expect);
        check("block __a__:value now", "block 1 now");
        check("__a__:value__b_c__:value", "1x");
        check("__a__ alone, __a__:valueless", "__a__ alone, 1less");
        check("__loop__:value", "__a__:value");
        check("no __ no :value", "no __ no :value");
        check("é__a__:valueé", "é1é");
        assert_eq!(fill("__gone__:value", &values()), Err(FillError::NoValue("__gone__".into())));
        assert_eq!(references("__a__:value and __b_c__:value"), ["__a__", "__b_c__"]);
    }

    proptest! {
        #[test]
        fn any_text_is_filled_or_refused(text in "[_a:vlue é]{0,60}") {
            let _ = fill(&text, &values());
        }

        #[test]
        fn a_text_without_references_stays(text in "[^:]{0,60}") {
            prop_assert_eq!(fill(&text, &values()), Ok(text));
        }
    }
}
