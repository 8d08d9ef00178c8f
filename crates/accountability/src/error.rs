//! The room's errors.

use platform::bus::ConsumeError;
use platform::db::DbError;
use platform::http::Problem;

/// Why the log could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The tree's rows are not all there; verification names the place.
    #[error(
        "the tree of the accountability log lacks the node over leaf {last} at level {level}; run `sereno ledger verify`"
    )]
    Incomplete {
        /// Last leaf below the node.
        last: u64,
        /// Its height.
        level: u32,
    },
    /// No such entry.
    #[error("entry {0}")]
    NotFound(u64),
    /// A request that cannot be answered.
    #[error("{0}")]
    Invalid(String),
    /// The data folder cannot be used.
    #[error("{0}")]
    Data(String),
}

impl From<sqlx::Error> for LedgerError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<LedgerError> for ConsumeError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Db(db) => Self::Db(db),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Db(db) => db.into(),
            LedgerError::NotFound(index) => Self::not_found(format!("entry {index}"))
                .remedy("`GET /api/v1/ledger` says how many entries there are."),
            LedgerError::Invalid(detail) => Self::bad_request(detail),
            LedgerError::Incomplete { .. } => {
                Self::conflict(error.to_string()).remedy("Verify the log: it was altered.")
            }
            LedgerError::Data(cause) => Self::internal(cause),
        }
    }
}
