//! A folder into which another tool rotates captures (`tcpdump -G`, `dumpcap -b`, a sensor).
//!
//! Files are read in the order of their last change. A file is read when a newer one exists or it
//! has rested long enough, and once only: its name is kept until it is gone from the folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use protocols::capture::{CaptureError, Frame};
use serde::{Deserialize, Serialize};

use crate::captures::{self, Stream};
use crate::{EdgeError, clock};

/// Files of a folder looked at; beyond, the oldest names come first and the rest later.
pub const MAX_FILES: usize = 100_000;
/// Frames handed on before something else gets its turn.
const BURST: usize = 4_096;
/// How a capture's name may end.
const ENDINGS: [&str; 4] = ["pcap", "pcapng", "cap", "gz"];

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FolderCounts {
    /// Files read to their end.
    pub files: u64,
    /// Files that are no capture, or break off; what came before was used.
    pub damaged: u64,
    /// Frames read.
    pub frames: u64,
}

/// What is kept over a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    done: BTreeSet<String>,
}

/// A folder being read.
pub struct Folder {
    path: PathBuf,
    settle: Duration,
    state_file: Option<PathBuf>,
    once: bool,
    state: State,
    state_kept: bool,
    open: Option<(String, PathBuf, Stream)>,
    waiting: bool,
    counts: FolderCounts,
}

impl Folder {
    /// Starts reading a folder.
    ///
    /// # Errors
    /// The folder or the kept state cannot be read.
    pub fn open(
        path: PathBuf,
        settle: Duration,
        state_file: Option<PathBuf>,
        once: bool,
    ) -> Result<Self, EdgeError> {
        fs::read_dir(&path).map_err(|error| cannot_read(&path, &error))?;
        let state = match &state_file {
            Some(file) => read_state(file)?,
            None => State::default(),
        };
        Ok(Self {
            path,
            settle,
            state_file,
            once,
            state,
            state_kept: true,
            open: None,
            waiting: false,
            counts: FolderCounts::default(),
        })
    }

    /// What was read so far.
    pub fn counts(&self) -> FolderCounts {
        self.counts
    }

    /// Whether a folder that is read once holds nothing unread.
    pub fn done(&self) -> bool {
        self.once && self.open.is_none() && !self.waiting
    }

    /// Hands on the next frames; `false` when there are none at present.
    ///
    /// # Errors
    /// The folder cannot be read any more. A damaged file is no error: it is counted and told.
    pub fn read(&mut self, mut each: impl FnMut(&Frame<'_>)) -> Result<bool, EdgeError> {
        if self.open.is_none() {
            self.open = self.next_file()?;
        }
        let Some((name, path, stream)) = &mut self.open else { return Ok(false) };
        for _ in 0..BURST {
            match stream.next_frame() {
                Some(Ok(frame)) => {
                    self.counts.frames += 1;
                    each(&frame);
                }
                ended => {
                    if let Some(Err(source)) = ended {
                        self.counts.damaged += 1;
                        tell_damage(path, &source);
                    }
                    self.counts.files += 1;
                    let name = std::mem::take(name);
                    self.state.done.insert(name);
                    self.state_kept = false;
                    self.open = None;
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }

    /// Keeps which files are done. Call it when what was read of them is safe.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn keep_state(&mut self) -> Result<(), EdgeError> {
        let Some(file) = self.state_file.as_ref().filter(|_| !self.state_kept) else {
            return Ok(());
        };
        let partial = file.with_extension("partial");
        let text = serde_json::to_vec(&self.state).unwrap_or_default();
        let written = fs::File::create(&partial)
            .and_then(|mut out| out.write_all(&text).and_then(|()| out.sync_all()))
            .and_then(|()| fs::rename(&partial, file));
        written.map_err(EdgeError::system("keeping which captures were read"))?;
        self.state_kept = true;
        Ok(())
    }

    /// The oldest capture that is complete and not done.
    fn next_file(&mut self) -> Result<Option<(String, PathBuf, Stream)>, EdgeError> {
        let mut files = Vec::new();
        let mut present = BTreeSet::new();
        let entries = fs::read_dir(&self.path).map_err(|error| cannot_read(&self.path, &error))?;
        for entry in entries.flatten().take(MAX_FILES) {
            let Ok(metadata) = entry.metadata() else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            if metadata.is_file() && is_capture(&name) {
                let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                files.push((changed, name.clone(), entry.path()));
                present.insert(name);
            }
        }
        // A name that is gone may come back with other packets.
        let before = self.state.done.len();
        self.state.done.retain(|name| present.contains(name));
        self.state_kept &= before == self.state.done.len();
        files.sort();
        let newest = files.len().saturating_sub(1);
        let rested = |changed: SystemTime| {
            let now = SystemTime::UNIX_EPOCH
                + Duration::from_nanos(u64::try_from(clock::realtime_ns()).unwrap_or(0));
            now.duration_since(changed).unwrap_or_default() >= self.settle
        };
        self.waiting = false;
        for (place, (changed, name, path)) in files.into_iter().enumerate() {
            if self.state.done.contains(&name) {
                continue;
            }
            if place == newest && !rested(changed) {
                self.waiting = true;
                return Ok(None);
            }
            match captures::open(&path) {
                Ok(stream) => return Ok(Some((name, path, stream))),
                Err(error) => {
                    tracing::warn!("{error}");
                    self.counts.damaged += 1;
                    self.state.done.insert(name);
                }
            }
        }
        Ok(None)
    }
}

fn tell_damage(path: &Path, source: &CaptureError) {
    tracing::warn!(path = %path.display(), error = %source, "the capture breaks off");
}

fn cannot_read(path: &Path, error: &std::io::Error) -> EdgeError {
    EdgeError::Settings(format!(
        "folder {}: {error}: check the path and its rights",
        path.display()
    ))
}

fn read_state(file: &Path) -> Result<State, EdgeError> {
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            EdgeError::Settings(format!(
                "{}: {error}: remove the file to read all captures again",
                file.display()
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
        Err(error) => Err(EdgeError::Settings(format!("{}: {error}", file.display()))),
    }
}

fn is_capture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    // tcpdump -C numbers its files: capture.pcap12.
    let numbered = name.rsplit_once(".pcap").is_some_and(|(_, number)| {
        number.trim_start_matches("ng").bytes().all(|byte| byte.is_ascii_digit())
    });
    numbered || ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_names_are_captures() {
        for name in ["a.pcap", "a.pcapng", "a.pcap.gz", "a.pcap12", "A.PCAP", "x_0001.cap"] {
            assert!(is_capture(name), "{name}");
        }
        for name in ["a.txt", "pcap", "a.pcapx", ".hidden"] {
            assert!(!is_capture(name), "{name}");
        }
    }
}
