//! Reading a backup: every byte is hashed, every path looked at, nothing is believed before the signed manifest.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path};

use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::archive::{
    ABOUT, About, DATABASE, FORM, Hashing, Line, MANIFEST, MAX_FILES, SIGNATURE, SIGNED, line,
};
use crate::error::BackupError;
use crate::sealing::Opening;

/// Largest `about.json`, bytes.
const MAX_ABOUT_BYTES: u64 = 64 << 10;
/// Largest manifest, bytes: a line of [`MAX_FILES`] files each.
const MAX_MANIFEST_BYTES: u64 = 128 << 20;
/// Longest path inside, bytes.
const MAX_PATH_BYTES: usize = 1_024;

/// What reading a whole backup showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// What it says of itself; signed with the files.
    pub about: About,
    /// Files read, each with the digest that the manifest has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What SQLite says of the database inside: `ok`, or its first complaints.
    pub database: String,
    /// Whether the file came through a seal.
    pub sealed: bool,
}

/// Where files go while they are read.
pub(crate) enum Into<'a> {
    /// All of them into this folder, which is empty.
    Folder(&'a Path),
    /// The database alone into this folder; the rest is only hashed.
    DatabaseOnly(&'a Path),
}

impl Into<'_> {
    fn folder_for(&self, path: &str) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::DatabaseOnly(folder) => (path == DATABASE).then_some(*folder),
        }
    }
}

/// Reads the backup to its end.
///
/// # Errors
/// It is sealed and does not open; it was cut off, altered, or holds what a backup never holds; the text names the entry.
pub(crate) fn read(file: &Path, opening: &Opening, to: &Into<'_>) -> Result<Checked, BackupError> {
    let input = File::open(file).map_err(BackupError::io(file))?;
    let sealed = starts_sealed(file)?;
    let opened = opening.unwrap(io::BufReader::new(input))?;
    let mut archive = tar::Archive::new(GzDecoder::new(opened));
    let mut entries = archive.entries().map_err(cut_off)?;
    let (about, said) = first(&mut entries)?;
    let mut seen = Seen { about: Some(line(ABOUT, &said)), ..Seen::default() };
    loop {
        let mut entry = next(&mut entries)?
            .ok_or_else(|| damaged("the backup ends before its manifest: it was cut off"))?;
        let path = path_of(&entry)?;
        if path == MANIFEST {
            let manifest = small(&mut entry, MANIFEST, MAX_MANIFEST_BYTES)?;
            drop(entry);
            seen.compare(&manifest)?;
            signed(&about, &manifest, &mut entries)?;
            break;
        }
        seen.take(&about, path, &mut entry, to)?;
    }
    // The checksum of the packing and the end of the seal stand behind the last entry.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(cut_off)?;
    seen.complete(&about)?;
    Ok(Checked {
        about,
        files: seen.lines.len() as u64,
        bytes: seen.bytes,
        database: String::new(),
        sealed,
    })
}

fn starts_sealed(file: &Path) -> Result<bool, BackupError> {
    let mut start = [0; 4];
    let mut input = File::open(file).map_err(BackupError::io(file))?;
    let read = input.read(&mut start).map_err(BackupError::io(file))?;
    Ok(&start[..read] == b"age-")
}

#[derive(Default)]
struct Seen {
    /// What it says of itself stands in the manifest too.
    about: Option<Line>,
    lines: Vec<Line>,
    names: HashSet<String>,
    bytes: u64,
}

impl Seen {
    fn take(
        &mut self,
        about: &About,
        path: String,
        entry: &mut tar::Entry<'_, impl Read>,
        to: &Into<'_>,
    ) -> Result<(), BackupError> {
        if !self.names.insert(path.clone()) {
            return Err(damaged(format!("'{path}' stands in the backup twice")));
        }
        if !about.keys && path.starts_with("keys/") {
            return Err(damaged(format!("'{path}' stands in a backup that says it has no keys")));
        }
        let left = about.bytes.saturating_sub(self.bytes);
        if entry.size() > left || self.lines.len() as u64 >= about.files {
            return Err(damaged(format!("'{path}' is more than the backup says it holds")));
        }
        let mut reader = Hashing { input: entry.take(left), digest: Sha256::new(), bytes: 0 };
        match to.folder_for(&path) {
            None => io::copy(&mut reader, &mut io::sink()).map_err(cut_off)?,
            Some(folder) => {
                let target = folder.join(&path);
                let mut out = make(&target, path.starts_with("keys/"))?;
                let copied = io::copy(&mut reader, &mut out).map_err(cut_off)?;
                out.flush().and_then(|()| out.sync_all()).map_err(BackupError::io(&target))?;
                copied
            }
        };
        self.bytes += reader.bytes;
        let (bytes, sha256) = (reader.bytes, hex::encode(reader.digest.finalize()));
        self.lines.push(Line { path, bytes, sha256 });
        Ok(())
    }

    fn compare(&self, manifest: &[u8]) -> Result<(), BackupError> {
        let wanted: Vec<Line> = serde_json::from_slice(manifest)
            .map_err(|cause| damaged(format!("{MANIFEST} cannot be read: {cause}")))?;
        let mut all = self.about.iter().chain(&self.lines);
        if let Some((is, said)) = all.by_ref().zip(&wanted).find(|(is, said)| is != said) {
            let text = if is.path == said.path {
                format!("'{}' is not what was written: its digest differs", is.path)
            } else {
                format!("'{}' stands where the manifest has '{}'", is.path, said.path)
            };
            return Err(damaged(text));
        }
        if self.lines.len() + 1 != wanted.len() {
            let text =
                format!("{} files, but the manifest has {}", self.lines.len() + 1, wanted.len());
            return Err(damaged(text));
        }
        Ok(())
    }

    fn complete(&self, about: &About) -> Result<(), BackupError> {
        if self.bytes != about.bytes || self.lines.len() as u64 != about.files {
            return Err(damaged("the backup holds less than it says"));
        }
        if !self.names.contains(DATABASE) {
            return Err(damaged("the backup has no database"));
        }
        Ok(())
    }
}

/// A new file with its folders, for the owner alone.
fn make(target: &Path, secret: bool) -> Result<File, BackupError> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(BackupError::io(folder))?;
    }
    let mode = if secret { 0o600 } else { 0o640 };
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(target);
    opened.map_err(BackupError::io(target))
}

type Entries<'a, R> = tar::Entries<'a, R>;

fn next<'a, R: Read>(
    entries: &mut Entries<'a, R>,
) -> Result<Option<tar::Entry<'a, R>>, BackupError> {
    entries.next().transpose().map_err(cut_off)
}

fn first<R: Read>(entries: &mut Entries<'_, R>) -> Result<(About, Vec<u8>), BackupError> {
    let entry = next(entries)?.ok_or_else(|| damaged("the file is empty"))?;
    let mut entry = entry;
    if path_of(&entry)? != ABOUT {
        return Err(damaged("this is no backup of a node: it does not begin with about.json"));
    }
    let text = small(&mut entry, ABOUT, MAX_ABOUT_BYTES)?;
    let about: About = serde_json::from_slice(&text)
        .map_err(|cause| damaged(format!("{ABOUT} cannot be read: {cause}")))?;
    if about.form > FORM {
        return Err(BackupError::Invalid(format!(
            "the backup has form {}, this program knows {FORM}: it was made by a newer one ({})",
            about.form, about.program
        )));
    }
    if about.files > MAX_FILES {
        return Err(damaged(format!("it says that it holds more than {MAX_FILES} files")));
    }
    Ok((about, text))
}

fn signed<R: Read>(
    about: &About,
    manifest: &[u8],
    entries: &mut Entries<'_, R>,
) -> Result<(), BackupError> {
    let mut entry = next(entries)?.ok_or_else(|| damaged("the signature is missing"))?;
    if path_of(&entry)? != SIGNATURE {
        return Err(damaged("the signature is missing"));
    }
    let text = small(&mut entry, SIGNATURE, 256)?;
    drop(entry);
    let (mut key, mut signature) = ([0; 32], [0; 64]);
    hex::decode_to_slice(&about.public_key, &mut key)
        .map_err(|_| damaged("the public key in about.json cannot be read"))?;
    hex::decode_to_slice(&text, &mut signature)
        .map_err(|_| damaged("the signature cannot be read"))?;
    if !platform::keys::verify(&key, &[SIGNED, manifest].concat(), &signature) {
        return Err(damaged("the signature does not fit: the manifest was altered"));
    }
    if next(entries)?.is_some() {
        return Err(damaged("something stands behind the signature"));
    }
    Ok(())
}

fn small(entry: &mut impl Read, name: &str, limit: u64) -> Result<Vec<u8>, BackupError> {
    let mut text = vec![];
    entry.take(limit + 1).read_to_end(&mut text).map_err(cut_off)?;
    if text.len() as u64 > limit {
        return Err(damaged(format!("{name} has more than {limit} bytes")));
    }
    Ok(text)
}

/// The path of an entry: a plain file, below the folder, by normal names alone.
fn path_of(entry: &tar::Entry<'_, impl Read>) -> Result<String, BackupError> {
    let path = entry.path().map_err(|cause| damaged(format!("a path cannot be read: {cause}")))?;
    let shown: String = path.to_string_lossy().chars().take(200).collect();
    if entry.header().entry_type() != tar::EntryType::Regular {
        return Err(damaged(format!("'{shown}' is no plain file")));
    }
    let normal = path.components().all(|part| matches!(part, Component::Normal(_)));
    let text =
        path.to_str().filter(|text| normal && text.len() <= MAX_PATH_BYTES && !text.is_empty());
    text.map(str::to_owned)
        .ok_or_else(|| damaged(format!("'{shown}' is no path that a backup may hold")))
}

fn damaged(text: impl std::convert::Into<String>) -> BackupError {
    BackupError::Damaged(text.into())
}

fn cut_off(cause: io::Error) -> BackupError {
    BackupError::Damaged(format!("the backup cannot be read on: {cause}"))
}
