//! Values on their way into the syntax of something else: they stay values there.

use std::fmt::Write as _;

use serde_json::Value;

use crate::cacao::variables::{Values, fill, fill_json, references};

/// Fills a text in, each value changed by `escape` first.
///
/// # Errors
/// A variable without a value, a text that grows too long, or a value that `escape` refuses.
pub(crate) fn fill_escaped(
    text: &str,
    values: &Values,
    escape: impl Fn(&str, &str) -> Result<String, String>,
) -> Result<String, String> {
    let mut escaped = Values::new();
    for name in references(text) {
        if let Some(value) = values.get(name) {
            escaped.insert(name.to_owned(), escape(name, value)?);
        }
    }
    fill(text, &escaped).map_err(|cause| cause.to_string())
}

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
pub(crate) fn percent(_: &str, value: &str) -> Result<String, String> {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(out)
}

/// Lets pass what can be part of a host name or an address.
pub(crate) fn host(name: &str, value: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if !value.is_empty() && value.len() <= 253 && value.chars().all(fits) {
        return Ok(value.to_owned());
    }
    Err(format!("the value of {name} is no host name or address"))
}

/// A body, its values written so that they stay values: JSON and forms and XML each in their way.
pub(crate) fn body(text: &str, content_type: &str, values: &Values) -> Result<String, String> {
    if references(text).is_empty() {
        return Ok(text.to_owned());
    }
    let kind = content_type.to_ascii_lowercase();
    let start = text.trim_start();
    if kind.contains("json") || (kind.is_empty() && start.starts_with(['{', '['])) {
        return match serde_json::from_str::<Value>(text) {
            Ok(json) => {
                fill_json(&json, values).map(|it| it.to_string()).map_err(|it| it.to_string())
            }
            Err(_) => fill_escaped(text, values, scalar),
        };
    }
    if kind.contains("x-www-form-urlencoded") {
        return fill_escaped(text, values, percent);
    }
    if kind.contains("xml") {
        return fill_escaped(text, values, |_, value| Ok(xml(value)));
    }
    fill(text, values).map_err(|cause| cause.to_string())
}

/// In JSON outside of quotes only numbers, true, false and null stay values.
fn scalar(name: &str, value: &str) -> Result<String, String> {
    match serde_json::from_str::<Value>(value) {
        Ok(it) if it.is_number() || it.is_boolean() || it.is_null() => Ok(it.to_string()),
        _ => Err(format!(
            "{name} stands in JSON outside of quotes and is no number, true, false or null; put \
             quotes around {name}:value"
        )),
    }
}

fn xml(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(value: &str) -> Values {
        [("__v__".to_owned(), value.to_owned())].into()
    }

    #[test]
    fn values_stay_values() {
        let evil = "\",\"admin\":true,\"x\":\"<&\r\n";
        let json = body(r#"{"a": "__v__:value"}"#, "application/json", &values(evil));
        let read: Value = json
            .and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()))
            .unwrap_or_default();
        assert_eq!(read, serde_json::json!({ "a": evil }));
        let form = body("a=__v__:value&b=1", "application/x-www-form-urlencoded", &values("1&b=2"));
        assert_eq!(form.as_deref(), Ok("a=1%26b%3D2&b=1"));
        let xml = body("<a>__v__:value</a>", "text/xml", &values("</a><b/>"));
        assert_eq!(xml.as_deref(), Ok("<a>&lt;/a&gt;&lt;b/&gt;</a>"));
    }

    #[test]
    fn outside_of_quotes_only_scalars_pass() {
        let number = body(r#"{"a": __v__:value}"#, "application/json", &values("7"));
        assert_eq!(number.as_deref(), Ok(r#"{"a": 7}"#));
        let injected = body(r#"{"a": __v__:value}"#, "", &values(r#"1, "admin": true"#));
        assert!(injected.is_err_and(|why| why.contains("put quotes around __v__:value")));
    }

    #[test]
    fn hosts_are_hosts() {
        assert!(host("__v__", "192.0.2.1").is_ok() && host("__v__", "fe80::1").is_ok());
        for evil in ["", "a/b", "a@b", "a b", "a#b", "a?b", "a\r\nb"] {
            assert!(host("__v__", evil).is_err(), "{evil:?}");
        }
    }
}
