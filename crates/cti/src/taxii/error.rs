//! TAXII error messages (§3.6.1).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::db::DbError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::media::taxii;
use crate::error::CtiError;

/// An error as TAXII writes it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TaxiiError {
    /// Short.
    pub(crate) title: String,
    /// What happened, where, and what to do.
    pub(crate) description: String,
    /// Stable name.
    pub(crate) error_code: String,
    /// HTTP status as text.
    pub(crate) http_status: String,
}

impl TaxiiError {
    pub(crate) fn new(status: StatusCode, code: &str, description: impl Into<String>) -> Self {
        Self {
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            description: description.into(),
            error_code: code.to_owned(),
            http_status: status.as_u16().to_string(),
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let text = format!("{what} does not exist here, or you have no right to it");
        Self::new(StatusCode::NOT_FOUND, "not-found", text)
    }

    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", text)
    }

    pub(crate) fn unprocessable(text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", text)
    }

    fn status(&self) -> StatusCode {
        self.http_status
            .parse::<u16>()
            .ok()
            .and_then(|code| StatusCode::from_u16(code).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for TaxiiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = taxii(status, &self);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"sereno\", Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<CtiError> for TaxiiError {
    fn from(error: CtiError) -> Self {
        match error {
            CtiError::Db(DbError::DiskFull) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", error.to_string())
            }
            CtiError::Db(DbError::Commit(_)) => {
                tracing::error!(%error, "an envelope was not committed");
                let text = format!("{error}; send it again");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-committed", text)
            }
            CtiError::Db(DbError::Stopped) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string())
            }
            other => {
                tracing::error!(error = %other, "taxii request failed");
                let text = "Something failed inside the node; its log has the cause.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text)
            }
        }
    }
}

impl From<DbError> for TaxiiError {
    fn from(error: DbError) -> Self {
        CtiError::Db(error).into()
    }
}

/// Turns what the permission guard, the router and the extractors answer into a TAXII error message.
pub(super) async fn speak_taxii(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let speaks = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/taxii+json"));
    if speaks || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let said = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let (code, text) = match serde_json::from_slice::<platform::http::Problem>(&said) {
        Ok(problem) => (problem.kind, format!("{} {}", problem.detail, problem.remedy)),
        Err(_) if status == StatusCode::METHOD_NOT_ALLOWED => (
            "method".into(),
            "this path does not know this method; Allow lists those it knows".into(),
        ),
        Err(_) => ("request".into(), String::from_utf8_lossy(&said).into_owned()),
    };
    let mut error = TaxiiError::new(status, &code, text.trim_end()).into_response();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            error.headers_mut().insert(name, value.clone());
        }
    }
    error.map(Body::new)
}
