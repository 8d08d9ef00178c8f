//! Backups made from a real data folder, read, altered, cut off, restored.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs)]
#![allow(clippy::print_stderr)] // what is skipped is said

mod altered;
mod room;
mod round;

use std::path::{Path, PathBuf};

use backup::{Backups, Config, Wanted};
use platform::Platform;
use platform::blobs::Blobs;
use tempfile::TempDir;

/// A node with something in it.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) platform: Platform,
    pub(crate) room: Backups,
    pub(crate) blob: String,
}

impl House {
    pub(crate) async fn new(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let platform = platform::testing::platform(&data, &[]).await.unwrap();
        let blob = Blobs::new(&platform.data).put(b"a lantern in the night").await.unwrap();
        std::fs::create_dir_all(data.join("policies")).unwrap();
        std::fs::write(data.join("policies/own.cedar"), "// ours\n").unwrap();
        let room = Backups::open(&platform, config).unwrap();
        Self { folder, platform, room, blob }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Makes one and returns where it lies.
    pub(crate) async fn make(&self, wanted: Wanted) -> PathBuf {
        let made = self.room.make(wanted).await.unwrap();
        self.data().join("backups").join(made.name)
    }

    /// How many facts the database of `data` holds.
    pub(crate) async fn facts(data: &Path) -> i64 {
        use sqlx::{Connection, Row};
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}?mode=rw", data.join("sereno.db").display());
        let mut sql = sqlx::AnyConnection::connect(&url).await.unwrap();
        let row =
            sqlx::query("SELECT COUNT(*) FROM platform_facts").fetch_one(&mut sql).await.unwrap();
        row.try_get(0).unwrap()
    }
}
