//! The HTTP interface of SOARCA (TNO's CACAO orchestrator, API 1.0.0) below `/soarca`, so that its
//! tools can drive this node. Playbooks are known by their CACAO id, executions by the run's id;
//! errors have SOARCA's form; rights are those of the node's own endpoints.

pub(crate) mod keys;
pub(crate) mod manual;
pub(crate) mod playbooks;
pub(crate) mod reporter;
pub(crate) mod status;
pub(crate) mod trigger;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use platform::http::{Permission, Problem, RoomRouter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Playbooks, PlaybooksError};

/// Items of one list: what SOARCA gives.
pub(crate) const LIST_LIMIT: i64 = 100;
/// Largest refusal rewritten, bytes.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// The routes; errors become SOARCA's on the way out, refusals of the permission guard included.
pub(crate) fn router() -> RoomRouter<Playbooks> {
    let read = Permission("playbooks.read");
    let run = Permission("playbooks.run");
    let write = Permission("playbooks.write");
    RoomRouter::<Playbooks>::default()
        .route(read, utoipa_axum::routes!(playbooks::list))
        .route(read, utoipa_axum::routes!(playbooks::list_plain))
        .route(read, utoipa_axum::routes!(playbooks::meta))
        .route(read, utoipa_axum::routes!(playbooks::one))
        .route(write, utoipa_axum::routes!(playbooks::add))
        .route(write, utoipa_axum::routes!(playbooks::add_plain))
        .route(write, utoipa_axum::routes!(playbooks::change))
        .route(write, utoipa_axum::routes!(playbooks::remove))
        .route(write, utoipa_axum::routes!(trigger::sent))
        .route(run, utoipa_axum::routes!(trigger::stored))
        .route(read, utoipa_axum::routes!(reporter::list))
        .route(read, utoipa_axum::routes!(reporter::one))
        .route(read, utoipa_axum::routes!(manual::list))
        .route(read, utoipa_axum::routes!(manual::one))
        .route(run, utoipa_axum::routes!(manual::go_on))
        .route(read, utoipa_axum::routes!(status::status))
        .route(read, utoipa_axum::routes!(status::ping))
        .route(write, utoipa_axum::routes!(keys::list))
        .route(write, utoipa_axum::routes!(keys::add))
        .route(write, utoipa_axum::routes!(keys::change))
        .route(write, utoipa_axum::routes!(keys::remove))
        .map_response(speak)
}

/// An error as SOARCA writes it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SoarcaError)]
pub(crate) struct Refusal {
    /// HTTP status.
    status: u16,
    /// What happened, where, and what to do.
    message: String,
    /// The path that was called.
    #[serde(rename = "original-call")]
    call: String,
}

impl Refusal {
    pub(crate) fn of(uri: &Uri, problem: impl Into<Problem>) -> Self {
        let problem = problem.into();
        Self { status: problem.status, message: message(&problem), call: uri.path().to_owned() }
    }

    pub(crate) fn not_found(uri: &Uri, what: &str) -> Self {
        let shown: String = what.chars().take(100).collect();
        Self::of(uri, Problem::not_found(shown))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(self)).into_response()
    }
}

fn message(problem: &Problem) -> String {
    let mut parts = vec![problem.detail.as_str()];
    parts.extend(problem.errors.iter().map(String::as_str));
    parts.push(&problem.remedy);
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// Problems of others (the guard, the body's limit) in SOARCA's form.
async fn speak(response: Response) -> Response {
    let problem = response
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if !problem {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let bytes = to_bytes(body, MAX_REFUSAL_BYTES).await.unwrap_or_default();
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return Response::from_parts(head, Body::from(bytes));
    };
    let refusal =
        Refusal { status: problem.status, message: message(&problem), call: "/soarca".to_owned() };
    head.headers.remove("content-length");
    head.headers.remove("content-type");
    let mut response = (head.status, Json(refusal)).into_response();
    for (name, value) in &head.headers {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

/// A body that may be absent.
pub(crate) fn json(uri: &Uri, bytes: &[u8]) -> Result<Value, Refusal> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|cause| {
        Refusal::of(uri, Problem::bad_request(format!("the body is no JSON: {cause}")))
    })
}

/// The error of a room as a refusal.
pub(crate) fn refuse(uri: &Uri) -> impl Fn(PlaybooksError) -> Refusal + '_ {
    move |error| Refusal::of(uri, error)
}

/// Values by name out of CACAO variables (`{"__name__": {"type", "value"}}`).
pub(crate) fn values(
    uri: &Uri,
    variables: &Value,
) -> Result<std::collections::BTreeMap<String, String>, Refusal> {
    let wrong = || {
        let text = "variables are an object: { \"__name__\": { \"type\": …, \"value\": … } }";
        Refusal::of(uri, Problem::bad_request(text))
    };
    match variables {
        Value::Null => Ok(Default::default()),
        Value::Object(map) => map
            .iter()
            .map(|(name, variable)| {
                let value = variable.get("value").unwrap_or(variable);
                let value = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(_) | Value::Bool(_) => value.to_string(),
                    _ => return Err(wrong()),
                };
                Ok((name.clone(), value))
            })
            .collect(),
        _ => Err(wrong()),
    }
}
