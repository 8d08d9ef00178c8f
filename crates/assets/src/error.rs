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
    /// It cannot be as things stand; the text says what to do.
    #[error("{0}")]
    Conflict(String),
    /// No such site.
    #[error("site {0} not found")]
    NoSite(String),
    /// No such map layer.
    #[error("map layer {0} not found")]
    NoLayer(String),
    /// Files of maps and plans.
    #[error("files of maps and plans: {0}")]
    Files(String),
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
            AssetsError::NoSite(_) | AssetsError::NoLayer(_) => Self::NotFound(error.to_string()),
            AssetsError::Conflict(detail) => Self::Invalid(detail),
            AssetsError::Files(detail) => Self::Internal(detail),
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
            AssetsError::NoSite(id) => Self::not_found(format!("site '{id}'")),
            AssetsError::NoLayer(id) => Self::not_found(format!("map layer '{id}'")),
            AssetsError::Conflict(detail) => Self::conflict(detail),
            AssetsError::Files(detail) => Self::internal(detail),
            AssetsError::Invalid(detail) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            }
            AssetsError::Full(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "inventory-full", error.to_string())
            }
        }
    }
}
