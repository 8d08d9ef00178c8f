use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use platform::db::DbError;
use platform::jobs::{self, Job, JobEnd, JobHandler};
use platform::testing::platform;
use sqlx::Row;

struct Errand(Arc<AtomicI64>);

#[async_trait]
impl JobHandler for Errand {
    fn kind(&self) -> &'static str {
        "errand"
    }
    async fn run(&self, job: &Job) -> JobEnd {
        if job.attempts < 3 {
            return JobEnd::Retry { reason: "not yet".into(), after_ms: 1 };
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        JobEnd::Done
    }
}

async fn enqueue(p: &platform::Platform, key: &'static str) -> bool {
    let added: Result<bool, DbError> =
        p.db.write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.enqueue("errand", key, &serde_json::json!({}), now).await
            })
        })
        .await;
    added.unwrap()
}

async fn states(p: &platform::Platform) -> Vec<(String, i64)> {
    let mut connection = p.db.read().await.unwrap();
    sqlx::query("SELECT state, attempts FROM platform_jobs ORDER BY key")
        .fetch_all(&mut *connection)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.try_get(0).unwrap(), row.try_get(1).unwrap()))
        .collect()
}

#[tokio::test]
async fn a_job_is_tried_until_done_once_per_key_and_survives_a_dead_process() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[]).await.unwrap();
    assert!(enqueue(&p, "a").await);
    assert!(!enqueue(&p, "a").await, "the same key is the same job");
    // As a process leaves it that died in the middle of a try.
    let crashed: Result<(), DbError> =
        p.db.write(|tx| {
            Box::pin(async move {
                sqlx::query("UPDATE platform_jobs SET state = 'running', attempts = 1")
                    .execute(tx.sql())
                    .await?;
                Ok(())
            })
        })
        .await;
    crashed.unwrap();
    let done = Arc::new(AtomicI64::new(0));
    jobs::start(&p, vec![Arc::new(Errand(Arc::clone(&done)))]).await.unwrap();
    enqueue(&p, "b").await;
    while done.load(Ordering::SeqCst) < 2 || states(&p).await.iter().any(|(s, _)| s != "done") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(states(&p).await, [("done".into(), 3), ("done".into(), 3)]);
    assert_eq!(done.load(Ordering::SeqCst), 2);
}

/// Its end needs more room than there is.
struct Wordy(Arc<AtomicI64>);

#[async_trait]
impl JobHandler for Wordy {
    fn kind(&self) -> &'static str {
        "errand"
    }
    async fn run(&self, _: &Job) -> JobEnd {
        self.0.fetch_add(1, Ordering::SeqCst);
        JobEnd::Failed { reason: "x".repeat(1 << 20) }
    }
}

async fn most_pages(p: &platform::Platform, pragma: &'static str) {
    let done: Result<(), DbError> =
        p.db.write(move |tx| {
            Box::pin(async move {
                sqlx::query(pragma).execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

#[tokio::test]
async fn the_end_of_a_job_is_recorded_when_a_full_disk_has_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[]).await.unwrap();
    let done = Arc::new(AtomicI64::new(0));
    enqueue(&p, "a").await;
    most_pages(&p, "PRAGMA max_page_count = 1").await;
    jobs::start(&p, vec![Arc::new(Wordy(Arc::clone(&done)))]).await.unwrap();
    while done.load(Ordering::SeqCst) < 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(states(&p).await, [("running".into(), 1)], "there was room, the test is idle");
    most_pages(&p, "PRAGMA max_page_count = 1000000").await;
    while states(&p).await != [("failed".into(), 1)] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(done.load(Ordering::SeqCst), 1);
}
