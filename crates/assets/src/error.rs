//! The room's errors.

use axum::http::StatusCode;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why the inventory could not do something.
#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A sighting or a change that cannot be right.
    #[error("{0}")]
    Invalid(String),
    /// No place for another device.
    #[error(
        "the inventory holds {0} devices, its limit (assets.max_devices); raise the limit, or protect fewer devices by assets.protected_macs"
    )]
    Full(u32),
    /// No such device.
    #[error("device {0} not found")]
    NotFound(String),
}

impl From<sqlx::Error> for AssetsError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<AssetsError> for PortError {
    fn from(error: AssetsError) -> Self {
        match error {
            AssetsError::Invalid(detail) => Self::Invalid(detail),
            AssetsError::NotFound(id) => Self::NotFound(format!("device {id}")),
            AssetsError::Full(_)
            | AssetsError::Db(DbError::DiskFull | DbError::Stopped | DbError::Commit(_)) => {
                Self::Unavailable(error.to_string())
            }
            AssetsError::Db(other) => Self::Internal(other.to_string()),
        }
    }
}

impl From<AssetsError> for Problem {
    fn from(error: AssetsError) -> Self {
        match error {
            AssetsError::Db(db) => db.into(),
            AssetsError::NotFound(id) => Self::not_found(format!("device {id}")),
            AssetsError::Invalid(detail) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            }
            AssetsError::Full(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "inventory-full", error.to_string())
            }
        }
    }
}
