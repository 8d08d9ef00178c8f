//! Making a backup while the node runs.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use model::event::BackupChanged;
use platform::db::DbError;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::archive::{self, About, DATABASE, FORM, Planned};
use crate::error::BackupError;
use crate::sealing::Seal;
use crate::shelf::{Note, Shelved, name};
use crate::{Backups, sound};

/// Room that must stay free on the disk, bytes.
const SPARE_BYTES: u64 = 64 << 20;
/// Progress is told each time so many bytes more are written.
const TOLD_EVERY_BYTES: u64 = 16 << 20;

/// What is asked for.
#[derive(Clone, Default)]
pub struct Wanted {
    /// Who may open it.
    pub seal: Seal,
    /// Whether `keys/` goes in.
    pub keys: bool,
    /// Who asks.
    pub by: String,
}

/// The one being made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Running {
    /// Its name once it is there.
    pub(crate) name: String,
    /// Bytes read so far; 0 while the database is copied.
    pub(crate) done: u64,
    /// Bytes to read; 0 while that is not known.
    pub(crate) of: u64,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the mark away, however the work ends.
struct Mark(Backups);

impl Drop for Mark {
    fn drop(&mut self) {
        *locked(&self.0.inner.running) = None;
    }
}

impl Backups {
    /// Begins a backup in the background and returns its name.
    ///
    /// # Errors
    /// Another is being made, or keys are asked for without a seal.
    pub fn begin(&self, wanted: Wanted) -> Result<String, BackupError> {
        let (name, mark, now) = self.mark(&wanted)?;
        let own = self.clone();
        let made = name.clone();
        self.inner.platform.tasks.spawn_draining("backup", async move {
            // What went wrong stands in the health of the room, and in the log.
            let _ = own.work(made, wanted, now, mark).await;
        });
        Ok(name)
    }

    /// Makes a backup and waits for it.
    ///
    /// # Errors
    /// As [`Backups::begin`], or why it could not be made.
    pub async fn make(&self, wanted: Wanted) -> Result<Shelved, BackupError> {
        let (name, mark, now) = self.mark(&wanted)?;
        self.work(name, wanted, now, mark).await
    }

    fn mark(&self, wanted: &Wanted) -> Result<(String, Mark, Timestamp), BackupError> {
        if wanted.keys && wanted.seal.is_open() {
            let text = "keys leave only sealed: give a passphrase or recipients";
            return Err(BackupError::Invalid(text.into()));
        }
        let now = self.inner.platform.now();
        let name = name(now, !wanted.seal.is_open());
        let mut running = locked(&self.inner.running);
        if let Some(other) = &*running {
            return Err(BackupError::Busy(format!("the backup {} is being made", other.name)));
        }
        *running = Some(Running { name: name.clone(), done: 0, of: 0 });
        drop(running);
        Ok((name, Mark(self.clone()), now))
    }

    async fn work(
        &self,
        name: String,
        wanted: Wanted,
        now: Timestamp,
        _mark: Mark,
    ) -> Result<Shelved, BackupError> {
        let snapshot = self.shelf().folder().join(format!("{name}.db.part"));
        let made = self.write(&name, &wanted, now, &snapshot).await;
        let _ = fs::remove_file(&snapshot);
        if made.is_err() {
            let _ = fs::remove_file(self.shelf().folder().join(format!("{name}.part")));
        }
        *locked(&self.inner.failed) = made
            .as_ref()
            .err()
            .map(|error| format!("the last backup failed: {error}"))
            .unwrap_or_default();
        match &made {
            Ok(one) => {
                #[allow(clippy::cast_precision_loss)] // a size for a chart
                metrics::gauge!("sereno_backup_bytes").set(one.bytes as f64);
                metrics::gauge!("sereno_backup_made_seconds").set(now.as_secs_f64());
                self.told(
                    &name,
                    format!("{} made {name}, {} bytes", wanted.by, one.bytes),
                    &wanted.by,
                )
                .await;
            }
            Err(error) => {
                tracing::error!(%error, backup = name, "a backup could not be made");
                self.told(&name, format!("{name} could not be made: {error}"), &wanted.by).await;
            }
        }
        self.inner.platform.live.send("backups", json!({ "name": name, "ended": true }));
        made
    }

    async fn write(
        &self,
        name: &str,
        wanted: &Wanted,
        now: Timestamp,
        snapshot: &Path,
    ) -> Result<Shelved, BackupError> {
        let platform = &self.inner.platform;
        let size = fs::metadata(platform.data.database()).map_or(0, |found| found.len());
        // The snapshot is as large as the database at most; packed, the rest takes no more than it does.
        self.room_for(size.saturating_mul(2) + SPARE_BYTES)?;
        sound::snapshot(&platform.data.database(), snapshot).await?;
        let note = Note {
            made_at: now.to_string(),
            by: wanted.by.clone(),
            sealed: !wanted.seal.is_open(),
            keys: wanted.keys,
            ..Note::default()
        };
        let own = self.clone();
        let (name, wanted, snapshot) = (name.to_owned(), wanted.clone(), snapshot.to_path_buf());
        let writing =
            tokio::task::spawn_blocking(move || own.pack(&name, &wanted, &note, &snapshot));
        writing.await.map_err(|cause| BackupError::Invalid(cause.to_string()))?
    }

    /// Packs snapshot and folder; runs on a thread of its own.
    fn pack(
        &self,
        name: &str,
        wanted: &Wanted,
        note: &Note,
        snapshot: &Path,
    ) -> Result<Shelved, BackupError> {
        let platform = &self.inner.platform;
        let bytes = fs::metadata(snapshot).map_err(BackupError::io(snapshot))?.len();
        let mut files =
            vec![Planned { path: DATABASE.into(), from: snapshot.to_path_buf(), bytes }];
        let (rest, skipped) = archive::plan(platform.data.root(), wanted.keys)?;
        files.extend(rest);
        let about = About {
            form: FORM,
            node: platform.node.id.to_string(),
            name: platform.node.name.clone(),
            program: env!("CARGO_PKG_VERSION").into(),
            made_at: note.made_at.clone(),
            public_key: hex::encode(platform.signer.public_key()),
            keys: wanted.keys,
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.bytes).sum(),
            skipped,
        };
        let part = self.shelf().folder().join(format!("{name}.part"));
        let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let out = out.map_err(BackupError::io(&part))?;
        let mut told = 0;
        archive::write(&about, &files, &wanted.seal, platform.signer.as_ref(), out, |done| {
            if done >= told + TOLD_EVERY_BYTES {
                told = done;
                self.progress(name, done, about.bytes);
            }
        })?;
        self.shelf().note(name, note)?;
        self.appear(&part, name)
    }

    fn appear(&self, part: &Path, name: &str) -> Result<Shelved, BackupError> {
        let folder = self.shelf().folder();
        let path: PathBuf = folder.join(name);
        fs::rename(part, &path).map_err(BackupError::io(&path))?;
        File::open(folder).and_then(|open| open.sync_all()).map_err(BackupError::io(folder))?;
        self.shelf().look(name).ok_or_else(|| BackupError::NotFound(name.to_owned()))
    }

    fn progress(&self, name: &str, done: u64, of: u64) {
        *locked(&self.inner.running) = Some(Running { name: name.to_owned(), done, of });
        let news = json!({ "name": name, "done": done, "of": of });
        self.inner.platform.live.send("backups", news);
    }

    fn room_for(&self, needed: u64) -> Result<(), BackupError> {
        let folder = self.shelf().folder();
        let Ok(found) = nix::sys::statvfs::statvfs(folder) else { return Ok(()) };
        let free = found.blocks_available().saturating_mul(found.fragment_size());
        if free >= needed {
            return Ok(());
        }
        Err(BackupError::NoSpace { place: folder.display().to_string(), free, needed })
    }

    /// Writes the fact; a backup that is there is not undone because the log could not be written.
    pub(crate) async fn told(&self, name: &str, detail: String, by: &str) {
        let fact = BackupChanged { backup: name.to_owned(), detail };
        let by = by.to_owned();
        let written: Result<(), DbError> = self
            .inner
            .platform
            .db
            .write(move |tx| Box::pin(async move { tx.publish(&by, &fact).await.map(drop) }))
            .await;
        if let Err(error) = written {
            tracing::error!(%error, backup = name, "the fact about a backup could not be written");
        }
    }
}
