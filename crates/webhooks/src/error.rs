//! The room's errors.

use axum::http::StatusCode;
use platform::db::DbError;
use platform::http::Problem;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// Something asked for does not exist.
    #[error("{0} not found")]
    NotFound(String),
    /// The name is taken, or there are too many.
    #[error("{0}")]
    Conflict(String),
}

impl From<sqlx::Error> for WebhookError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Db(db) => db.into(),
            WebhookError::Invalid(text) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
                    .remedy("See docs/webhooks.md for what a webhook can be.")
            }
            WebhookError::NotFound(what) => Self::not_found(what),
            WebhookError::Conflict(text) => Self::conflict(text),
        }
    }
}
