//! Backups that are made by themselves.

use std::time::Duration;

use crate::Backups;
use crate::make::Wanted;

/// Pause between two looks at the shelf, seconds.
const LOOK_EVERY_S: u64 = 600;
/// The first look, seconds after the start: a node that restarts in a circle makes no backups.
const FIRST_LOOK_S: u64 = 300;

pub(crate) fn start(room: &Backups) {
    let own = room.clone();
    room.inner.platform.tasks.spawn("backups", async move {
        tokio::time::sleep(Duration::from_secs(FIRST_LOOK_S)).await;
        loop {
            own.look_after().await;
            tokio::time::sleep(Duration::from_secs(LOOK_EVERY_S)).await;
        }
    });
}

impl Backups {
    /// Makes a backup when the newest is old enough, then takes away what is beyond the number kept.
    pub(crate) async fn look_after(&self) {
        let config = &self.inner.config;
        if config.every_h > 0 && self.due(config.every_h) {
            let seal = self.inner.seal.clone();
            // A failure is in the room's health and in the log.
            let _ = self.make(Wanted { seal, keys: config.keys, by: "system".into() }).await;
        }
        match self.shelf().sweep(config.keep.max(1), config.keep_before_upgrade) {
            Ok(gone) => {
                for name in gone {
                    let text = format!("{name} was removed: newer ones are there");
                    self.told(&name, text, "system").await;
                }
            }
            Err(error) => tracing::error!(%error, "old backups could not be removed"),
        }
    }

    fn due(&self, every_h: u32) -> bool {
        let newest = self.shelf().list().unwrap_or_default();
        let newest = newest.iter().find(|one| one.kind == "backup" && one.note.by == "system");
        let made = newest.and_then(|one| one.note.made_at.parse::<model::Timestamp>().ok());
        let now = self.inner.platform.now();
        made.is_none_or(|made| now.micros_since(made) >= i64::from(every_h) * 3_600_000_000)
    }
}
