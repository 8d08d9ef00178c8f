//! Whether a database is sound, asked of SQLite itself.

use std::path::Path;

use sqlx::{AnyConnection, Connection, Row};

use crate::error::BackupError;

/// Complaints repeated at most.
const MAX_COMPLAINTS: i64 = 5;

/// `ok`, or the first complaints of `PRAGMA integrity_check`, which also looks at every index.
///
/// # Errors
/// The file cannot be opened at all.
pub async fn integrity(file: &Path) -> Result<String, BackupError> {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=rw", file.display());
    let mut connection = AnyConnection::connect(&url).await?;
    let asked = format!("PRAGMA integrity_check({MAX_COMPLAINTS})");
    let rows = sqlx::query(sqlx::AssertSqlSafe(asked)).fetch_all(&mut connection).await;
    let said = match rows {
        Ok(rows) => rows
            .iter()
            .map(|row| row.try_get::<String, _>(0))
            .collect::<Result<Vec<_>, _>>()?
            .join("; "),
        // A file that is no database at all is an answer, not a failure.
        Err(cause) => cause.to_string(),
    };
    connection.close().await?;
    Ok(said)
}

/// A copy of the database as one moment sees it, while others go on writing. `to` must not exist.
///
/// # Errors
/// The database cannot be read or the copy not be written.
pub(crate) async fn snapshot(database: &Path, to: &Path) -> Result<(), BackupError> {
    let url = format!("sqlite://{}?mode=rw", database.display());
    let mut connection = AnyConnection::connect(&url).await?;
    sqlx::query("PRAGMA busy_timeout = 10000").execute(&mut connection).await?;
    sqlx::query("VACUUM INTO $1").bind(to.display().to_string()).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
