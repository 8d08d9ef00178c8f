//! A node that holds only this room, and can die at any moment.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use detection::{Config, Detection, MIGRATIONS};
use model::Finding;
use platform::Platform;
use ports::fake::FakeAssets;
use serde_json::Value;
use sqlx::Row;

/// The room on its platform, with the worker for durable work running.
pub(crate) struct Node {
    pub(crate) platform: Platform,
    pub(crate) detection: Detection,
}

impl Node {
    pub(crate) async fn start(folder: &Path, assets: &Arc<FakeAssets>, config: Config) -> Self {
        let node = Self::start_idle(folder, assets, config).await;
        platform::jobs::start(&node.platform, node.detection.jobs()).await.unwrap();
        node
    }

    /// Without the worker: models are not fitted.
    pub(crate) async fn start_idle(
        folder: &Path,
        assets: &Arc<FakeAssets>,
        config: Config,
    ) -> Self {
        let platform = platform::testing::platform(folder, &[MIGRATIONS]).await.unwrap();
        let detection = Detection::new(platform.clone(), assets.clone(), config).unwrap();
        Self { platform, detection }
    }

    /// The first column of the first row, as a number.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let mut connection = self.platform.db.read().await.unwrap();
        sqlx::query(sql).fetch_one(&mut *connection).await.unwrap().try_get(0).unwrap()
    }

    /// Waits until no model is being fitted, or fitted again, and no window waits.
    pub(crate) async fn settle(&self) {
        let busy = "SELECT (SELECT COUNT(*) FROM detection_devices WHERE phase IN ('training', 'draining')) \
             + (SELECT COUNT(*) FROM platform_jobs WHERE kind = 'detection.refit' \
                AND state IN ('waiting', 'running'))";
        while self.number(busy).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Findings, oldest first.
    pub(crate) async fn findings(&self) -> Vec<Finding> {
        let mut connection = self.platform.db.read().await.unwrap();
        let rows = sqlx::query("SELECT body FROM detection_findings ORDER BY place")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        rows.iter().map(|row| serde_json::from_str(row.get::<&str, _>(0)).unwrap()).collect()
    }

    pub(crate) async fn call(&self, method: &str, path: &str) -> (StatusCode, Value) {
        self.call_as(method, path, true).await
    }

    pub(crate) async fn call_as(
        &self,
        method: &str,
        path: &str,
        allowed: bool,
    ) -> (StatusCode, Value) {
        platform::testing::call(self.detection.router(), allowed, method, path, &Value::Null).await
    }
}

/// One life of a node: whatever still runs when it ends dies with its runtime, as with `kill -9`.
pub(crate) fn life<T>(folder: &Path, work: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(10));
    bury(folder);
    result
}

/// Waits until nothing of this process has a file of the folder open: a thread of the database may
/// still be at a commit when its runtime is gone, and a dead process has no such threads.
fn bury(folder: &Path) {
    let folder = folder.canonicalize().unwrap();
    let open = || {
        std::fs::read_dir("/proc/self/fd").unwrap().flatten().any(|handle| {
            std::fs::read_link(handle.path()).is_ok_and(|file| file.starts_with(&folder))
        })
    };
    while open() {
        std::thread::sleep(Duration::from_millis(1));
    }
}
