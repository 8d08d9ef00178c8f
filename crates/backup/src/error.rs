//! The room's errors.

use std::path::Path;

use axum::http::StatusCode;
use platform::data::DataError;
use platform::db::DbError;
use platform::http::Problem;

/// Why a backup could not be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The data folder said no.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file could not be read or written.
    #[error("{place}: {cause}")]
    Io {
        /// The file or folder.
        place: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// Something asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The archive is not what it should be; the text names the place in it.
    #[error("{0}")]
    Damaged(String),
    /// It is sealed and what was given does not open it.
    #[error("{0}")]
    Sealed(String),
    /// No such backup.
    #[error("the backup {0} is not here")]
    NotFound(String),
    /// Another one is being made, or something is in the way.
    #[error("{0}")]
    Busy(String),
    /// Not enough room on the disk.
    #[error("{place} has {free} bytes free, {needed} are needed")]
    NoSpace {
        /// The folder.
        place: String,
        /// Free bytes.
        free: u64,
        /// Needed bytes.
        needed: u64,
    },
}

impl BackupError {
    pub(crate) fn io(place: &Path) -> impl Fn(std::io::Error) -> Self + use<> {
        let place = place.display().to_string();
        move |cause| Self::Io { place: place.clone(), cause }
    }
}

impl From<sqlx::Error> for BackupError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        let said = error.to_string();
        match error {
            BackupError::Db(cause) => cause.into(),
            BackupError::Data(cause) => Self::internal(cause),
            BackupError::Io { .. } => Self::internal(said),
            BackupError::Invalid(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", said)
                .remedy("See docs/backup.md for what a backup can be."),
            BackupError::Damaged(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "backup-damaged", said)
                    .remedy("Use another backup; this one cannot be restored whole.")
            }
            BackupError::Sealed(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "backup-sealed", said).remedy(
                    "Give the passphrase, or the age identity whose recipient it was sealed for.",
                )
            }
            BackupError::NotFound(name) => Self::not_found(format!("the backup {name}")),
            BackupError::Busy(_) => Self::conflict(said).remedy("Try again when it is done."),
            BackupError::NoSpace { .. } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", said)
                    .remedy("Free space, or name another `folder` in the section [backup].")
            }
        }
    }
}
