//! The monotonic counter that shows when somebody put an older store back.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::CheckpointError;
use super::protect::CounterSettings;
use super::supervise::output_within;

/// Longest answer of a TPM's tool, seconds.
const TPM_WITHIN: Duration = Duration::from_secs(30);
/// Attributes of the NV index: a counter, for who knows the owner's (empty) authorisation.
const TPM_ATTRIBUTES: &str = "ownerread|ownerwrite|authread|authwrite|nt=counter";
/// The TPM's answer when an index was defined and never counted up (TPM_RC_NV_UNINITIALIZED).
const NOT_WRITTEN: &str = "0x14A";

/// Counts up and never down.
pub trait MonotonicCounter: Send {
    /// The value.
    ///
    /// # Errors
    /// It does not answer.
    fn read(&mut self) -> Result<u64, CheckpointError>;
    /// The next value, durable when this returns.
    ///
    /// # Errors
    /// It does not answer.
    fn increment(&mut self) -> Result<u64, CheckpointError>;
    /// What it is and what it is worth, one sentence.
    fn describe(&self) -> String;
}

/// The counter that the declaration asks for.
pub fn open(settings: &CounterSettings, store: &Path) -> Box<dyn MonotonicCounter> {
    match settings {
        CounterSettings::Tpm { nv_index, tcti } => {
            Box::new(Tpm { index: nv_index.clone(), tcti: tcti.clone() })
        }
        CounterSettings::File { path } => {
            Box::new(InFile(path.clone().unwrap_or_else(|| store.join("counter"))))
        }
    }
}

/// A counter in the non-volatile memory of a TPM 2.0, through tpm2-tools.
struct Tpm {
    index: String,
    tcti: Option<String>,
}

impl Tpm {
    fn run(&self, tool: &str, arguments: &[&str]) -> Result<Vec<u8>, CheckpointError> {
        let mut command = Command::new(tool);
        command.args(arguments);
        if let Some(tcti) = &self.tcti {
            command.args(["-T", tcti]);
        }
        output_within(command, TPM_WITHIN).map_err(|cause| {
            CheckpointError::Counter(format!(
                "{tool}: {cause}; install tpm2-tools and see that the TPM is reachable, or declare counter = {{ kind = \"file\" }}"
            ))
        })
    }

    fn value(&self) -> Result<u64, CheckpointError> {
        let bytes = self.run("tpm2_nvread", &["-C", "o", "-s", "8", &self.index])?;
        let bytes: [u8; 8] = bytes.as_slice().try_into().map_err(|_| {
            CheckpointError::Counter(format!(
                "NV index {} holds {} bytes, not the 8 of a counter: choose another nv_index",
                self.index,
                bytes.len()
            ))
        })?;
        Ok(u64::from_be_bytes(bytes))
    }
}

impl MonotonicCounter for Tpm {
    fn read(&mut self) -> Result<u64, CheckpointError> {
        let cause = match self.value() {
            Ok(value) => return Ok(value),
            Err(cause) => cause,
        };
        // Not there yet: a counter has no value before its first increment. A TPM that only fails to answer must not be
        // counted up: that would look like a rollback.
        let define = ["-C", "o", "-s", "8", "-a", TPM_ATTRIBUTES, &self.index];
        if cause.to_string().contains(NOT_WRITTEN) || self.run("tpm2_nvdefine", &define).is_ok() {
            return self.increment();
        }
        Err(cause)
    }

    fn increment(&mut self) -> Result<u64, CheckpointError> {
        self.run("tpm2_nvincrement", &["-C", "o", &self.index])?;
        self.value()
    }

    fn describe(&self) -> String {
        format!("TPM 2.0 NV counter {}", self.index)
    }
}

/// A number in a file.
struct InFile(PathBuf);

impl MonotonicCounter for InFile {
    fn read(&mut self) -> Result<u64, CheckpointError> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => text.trim().parse().map_err(|_| {
                CheckpointError::Counter(format!("{} is not a number", self.0.display()))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(CheckpointError::io(&self.0)(error)),
        }
    }

    fn increment(&mut self) -> Result<u64, CheckpointError> {
        let next = self.read()? + 1;
        write_whole(&self.0, next.to_string().as_bytes())?;
        Ok(next)
    }

    fn describe(&self) -> String {
        format!(
            "a file ({}), not hardware: whoever can write it and the store can put both back unseen",
            self.0.display()
        )
    }
}

/// Writes a file whole or not at all, readable by its owner alone, on the disk when this returns.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), CheckpointError> {
    let fresh = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
    };
    write().map_err(CheckpointError::io(path))
}
