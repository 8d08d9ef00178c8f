//! The room's errors.

use axum::http::StatusCode;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum CommunityError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Another room said no.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Something asked for cannot be.
    #[error("{text}")]
    Invalid {
        /// What is wrong, where.
        text: String,
        /// One line each, where there are more.
        lines: Vec<String>,
        /// What to do.
        remedy: String,
    },
    /// Something asked for does not exist, or not for the one who asks.
    #[error("{0} not found")]
    NotFound(String),
    /// It does not go with what is there.
    #[error("{text}")]
    Conflict {
        /// What stands in the way.
        text: String,
        /// One line each, where there are more.
        lines: Vec<String>,
        /// What to do.
        remedy: String,
    },
}

impl CommunityError {
    /// Something that cannot be, with what to do.
    pub(crate) fn invalid(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Invalid { text: text.into(), lines: vec![], remedy: remedy.into() }
    }

    /// Something that does not go with what is there, with what to do.
    pub(crate) fn conflict(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Conflict { text: text.into(), lines: vec![], remedy: remedy.into() }
    }

    /// Something that is not there; names are clipped.
    pub(crate) fn unknown(what: &str, name: &str) -> Self {
        let clip: String = name.chars().take(120).collect();
        Self::NotFound(format!("{what} '{clip}'"))
    }
}

impl From<sqlx::Error> for CommunityError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<CommunityError> for Problem {
    fn from(error: CommunityError) -> Self {
        match error {
            CommunityError::Db(db) => db.into(),
            CommunityError::Port(port) => port.into(),
            CommunityError::Invalid { text, lines, remedy } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
                    .errors(lines)
                    .remedy(remedy)
            }
            CommunityError::NotFound(what) => Self::not_found(what),
            CommunityError::Conflict { text, lines, remedy } => {
                Self::conflict(text).errors(lines).remedy(remedy)
            }
        }
    }
}

impl From<CommunityError> for PortError {
    fn from(error: CommunityError) -> Self {
        match error {
            CommunityError::Port(port) => port,
            CommunityError::Db(db) => Self::Internal(db.to_string()),
            CommunityError::NotFound(what) => Self::NotFound(what),
            other => Self::Invalid(other.to_string()),
        }
    }
}
