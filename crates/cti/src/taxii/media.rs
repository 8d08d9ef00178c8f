//! Media types (§1.6.8): `application/taxii+json;version=2.1` in both directions.

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
    let text = serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned());
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (status, kind, text).into_response()
}

/// Extracted by every endpoint: the caller accepts TAXII 2.1.
pub(super) struct Accepts;

impl<S: Send + Sync> FromRequestParts<S> for Accepts {
    type Rejection = TaxiiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, TaxiiError> {
        let ranges: Vec<&str> = parts
            .headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        if ranges.is_empty() || ranges.iter().any(|range| is_accepted(range)) {
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

fn is_accepted(range: &str) -> bool {
    let (kind, parameters) = split(range);
    let refused = parameters
        .iter()
        .any(|(name, value)| name == "q" && value.parse::<f32>().is_ok_and(|q| q <= 0.0));
    let version = parameters.iter().all(|(name, value)| name != "version" || value == "2.1");
    !refused && version && matches!(kind.as_str(), "*/*" | "application/*" | PLAIN)
}

/// Whether a body is said to be TAXII 2.1.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), TaxiiError> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let (kind, parameters) = split(given.unwrap_or_default());
    if kind == PLAIN && parameters.iter().all(|(name, value)| name != "version" || value == "2.1") {
        return Ok(());
    }
    let text =
        format!("the body must be {MEDIA_TYPE}, its Content-Type is '{}'", given.unwrap_or(""));
    Err(TaxiiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_ranges() {
        for (range, expect) in [
            ("application/taxii+json;version=2.1", true),
            ("application/taxii+json; Version=\"2.1\"", true),
            (" application/taxii+json", true),
            ("*/*;q=0.8", true),
            ("application/*", true),
            ("application/taxii+json;version=2.0", false),
            ("application/vnd.oasis.taxii+json", false),
            ("application/json", false),
            ("*/*;q=0", false),
            ("", false),
        ] {
            assert_eq!(is_accepted(range), expect, "{range}");
        }
    }
}
