//! The room's errors.

use axum::http::StatusCode;
use model::{PlaybookId, ProposalId, RunId, TriggerId};
use platform::bus::ConsumeError;
use platform::db::DbError;
use platform::http::Problem;
use ports::PortError;

/// Why a playbook or a run could not be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum PlaybooksError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No such playbook.
    #[error("playbook {0} not found")]
    NoPlaybook(PlaybookId),
    /// No such run.
    #[error("run {0} not found")]
    NoRun(RunId),
    /// No such proposal.
    #[error("proposal {0} not found")]
    NoProposal(ProposalId),
    /// No such trigger of this playbook.
    #[error("trigger {0} not found")]
    NoTrigger(TriggerId),
    /// A playbook that has as many triggers as it may.
    #[error("{0}")]
    Full(String),
    /// No such delegation.
    #[error("delegation {0} not found")]
    NoDelegation(String),
    /// The policy of automation was changed meanwhile.
    #[error("the policy of automation is another one by now")]
    Stale,
    /// What was sent cannot be taken; one line each.
    #[error("{summary}")]
    Invalid {
        /// One sentence.
        summary: String,
        /// One line per error.
        errors: Vec<String>,
    },
    /// A policy of automation that is out of bounds; one line each.
    #[error("this policy of automation cannot be taken: {}", .0.join("; "))]
    Policy(Vec<String>),
    /// A trigger that is out of bounds; one line each.
    #[error("this trigger cannot be taken: {}", .0.join("; "))]
    Trigger(Vec<String>),
    /// It does not fit the state of things.
    #[error("{0}")]
    Conflict(String),
    /// Another room could not answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl PlaybooksError {
    pub(crate) fn invalid(summary: impl Into<String>) -> Self {
        Self::Invalid { summary: summary.into(), errors: vec![] }
    }
}

impl From<sqlx::Error> for PlaybooksError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<PlaybooksError> for ConsumeError {
    fn from(error: PlaybooksError) -> Self {
        match error {
            PlaybooksError::Db(db) => Self::Db(db),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<PlaybooksError> for PortError {
    fn from(error: PlaybooksError) -> Self {
        match error {
            PlaybooksError::Db(DbError::DiskFull | DbError::Stopped | DbError::Commit(_)) => {
                Self::Unavailable(error.to_string())
            }
            PlaybooksError::Db(other) => Self::Internal(other.to_string()),
            PlaybooksError::Port(port) => port,
            PlaybooksError::NoPlaybook(id) => Self::NotFound(format!("playbook {id}")),
            PlaybooksError::NoRun(id) => Self::NotFound(format!("run {id}")),
            PlaybooksError::NoProposal(id) => Self::NotFound(format!("proposal {id}")),
            PlaybooksError::NoTrigger(id) => Self::NotFound(format!("trigger {id}")),
            PlaybooksError::NoDelegation(id) => Self::NotFound(format!("delegation {id}")),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<PlaybooksError> for Problem {
    fn from(error: PlaybooksError) -> Self {
        match error {
            PlaybooksError::Db(db) => db.into(),
            PlaybooksError::Port(port) => port.into(),
            PlaybooksError::NoPlaybook(id) => Self::not_found(format!("playbook {id}")),
            PlaybooksError::NoRun(id) => Self::not_found(format!("run {id}")),
            PlaybooksError::NoProposal(id) => Self::not_found(format!("proposal {id}")),
            PlaybooksError::NoTrigger(id) => Self::not_found(format!("trigger {id}")),
            PlaybooksError::Full(detail) => {
                Self::conflict(detail).remedy("Take a trigger away, or change one.")
            }
            PlaybooksError::NoDelegation(id) => Self::not_found(format!("delegation {id}")),
            PlaybooksError::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "somebody changed the policy of automation since it was read; nothing was changed",
            )
            .remedy("Read the policy again, repeat the change, and send it with its ETag."),
            PlaybooksError::Invalid { summary, errors } => {
                let remedy = match errors.is_empty() {
                    true => "Mend what it names and send it again.",
                    false => {
                        "Mend what the errors name; `sereno playbook validate FILE` checks it."
                    }
                };
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", summary)
                    .remedy(remedy)
                    .errors(errors)
            }
            PlaybooksError::Policy(errors) => {
                let text = "this policy of automation cannot be taken; nothing was changed";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
                    .remedy("Mend what the errors name; `sereno automation show` prints the policy that holds.")
                    .errors(errors)
            }
            PlaybooksError::Trigger(errors) => {
                let text = "this trigger cannot be taken; nothing was changed";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
                    .remedy(
                        "Mend what the errors name; docs/automation.md describes every trigger.",
                    )
                    .errors(errors)
            }
            PlaybooksError::Conflict(detail) => {
                Self::conflict(detail).remedy("Read the run again, then decide.")
            }
        }
    }
}
