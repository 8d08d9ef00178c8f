//! The node's router: rooms merged, one description, the same armour around every route.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use platform::http::{AccessRule, Gate, Problem, RoomRouter};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::console;
use crate::linger::linger;
use crate::traffic::{self, Numbers};

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
    tell_apart(&mut description);
    access.sort();
    (router, description, access)
}

/// Every operation has an id of its own, as generated clients need. Handlers are named within their rooms; a name that
/// stands several times gets the words of its path behind it, and its method where one path has it twice.
fn tell_apart(description: &mut utoipa::openapi::OpenApi) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for item in description.paths.paths.values() {
        for id in methods(item).filter_map(|(_, operation)| operation.operation_id.clone()) {
            *count.entry(id).or_default() += 1;
        }
    }
    let mut taken: BTreeSet<String> =
        count.iter().filter(|(_, times)| **times == 1).map(|(id, _)| id.clone()).collect();
    for (path, item) in &mut description.paths.paths {
        for (method, operation) in methods_mut(item) {
            let Some(id) = &mut operation.operation_id else { continue };
            if count.get(id).is_none_or(|times| *times == 1) {
                continue;
            }
            let mut own = format!("{id}_{}", words_of(path));
            for more in [method, "2", "3"] {
                if taken.insert(own.clone()) {
                    break;
                }
                own = format!("{own}_{more}");
            }
            *id = own;
        }
    }
}

/// `/api/v1/feeds/{id}/run` is `feeds_run`.
fn words_of(path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'));
    words.map(|word| word.replace('-', "_")).collect::<Vec<_>>().join("_")
}

fn methods(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("get", &item.get),
        ("post", &item.post),
        ("put", &item.put),
        ("delete", &item.delete),
        ("patch", &item.patch),
        ("head", &item.head),
        ("options", &item.options),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn methods_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
        ("head", &mut item.head),
        ("options", &mut item.options),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The router that every listener serves; `authenticate` puts the caller into each request.
pub fn router(
    routes: Router,
    description: utoipa::openapi::OpenApi,
    gate: Gate,
    max_body_bytes: usize,
    numbers: Numbers,
    authenticate: impl FnOnce(Router) -> Router,
) -> Router {
    let numbers = Arc::new(numbers);
    let description = Arc::new(description);
    let openapi = get(move || {
        let description = Arc::clone(&description);
        async move { axum::Json(description.as_ref().clone()) }
    });
    let guarded = routes
        .route("/api/v1/openapi.json", openapi)
        // The description as a page: one of the console's, made from the same text, with nothing from elsewhere.
        .route("/api/docs", get(|| async { Redirect::temporary("/api-docs") }))
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
        .layer(from_fn(move |request: Request, next: Next| {
            traffic::measure(Arc::clone(&numbers), request, next)
        }))
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
