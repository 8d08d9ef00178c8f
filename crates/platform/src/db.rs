//! The database: many readers, one writer, one commit per group of jobs, answers after the commit.
//!
//! SQL is the portable subset of SQLite and PostgreSQL: `$1`, `ON CONFLICT`, `RETURNING`; columns
//! TEXT, BIGINT, DOUBLE PRECISION; time as microseconds UTC, ids and JSON as text.

mod hidden;
mod migrate;
mod tx;
mod writer;

use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use ports::{Clock, Random};
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Connection, Executor};
use tokio::sync::watch;

pub use hidden::Hidden;
pub use migrate::{Migration, RoomMigrations};
pub use tx::{FactFilter, Tx, find_facts, read_facts};
use writer::Writer;

/// Connections kept for readers.
pub const MAX_READERS: u32 = 8;

/// Why the database said no.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A statement failed.
    #[error("database: {0}")]
    Sql(sqlx::Error),
    /// The disk is full; nothing was changed.
    #[error(
        "the disk of the data folder is full; nothing was changed; free some space and try again"
    )]
    DiskFull,
    /// The commit failed; nothing of this job was changed.
    #[error("commit failed, nothing was changed: {0}")]
    Commit(String),
    /// A queue has reached its named limit; nothing was changed.
    #[error("{0}")]
    QueueFull(String),
    /// The writer has stopped (shutting down).
    #[error("the node is shutting down; nothing was changed")]
    Stopped,
    /// The job panicked; its changes were rolled back.
    #[error("internal error in a write; its changes were rolled back")]
    Panicked,
    /// A stored value is not what its column promises.
    #[error("stored value in {place} cannot be read: {cause}")]
    Corrupt {
        /// Table and column.
        place: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The database was written by a newer version of the program.
    #[error(
        "the database holds migration {room}/{number}, which this version does not know: it was written by a newer version; start that one, or restore the backup made before the upgrade"
    )]
    Newer {
        /// The room.
        room: String,
        /// Its migration.
        number: i64,
    },
    /// A migration that was applied has changed since.
    #[error("migration {room}/{number} was changed after it was applied")]
    ChangedMigration {
        /// The room.
        room: String,
        /// Its migration.
        number: i64,
    },
}

impl From<sqlx::Error> for DbError {
    fn from(cause: sqlx::Error) -> Self {
        let full = cause
            .as_database_error()
            .is_some_and(|error| error.message().contains("database or disk is full"));
        if full { Self::DiskFull } else { Self::Sql(cause) }
    }
}

impl DbError {
    /// A stored value that does not parse.
    pub fn corrupt(place: &'static str, cause: impl ToString) -> Self {
        Self::Corrupt { place, cause: cause.to_string() }
    }
}

/// Handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    readers: AnyPool,
    writer: Arc<Writer>,
    committed: watch::Receiver<i64>,
}

impl Db {
    /// Opens (or makes) the SQLite file, migrates it, and starts the writer.
    ///
    /// # Errors
    /// The file cannot be opened, a migration fails, or the database is newer than the program.
    pub async fn open(
        file: &Path,
        rooms: &[RoomMigrations],
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}?mode=rwc", file.display());
        let mut connection = sqlx::AnyConnection::connect(&url).await?;
        prepare(&mut connection, false).await?;
        migrate::run(&mut connection, file, rooms, clock.now()).await?;
        let readers = AnyPoolOptions::new()
            .max_connections(MAX_READERS)
            .min_connections(1)
            .after_connect(|connection, _| Box::pin(async move { prepare(connection, true).await }))
            .connect(&url)
            .await?;
        let (writer, committed) = Writer::start(connection, clock, random).await?;
        Ok(Self { readers, writer: Arc::new(writer), committed })
    }

    /// Runs `job` inside a transaction and answers after the commit. An `Err` rolls the job back.
    ///
    /// The job must not wait for anything but the database: no network, no other `write`.
    ///
    /// # Errors
    /// The job's own error, or why it could not be committed.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.writer.submit(false, job).await
    }

    /// Like [`Db::write`], for a job that also asks other rooms, which read through connections of their own: whatever
    /// was written before it is committed when it runs. Costs one more commit where others write at the same time.
    ///
    /// # Errors
    /// The job's own error, or why it could not be committed.
    pub async fn write_after_all<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.writer.submit(true, job).await
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read(&self) -> Result<PoolConnection<Any>, DbError> {
        Ok(self.readers.acquire().await?)
    }

    /// Follows the sequence number of the newest committed fact.
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    /// Finishes queued writes, folds the write-ahead log into the file and closes.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.stop().await;
    }
}

/// Settings of a connection. Readers may not write, so a query in the wrong place fails at once.
async fn prepare(connection: &mut sqlx::AnyConnection, reader: bool) -> Result<(), sqlx::Error> {
    connection
        .execute(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA cache_size = -4000; PRAGMA temp_store = MEMORY;",
        )
        .await?;
    if reader {
        connection.execute("PRAGMA query_only = ON;").await?;
    }
    Ok(())
}
