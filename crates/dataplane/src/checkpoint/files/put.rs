//! Entries back to files: beside the place first, then exchanged with it in one step.

use std::fs::{FileTimes, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, lchown, symlink};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::stat::{Mode, SFlag, mknod};

use super::super::CheckpointError;
use super::super::manifest::{Entry, What};
use super::super::store::Store;
use super::read_path;
use crate::sys::xattr;

/// Writes the entries of a checkpoint below `root`, which is made and must not be there.
///
/// # Errors
/// A chunk is not what was taken, a path leaves the root, or the file system refuses.
pub fn put(
    store: &Store,
    counter: u64,
    entries: &[Entry],
    root: &Path,
) -> Result<(), CheckpointError> {
    std::fs::create_dir(root).map_err(CheckpointError::io(root))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = place(counter, entry, root)?;
        match &entry.what {
            What::Folder { opaque } => {
                if path != root {
                    std::fs::create_dir(&path).map_err(CheckpointError::io(&path))?;
                }
                if *opaque {
                    xattr::set_opaque(&path).map_err(CheckpointError::io(&path))?;
                }
                // Times and permissions last: what is written into a folder changes the first, and may not be allowed
                // by the second.
                folders.push((path, entry));
                continue;
            }
            What::File { chunks, .. } => file(store, counter, chunks, &path)?,
            What::Link { target } => {
                let target = read_path(target)
                    .ok_or_else(|| refused(counter, format!("{} points nowhere", entry.path)))?;
                symlink(target, &path).map_err(CheckpointError::io(&path))?;
            }
            What::Whiteout => {
                let made = mknod(&path, SFlag::S_IFCHR, Mode::empty(), 0);
                made.map_err(|cause| CheckpointError::io(&path)(cause.into()))?;
            }
        }
        finish(&path, entry)?;
    }
    for (path, entry) in folders.into_iter().rev() {
        finish(&path, entry)?;
    }
    Ok(())
}

fn refused(counter: u64, reason: String) -> CheckpointError {
    CheckpointError::Refused { counter, reason }
}

/// Where an entry goes: below the root, whatever it says.
fn place(counter: u64, entry: &Entry, root: &Path) -> Result<PathBuf, CheckpointError> {
    let below = read_path(&entry.path)
        .filter(|path| path.components().all(|part| matches!(part, Component::Normal(_))))
        .ok_or_else(|| refused(counter, format!("the path '{}' leaves its place", entry.path)))?;
    let path = if below.as_os_str().is_empty() { root.to_path_buf() } else { root.join(below) };
    // No link on the way: an entry below a link would be written somewhere else.
    let parent = path.parent().filter(|_| path != root).unwrap_or(root);
    let plain = std::fs::symlink_metadata(parent).map_err(CheckpointError::io(parent))?.is_dir();
    if !plain {
        return Err(refused(counter, format!("'{}' stands below what is no folder", entry.path)));
    }
    Ok(path)
}

fn file(
    store: &Store,
    counter: u64,
    chunks: &[String],
    path: &Path,
) -> Result<(), CheckpointError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(CheckpointError::io(path))?;
    for digest in chunks {
        let bytes = store.chunk(counter, digest)?;
        file.write_all(&bytes).map_err(CheckpointError::io(path))?;
    }
    Ok(())
}

/// Owner, permissions and time of change, as far as this process may give them.
fn finish(path: &Path, entry: &Entry) -> Result<(), CheckpointError> {
    if let Err(error) = lchown(path, Some(entry.uid), Some(entry.gid))
        && error.kind() != std::io::ErrorKind::PermissionDenied
    {
        return Err(CheckpointError::io(path)(error));
    }
    if matches!(entry.what, What::Link { .. } | What::Whiteout) {
        return Ok(());
    }
    let since = Duration::from_nanos(u64::try_from(entry.mtime_ns).unwrap_or(0));
    let times = FileTimes::new().set_modified(UNIX_EPOCH + since);
    let set = || -> std::io::Result<()> {
        std::fs::File::open(path)?.set_times(times)?;
        std::fs::set_permissions(path, Permissions::from_mode(entry.mode))
    };
    set().map_err(CheckpointError::io(path))
}

/// Puts `fresh` where `place` is, in one step where the file system can, and removes what was there.
///
/// # Errors
/// The file system refuses.
pub fn exchange(fresh: &Path, place: &Path) -> Result<(), CheckpointError> {
    if !place.exists() {
        return std::fs::rename(fresh, place).map_err(CheckpointError::io(place));
    }
    let swapped = renameat2(AT_FDCWD, fresh, AT_FDCWD, place, RenameFlags::RENAME_EXCHANGE);
    if swapped.is_err() {
        // A file system that cannot: between two renames the place is empty, and a start after a crash in between
        // begins the restore again.
        let old = fresh.with_extension("old");
        std::fs::rename(place, &old).map_err(CheckpointError::io(place))?;
        std::fs::rename(fresh, place).map_err(CheckpointError::io(place))?;
        std::fs::rename(&old, fresh).map_err(CheckpointError::io(&old))?;
    }
    super::super::store::sync(place)?;
    remove(fresh)
}

/// Removes a file or a folder with all in it; nothing there is no error.
pub(crate) fn remove(path: &Path) -> Result<(), CheckpointError> {
    let gone = match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CheckpointError::io(path)(error))
        }
        _ => Ok(()),
    }
}
