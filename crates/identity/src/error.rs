//! The room's errors.

use axum::http::StatusCode;
use platform::data::DataError;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why identity could not do something.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The data folder said no.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A policy cannot be used.
    #[error("policy {0}")]
    Policy(String),
    /// A certificate or key cannot be made, read or used.
    #[error("certificate: {0}")]
    Certificate(String),
    /// A request that cannot be right.
    #[error("{0}")]
    Invalid(String),
    /// It was done already, or must not be done now.
    #[error("{0}")]
    Conflict(String),
    /// Name or password is wrong; which one is not said.
    #[error("name or password is wrong")]
    WrongPassword,
    /// Too many failures from there, or for that name.
    #[error("too many failed sign-ins; try again in {retry_after_s} s")]
    TooMany {
        /// Pause, seconds.
        retry_after_s: i64,
    },
    /// An enrolment code that opens nothing.
    #[error("{0}")]
    Code(&'static str),
    /// No such thing.
    #[error("{0}")]
    NotFound(String),
    /// The other node cannot be reached or said no.
    #[error("{0}")]
    Peer(String),
}

impl IdentityError {
    /// A certificate problem from whatever library reports it.
    pub(crate) fn certificate(cause: impl std::fmt::Display) -> Self {
        Self::Certificate(cause.to_string())
    }
}

impl From<sqlx::Error> for IdentityError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        let text = error.to_string();
        match error {
            IdentityError::Db(db) => db.into(),
            IdentityError::Data(_) | IdentityError::Policy(_) | IdentityError::Certificate(_) => {
                Self::internal(text)
            }
            IdentityError::Invalid(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text),
            IdentityError::Conflict(_) => Self::conflict(text),
            IdentityError::WrongPassword => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong-password", "Name or password is wrong.")
                    .remedy("Try again. The owner of the data folder can always use `sereno token new`.")
            }
            IdentityError::TooMany { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", text)
                    .remedy("Wait. The owner of the data folder can always use `sereno token new`.")
            }
            IdentityError::Code(_) => Self::new(StatusCode::FORBIDDEN, "code", text)
                .remedy("Ask the other organisation for a new invitation (`sereno peer invite`)."),
            IdentityError::NotFound(what) => Self::not_found(what),
            IdentityError::Peer(_) => Self::new(StatusCode::BAD_GATEWAY, "peer", text)
                .remedy("Check that the other node runs and its address is reachable; the invitation can be used again until it succeeds."),
        }
    }
}

impl From<IdentityError> for PortError {
    fn from(error: IdentityError) -> Self {
        let text = error.to_string();
        match error {
            IdentityError::NotFound(what) => Self::NotFound(what),
            IdentityError::Invalid(_) | IdentityError::Conflict(_) => Self::Invalid(text),
            IdentityError::Db(DbError::DiskFull | DbError::Stopped | DbError::Commit(_))
            | IdentityError::Peer(_) => Self::Unavailable(text),
            _ => Self::Internal(text),
        }
    }
}
