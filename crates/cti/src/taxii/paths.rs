//! What is decided about a TAXII request by its path alone, before any route is asked: a missing slash at the end is
//! forgiven, `OPTIONS` says what may be done, and a path that TAXII does not know gets a TAXII error message.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use super::TaxiiError;
use super::error::speak_taxii;

const PREFIX: &str = "/taxii2";
const READ: &str = "GET, HEAD, OPTIONS";
const READ_AND_ADD: &str = "GET, HEAD, OPTIONS, POST";
const READ_AND_DELETE: &str = "DELETE, GET, HEAD, OPTIONS";

/// Puts the node's router behind what TAXII paths forgive and refuse; other paths pass untouched.
pub fn liberal_paths(router: Router) -> Router {
    let service = tower::service_fn(move |request: Request| {
        let router = router.clone();
        async move {
            match decided(request) {
                // Whatever refuses a TAXII request, also before it reaches a route, says so in TAXII's form.
                Ok(request) if request.uri().path().starts_with(PREFIX) => {
                    let Ok(response) = router.oneshot(request).await;
                    Ok(speak_taxii(response).await)
                }
                Ok(request) => router.oneshot(request).await,
                Err(response) => Ok(*response),
            }
        }
    });
    Router::new().fallback_service(service)
}

fn decided(mut request: Request) -> Result<Request, Box<Response>> {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix(PREFIX).filter(|r| r.is_empty() || r.starts_with('/'))
    else {
        return Ok(request);
    };
    let Some(allowed) = allowed(rest) else {
        return Err(Box::new(TaxiiError::not_found("this path").into_response()));
    };
    if request.method() == Method::OPTIONS {
        let allow = [(header::ALLOW, HeaderValue::from_static(allowed))];
        return Err(Box::new((StatusCode::NO_CONTENT, allow, Body::empty()).into_response()));
    }
    if !path.ends_with('/') {
        let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
        let mut parts = request.uri().clone().into_parts();
        // Nothing but a slash is added to what was a path already.
        if let Ok(slashed) = format!("{path}/{query}").parse() {
            parts.path_and_query = Some(slashed);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    Ok(request)
}

/// The methods of a path below the prefix; none when TAXII knows no such path.
fn allowed(rest: &str) -> Option<&'static str> {
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Some(READ);
    }
    let parts: Vec<&str> = rest.split('/').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    match parts.as_slice() {
        [_] | [_, "collections"] | [_, "collections", _] | [_, "status", _] => Some(READ),
        [_, "collections", _, "manifest"] => Some(READ),
        [_, "collections", _, "objects"] => Some(READ_AND_ADD),
        [_, "collections", _, "objects", _] => Some(READ_AND_DELETE),
        [_, "collections", _, "objects", _, "versions"] => Some(READ),
        _ => None,
    }
}
