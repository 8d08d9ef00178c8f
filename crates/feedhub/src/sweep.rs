//! What a node that died may have left: files of runs, secrets of feeds that never came to be.

use std::collections::HashSet;

use crate::error::FeedError;
use crate::room::{Feedhub, PART};
use crate::secret;
use crate::store::{self, pushes};

/// Deletes the files of runs that died.
pub(crate) fn files(room: &Feedhub) {
    let Ok(entries) = std::fs::read_dir(room.platform().data.root()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PART.0) && name.ends_with(PART.1) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Deletes secrets of feeds and pushes that are not there.
pub(crate) async fn secrets(room: &Feedhub) -> Result<(), FeedError> {
    let data = &room.platform().data;
    let folder = data.key_file(secret::PREFIX);
    let Some(Ok(entries)) = folder.parent().map(std::fs::read_dir) else { return Ok(()) };
    // First the files, then those that may have them: one that is added meanwhile is in the second list.
    let found: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let id = name.to_str()?.strip_prefix(secret::PREFIX)?;
            uuid::Uuid::parse_str(id).ok().map(|_| id.to_owned())
        })
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let _one = room.adding().await;
    let mut sql = room.platform().db.read().await?;
    let mut known: HashSet<String> =
        store::all(&mut sql).await?.into_iter().map(|feed| feed.id).collect();
    known.extend(pushes::all(&mut sql).await?.into_iter().map(|push| push.id));
    drop(sql);
    for id in found.iter().filter(|id| !known.contains(*id)) {
        secret::forget(data, id)?;
    }
    Ok(())
}
