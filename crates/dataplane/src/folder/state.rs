//! What is kept over restarts: which captures are told of to their end, and where the first frame
//! lies that is not.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::EdgeError;

/// A capture that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Read {
    /// Bytes of the file when it was opened, and its last change (nanoseconds since 1970): while
    /// both are the same, the file need not be looked into.
    pub(super) size: u64,
    pub(super) changed_ns: i64,
    /// Frames read.
    pub(super) frames: u64,
    /// Time of its first frame: another one makes it another capture of the same name.
    pub(super) first_ns: Option<i64>,
    /// It broke off.
    pub(super) damaged: bool,
}

/// The first frame of the windows that are not told yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resume {
    /// The capture it lies in, and that one's first frame.
    pub(super) name: String,
    pub(super) first_ns: Option<i64>,
    /// Frames before it.
    pub(super) frames: u64,
}

/// How far what was told has come, for whoever takes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Windows up to this packet time (microseconds) are told; none after it.
    pub closed_us: Option<i64>,
    /// The source's start, and the number of the next batch: the node knows both.
    pub epoch: u64,
    /// Number of the next batch.
    pub next_seq: u64,
    /// Bytes of the file with the windows.
    pub out_bytes: Option<u64>,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Captures told of to their end, by their name without the ending of a packer.
    pub(super) done: BTreeMap<String, Read>,
    pub(super) resume: Option<Resume>,
    pub(super) told: Option<Told>,
}

impl State {
    /// What was kept; nothing where there is no file yet.
    pub(super) fn read(file: &Path) -> Result<Self, EdgeError> {
        match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                EdgeError::Settings(format!(
                    "{}: {error}: remove the file to read all captures again",
                    file.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(EdgeError::Settings(format!("{}: {error}", file.display()))),
        }
    }

    /// Replaces the file; it is whole at any moment.
    pub(super) fn write(&self, file: &Path) -> Result<(), EdgeError> {
        let partial = file.with_extension("partial");
        let text = serde_json::to_vec(self).unwrap_or_default();
        let written = fs::File::create(&partial)
            .and_then(|mut out| out.write_all(&text).and_then(|()| out.sync_all()))
            .and_then(|()| fs::rename(&partial, file));
        written.map_err(EdgeError::system("keeping which captures were read"))
    }
}
