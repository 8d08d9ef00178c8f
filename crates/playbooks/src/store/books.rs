//! What runs execute, once per content.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// Keeps a book under its hash.
pub(crate) async fn put(
    connection: &mut AnyConnection,
    sha256: &str,
    body: String,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_books (sha256, body) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING",
    )
    .bind(sha256)
    .bind(body)
    .execute(connection)
    .await?;
    Ok(())
}

/// The book with this hash.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    sha256: &str,
) -> Result<Option<String>, DbError> {
    let row = sqlx::query("SELECT body FROM playbooks_books WHERE sha256 = $1")
        .bind(sha256)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| row.try_get("body")).transpose()?)
}
