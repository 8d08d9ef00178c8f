//! What commands print, and how they fail. Standard output is the answer, standard error the rest.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

/// The answer is "no".
pub(crate) const NO: u8 = 1;
/// Wrong use.
pub(crate) const WRONG_USE: u8 = 2;
/// Failure.
pub(crate) const FAILURE: u8 = 3;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What happened, where.
    pub(crate) message: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Failure {
    /// Something did not work.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { code: FAILURE, message: message.into(), remedy: String::new() }
    }

    /// The command was used wrongly.
    pub(crate) fn wrong_use(message: impl Into<String>) -> Self {
        Self { code: WRONG_USE, message: message.into(), remedy: String::new() }
    }

    /// With what to do.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// An input or output error at a named place.
    pub(crate) fn io<E: std::fmt::Display>(place: &str) -> impl FnOnce(E) -> Self + use<E> {
        let place = place.to_owned();
        move |cause| Self::new(format!("{place}: {cause}"))
    }

    /// An input or output error on a file.
    pub(crate) fn file<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self + use<E> {
        Self::io(&path.display().to_string())
    }
}

/// Prints a failure and gives its exit code.
pub(crate) fn fail(failure: &Failure, json: bool) -> ExitCode {
    let mut err = std::io::stderr().lock();
    if json {
        let body = json!({ "error": failure.message, "remedy": failure.remedy });
        let _ = writeln!(err, "{body}");
    } else {
        let _ = writeln!(err, "sereno: {}", failure.message);
        if !failure.remedy.is_empty() {
            let _ = writeln!(err, "        {}", failure.remedy);
        }
    }
    ExitCode::from(failure.code)
}

/// Prints one line to standard output; a closed pipe ends quietly.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints one line to standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a value as JSON.
pub(crate) fn value(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::io("standard output"))?;
    line(&text);
    Ok(())
}

/// "Yes" or "no" as an exit code.
pub(crate) fn answer(yes: bool) -> ExitCode {
    if yes { ExitCode::SUCCESS } else { ExitCode::from(NO) }
}
