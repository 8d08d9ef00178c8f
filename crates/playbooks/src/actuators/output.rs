//! What a command printed, bounded.

use model::Outcome;
use serde_json::json;

/// Output kept of each stream, in bytes; what comes after it is counted only.
pub(crate) const MAX_OUTPUT_BYTES: usize = 32 * 1024;

/// Both streams of a command.
#[derive(Default)]
pub(crate) struct Output {
    out: Stream,
    err: Stream,
}

#[derive(Default)]
struct Stream {
    kept: Vec<u8>,
    size: usize,
}

impl Stream {
    fn take(&mut self, bytes: &[u8]) {
        let room = MAX_OUTPUT_BYTES.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        self.size += bytes.len();
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }
}

impl Output {
    /// More of the standard output.
    pub(crate) fn out(&mut self, bytes: &[u8]) {
        self.out.take(bytes);
    }

    /// More of the standard error.
    pub(crate) fn err(&mut self, bytes: &[u8]) {
        self.err.take(bytes);
    }

    /// The beginning of what it said of errors, or else at all.
    pub(crate) fn said(&self) -> String {
        let (err, out) = (self.err.text(), self.out.text());
        let said = if err.trim().is_empty() { out } else { err };
        said.trim().chars().take(500).collect()
    }

    /// The outcome of a command that ended; 0 is success as everywhere.
    pub(crate) fn outcome(&self, place: &str, status: u32) -> Outcome {
        let cut = self.out.size > MAX_OUTPUT_BYTES || self.err.size > MAX_OUTPUT_BYTES;
        if status == 0 {
            let bytes = self.out.size;
            return Outcome::Done {
                summary: format!("{place}: done, {bytes} bytes of output"),
                data: json!({ "exit_status": status, "stdout": self.out.text(),
                    "stderr": self.err.text(), "cut": cut }),
            };
        }
        Outcome::Failed {
            reason: format!("{place}: the command ended with status {status}: {}", self.said()),
            retry: false,
        }
    }
}
