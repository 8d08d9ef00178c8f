//! What can go wrong at the edge, with the place and the remedy.

use std::path::PathBuf;

/// Why the edge cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// A capture file cannot be opened.
    #[error("capture {path}: {source}: check the name and that it can be read", path = path.display())]
    OpenCapture {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A capture file cannot be read (any further).
    #[error("capture {path}: {source}", path = path.display())]
    ReadCapture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: protocols::capture::CaptureError,
    },
    /// The captures hold no packet at all.
    #[error("the captures hold no packet: give at least one with packets (--capture)")]
    NoPackets,
    /// Wrong settings.
    #[error("{0}")]
    Settings(String),
    /// The network could not be built or used here; the text says what and how to mend it.
    #[error("{0}")]
    Network(String),
    /// The system refused something else.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The other half of the lab is gone.
    #[error("{0} ended unexpectedly")]
    Gone(&'static str),
}

impl EdgeError {
    /// For `map_err`: the system refused `what`.
    pub(crate) fn system<E: Into<std::io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { what, source: source.into() }
    }
}
