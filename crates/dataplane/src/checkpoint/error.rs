//! What can go wrong with checkpoints, with the place and the remedy.

use std::path::{Path, PathBuf};

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refused.
    #[error("{place}: {cause}", place = place.display())]
    Io {
        /// The place.
        place: PathBuf,
        /// The system's answer.
        cause: std::io::Error,
    },
    /// The declaration is wrong; the text names the key, the limit and the remedy.
    #[error("{0}")]
    Settings(String),
    /// Something in the store is not what was written.
    #[error("checkpoint {counter} is refused: {reason}")]
    Refused {
        /// Its counter.
        counter: u64,
        /// Why.
        reason: String,
    },
    /// The store is older than the counter.
    #[error(
        "{0}; nothing is restored from here. If you put the store back yourself, start the agent once with --accept-rollback"
    )]
    Rollback(String),
    /// A bound was met; the text names it.
    #[error("{0}")]
    Limit(String),
    /// The counter does not answer.
    #[error("the counter against rollback: {0}")]
    Counter(String),
    /// A back-end cannot work.
    #[error("back-end {backend}: {reason}")]
    Backend {
        /// Its name.
        backend: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// No such service.
    #[error("no service '{0}' is protected here; `list` names those that are")]
    NoService(String),
    /// No checkpoint fits.
    #[error("{reason}")]
    NoneOldEnough {
        /// Why.
        reason: String,
        /// What is offered instead.
        offers: Vec<String>,
    },
}

impl CheckpointError {
    /// For `map_err`: the file system refused at `place`.
    pub(crate) fn io(place: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let place = place.to_path_buf();
        move |cause| Self::Io { place, cause }
    }

    /// For `map_err`: a back-end's step failed.
    pub(crate) fn backend<E: std::fmt::Display>(
        backend: &'static str,
        what: &str,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self::Backend { backend, reason: format!("{what}: {cause}") }
    }
}
