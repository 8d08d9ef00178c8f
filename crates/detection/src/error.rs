//! The room's errors.

use platform::blobs::BlobError;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum DetectionError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Another room said no.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A model file could not be kept or read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A setting that cannot work.
    #[error("{0}")]
    Config(String),
    /// A batch that cannot be read at all.
    #[error("{0}")]
    Batch(String),
    /// Something asked for does not exist.
    #[error("{0} not found")]
    NotFound(String),
    /// What is asked for does not go with how things stand.
    #[error("{0}")]
    Conflict(String),
    /// A request that makes no sense; the text says how to mend it.
    #[error("{0}")]
    Invalid(String),
    /// Too many windows wait; the edge must keep what it has.
    #[error(
        "{waiting} windows of {device} wait for its model, the limit is {limit} (detection.max_waiting_windows); the edge keeps the rest"
    )]
    Waiting {
        /// The device's name.
        device: String,
        /// How many wait.
        waiting: i64,
        /// The limit.
        limit: u32,
    },
}

impl From<sqlx::Error> for DetectionError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<DetectionError> for PortError {
    fn from(error: DetectionError) -> Self {
        match error {
            DetectionError::Port(port) => port,
            DetectionError::NotFound(what) => Self::NotFound(what),
            DetectionError::Batch(why) | DetectionError::Invalid(why) => Self::Invalid(why),
            DetectionError::Waiting { .. }
            | DetectionError::Db(DbError::DiskFull | DbError::Stopped | DbError::Commit(_)) => {
                Self::Unavailable(error.to_string())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<DetectionError> for Problem {
    fn from(error: DetectionError) -> Self {
        match error {
            DetectionError::Db(db) => db.into(),
            DetectionError::Conflict(why) => Self::conflict(why),
            other => PortError::from(other).into(),
        }
    }
}
