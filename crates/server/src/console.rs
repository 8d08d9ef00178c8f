//! The static console: every path that is not the API gets the page, so that its URLs can be typed.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::http::Problem;

/// Answers what no route answered.
pub async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    let foreign = ["/api/", "/taxii2/", "/soarca/", "/metrics", "/healthz", "/readyz"];
    if foreign.iter().any(|prefix| path.starts_with(prefix)) {
        return Problem::not_found(format!("{} {path}", request.method()))
            .remedy("The API is described at /api/v1/openapi.json.")
            .into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "The console is read with GET.",
        )
        .into_response();
    }
    let accepts = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let asset = match web::asset_for(path, accepts) {
        Some(asset) => asset,
        // A missing script must be an error, not the page: browsers would run HTML as code.
        None if path.starts_with("/assets/") => {
            return Problem::not_found(path).remedy("Reload the page.").into_response();
        }
        None => web::index_for(accepts),
    };
    let unchanged = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == asset.etag.as_bytes());
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        asset.bytes.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    if let Some(encoding) = asset.encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if asset.immutable {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        }),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(web::CONTENT_SECURITY_POLICY),
    );
    response
}
