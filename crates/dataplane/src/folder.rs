//! A folder into which another tool rotates captures (`tcpdump -G`, `dumpcap -b`, a sensor).
//!
//! Captures are read in the order of their last change, each after it has rested, and each frame
//! once. A capture is known by its name without the ending of a packer and by its first frame: one
//! that is packed later is not read again, one that grows is read on, and another one under an old
//! name (a ring of files) is read from its start.
//!
//! With a state file nothing is lost or told twice when the process is killed. The state says where
//! the first frame lies whose windows are not told; a restart reads the capture it lies in from the
//! start, so that devices and conversations are known again, and tells only what comes from there on.

mod listing;
mod marks;
mod state;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use protocols::capture::{CaptureError, Frame};
use serde::Serialize;

use crate::captures::{self, Stream};
use crate::{EdgeError, clock};

use listing::{Entry, Listing, looks};
use state::{Read, Resume, State};

pub use listing::MAX_FILES;
pub(crate) use marks::Marks;
pub use marks::Place;
pub use state::Told;

/// Frames handed on before something else gets its turn.
const BURST: usize = 4_096;
/// How long the folder is left alone between two looks at least.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// And how many times as long as a look took: a folder of 100,000 files is slow.
const LOOK_SHARE: u32 = 10;
/// How often it is said that the folder cannot be read.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FolderCounts {
    /// Captures read to their end.
    pub files: u64,
    /// Captures that grew after they had been read; what was new in them was read.
    pub grown: u64,
    /// Files that are no capture, or break off, as they are now; what came before was used.
    pub damaged: u64,
    /// Captures that were gone before they could be read.
    pub gone: u64,
    /// Files beyond [`MAX_FILES`] at the last look.
    pub beyond: u64,
    /// Looks at the folder that failed.
    pub unreadable: u64,
    /// Frames read.
    pub frames: u64,
    /// Frames read again after a restart, to know devices and conversations; nothing is told of
    /// them twice.
    pub reread: u64,
}

/// A frame of the folder.
#[derive(Clone, Copy, Debug)]
pub struct FolderFrame<'a> {
    /// The frame.
    pub frame: &'a Frame<'a>,
    /// Where it lies.
    pub place: Place,
    /// False: it was told of before a restart.
    pub fresh: bool,
}

/// What was handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing: there is nothing to read at present.
    Nothing,
    /// Frames, with more to come.
    Frames,
    /// The last frames of a capture.
    Capture,
}

/// The capture being read.
struct Open {
    entry: Entry,
    stream: Stream,
    number: u64,
    /// What was read of it before.
    known: Option<Read>,
    /// Frames that are passed over.
    skip: u64,
    /// Frames before the first one that is not told of.
    told: u64,
    frames: u64,
    first_ns: Option<i64>,
}

/// A folder being read.
pub struct Folder {
    path: PathBuf,
    settle: Duration,
    state_file: Option<PathBuf>,
    once: bool,
    state: State,
    listing: Listing,
    queue: VecDeque<Entry>,
    look_at: Duration,
    tell_at: Duration,
    open: Option<Open>,
    opened: u64,
    /// The first frame that is not told of has not been reached since the start.
    resuming: bool,
    /// Captures read to their end of which not all is told, in the order of reading.
    untold: VecDeque<(u64, String, Read)>,
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
            Some(file) => State::read(file)?,
            None => State::default(),
        };
        let resuming = state.resume.is_some();
        Ok(Self {
            path,
            settle,
            state_file,
            once,
            state,
            listing: Listing::default(),
            queue: VecDeque::new(),
            look_at: Duration::ZERO,
            tell_at: Duration::ZERO,
            open: None,
            opened: 0,
            resuming,
            untold: VecDeque::new(),
            waiting: true,
            counts: FolderCounts::default(),
        })
    }

    /// What was read so far.
    pub fn counts(&self) -> FolderCounts {
        self.counts
    }

    /// Whether it is kept over restarts what was read.
    pub fn is_kept(&self) -> bool {
        self.state_file.is_some()
    }

    /// Whether a restart has not yet come to where it left off.
    pub fn is_resuming(&self) -> bool {
        self.resuming
    }

    /// What was told before this start, where that was kept.
    pub fn told(&self) -> Option<Told> {
        self.state.told
    }

    /// Whether a folder that is read once holds nothing unread.
    pub fn done(&self) -> bool {
        self.once && self.open.is_none() && self.queue.is_empty() && !self.waiting
    }

    /// Hands on the next frames. A damaged file and a folder that cannot be read for a while are
    /// counted and told.
    pub fn read(&mut self, mut each: impl FnMut(FolderFrame<'_>)) -> Taken {
        if self.open.is_none() {
            self.open = self.next_capture();
        }
        let Some(open) = &mut self.open else { return Taken::Nothing };
        for _ in 0..BURST {
            let ended = match open.stream.next_frame() {
                Some(Ok(frame)) => {
                    if frame.index == 0 {
                        open.first_ns = Some(frame.ts_ns);
                        (open.skip, open.told) =
                            begin(open.known.as_ref(), &self.state, &open.entry, frame.ts_ns);
                    }
                    let resumes = |resume: &Resume| resume.name == open.entry.name;
                    if frame.index >= open.told && self.state.resume.as_ref().is_some_and(resumes) {
                        self.resuming = false;
                    }
                    open.frames = frame.index + 1;
                    if frame.index >= open.skip {
                        let fresh = frame.index >= open.told;
                        *(if fresh { &mut self.counts.frames } else { &mut self.counts.reread }) +=
                            1;
                        let place = Place { capture: open.number, frame: frame.index };
                        each(FolderFrame { frame: &frame, place, fresh });
                    }
                    continue;
                }
                Some(Err(error)) => Some(error),
                None => None,
            };
            self.close(ended);
            return Taken::Capture;
        }
        Taken::Frames
    }

    /// Notes that everything before `first` is told, and safe with whoever takes it; without a place,
    /// everything read. Until a restart has come to where it left off, what was noted before stays.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn keep(&mut self, first: Option<Place>, told: Told) -> Result<(), EdgeError> {
        if self.resuming {
            return Ok(());
        }
        let mut state = std::mem::take(&mut self.state);
        let done = state.done.len();
        let safe = |number: u64| first.is_none_or(|first| number < first.capture);
        while self.untold.front().is_some_and(|(number, ..)| safe(*number)) {
            if let Some((_, name, read)) = self.untold.pop_front() {
                state.done.insert(name, read);
            }
        }
        let resume = first.and_then(|first| {
            let ended = self.untold.iter().find(|(number, ..)| *number == first.capture);
            let (name, first_ns) = match (ended, &self.open) {
                (Some((_, name, read)), _) => (name, read.first_ns),
                (None, Some(open)) if open.number == first.capture => {
                    (&open.entry.name, open.first_ns)
                }
                _ => return None,
            };
            Some(Resume { name: name.clone(), first_ns, frames: first.frame })
        });
        let changed =
            state.resume != resume || state.told != Some(told) || state.done.len() != done;
        (state.resume, state.told) = (resume, Some(told));
        self.state = state;
        match &self.state_file {
            Some(file) if changed => self.state.write(file),
            _ => Ok(()),
        }
    }

    /// Takes what ended into the books.
    fn close(&mut self, ended: Option<CaptureError>) {
        let Some(open) = self.open.take() else { return };
        self.resuming &= self.state.resume.as_ref().is_some_and(|one| one.name != open.entry.name);
        let again = open.known.as_ref().filter(|known| known.first_ns == open.first_ns);
        if let Some(error) = &ended {
            let (path, error) = (open.entry.path.display(), error.to_string());
            tracing::warn!(%path, error, "the capture breaks off");
        }
        self.counts.damaged += u64::from(ended.is_some());
        match again {
            Some(known) => {
                // It stands in the books as it is now.
                let before = u64::from(known.damaged);
                self.counts.damaged = self.counts.damaged.saturating_sub(before);
                self.counts.grown += u64::from(open.frames > known.frames);
            }
            None => self.counts.files += 1,
        }
        let read = Read {
            size: open.entry.size,
            changed_ns: open.entry.changed_ns,
            frames: again.map_or(0, |known| known.frames).max(open.frames),
            first_ns: open.first_ns,
            damaged: ended.is_some(),
        };
        self.untold.push_back((open.number, open.entry.name, read));
    }

    fn known(&self, name: &str) -> Option<&Read> {
        let untold = self.untold.iter().rev().find(|(_, other, _)| other == name);
        untold.map(|(.., read)| read).or_else(|| self.state.done.get(name))
    }

    /// The oldest capture that is complete and not read.
    fn next_capture(&mut self) -> Option<Open> {
        loop {
            if self.queue.is_empty() {
                self.look();
            }
            let mut entry = self.queue.pop_front()?;
            let metadata = match fs::metadata(&entry.path) {
                Ok(metadata) => metadata,
                Err(_) => {
                    // Packed meanwhile, most likely: then it is found under the other name.
                    self.counts.gone += 1;
                    continue;
                }
            };
            (entry.size, entry.changed_ns) = looks(&metadata);
            let known = self.known(&entry.name).cloned();
            match captures::open(&entry.path) {
                Ok(stream) => {
                    self.opened += 1;
                    let number = self.opened;
                    let (skip, told, frames, first_ns) = (0, 0, 0, None);
                    return Some(Open {
                        entry,
                        stream,
                        number,
                        known,
                        skip,
                        told,
                        frames,
                        first_ns,
                    });
                }
                Err(error) => {
                    tracing::warn!("{error}");
                    self.counts.damaged += 1;
                    let Entry { name, size, changed_ns, .. } = entry;
                    let read = Read { size, changed_ns, frames: 0, first_ns: None, damaged: true };
                    self.opened += 1;
                    self.untold.push_back((self.opened, name, read));
                }
            }
        }
    }

    /// Looks which captures have come.
    fn look(&mut self) {
        let start = clock::monotonic();
        if start < self.look_at {
            return;
        }
        let found = self.listing.look(&self.path, self.settle);
        let now = clock::monotonic();
        self.look_at = now + LOOK_EVERY.max((now - start) * LOOK_SHARE);
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                self.counts.unreadable += 1;
                if now >= self.tell_at {
                    self.tell_at = now + TELL_EVERY;
                    tracing::warn!("{}", cannot_read(&self.path, &error));
                }
                return;
            }
        };
        self.counts.beyond = found.beyond;
        // A name that is gone may come back with other packets.
        if found.beyond == 0 {
            self.state.done.retain(|name, _| found.names.contains_key(name));
        }
        if let Some(resume) = self.state.resume.as_ref().filter(|_| self.resuming)
            && !found.names.contains_key(&resume.name)
        {
            let name = &resume.name;
            tracing::warn!(%name, "the capture is gone before all of it was told");
            (self.counts.gone, self.resuming) = (self.counts.gone + 1, false);
        }
        self.waiting = found.names.values().any(|rested| !rested);
        let (queue, rested) = (VecDeque::new(), found.rested);
        self.queue = rested.into_iter().fold(queue, |mut queue, entry| {
            let same = |read: &Read| (read.size, read.changed_ns) == (entry.size, entry.changed_ns);
            if !self.known(&entry.name).is_some_and(same) {
                queue.push_back(entry);
            }
            queue
        });
    }
}

/// Which frames of a capture are passed over, and which were told of before a restart.
fn begin(known: Option<&Read>, state: &State, entry: &Entry, first_ns: i64) -> (u64, u64) {
    let same = |other: Option<i64>| other == Some(first_ns);
    let skip = known.filter(|known| same(known.first_ns)).map_or(0, |known| known.frames);
    let resume = state.resume.as_ref();
    let resume = resume.filter(|resume| resume.name == entry.name && same(resume.first_ns));
    (skip, resume.map_or(0, |resume| resume.frames))
}

fn cannot_read(path: &Path, error: &io::Error) -> EdgeError {
    EdgeError::Settings(format!(
        "folder {}: {error}: check the path and its rights",
        path.display()
    ))
}

#[cfg(test)]
#[path = "folder/tests.rs"]
mod tests;
