//! The room's errors.

use axum::http::StatusCode;
use platform::db::DbError;
use platform::http::Problem;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// Something asked for does not exist.
    #[error("{0} not found")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    Conflict(String),
    /// The other side, or the file, did not do.
    #[error("{0}")]
    Source(String),
}

impl From<sqlx::Error> for FeedError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Db(db) => db.into(),
            FeedError::Invalid(text) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
            }
            FeedError::NotFound(what) => Self::not_found(what),
            FeedError::Conflict(text) => Self::conflict(text),
            FeedError::Source(text) => Self::new(StatusCode::BAD_GATEWAY, "source", text)
                .remedy("Look at the feed's page in a browser; it may have moved."),
        }
    }
}
