//! The room's errors.

use platform::db::DbError;
use platform::http::Problem;

/// Why the room could not do something.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A setting that cannot work.
    #[error("{0}")]
    Config(String),
}

impl From<sqlx::Error> for KnowledgeError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<KnowledgeError> for Problem {
    fn from(error: KnowledgeError) -> Self {
        match error {
            KnowledgeError::Db(db) => db.into(),
            other @ KnowledgeError::Config(_) => Self::internal(other),
        }
    }
}
