//! The folder where backups lie: what is there, what is whole, what goes.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::BackupError;

/// Backups listed at most.
const MAX_LISTED: usize = 500;
const ENDINGS: [&str; 2] = [".tar.gz", ".tar.gz.age"];
const BEFORE_UPGRADE: &str = "before-upgrade-";

/// What is known of a backup besides its bytes; lies beside it as `NAME.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// When it was made, UTC.
    pub made_at: String,
    /// Who asked for it; `system` when it was made by itself.
    pub by: String,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Whether `keys/` is inside.
    pub keys: bool,
    /// When it was last read through, UTC.
    #[serde(default)]
    pub verified_at: Option<String>,
    /// What that showed: `sound`, or what is wrong.
    #[serde(default)]
    pub verdict: Option<String>,
}

/// A backup on the shelf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Shelved {
    /// File name.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// `backup`, or `before upgrade`: a bare copy of the database, made before its tables changed.
    pub kind: &'static str,
    /// What is known of it.
    #[serde(flatten)]
    pub note: Note,
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// Opens the folder, making it where it is missing, and clears away what a dead process left half written.
    ///
    /// # Errors
    /// It cannot be made or read.
    pub fn open(folder: PathBuf) -> Result<Self, BackupError> {
        fs::create_dir_all(&folder).map_err(BackupError::io(&folder))?;
        let shelf = Self(folder);
        for name in shelf.names()? {
            if name.ends_with(".part") {
                let _ = fs::remove_file(shelf.0.join(name));
            }
        }
        Ok(shelf)
    }

    /// The folder's path.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    fn names(&self) -> Result<Vec<String>, BackupError> {
        let entries = fs::read_dir(&self.0).map_err(BackupError::io(&self.0))?;
        Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    /// What lies here, newest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Shelved>, BackupError> {
        let mut all: Vec<Shelved> =
            self.names()?.into_iter().filter_map(|name| self.look(&name)).collect();
        all.sort_by(|a, b| (&b.note.made_at, &b.name).cmp(&(&a.note.made_at, &a.name)));
        all.truncate(MAX_LISTED);
        Ok(all)
    }

    pub(crate) fn look(&self, name: &str) -> Option<Shelved> {
        let upgrade = before_upgrade(name);
        if upgrade.is_none() && !is_backup(name) {
            return None;
        }
        let bytes = fs::metadata(self.0.join(name)).ok()?.len();
        let note = fs::read(self.0.join(format!("{name}.json"))).ok();
        let mut note: Note =
            note.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        if let (Some(at), true) = (upgrade, note.made_at.is_empty()) {
            note.made_at = at.to_string();
            note.by = "system".into();
        }
        note.sealed |= name.ends_with(".age");
        let kind = if upgrade.is_some() { "before upgrade" } else { "backup" };
        Some(Shelved { name: name.to_owned(), bytes, kind, note })
    }

    /// The path of a backup that is here.
    ///
    /// # Errors
    /// The name is none of a backup, or there is none of that name.
    pub fn find(&self, name: &str) -> Result<PathBuf, BackupError> {
        let path = self.0.join(name);
        if (is_backup(name) || before_upgrade(name).is_some()) && path.is_file() {
            return Ok(path);
        }
        Err(BackupError::NotFound(name.chars().take(100).collect()))
    }

    /// Writes what is known of a backup.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn note(&self, name: &str, note: &Note) -> Result<(), BackupError> {
        let path = self.0.join(format!("{name}.json"));
        let fresh = self.0.join(format!("{name}.json.part"));
        let text =
            serde_json::to_vec(note).map_err(|cause| BackupError::Invalid(cause.to_string()))?;
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&fresh)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(BackupError::io(&path))
    }

    /// Takes one away, with its note.
    ///
    /// # Errors
    /// There is none, or the file system refuses.
    pub fn remove(&self, name: &str) -> Result<(), BackupError> {
        let path = self.find(name)?;
        fs::remove_file(&path).map_err(BackupError::io(&path))?;
        let _ = fs::remove_file(self.0.join(format!("{name}.json")));
        Ok(())
    }

    /// Takes away the oldest that were made by themselves, beyond `keep`, and copies made before upgrades beyond
    /// `keep_before_upgrade`. Returns what went.
    ///
    /// # Errors
    /// The folder cannot be read, or one cannot be removed.
    pub fn sweep(&self, keep: u32, keep_before_upgrade: u32) -> Result<Vec<String>, BackupError> {
        let mut gone = vec![];
        let (mut own, mut upgrades) = (0, 0);
        for backup in self.list()? {
            let (count, limit) = match backup.kind {
                "backup" if backup.note.by == "system" => (&mut own, keep),
                "backup" => continue,
                _ => (&mut upgrades, keep_before_upgrade),
            };
            *count += 1;
            if *count > limit {
                self.remove(&backup.name)?;
                gone.push(backup.name);
            }
        }
        Ok(gone)
    }
}

/// A moment as it stands in a file name.
pub(crate) fn stamp(at: Timestamp) -> String {
    let text = at.to_millis_text();
    text.chars().filter(|c| c.is_ascii_digit() || matches!(c, 'T' | 'Z')).collect()
}

/// The name of a backup made at `at`.
pub(crate) fn name(at: Timestamp, sealed: bool) -> String {
    format!("sereno-{}{}", stamp(at), ENDINGS[usize::from(sealed)])
}

fn is_backup(name: &str) -> bool {
    let middle = name
        .strip_prefix("sereno-")
        .and_then(|rest| ENDINGS.iter().find_map(|ending| rest.strip_suffix(ending)));
    middle.is_some_and(|text| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, 'T' | 'Z'))
    })
}

fn before_upgrade(name: &str) -> Option<Timestamp> {
    let micros = name.strip_prefix(BEFORE_UPGRADE)?.strip_suffix(".db")?.parse().ok()?;
    Some(Timestamp::from_micros(micros))
}
