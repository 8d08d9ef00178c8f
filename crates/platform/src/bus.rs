//! Facts from the outbox to consumers: in sequence, without gaps, exactly once in effect, because a
//! consumer's cursor moves in the transaction of its own changes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::event::Fact;
use sqlx::Row;

use crate::Platform;
use crate::db::{Db, DbError, Tx, read_facts};

/// Facts read at once by a consumer.
pub const FACTS_PER_READ: i64 = 64;
/// Tries before a fact is set aside in `platform_dead_facts`.
pub const MAX_TRIES: u32 = 5;

/// Why a consumer could not take a fact.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The payload is not of the promised shape.
    #[error("payload: {0}")]
    Payload(#[from] serde_json::Error),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl From<sqlx::Error> for ConsumeError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Db(cause.into())
    }
}

/// Reacts to facts. Work with the outside is not done here but enqueued (`tx.enqueue`).
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// Stable name; the cursor is kept under it.
    fn name(&self) -> &'static str;
    /// Kinds wanted; empty means all.
    fn kinds(&self) -> &'static [&'static str];
    /// Takes one fact inside a transaction; may publish further facts. Must not call `Db::write`.
    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError>;
}

/// Starts one task per consumer.
pub fn start(platform: &Platform, consumers: Vec<Arc<dyn Consumer>>) {
    for consumer in consumers {
        let db = platform.db.clone();
        platform.tasks.spawn(consumer.name(), follow(db, consumer));
    }
}

async fn follow(db: Db, consumer: Arc<dyn Consumer>) {
    let mut committed = db.committed();
    loop {
        committed.mark_unchanged();
        match catch_up(&db, &consumer).await {
            Ok(true) => {}
            Ok(false) => {
                if committed.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(consumer = consumer.name(), %error, "cannot read facts; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Takes one read's worth of facts; false when there was none.
async fn catch_up(db: &Db, consumer: &Arc<dyn Consumer>) -> Result<bool, DbError> {
    let facts = {
        let mut connection = db.read().await?;
        let row = sqlx::query("SELECT seq FROM platform_cursors WHERE consumer = $1")
            .bind(consumer.name())
            .fetch_optional(&mut *connection)
            .await?;
        let cursor = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
        read_facts(&mut connection, cursor, consumer.kinds(), FACTS_PER_READ).await?
    };
    let newest = *db.committed().borrow();
    let behind = facts.first().map_or(0, |oldest| (newest - oldest.seq + 1).max(1));
    #[allow(clippy::cast_precision_loss)] // exact below 2^53 facts
    metrics::gauge!("sereno_facts_behind", "consumer" => consumer.name()).set(behind as f64);
    let any = !facts.is_empty();
    for fact in facts {
        take(db, consumer, fact).await?;
    }
    Ok(any)
}

async fn take(db: &Db, consumer: &Arc<dyn Consumer>, fact: Fact) -> Result<(), DbError> {
    let mut tries = 0;
    let fact = Arc::new(fact);
    loop {
        tries += 1;
        let (worker, item) = (Arc::clone(consumer), Arc::clone(&fact));
        let done: Result<(), ConsumeError> = db
            .write(move |tx| {
                Box::pin(async move {
                    worker.handle(tx, &item).await?;
                    move_cursor(tx, worker.name(), item.seq).await?;
                    Ok(())
                })
            })
            .await;
        let Err(error) = done else { return Ok(()) };
        // A full disk or a stopping node is not the fact's fault: wait, do not set it aside.
        let passing = matches!(
            &error,
            ConsumeError::Db(DbError::DiskFull | DbError::Commit(_) | DbError::Stopped)
        );
        tracing::warn!(consumer = consumer.name(), seq = fact.seq, kind = fact.kind, tries, %error, "fact not taken");
        if matches!(&error, ConsumeError::Db(DbError::Stopped)) {
            return Err(DbError::Stopped);
        }
        if !passing && tries >= MAX_TRIES {
            return set_aside(db, consumer.name(), fact.seq, error.to_string()).await;
        }
        tokio::time::sleep(Duration::from_millis(100 << tries.min(6))).await;
    }
}

async fn move_cursor(tx: &mut Tx, consumer: &str, seq: i64) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO platform_cursors (consumer, seq) VALUES ($1, $2) \
         ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq",
    )
    .bind(consumer)
    .bind(seq)
    .execute(tx.sql())
    .await?;
    Ok(())
}

async fn set_aside(
    db: &Db,
    consumer: &'static str,
    seq: i64,
    reason: String,
) -> Result<(), DbError> {
    tracing::error!(consumer, seq, reason, "fact set aside after {MAX_TRIES} tries");
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO platform_dead_facts (consumer, seq, reason, recorded_at) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (consumer, seq) DO NOTHING",
            )
            .bind(consumer)
            .bind(seq)
            .bind(reason)
            .bind(tx.now().as_micros())
            .execute(tx.sql())
            .await?;
            move_cursor(tx, consumer, seq).await
        })
    })
    .await
}

/// How many facts were set aside, for the doctor.
///
/// # Errors
/// The query failed.
pub async fn dead_facts(db: &Db) -> Result<i64, DbError> {
    let mut connection = db.read().await?;
    let row =
        sqlx::query("SELECT COUNT(*) FROM platform_dead_facts").fetch_one(&mut *connection).await?;
    Ok(row.try_get(0)?)
}
