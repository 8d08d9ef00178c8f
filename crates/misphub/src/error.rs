//! Errors in MISP's form.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::db::DbError;
use platform::http::Problem;
use serde_json::{Value, json};

/// Why something could not be done.
#[derive(Debug)]
pub struct MispError {
    status: StatusCode,
    message: String,
    errors: Value,
}

impl MispError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, errors: Value::String(message.clone()), message }
    }

    /// 404: not there, or beyond the caller's sight.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("Invalid {what}."))
    }

    /// 403 with the words that PyMISP looks for.
    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "You do not have permission to do that.")
    }

    /// A field that cannot be stored.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status: StatusCode::FORBIDDEN,
            errors: json!({ name: [message] }),
            message: format!("Could not be saved: {name}: {message}"),
        }
    }

    /// What is wrong, in words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the node is at fault, not what was asked.
    pub(crate) fn is_ours(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::CONFLICT
    }

    /// What is wrong, as MISP lists it.
    pub(crate) fn into_errors(self) -> Value {
        self.errors
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<DbError> for MispError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::DiskFull => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
            DbError::Commit(_) | DbError::Stopped => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{error}; try again"))
            }
            other => {
                tracing::error!(error = %other, "a MISP request failed");
                let text = "Something failed inside the node; its log has the cause.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        }
    }
}

impl From<sqlx::Error> for MispError {
    fn from(cause: sqlx::Error) -> Self {
        DbError::from(cause).into()
    }
}

impl From<Problem> for MispError {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::FORBIDDEN);
        Self::new(status, problem.detail)
    }
}

impl IntoResponse for MispError {
    fn into_response(self) -> Response {
        let body = json!({
            "saved": false,
            "name": self.message,
            "message": self.message,
            "url": "/misp/",
            "errors": self.errors,
        });
        (self.status, Json(body)).into_response()
    }
}
