//! The room's errors.

use axum::http::StatusCode;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Another room said no.
    #[error(transparent)]
    Port(#[from] PortError),
    /// What is asked cannot be; the text names the place, the limit and the remedy.
    #[error("{0}")]
    Invalid(String),
    /// Something asked for does not exist, or is out of sight.
    #[error("{0} not found")]
    NotFound(String),
    /// A letter that cannot be read at all.
    #[error("{0}; nothing was taken")]
    Unreadable(String),
    /// A letter that is not what it says it is: forged, for somebody else, or another under a number that was used.
    #[error("the letter was refused: {0}")]
    Lie(String),
    /// Letters are missing before this one.
    #[error("letters are missing: the next one expected is {expected}, this one is {seq}")]
    Gap {
        /// The number that would be taken.
        expected: i64,
        /// The number that came.
        seq: i64,
    },
    /// Too many ask at once.
    #[error("{0}")]
    Busy(String),
}

impl From<sqlx::Error> for FederationError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<FederationError> for Problem {
    fn from(error: FederationError) -> Self {
        let text = error.to_string();
        match error {
            FederationError::Db(db) => db.into(),
            FederationError::Port(port) => port.into(),
            FederationError::NotFound(what) => Self::not_found(what),
            FederationError::Invalid(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
                    .remedy("Mend what is named and ask again.")
            }
            FederationError::Unreadable(_) => {
                Self::bad_request(text).remedy("Send letters as docs/federation.md describes them.")
            }
            FederationError::Lie(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "letter-refused", text).remedy(
                    "Where a node was restored from a backup: remove the peer on both sides and join again.",
                )
            }
            FederationError::Gap { .. } => Self::new(StatusCode::CONFLICT, "letters-missing", text)
                .remedy("Send the letters from the expected one on."),
            FederationError::Busy(_) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", text).remedy("Try again later.")
            }
        }
    }
}
