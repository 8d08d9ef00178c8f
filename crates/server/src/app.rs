//! The node's router: rooms merged, one description, the same armour around every route.

use std::any::Any;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use platform::http::{AccessRule, Gate, Problem, RoomRouter};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::console;
use crate::linger::linger;

/// Longest plain refusal that is put into a problem, bytes.
const MAX_REFUSAL_BYTES: usize = 4 << 10;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sereno",
        description = "One node: sense, detect, decide, act, share, prove. Errors are problem+json (RFC 9457).",
        license(name = "EUPL-1.2")
    ),
    modifiers(&Tokens)
)]
struct Description;

struct Tokens;

impl utoipa::Modify for Tokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The whole API description of a set of routes.
pub fn describe(rooms: RoomRouter) -> (Router, utoipa::openapi::OpenApi, Vec<AccessRule>) {
    let (routes, mut access) = rooms.into_parts();
    let (router, paths) = routes.split_for_parts();
    let mut description = Description::openapi();
    description.merge(paths);
    access.sort();
    (router, description, access)
}

/// The router that every listener serves; `authenticate` puts the caller into each request.
pub fn router(
    routes: Router,
    description: utoipa::openapi::OpenApi,
    gate: Gate,
    max_body_bytes: usize,
    authenticate: impl FnOnce(Router) -> Router,
) -> Router {
    let description = Arc::new(description);
    let openapi = get(move || {
        let description = Arc::clone(&description);
        async move { axum::Json(description.as_ref().clone()) }
    });
    let guarded = routes
        .route("/api/v1/openapi.json", openapi)
        .fallback(console::fallback)
        .layer(DefaultBodyLimit::max(max_body_bytes));
    authenticate(guarded)
        .layer(Extension(gate))
        .layer(from_fn(refusals_as_problems))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ))
        .layer(from_fn(linger))
        .layer(from_fn(count))
}

async fn count(request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("sereno_http_requests_total", "method" => method, "status" => status)
        .increment(1);
    response
}

/// The router and its extractors refuse in plain text, or with nothing; callers of the API get a
/// problem like any other.
async fn refusals_as_problems(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !api || !status.is_client_error() || kind.is_some_and(|kind| kind.contains("json")) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let said = to_bytes(body, MAX_REFUSAL_BYTES).await.unwrap_or_default();
    let (kind, otherwise) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("method", "this path does not know this method"),
        StatusCode::PAYLOAD_TOO_LARGE => ("body", "the body is too large"),
        _ => ("request", "the request cannot be understood"),
    };
    let detail = String::from_utf8_lossy(&said);
    let detail = if detail.is_empty() { otherwise } else { detail.as_ref() };
    let mut problem = Problem::new(status, kind, detail)
        .remedy("Compare the request with the API description at /api/v1/openapi.json.")
        .into_response();
    if let Some(allowed) = parts.headers.get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    problem
}

fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Problem::internal(format!("a handler panicked: {text}")).into_response()
}
