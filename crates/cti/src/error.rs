//! The room's errors.

use platform::bus::ConsumeError;
use platform::db::DbError;
use ports::PortError;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum CtiError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Another room said no.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A setting that cannot work.
    #[error("{0}")]
    Config(String),
    /// Something asked for does not exist.
    #[error("{0} not found")]
    NotFound(String),
    /// JSON that this node made itself does not print; a defect.
    #[error("cannot print JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<sqlx::Error> for CtiError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<CtiError> for PortError {
    fn from(error: CtiError) -> Self {
        match error {
            CtiError::Port(port) => port,
            CtiError::NotFound(what) => Self::NotFound(what),
            CtiError::Db(DbError::DiskFull | DbError::Stopped | DbError::Commit(_)) => {
                Self::Unavailable(error.to_string())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<CtiError> for ConsumeError {
    fn from(error: CtiError) -> Self {
        match error {
            CtiError::Db(db) => Self::Db(db),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<CtiError> for platform::http::Problem {
    fn from(error: CtiError) -> Self {
        match error {
            CtiError::Db(db) => db.into(),
            other => PortError::from(other).into(),
        }
    }
}
