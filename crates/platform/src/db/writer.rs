//! The one writer: takes jobs from a bounded queue, runs each in a savepoint, commits the group,
//! and only then answers.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use ports::{Clock, Random};
use sqlx::{AnyConnection, Connection, Executor, Row};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::{DbError, Tx};

/// Jobs waiting for the writer; more and callers wait (back-pressure).
pub(super) const WRITE_QUEUE_JOBS: usize = 256;
/// Jobs that share one commit.
pub(super) const MAX_GROUP_JOBS: usize = 64;

/// A transaction, and the first job's savepoint in it.
const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT job";

type Parcel = Box<dyn Any + Send>;
/// Ok: the job's answer. Err: the job's own error; its savepoint is rolled back.
type Run = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Parcel, Parcel>> + Send>;

struct Job {
    run: Run,
    /// Begins a group of its own: what was written before is committed, so that other connections show it.
    first: bool,
    answer: oneshot::Sender<Result<Result<Parcel, Parcel>, DbError>>,
}

enum Message {
    Job(Job),
    Stop(oneshot::Sender<()>),
}

pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    jobs_added: watch::Receiver<u64>,
}

impl Writer {
    pub(super) async fn start(
        mut connection: AnyConnection,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<(Self, watch::Receiver<i64>), DbError> {
        let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) FROM platform_facts")
            .fetch_one(&mut connection)
            .await?;
        let last_seq = row.try_get(0)?;
        let (queue, jobs) = mpsc::channel(WRITE_QUEUE_JOBS);
        let (committed, watch) = watch::channel(last_seq);
        let (added, jobs_added) = watch::channel(0);
        let tx =
            Tx { connection, clock, random, last_seq, unwritten: Vec::new(), jobs_added: false };
        // Not a supervised task: it must outlive all others so that their last writes are kept.
        #[allow(clippy::disallowed_methods)]
        tokio::spawn(run(tx, jobs, committed, added));
        Ok((Self { queue, jobs_added }, watch))
    }

    pub(super) async fn submit<T, E, F>(&self, first: bool, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let run: Run = Box::new(move |tx| {
            Box::pin(async move {
                match job(tx).await {
                    Ok(value) => Ok(Box::new(value) as Parcel),
                    Err(error) => Err(Box::new(error) as Parcel),
                }
            })
        });
        let (answer, reply) = oneshot::channel();
        self.queue
            .send(Message::Job(Job { run, first, answer }))
            .await
            .map_err(|_| E::from(DbError::Stopped))?;
        match reply.await {
            Err(_) => Err(DbError::Stopped.into()),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(Ok(parcel))) => unpack(parcel),
            Ok(Ok(Err(parcel))) => Err(unpack::<E, E>(parcel)?),
        }
    }

    pub(super) fn jobs_added(&self) -> watch::Receiver<u64> {
        self.jobs_added.clone()
    }

    pub(super) async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Message::Stop(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

impl super::Db {
    /// Changes whenever durable work was enqueued.
    pub(crate) fn jobs_added(&self) -> watch::Receiver<u64> {
        self.writer.jobs_added()
    }
}

/// The parcel was packed by the same call with the same type.
fn unpack<T: 'static, E: From<DbError>>(parcel: Parcel) -> Result<T, E> {
    parcel.downcast::<T>().map(|value| *value).map_err(|_| DbError::Panicked.into())
}

async fn run(
    mut tx: Tx,
    mut jobs: mpsc::Receiver<Message>,
    committed: watch::Sender<i64>,
    added: watch::Sender<u64>,
) {
    let mut group = Vec::with_capacity(MAX_GROUP_JOBS);
    while jobs.recv_many(&mut group, MAX_GROUP_JOBS).await > 0 {
        measure_queue(group.len() + jobs.len());
        let mut batch = Vec::with_capacity(group.len());
        let mut stop = None;
        for message in group.drain(..) {
            match message {
                Message::Job(job) => {
                    if job.first && !batch.is_empty() {
                        commit_group(&mut tx, std::mem::take(&mut batch), &committed, &added).await;
                    }
                    batch.push(job);
                }
                Message::Stop(done) => stop = Some(done),
            }
        }
        if !batch.is_empty() {
            commit_group(&mut tx, batch, &committed, &added).await;
        }
        if let Some(done) = stop {
            let _ = tx.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
            let _ = tx.connection.close().await;
            let _ = done.send(());
            return;
        }
    }
}

async fn commit_group(
    tx: &mut Tx,
    batch: Vec<Job>,
    committed: &watch::Sender<i64>,
    added: &watch::Sender<u64>,
) {
    let (before, began) = (tx.last_seq, Instant::now());
    tx.jobs_added = false;
    if let Err(cause) = tx.connection.execute(BEGIN).await {
        let text = DbError::from(cause);
        return refuse_all(batch.into_iter().map(|job| job.answer), &text);
    }
    let mut answers = Vec::with_capacity(batch.len());
    let mut waiting = batch.into_iter();
    while let Some(job) = waiting.next() {
        match run_one(tx, job.run, waiting.len() > 0).await {
            Ended::Kept(outcome) => answers.push((job.answer, outcome)),
            Ended::Lost(outcome, cause) => {
                // SQLite gives up the whole transaction when the disk is full or fails: what the
                // group did before is gone with it, and what comes next needs a new one.
                forget(tx, before).await;
                tracing::error!(%cause, "the database gave up a transaction; the group was rolled back");
                let _ = job.answer.send(outcome);
                let gone = DbError::Commit("another write in the same commit failed".into());
                refuse_all(answers.drain(..).map(|(answer, _)| answer), &gone);
                if waiting.len() == 0 {
                    return;
                }
                if let Err(cause) = tx.connection.execute(BEGIN).await {
                    return refuse_all(waiting.map(|job| job.answer), &cause.into());
                }
            }
        }
    }
    let kinds = tx.kinds();
    let committed_now = commit(tx).await;
    measure_commit(began, &committed_now, &kinds);
    match committed_now {
        Ok(()) => {
            for (answer, outcome) in answers {
                let _ = answer.send(outcome);
            }
            if tx.last_seq != before {
                committed.send_replace(tx.last_seq);
            }
            if tx.jobs_added {
                added.send_modify(|count| *count += 1);
            }
        }
        Err(cause) => {
            let error = DbError::from(cause);
            tracing::error!(%error, "commit failed; the group was rolled back");
            forget(tx, before).await;
            refuse_all(answers.into_iter().map(|(answer, _)| answer), &error);
        }
    }
}

/// What waits for the writer, what it is about to write included.
fn measure_queue(jobs: usize) {
    #[allow(clippy::cast_precision_loss)] // bounded by the queue
    metrics::gauge!("sereno_db_write_queue_jobs").set(jobs as f64);
}

fn measure_commit(began: Instant, outcome: &Result<(), sqlx::Error>, kinds: &[&'static str]) {
    metrics::histogram!("sereno_db_commit_seconds").record(began.elapsed().as_secs_f64());
    let word = if outcome.is_ok() { "kept" } else { "failed" };
    metrics::counter!("sereno_db_commits_total", "outcome" => word).increment(1);
    if outcome.is_ok() {
        for kind in kinds {
            metrics::counter!("sereno_facts_total", "kind" => *kind).increment(1);
        }
    }
}

async fn commit(tx: &mut Tx) -> Result<(), sqlx::Error> {
    tx.write_facts().await?;
    tx.connection.execute("COMMIT").await.map(drop)
}

async fn forget(tx: &mut Tx, last_seq: i64) {
    let _ = tx.connection.execute("ROLLBACK").await;
    tx.unwritten.clear();
    tx.last_seq = last_seq;
}

/// How a job ended.
enum Ended {
    /// Inside the transaction, which goes on.
    Kept(Result<Result<Parcel, Parcel>, DbError>),
    /// The transaction is no more, with the database's words.
    Lost(Result<Result<Parcel, Parcel>, DbError>, sqlx::Error),
}

/// Runs a job inside the savepoint that is open, and opens the one of the job that follows: each word to the
/// database costs two changes of thread, so they are said together.
async fn run_one(tx: &mut Tx, run: Run, another: bool) -> Ended {
    let (seq, facts) = (tx.last_seq, tx.unwritten.len());
    let outcome = AssertUnwindSafe(run(tx)).catch_unwind().await;
    let keep = matches!(outcome, Ok(Ok(_)));
    let end = match (keep, another) {
        (true, true) => "RELEASE job; SAVEPOINT job",
        // Fails when the transaction is no more; its facts must then not be written outside of one.
        (true, false) => "RELEASE job",
        (false, true) => "ROLLBACK TO job",
        (false, false) => "ROLLBACK TO job; RELEASE job",
    };
    if !keep {
        tx.last_seq = seq;
        tx.unwritten.truncate(facts);
    }
    match tx.connection.execute(end).await {
        Ok(_) => Ended::Kept(outcome.map_err(|_| DbError::Panicked)),
        // The job thinks it succeeded; it must not be told so.
        Err(cause) if keep => Ended::Lost(Err(DbError::Commit(cause.to_string())), cause),
        Err(cause) => Ended::Lost(outcome.map_err(|_| DbError::Panicked), cause),
    }
}

fn refuse_all(
    answers: impl Iterator<Item = oneshot::Sender<Result<Result<Parcel, Parcel>, DbError>>>,
    error: &DbError,
) {
    for answer in answers {
        let own = match error {
            DbError::DiskFull => DbError::DiskFull,
            other => DbError::Commit(other.to_string()),
        };
        let _ = answer.send(Err(own));
    }
}
