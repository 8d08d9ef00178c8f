//! Errors as `application/problem+json` (RFC 9457): what happened, where, and what to do.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ports::PortError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::DbError;

/// A problem for the caller.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable name, `urn:sereno:problem:…`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short title.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// One sentence in plain words that names the place.
    pub detail: String,
    /// What to do.
    pub remedy: String,
    /// More lines, e.g. one per error of a validated document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

impl Problem {
    /// A problem; `kind` is appended to `urn:sereno:problem:`.
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:sereno:problem:{kind}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            remedy: String::new(),
            errors: vec![],
        }
    }

    /// With what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// With one line per error.
    #[must_use]
    pub fn errors(mut self, errors: Vec<String>) -> Self {
        self.errors = errors;
        self
    }

    /// 404.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("{what} does not exist here"))
            .remedy("Check the id; it may have been removed.")
    }

    /// 400.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 500; the cause goes to the log, not to the caller.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed inside the node.",
        )
        .remedy("The node's log has the cause; `sereno doctor` may name it.")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::DiskFull => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", error.to_string())
                    .remedy("Free space on the disk of the data folder, then try again.")
            }
            DbError::Commit(_) => {
                tracing::error!(%error, "a write was not committed");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-committed", error.to_string())
                    .remedy("Try again; `sereno doctor` names the cause when it stays.")
            }
            DbError::QueueFull(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "queue-full", error.to_string())
                    .remedy("Try again when the recipient has taken what waits for it.")
            }
            DbError::Stopped => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string())
                    .remedy("Try again when the node is back.")
            }
            other => Self::internal(other),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(cause: sqlx::Error) -> Self {
        DbError::from(cause).into()
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        match error {
            PortError::NotFound(what) => Self::not_found(what),
            PortError::Invalid(detail) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            }
            PortError::Unavailable(detail) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
                    .remedy("Try again later.")
            }
            PortError::Internal(cause) => Self::internal(cause),
        }
    }
}

/// A JSON body; what is wrong with it is said as a problem that names line and column.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::BytesRejection(cause)) => {
                Err(Problem::new(cause.status(), "body", cause.body_text())
                    .remedy("Send a smaller body."))
            }
            Err(other) => Err(Problem::new(other.status(), "json", other.body_text())
                .remedy("Compare the body with the API description at /api/v1/openapi.json.")),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}
