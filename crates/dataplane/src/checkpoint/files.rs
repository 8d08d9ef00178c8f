//! A folder as entries and chunks, and back.
//!
//! Kept: files, folders, symbolic links, whiteouts, permissions, owners, times of change. Not kept: hard links (each name
//! becomes a file of its own), other extended attributes, sockets, pipes and devices: they are counted and told.

mod put;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::CheckpointError;
use super::manifest::{Entry, What};
use super::store::{MAX_ENTRIES, Writer};
use crate::sys::xattr;

pub(crate) use put::remove;
pub use put::{exchange, put};

/// Deepest folder below the root.
const MAX_DEPTH: usize = 256;
/// A file that changed less than this before it was read may have changed again within the clock's grain, nanoseconds.
const GRAIN_NS: i128 = 2_000_000_000;

/// What is known of files that were read before: who has not changed need not be read while the service stands still.
#[derive(Debug, Default)]
pub struct Known(HashMap<PathBuf, (Mark, Vec<String>)>);

/// What changes when a file's content does; the change time cannot be set by programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
}

impl Mark {
    fn of(meta: &Metadata) -> Self {
        let ns = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            inode: meta.ino(),
            size: meta.size(),
            modified_ns: ns(meta.mtime(), meta.mtime_nsec()),
            changed_ns: ns(meta.ctime(), meta.ctime_nsec()),
        }
    }

    fn settled(&self) -> bool {
        i128::from(crate::clock::realtime_ns()) - self.changed_ns > GRAIN_NS
    }
}

/// What was taken of a folder.
#[derive(Debug, Default)]
pub struct Taken {
    /// The entries, a folder before what it holds.
    pub entries: Vec<Entry>,
    /// Sockets, pipes and devices that were left out.
    pub left_out: u64,
}

/// Reads the folder into the store. Files that `known` has unchanged are not read again.
///
/// # Errors
/// Something cannot be read, or a bound is met. A file that vanishes meanwhile is no error: while the service runs, a
/// first pass only prepares.
pub fn take(
    root: &Path,
    writer: &mut Writer<'_>,
    known: &mut Known,
) -> Result<Taken, CheckpointError> {
    let mut taken = Taken::default();
    let mut seen = Known::default();
    let mut waiting = vec![(root.to_path_buf(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        let meta = match std::fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && depth > 0 => continue,
            Err(error) => return Err(CheckpointError::io(&path)(error)),
        };
        if taken.entries.len() >= MAX_ENTRIES || depth > MAX_DEPTH {
            return Err(CheckpointError::Limit(format!(
                "{}: more than {MAX_ENTRIES} entries or {MAX_DEPTH} folders deep: protect a smaller folder",
                root.display()
            )));
        }
        let Some(what) = what(&path, &meta, writer, (known, &mut seen))? else {
            taken.left_out += u64::from(!meta.file_type().is_file());
            continue;
        };
        if matches!(what, What::Folder { .. }) {
            for entry in std::fs::read_dir(&path).map_err(CheckpointError::io(&path))? {
                let entry = entry.map_err(CheckpointError::io(&path))?;
                waiting.push((entry.path(), depth + 1));
            }
        }
        let below = path.strip_prefix(root).unwrap_or(Path::new(""));
        taken.entries.push(Entry {
            path: write_path(below),
            what,
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            mtime_ns: meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec()),
        });
    }
    *known = seen;
    Ok(taken)
}

/// What stands at this place; `None` for what is not kept, and for what vanished.
fn what(
    path: &Path,
    meta: &Metadata,
    writer: &mut Writer<'_>,
    (known, seen): (&Known, &mut Known),
) -> Result<Option<What>, CheckpointError> {
    let kind = meta.file_type();
    if kind.is_dir() {
        return Ok(Some(What::Folder { opaque: xattr::is_opaque(path) }));
    }
    if kind.is_symlink() {
        let target = std::fs::read_link(path).map_err(CheckpointError::io(path))?;
        return Ok(Some(What::Link { target: write_path(&target) }));
    }
    if kind.is_char_device() && meta.rdev() == 0 {
        return Ok(Some(What::Whiteout));
    }
    if !kind.is_file() {
        return Ok(None);
    }
    let mark = Mark::of(meta);
    if let Some((before, chunks)) = known.0.get(path)
        && *before == mark
        && chunks.iter().all(|chunk| writer.knows(chunk))
    {
        let chunks = chunks.clone();
        seen.0.insert(path.to_path_buf(), (mark, chunks.clone()));
        return Ok(Some(What::File { size: meta.size(), chunks }));
    }
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CheckpointError::io(path)(error)),
    };
    let opened = file.metadata().map_err(CheckpointError::io(path))?;
    if (opened.ino(), opened.dev()) != (meta.ino(), meta.dev()) {
        // Exchanged between look and touch, perhaps for a link to what only we may read.
        return Ok(None);
    }
    let settled = mark.settled();
    let (chunks, size) = writer.stream(file)?;
    if settled && size == mark.size {
        seen.0.insert(path.to_path_buf(), (mark, chunks.clone()));
    }
    Ok(Some(What::File { size, chunks }))
}

/// Opens a file, and never what a link points to; a pipe that took its place does not hold us up.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

/// A path as text that JSON can carry and that comes back the same.
pub(crate) fn write_path(path: &Path) -> String {
    let mut text = String::new();
    for part in path.as_os_str().as_bytes().utf8_chunks() {
        for character in part.valid().chars() {
            if character == '%' || character.is_control() {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    text.push_str(&format!("%{byte:02x}"));
                }
            } else {
                text.push(character);
            }
        }
        for byte in part.invalid() {
            text.push_str(&format!("%{byte:02x}"));
        }
    }
    text
}

/// The path that [`write_path`] wrote; `None` when it is none.
pub(crate) fn read_path(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    while let Some((first, rest)) = left.split_first() {
        if *first == b'%' {
            let pair = rest.get(..2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
            left = rest.get(2..)?;
        } else {
            bytes.push(*first);
            left = rest;
        }
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_path_comes_back_and_any_text_is_a_path_or_none(bytes in proptest::collection::vec(1u8..=255, 0..40), text in ".{0,40}") {
            let path = PathBuf::from(OsString::from_vec(bytes));
            prop_assert_eq!(read_path(&write_path(&path)), Some(path));
            let _ = read_path(&text);
        }
    }
}
