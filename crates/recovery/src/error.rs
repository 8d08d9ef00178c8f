//! The room's errors.

use axum::http::StatusCode;
use platform::bus::ConsumeError;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// Something asked for does not exist.
    #[error("{0} not found")]
    NotFound(String),
    /// It stands in the way of something else.
    #[error("{0}")]
    Conflict(String),
    /// The configuration is wrong.
    #[error("{0}")]
    Config(String),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] platform::data::DataError),
    /// A port did not answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<sqlx::Error> for RecoveryError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<RecoveryError> for ConsumeError {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Db(db) => Self::Db(db),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<RecoveryError> for PortError {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Invalid(text) | RecoveryError::Conflict(text) => Self::Invalid(text),
            RecoveryError::NotFound(what) => Self::NotFound(what),
            RecoveryError::Port(port) => port,
            RecoveryError::Db(db) => Self::Unavailable(db.to_string()),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<RecoveryError> for Problem {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Db(db) => db.into(),
            RecoveryError::Invalid(text) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
                    .remedy("See docs/recovery.md for what can be asked.")
            }
            RecoveryError::NotFound(what) => Self::not_found(what),
            RecoveryError::Conflict(text) => Self::conflict(text),
            RecoveryError::Port(port) => port.into(),
            other => Self::internal(other),
        }
    }
}
