//! Durable work with the outside: a row before the effect, a row after it. A job that was running
//! when the node died runs again, so handlers are idempotent by the job's key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{JobId, Timestamp};
use serde_json::Value;
use sqlx::Row;
use tokio::sync::{Notify, Semaphore};

use crate::Platform;
use crate::db::{Db, DbError, Tx};

/// Jobs running at the same time.
pub const MAX_RUNNING_JOBS: usize = 16;
/// The longest pause between two tries, seconds.
pub const MAX_BACKOFF_S: i64 = 60;

/// A piece of durable work.
#[derive(Clone, Debug)]
pub struct Job {
    /// Identity of the row.
    pub id: JobId,
    /// What kind of work.
    pub kind: String,
    /// Idempotency key within the kind.
    pub key: String,
    /// What to do.
    pub payload: Value,
    /// Tries so far, this one included.
    pub attempts: i64,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Done for good.
    Done,
    /// Try again after a pause of `after_ms` (0: standard backoff).
    Retry {
        /// Why, for the log and the doctor.
        reason: String,
        /// Pause in milliseconds; 0 for the standard backoff.
        after_ms: i64,
    },
    /// Give up; the reason stays in the row.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Does one kind of work.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind.
    fn kind(&self) -> &'static str;
    /// One try. Runs outside any transaction.
    async fn run(&self, job: &Job) -> JobEnd;
}

/// How much durable work there is, for the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs by state: `waiting`, `running`, `done`, `failed`.
    pub by_state: Vec<(String, i64)>,
    /// When the oldest waiting job should have begun; absent when none waits.
    pub oldest_due: Option<Timestamp>,
}

/// Counts the jobs.
///
/// # Errors
/// The query failed.
pub async fn counts(db: &Db) -> Result<Counts, DbError> {
    let mut connection = db.read().await?;
    let rows = sqlx::query("SELECT state, COUNT(*) FROM platform_jobs GROUP BY state")
        .fetch_all(&mut *connection)
        .await?;
    let by_state = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>, sqlx::Error>>()?;
    drop(connection);
    Ok(Counts { by_state, oldest_due: next_due(db).await? })
}

/// Starts the worker.
///
/// # Errors
/// Jobs left running by a dead process could not be taken back.
pub async fn start(platform: &Platform, handlers: Vec<Arc<dyn JobHandler>>) -> Result<(), DbError> {
    let orphans: Result<(), DbError> = platform
        .db
        .write(|tx| {
            Box::pin(async move {
                sqlx::query("UPDATE platform_jobs SET state = 'waiting' WHERE state = 'running'")
                    .execute(tx.sql())
                    .await?;
                Ok(())
            })
        })
        .await;
    orphans?;
    let handlers: HashMap<&'static str, Arc<dyn JobHandler>> =
        handlers.into_iter().map(|handler| (handler.kind(), handler)).collect();
    let own = platform.clone();
    platform.tasks.spawn("jobs", work(own, Arc::new(handlers)));
    Ok(())
}

async fn work(platform: Platform, handlers: Arc<HashMap<&'static str, Arc<dyn JobHandler>>>) {
    let mut added = platform.db.jobs_added();
    let places = Arc::new(Semaphore::new(MAX_RUNNING_JOBS));
    // Wakes the loop when a job ends, because one that is to be tried again may be due before the
    // pause computed without it is over.
    let ended = Arc::new(Notify::new());
    loop {
        added.mark_unchanged();
        let pause = match take_due(&platform, &places).await {
            Ok((jobs, pause)) => {
                for (job, place) in jobs {
                    let Some(handler) = handlers.get(job.kind.as_str()).map(Arc::clone) else {
                        let reason = format!("no handler for jobs of kind '{}'", job.kind);
                        end(&platform, &job, JobEnd::Failed { reason }).await;
                        continue;
                    };
                    let (own, ended) = (platform.clone(), Arc::clone(&ended));
                    platform.tasks.spawn("job", async move {
                        let outcome = handler.run(&job).await;
                        end(&own, &job, outcome).await;
                        drop(place);
                        ended.notify_one();
                    });
                }
                pause
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take jobs; trying again");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            changed = added.changed() => if changed.is_err() { return },
            () = ended.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Forgets jobs of a kind that were done before a time: for kinds that come again and again. Those that were given up stay.
///
/// # Errors
/// The database says no.
pub async fn forget_ended(tx: &mut Tx, kind: &str, before: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM platform_jobs WHERE kind = $1 AND state = 'done' AND ended_at < $2")
        .bind(kind)
        .bind(before.as_micros())
        .execute(tx.sql())
        .await?;
    Ok(())
}

type Taken = Vec<(Job, tokio::sync::OwnedSemaphorePermit)>;

/// Marks due jobs as running, as many as there are places; says how long to sleep at most.
async fn take_due(
    platform: &Platform,
    places: &Arc<Semaphore>,
) -> Result<(Taken, Duration), DbError> {
    let free = i64::try_from(places.available_permits()).unwrap_or(0);
    if free == 0 {
        return Ok((vec![], Duration::from_millis(20)));
    }
    let now = platform.now();
    if next_due(&platform.db).await?.is_none_or(|due| due > now) {
        let wait = next_due(&platform.db).await?.map_or(5_000_000, |due| due.micros_since(now));
        return Ok((vec![], Duration::from_micros(wait.clamp(1_000, 5_000_000).unsigned_abs())));
    }
    let jobs: Vec<Job> = platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "UPDATE platform_jobs SET state = 'running', attempts = attempts + 1 WHERE id IN \
                     (SELECT id FROM platform_jobs WHERE state = 'waiting' AND due_at <= $1 \
                      ORDER BY due_at, id LIMIT $2) RETURNING id, kind, key, payload, attempts",
                )
                .bind(now.as_micros())
                .bind(free)
                .fetch_all(tx.sql())
                .await?;
                rows.iter().map(job).collect::<Result<Vec<Job>, DbError>>()
            })
        })
        .await?;
    let mut taken = Vec::with_capacity(jobs.len());
    for job in jobs {
        // `free` places were counted above and only this task takes them.
        if let Ok(place) = Arc::clone(places).acquire_owned().await {
            taken.push((job, place));
        }
    }
    Ok((taken, Duration::from_millis(1)))
}

async fn next_due(db: &Db) -> Result<Option<Timestamp>, DbError> {
    let mut connection = db.read().await?;
    let row = sqlx::query("SELECT MIN(due_at) FROM platform_jobs WHERE state = 'waiting'")
        .fetch_one(&mut *connection)
        .await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_micros))
}

fn job(row: &sqlx::any::AnyRow) -> Result<Job, DbError> {
    let id: String = row.try_get("id")?;
    let payload: String = row.try_get("payload")?;
    Ok(Job {
        id: id.parse().map_err(|cause| DbError::corrupt("platform_jobs.id", cause))?,
        kind: row.try_get("kind")?,
        key: row.try_get("key")?,
        payload: serde_json::from_str(&payload)
            .map_err(|cause| DbError::corrupt("platform_jobs.payload", cause))?,
        attempts: row.try_get("attempts")?,
    })
}

/// Doubling from 250 ms up to a minute.
fn backoff_ms(attempts: i64) -> i64 {
    (250_i64 << attempts.clamp(0, 10)).min(MAX_BACKOFF_S * 1_000)
}

async fn end(platform: &Platform, job: &Job, outcome: JobEnd) {
    let (state, reason, due_ms) = match outcome {
        JobEnd::Done => ("done", None, None),
        JobEnd::Failed { reason } => {
            tracing::error!(kind = job.kind, key = job.key, reason, "job given up");
            ("failed", Some(reason), None)
        }
        JobEnd::Retry { reason, after_ms } => {
            tracing::debug!(kind = job.kind, key = job.key, reason, "job will be tried again");
            let pause = if after_ms > 0 { after_ms } else { backoff_ms(job.attempts) };
            ("waiting", Some(reason), Some(pause))
        }
    };
    let end = Ended { id: job.id, state, reason, due_ms };
    let mut tries = 0_u32;
    while let Err(error) = record(platform, end.clone()).await {
        // A row that stays 'running' is taken back at the next start only: on a full disk that
        // could be months away.
        tracing::error!(kind = job.kind, key = job.key, %error, "the end of a job is not recorded yet");
        if matches!(error, DbError::Stopped) {
            return;
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(250 << tries.min(5))).await;
    }
}

/// How a try ended, as it is written down.
#[derive(Clone)]
struct Ended {
    id: JobId,
    state: &'static str,
    reason: Option<String>,
    due_ms: Option<i64>,
}

async fn record(platform: &Platform, end: Ended) -> Result<(), DbError> {
    platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                sqlx::query(
                    "UPDATE platform_jobs SET state = $1, last_error = $2, due_at = $3, ended_at = $4 \
                     WHERE id = $5",
                )
                .bind(end.state)
                .bind(end.reason)
                .bind(now.plus_micros(end.due_ms.unwrap_or(0) * 1_000).as_micros())
                .bind(end.due_ms.is_none().then_some(now.as_micros()))
                .bind(end.id.to_string())
                .execute(tx.sql())
                .await?;
                Ok(())
            })
        })
        .await
}
