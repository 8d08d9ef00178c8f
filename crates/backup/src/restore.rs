//! A folder from a backup: beside first, checked whole, and only then in the place of the old one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use model::Timestamp;
use platform::data::DataFolder;
use serde::Serialize;

use crate::error::BackupError;
use crate::read::{Checked, Into, read};
use crate::sealing::Opening;
use crate::sound;

/// What a restore did.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// What was read.
    pub backup: Checked,
    /// The folder.
    pub folder: PathBuf,
    /// Where the former one stands, if there was one.
    pub former: Option<PathBuf>,
    /// Where the keys come from: `backup`, `former folder`, or `none`.
    pub keys: &'static str,
}

/// Restores `file` as the data folder `data`. The folder must be absent or empty, unless `replace` is set: it is then
/// renamed, never deleted, and its keys are taken over where the backup has none.
///
/// # Errors
/// The folder is in use or not empty, or the backup is not sound; the folder stands as before then.
pub async fn restore(
    file: &Path,
    data: &Path,
    opening: Opening,
    replace: bool,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let there =
        data.is_dir() && fs::read_dir(data).map_err(BackupError::io(data))?.next().is_some();
    if there && !replace {
        let text = format!(
            "{} is not empty; --replace puts the backup in its place and keeps it under another name",
            data.display()
        );
        return Err(BackupError::Busy(text));
    }
    // Held to the end: nobody starts a node over a folder that is being replaced.
    let held = if there { Some(DataFolder::open(data)?) } else { None };
    let stamp = crate::shelf::stamp(now);
    let fresh = beside(data, &format!("restoring-{stamp}"))?;
    fs::create_dir_all(&fresh).map_err(BackupError::io(&fresh))?;
    let unpacked = unpack(file, &fresh, opening).await;
    let mut backup = match unpacked {
        Ok(backup) => backup,
        Err(error) => {
            let _ = fs::remove_dir_all(&fresh);
            return Err(error);
        }
    };
    if backup.database != "ok" {
        let _ = fs::remove_dir_all(&fresh);
        return Err(BackupError::Damaged(format!(
            "the database inside is not sound: {}",
            backup.database
        )));
    }
    let keys = keys(&backup, data, &fresh)?;
    synced(&fresh)?;
    let former = if there {
        let former = beside(data, &format!("before-restore-{stamp}"))?;
        fs::rename(data, &former).map_err(BackupError::io(data))?;
        Some(former)
    } else {
        // An empty folder is in the way of the rename.
        let _ = fs::remove_dir(data);
        None
    };
    fs::rename(&fresh, data).map_err(BackupError::io(data))?;
    drop(held);
    if let Some(parent) = data.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        synced(parent)?;
    }
    backup.database.clear();
    backup.database.push_str("ok");
    Ok(Restored { backup, folder: data.to_path_buf(), former, keys })
}

async fn unpack(file: &Path, fresh: &Path, opening: Opening) -> Result<Checked, BackupError> {
    let (from, to) = (file.to_path_buf(), fresh.to_path_buf());
    let reading = tokio::task::spawn_blocking(move || read(&from, &opening, &Into::Folder(&to)));
    let mut checked = reading.await.map_err(|cause| BackupError::Invalid(cause.to_string()))??;
    checked.database = sound::integrity(&fresh.join(crate::archive::DATABASE)).await?;
    Ok(checked)
}

/// Takes over the keys of the former folder where the backup has none.
fn keys(backup: &Checked, data: &Path, fresh: &Path) -> Result<&'static str, BackupError> {
    if backup.about.keys {
        return Ok("backup");
    }
    let former = data.join("keys");
    if !former.is_dir() {
        return Ok("none");
    }
    // Makes the folders with the rights they must have.
    let folder = DataFolder::open(fresh)?;
    for entry in fs::read_dir(&former).map_err(BackupError::io(&former))? {
        let entry = entry.map_err(BackupError::io(&former))?;
        if !entry.path().is_file() {
            continue;
        }
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let content = fs::read(entry.path()).map_err(BackupError::io(&entry.path()))?;
        folder.write_key(&name, &content)?;
    }
    Ok("former folder")
}

fn beside(data: &Path, ending: &str) -> Result<PathBuf, BackupError> {
    let name = data.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        BackupError::Invalid(format!("{} is no folder that can be restored", data.display()))
    })?;
    Ok(data.with_file_name(format!("{name}.{ending}")))
}

fn synced(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::io(folder))
}
