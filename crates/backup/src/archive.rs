//! The form of a backup: a tar of the data folder, packed with gzip, sealed on request.
//!
//! ```text
//! about.json      who made it, when, how much follows
//! sereno.db       the database as one moment saw it
//! blobs/… policies/… keys/…   (keys only where they were asked for, and then only sealed)
//! manifest.json   size and SHA-256 of every file before it
//! manifest.sig    the node's Ed25519 signature over the manifest
//! ```
//!
//! The manifest comes last because files are hashed while they are written: one pass, bounded memory. What has no
//! manifest was cut off and is refused.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::error::BackupError;
use crate::sealing::Seal;

/// Version of this form.
pub const FORM: u32 = 1;
/// Files of one backup at most.
pub const MAX_FILES: u64 = 500_000;
/// Folders within folders at most.
const MAX_DEPTH: usize = 16;
/// The first entry.
pub(crate) const ABOUT: &str = "about.json";
/// The last but one.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The last.
pub(crate) const SIGNATURE: &str = "manifest.sig";
/// The database inside.
pub(crate) const DATABASE: &str = "sereno.db";
/// Put before the manifest when it is signed, so that no other signature of the node fits.
pub(crate) const SIGNED: &[u8] = b"sereno backup manifest 1\0";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// Version of the form.
    pub form: u32,
    /// The node's id.
    pub node: String,
    /// The organisation's name.
    pub name: String,
    /// Version of the program that made it.
    pub program: String,
    /// When, UTC.
    pub made_at: String,
    /// The node's public key, hex.
    pub public_key: String,
    /// Whether `keys/` is inside.
    pub keys: bool,
    /// Files that follow, without manifest and signature.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// What stood in the folder and was left out because it is no plain file.
    pub skipped: u64,
}

/// One file as the manifest has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// A file that shall be in the backup.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) path: String,
    pub(crate) from: PathBuf,
    pub(crate) bytes: u64,
}

/// The files of a data folder besides the database: first the small ones, blobs behind them.
///
/// # Errors
/// A folder cannot be read, or there are more than [`MAX_FILES`].
pub(crate) fn plan(root: &Path, keys: bool) -> Result<(Vec<Planned>, u64), BackupError> {
    let mut found = vec![];
    let mut skipped = 0;
    let mut folders = vec![(root.to_path_buf(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(BackupError::io(&folder))? {
            let entry = entry.map_err(BackupError::io(&folder))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                skipped += 1;
                continue;
            };
            if depth == 0 && left_out(&name, keys) || name.ends_with(".new") {
                continue;
            }
            let kind = entry.file_type().map_err(BackupError::io(&entry.path()))?;
            let path = format!("{prefix}{name}");
            if kind.is_dir() && depth < MAX_DEPTH {
                folders.push((entry.path(), format!("{path}/"), depth + 1));
            } else if kind.is_file() {
                let bytes = entry.metadata().map_err(BackupError::io(&entry.path()))?.len();
                found.push(Planned { path, from: entry.path(), bytes });
            } else {
                skipped += 1;
            }
        }
        if found.len() as u64 > MAX_FILES {
            let text = format!("the data folder has more than {MAX_FILES} files");
            return Err(BackupError::Invalid(text));
        }
    }
    found.sort_by(|a, b| {
        (a.path.starts_with("blobs/"), &a.path).cmp(&(b.path.starts_with("blobs/"), &b.path))
    });
    Ok((found, skipped))
}

/// What of the folder's first level is never copied as it lies there.
fn left_out(name: &str, keys: bool) -> bool {
    // The database is copied as a snapshot; its files under a running node are of no moment.
    matches!(name, "run" | "backups" | "lock")
        || name.starts_with("sereno.db")
        || name == "keys" && !keys
}

/// Writes the archive; returns the manifest's digest in hex.
///
/// # Errors
/// A file vanished or changed its size while it was read, or a file cannot be read or written.
pub(crate) fn write(
    about: &About,
    files: &[Planned],
    seal: &Seal,
    signer: &dyn ports::Signer,
    out: File,
    mut progress: impl FnMut(u64),
) -> Result<String, BackupError> {
    let broken = |cause: io::Error| BackupError::Io { place: "the backup".into(), cause };
    let sealed = seal.wrap(io::BufWriter::new(out)).map_err(broken)?;
    let mut tar = tar::Builder::new(GzEncoder::new(sealed, Compression::fast()));
    let said = json(about)?;
    append(&mut tar, ABOUT, &said).map_err(broken)?;
    let mut manifest = Vec::with_capacity(files.len() + 1);
    manifest.push(line(ABOUT, &said));
    let mut done = 0;
    for file in files {
        manifest.push(copy(&mut tar, file)?);
        done += file.bytes;
        progress(done);
    }
    let manifest = json(&manifest)?;
    append(&mut tar, MANIFEST, &manifest).map_err(broken)?;
    let signature = signer.sign(&[SIGNED, &manifest].concat());
    append(&mut tar, SIGNATURE, hex::encode(signature).as_bytes()).map_err(broken)?;
    let finish = || -> io::Result<()> {
        let out = tar.into_inner()?.finish()?.finish()?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    };
    finish().map_err(broken)?;
    Ok(hex::encode(Sha256::digest(&manifest)))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, BackupError> {
    serde_json::to_vec(value).map_err(|cause| BackupError::Invalid(cause.to_string()))
}

/// The manifest's line of a text that is at hand.
pub(crate) fn line(path: &str, content: &[u8]) -> Line {
    let sha256 = hex::encode(Sha256::digest(content));
    Line { path: path.to_owned(), bytes: content.len() as u64, sha256 }
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_cksum();
    header
}

fn append(tar: &mut tar::Builder<impl Write>, name: &str, content: &[u8]) -> io::Result<()> {
    tar.append_data(&mut header(content.len() as u64), name, content)
}

/// One file, hashed on its way.
fn copy(tar: &mut tar::Builder<impl Write>, file: &Planned) -> Result<Line, BackupError> {
    let input = File::open(&file.from).map_err(BackupError::io(&file.from))?;
    let mut reader = Hashing { input: input.take(file.bytes), digest: Sha256::new(), bytes: 0 };
    tar.append_data(&mut header(file.bytes), &file.path, &mut reader)
        .map_err(BackupError::io(&file.from))?;
    if reader.bytes != file.bytes {
        let text = format!("{} became shorter while it was read; try again", file.path);
        return Err(BackupError::Busy(text));
    }
    Ok(Line {
        path: file.path.clone(),
        bytes: file.bytes,
        sha256: hex::encode(reader.digest.finalize()),
    })
}

/// Hashes what passes through.
pub(crate) struct Hashing<R> {
    pub(crate) input: R,
    pub(crate) digest: Sha256,
    pub(crate) bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        self.digest.update(&into[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}
