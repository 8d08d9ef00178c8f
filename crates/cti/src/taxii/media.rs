//! Media types (§1.6.8): `application/taxii+json;version=2.1` in both directions.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::TaxiiError;

/// The media type of TAXII 2.1.
pub const MEDIA_TYPE: &str = "application/taxii+json;version=2.1";
const PLAIN: &str = "application/taxii+json";

/// A TAXII response.
pub(super) fn taxii<T: Serialize>(status: StatusCode, body: &T) -> Response {
    written(status, serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned()))
}

/// A TAXII response whose text is at hand.
pub(super) fn written(status: StatusCode, text: impl Into<Body>) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (status, kind, text.into()).into_response()
}

/// Extracted by every endpoint: the caller accepts TAXII 2.1.
pub(super) struct Accepts;

impl<S: Send + Sync> FromRequestParts<S> for Accepts {
    type Rejection = TaxiiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, TaxiiError> {
        let given: Vec<&HeaderValue> = parts.headers.get_all(header::ACCEPT).iter().collect();
        let ranges =
            given.iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        if given.is_empty() || accepts(ranges) {
            return Ok(Self);
        }
        let text = format!("this server speaks {MEDIA_TYPE}; send it in Accept");
        Err(TaxiiError::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", text))
    }
}

/// Splits `type/subtype; a=b; c=d` into the type and its parameters, in lower case.
fn split(range: &str) -> (String, Vec<(String, String)>) {
    let lower = range.to_ascii_lowercase();
    let mut parts = lower.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_owned();
    let parameters = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .collect();
    (kind, parameters)
}

/// Whether some media range lets TAXII 2.1 pass: of those that speak of it the most specific decides
/// (RFC 9110 §12.5.1).
fn accepts<'r>(ranges: impl Iterator<Item = &'r str>) -> bool {
    let decides = ranges.filter_map(weight).max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    decides.is_some_and(|(_, quality)| quality > 0.0)
}

/// How specifically a range speaks of TAXII 2.1, and with which quality.
fn weight(range: &str) -> Option<(u8, f32)> {
    let (kind, parameters) = split(range);
    let parameter = |name: &str| parameters.iter().find(|(known, _)| known == name);
    let specific = match (kind.as_str(), parameter("version")) {
        (PLAIN, Some((_, version))) if version == "2.1" => 3,
        (PLAIN, None) => 2,
        ("application/*", _) => 1,
        ("*/*", _) => 0,
        _ => return None,
    };
    let quality = parameter("q").map_or(1.0, |(_, q)| q.parse::<f32>().unwrap_or(0.0));
    Some((specific, if quality.is_finite() { quality } else { 0.0 }))
}

/// Whether a body is said to be TAXII 2.1.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), TaxiiError> {
    let given: Vec<&HeaderValue> = headers.get_all(header::CONTENT_TYPE).iter().collect();
    let text = match given.as_slice() {
        [one] => one.to_str().unwrap_or_default(),
        _ => "",
    };
    let (kind, parameters) = split(text);
    if kind == PLAIN && parameters.iter().all(|(name, value)| name != "version" || value == "2.1") {
        return Ok(());
    }
    let clip: String = text.chars().take(100).collect();
    let text = format!("the body must be {MEDIA_TYPE}, its Content-Type is '{clip}'");
    Err(TaxiiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_ranges() {
        for (header, expect) in [
            ("application/taxii+json;version=2.1", true),
            ("application/taxii+json; Version=\"2.1\"", true),
            (" application/taxii+json", true),
            ("*/*;q=0.8", true),
            ("application/*", true),
            ("text/html, application/taxii+json;version=2.1;q=0.001", true),
            ("application/taxii+json;version=2.0, */*;q=0.1", true),
            ("application/taxii+json;version=2.0", false),
            ("application/taxii+json;version=2.1;q=0, */*", false),
            ("application/*;q=0, */*;q=1", false),
            ("application/vnd.oasis.taxii+json", false),
            ("application/json", false),
            ("*/*;q=0", false),
            ("*/*;q=nan", false),
            ("*/*;q=x", false),
            (",,;;=,", false),
            ("", false),
        ] {
            assert_eq!(accepts(header.split(',')), expect, "{header}");
        }
    }
}
