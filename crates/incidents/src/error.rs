//! The room's errors.

use axum::http::StatusCode;
use model::IncidentState;
use platform::bus::ConsumeError;
use platform::db::DbError;
use platform::http::Problem;

/// Longest reason, note or answer, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 4_000;

/// Why the desk said no.
#[derive(Debug, thiserror::Error)]
pub enum IncidentsError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No such incident.
    #[error("incident {0} not found")]
    NotFound(String),
    /// The state machine has no such arrow.
    #[error("an incident that is {} cannot become {}", from.word(), to.word())]
    NoSuchStep {
        /// Where it stands.
        from: IncidentState,
        /// Where it should go.
        to: IncidentState,
    },
    /// A text that is missing or too long.
    #[error("{field} must have 1 to {MAX_TEXT_CHARS} characters, it has {length}")]
    Text {
        /// Which.
        field: &'static str,
        /// Its length in characters.
        length: usize,
    },
    /// Somebody was faster.
    #[error("{0} has already acknowledged this incident")]
    AlreadyAcknowledged(String),
}

impl From<sqlx::Error> for IncidentsError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<IncidentsError> for ConsumeError {
    fn from(error: IncidentsError) -> Self {
        match error {
            IncidentsError::Db(db) => Self::Db(db),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<IncidentsError> for Problem {
    fn from(error: IncidentsError) -> Self {
        let text = error.to_string();
        match error {
            IncidentsError::Db(db) => db.into(),
            IncidentsError::NotFound(id) => Self::not_found(format!("incident {id}")),
            IncidentsError::NoSuchStep { .. } => Self::conflict(text)
                .remedy("`allowed_states` of the incident names the lawful steps."),
            IncidentsError::Text { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "text", text)
            }
            IncidentsError::AlreadyAcknowledged(_) => {
                Self::conflict(text).remedy("Add a note instead.")
            }
        }
    }
}

/// A text of lawful length, trimmed.
pub(crate) fn checked(field: &'static str, text: &str) -> Result<String, IncidentsError> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > MAX_TEXT_CHARS {
        return Err(IncidentsError::Text { field, length });
    }
    Ok(text.to_owned())
}
