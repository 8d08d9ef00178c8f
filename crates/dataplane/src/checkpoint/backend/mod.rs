//! What keeps the state of a service: one file each, in one visible list.

mod criu;
mod folder;
mod machine;
mod qmp;

use std::path::{Path, PathBuf};

use model::Timestamp;

use super::CheckpointError;
use super::manifest::Entry;
use super::protect::{BackendSettings, ServiceSettings};
use super::store::{Store, Writer};

/// A back-end as `sereno-edge checkpoint backends` tells of it.
pub struct Kind {
    /// Its name in declarations.
    pub name: &'static str,
    /// What it keeps, one sentence.
    pub keeps: &'static str,
    /// Does it work on this machine? Otherwise why not, and what to do.
    pub works: fn() -> Result<(), String>,
}

/// Every back-end.
pub fn all() -> [Kind; 5] {
    [
        Kind {
            name: "state",
            keeps: "a folder of an application, quieted by its own programs or frozen",
            works: || Ok(()),
        },
        Kind {
            name: "overlay",
            keeps: "the upper layer of an overlay that the agent mounts over a clean base",
            works: folder::overlay_works,
        },
        Kind {
            name: "btrfs",
            keeps: "a btrfs subvolume, frozen only as long as a snapshot takes",
            works: folder::btrfs_works,
        },
        Kind {
            name: "machine",
            keeps: "a virtual machine under QEMU with memory and raw disks",
            works: machine::works,
        },
        Kind { name: "criu", keeps: "a process tree with its memory", works: criu::works },
    ]
}

/// What a back-end took.
#[derive(Debug)]
pub struct Frozen {
    /// The state.
    pub entries: Vec<Entry>,
    /// When it was frozen.
    pub at: Timestamp,
    /// How long the service stood still, microseconds.
    pub frozen_us: u64,
    /// Bytes the chunks added to the store.
    pub new_bytes: u64,
    /// Things that were left out.
    pub left_out: u64,
}

/// Keeps and gives back the state of one service, and runs it.
pub trait Backend: Send {
    /// Its name in declarations.
    fn name(&self) -> &'static str;
    /// Starts the service: as it is, or from what [`Self::put_back`] laid ready.
    ///
    /// # Errors
    /// It cannot be started.
    fn start(&mut self) -> Result<(), CheckpointError>;
    /// Does it run?
    fn alive(&mut self) -> bool;
    /// Lets it stand still, so that its state can be looked at after it was interrupted; [`Self::end`] follows.
    ///
    /// # Errors
    /// It does not stand still; it may be ended all the same.
    fn hold(&mut self) -> Result<(), CheckpointError>;
    /// Ends it at once.
    ///
    /// # Errors
    /// It is still there.
    fn end(&mut self) -> Result<(), CheckpointError>;
    /// Takes its state; it goes on afterwards unless `held` says that it stands still already and shall.
    ///
    /// # Errors
    /// It does not stand still, or the state cannot be read or kept. It goes on.
    fn take(&mut self, store: &mut Store, held: bool) -> Result<Frozen, CheckpointError>;
    /// Puts a state in the place of the present one; the service does not run.
    ///
    /// # Errors
    /// What is in the store is not what was taken, or the file system refuses; the present state is still there.
    fn put_back(
        &mut self,
        store: &Store,
        counter: u64,
        entries: &[Entry],
    ) -> Result<(), CheckpointError>;
    /// Puts the declared clean base in the place of the present state.
    ///
    /// # Errors
    /// None is declared, or it cannot be read.
    fn put_clean(&mut self, store: &mut Store) -> Result<(), CheckpointError>;
    /// Seconds of processor time used since it was started, where that is known.
    fn busy_s(&self) -> Option<f64>;
}

/// The back-end of a service. `notes` is the agent's folder for what must survive it.
///
/// # Errors
/// It does not work here; the text says why.
pub fn open(service: &ServiceSettings, notes: &Path) -> Result<Box<dyn Backend>, CheckpointError> {
    let process = super::supervise::Process::new(
        &service.name,
        &service.command,
        service.folder.as_deref(),
        notes,
    );
    let clean = service.clean.clone();
    Ok(match &service.keep {
        BackendSettings::State { state, quiesce, resume } => {
            let quiet = quiesce.clone().zip(resume.clone());
            Box::new(folder::Folder::plain(process, state.clone(), quiet, clean))
        }
        BackendSettings::Overlay { lower, upper, work, merged } => {
            let paths = [lower, upper, work, merged].map(PathBuf::clone);
            Box::new(folder::Folder::overlay(process, paths, clean)?)
        }
        BackendSettings::Btrfs { subvolume } => {
            Box::new(folder::Folder::btrfs(process, subvolume.clone(), clean)?)
        }
        BackendSettings::Machine { disks } => {
            Box::new(machine::Machine::new(process, disks.clone(), notes, &service.name)?)
        }
        BackendSettings::Criu => Box::new(criu::Criu::new(process, notes, &service.name)?),
    })
}

/// Chunks of a state that do not stand in another: bytes of work that going back to that one loses.
pub fn lost_bytes(present: &[Entry], kept: &[Entry], store: &Store) -> u64 {
    use super::manifest::What;
    let chunks = |entries: &[Entry]| -> std::collections::HashSet<String> {
        let files = entries.iter().filter_map(|entry| match &entry.what {
            What::File { chunks, .. } => Some(chunks.clone()),
            _ => None,
        });
        files.flatten().collect()
    };
    let there = chunks(kept);
    chunks(present).difference(&there).map(|digest| store.plain_size(digest)).sum()
}

/// Standing still, from here to there.
pub(crate) struct Still {
    at: Timestamp,
    since: std::time::Duration,
}

impl Still {
    pub(crate) fn begin() -> Self {
        Self { at: super::now(), since: crate::clock::monotonic() }
    }

    /// What was taken during it; the service goes on now.
    pub(crate) fn end(self, entries: Vec<Entry>, new_bytes: u64, left_out: u64) -> Frozen {
        let stood = crate::clock::monotonic().saturating_sub(self.since);
        let frozen_us = u64::try_from(stood.as_micros()).unwrap_or(u64::MAX);
        Frozen { entries, at: self.at, frozen_us, new_bytes, left_out }
    }
}

/// Entry of a file that the engine itself made, e.g. the image of a machine.
pub(crate) fn image(
    name: &str,
    path: &Path,
    writer: &mut Writer<'_>,
) -> Result<Entry, CheckpointError> {
    let file = std::fs::File::open(path).map_err(CheckpointError::io(path))?;
    let (chunks, size) = writer.stream(file)?;
    let what = super::manifest::What::File { size, chunks };
    Ok(Entry { path: name.to_owned(), what, mode: 0o600, uid: 0, gid: 0, mtime_ns: 0 })
}

/// Writes the file of an entry that [`image`] made.
pub(crate) fn put_image(
    store: &Store,
    counter: u64,
    entry: &Entry,
    path: &Path,
) -> Result<(), CheckpointError> {
    use std::io::Write;
    let super::manifest::What::File { chunks, .. } = &entry.what else {
        let reason = format!("{} is no file", entry.path);
        return Err(CheckpointError::Refused { counter, reason });
    };
    let fresh = path.with_extension("fresh");
    let mut file = std::fs::File::create(&fresh).map_err(CheckpointError::io(&fresh))?;
    for digest in chunks {
        let bytes = store.chunk(counter, digest)?;
        file.write_all(&bytes).map_err(CheckpointError::io(&fresh))?;
    }
    file.sync_all().map_err(CheckpointError::io(&fresh))?;
    std::fs::rename(&fresh, path).map_err(CheckpointError::io(path))
}
