//! The accountability log as its node, its auditor and its forger see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod erasure;
mod http;
mod log;
mod tampering;

use std::path::Path;
use std::time::Duration;

use accountability::{Accountability, Config, MIGRATIONS};
use model::event::AccessNoted;
use platform::Platform;
use platform::db::DbError;

/// A node with its log running.
pub async fn open(folder: &Path) -> (Platform, Accountability) {
    let platform = platform::testing::platform(folder, &[MIGRATIONS]).await.unwrap();
    let log = Accountability::new(platform.clone(), Config::default());
    platform::bus::start(&platform, log.consumers());
    (platform, log)
}

/// Stops the node.
pub async fn close(platform: Platform) {
    platform.tasks.stop(Duration::from_secs(5)).await;
    platform.db.close().await;
}

/// One more fact.
pub async fn publish(platform: &Platform, who: &str) {
    let who = who.to_owned();
    let done: Result<i64, DbError> = platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let detail = format!("from 127.0.0.1 by {who}, π ≈ 3.141592653589793");
                let fact = AccessNoted { what: "signed_in".into(), who, detail };
                tx.publish("system", &fact).await
            })
        })
        .await;
    done.unwrap();
}

/// Waits until the log has this many entries.
pub async fn entries(log: &Accountability, wanted: u64) {
    while log.head().await.unwrap().is_none_or(|head| head.size < wanted) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A closed data folder whose log has `count` entries.
pub async fn folder_with(count: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (platform, log) = open(folder.path()).await;
    for n in 0..count {
        publish(&platform, &format!("user {n}")).await;
    }
    entries(&log, count).await;
    close(platform).await;
    folder
}
