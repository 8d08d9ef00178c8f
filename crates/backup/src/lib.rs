//! Copies of the data folder: made while the node runs, sealed on request, verified, restored.
//!
//! Invariants
//! - **A backup is of one moment.** The database is copied as a snapshot; blobs are written before the rows that name
//!   them and never change, so that those copied after the snapshot are all that it needs.
//! - **Whole or not there.** A backup appears under its name once it is on disk; a restored folder once it was read to
//!   its signed end.
//! - **Keys leave only sealed.** A backup without a seal never holds `keys/`.
//! - **Nothing is deleted by a restore**: the former folder is renamed.
//!
//! Entry points: [`Backups`] (the room), [`verify`] and [`restore`] (files, also without a node).

mod archive;
mod config;
mod error;
mod http;
mod make;
mod read;
mod restore;
mod sealing;
mod shelf;
mod sound;
mod worker;

use std::path::Path;
use std::sync::{Arc, Mutex};

use platform::Platform;
use platform::health::{Component, Health};
use platform::http::{Permission, RoomRouter};
use utoipa_axum::routes;

pub use archive::{About, FORM, MAX_FILES};
pub use config::Config;
pub use error::BackupError;
pub use make::Wanted;
pub use read::Checked;
pub use restore::{Restored, restore};
pub use sealing::{MAX_RECIPIENTS, MIN_PASSPHRASE_CHARS, Opening, Seal};
pub use shelf::{Note, Shelf, Shelved};
pub use sound::integrity;

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Backups {
    inner: Arc<Inner>,
}

struct Inner {
    platform: Platform,
    config: Config,
    shelf: Shelf,
    /// What backups made by themselves are sealed with.
    seal: Seal,
    /// The one being made.
    running: Mutex<Option<make::Running>>,
    /// Why the last one failed; empty when it did not.
    failed: Mutex<String>,
}

impl Backups {
    /// Opens the folder of backups.
    ///
    /// # Errors
    /// The folder cannot be made, a recipient is none, or keys are asked for without one.
    pub fn open(platform: &Platform, config: Config) -> Result<Self, BackupError> {
        let seal = Seal::of(None, &config.recipients)?;
        if config.keys && seal.is_open() {
            let text =
                "section [backup]: keys = true needs recipients, because keys leave only sealed";
            return Err(BackupError::Invalid(text.into()));
        }
        let folder = config.folder.clone().unwrap_or_else(|| platform.data.root().join("backups"));
        let shelf = Shelf::open(folder)?;
        let inner = Inner {
            platform: platform.clone(),
            config,
            shelf,
            seal,
            running: Mutex::default(),
            failed: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        let manage = Permission("backups.manage");
        RoomRouter::<Self>::default()
            .route(Permission("backups.list"), routes!(http::list::list))
            .route(manage, routes!(http::make::make))
            .route(manage, routes!(http::one::download))
            .route(manage, routes!(http::one::verify))
            .route(manage, routes!(http::one::remove))
            .with_state(self.clone())
    }

    /// Makes backups by themselves from now on.
    pub fn start(&self) {
        worker::start(self);
    }

    /// How the room is.
    pub fn health(&self) -> Vec<Component> {
        let failed = make::locked(&self.inner.failed).clone();
        if !failed.is_empty() {
            let remedy =
                "See `sereno backup list` and the section [backup]; then `sereno backup new`.";
            return vec![Component::not_ok("backups", Health::Degraded, failed, remedy)];
        }
        let newest = self
            .inner
            .shelf
            .list()
            .unwrap_or_default()
            .into_iter()
            .find(|one| one.kind == "backup");
        let text = match newest {
            Some(one) => format!("the newest is of {}", one.note.made_at),
            None if self.inner.config.every_h == 0 => {
                "none yet, and none are made by themselves".into()
            }
            None => "none yet; the first is made within the hour".into(),
        };
        vec![Component::ok("backups", text)]
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        &self.inner.shelf
    }
}

/// Reads a backup to its end and looks at the database inside, in a folder of its own beside the file that is gone
/// afterwards.
///
/// # Errors
/// It cannot be read, does not open, or is not what its signed manifest says.
pub async fn verify(file: &Path, opening: Opening) -> Result<Checked, BackupError> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent
        .and_then(|parent| tempfile::Builder::new().prefix(".verify-").tempdir_in(parent).ok())
        .map_or_else(tempfile::tempdir, Ok)
        .map_err(BackupError::io(file))?;
    let (from, to) = (file.to_path_buf(), folder.path().to_path_buf());
    let reading = tokio::task::spawn_blocking(move || {
        read::read(&from, &opening, &read::Into::DatabaseOnly(&to))
    });
    let mut checked = reading.await.map_err(|cause| BackupError::Invalid(cause.to_string()))??;
    checked.database = sound::integrity(&folder.path().join(archive::DATABASE)).await?;
    Ok(checked)
}
