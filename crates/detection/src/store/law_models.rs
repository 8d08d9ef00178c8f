//! Versions of models of laws.

use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::models::{ACTIVE, RETIRED};
use crate::laws::memory::Protocol;

/// One version.
#[derive(Clone, Debug)]
pub(crate) struct LawModelRow {
    pub(crate) edge: String,
    pub(crate) protocol: Protocol,
    /// From 1, rising by one.
    pub(crate) number: i64,
    /// `active` or `retired`.
    pub(crate) state: String,
    pub(crate) reason: String,
    /// SHA-256 of its file.
    pub(crate) blob: String,
    /// Wall time.
    pub(crate) created_at: i64,
    /// Messages learned from.
    pub(crate) messages: i64,
    /// Packet times of the first and last of them, microseconds.
    pub(crate) trained_from: i64,
    pub(crate) trained_to: i64,
    pub(crate) signature: String,
    pub(crate) signed_by: String,
}

/// Registers a version as the one in use; the one before is retired.
pub(crate) async fn add(tx: &mut Tx, row: &LawModelRow) -> Result<(), DbError> {
    retire(tx, &row.edge, row.protocol).await?;
    sqlx::query(
        "INSERT INTO detection_law_models (edge, protocol, number, state, reason, blob, created_at, \
         messages, trained_from, trained_to, signature, signed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(row.edge.clone())
    .bind(row.protocol.word())
    .bind(row.number)
    .bind(ACTIVE)
    .bind(row.reason.clone())
    .bind(row.blob.clone())
    .bind(row.created_at)
    .bind(row.messages)
    .bind(row.trained_from)
    .bind(row.trained_to)
    .bind(row.signature.clone())
    .bind(row.signed_by.clone())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// No version is in use.
pub(crate) async fn retire(tx: &mut Tx, edge: &str, protocol: Protocol) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE detection_law_models SET state = $1 WHERE edge = $2 AND protocol = $3 AND state = $4",
    )
    .bind(RETIRED)
    .bind(edge.to_owned())
    .bind(protocol.word())
    .bind(ACTIVE)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Puts a version in use again.
pub(crate) async fn activate(tx: &mut Tx, row: &LawModelRow) -> Result<(), DbError> {
    retire(tx, &row.edge, row.protocol).await?;
    sqlx::query(
        "UPDATE detection_law_models SET state = $1 WHERE edge = $2 AND protocol = $3 AND number = $4",
    )
    .bind(ACTIVE)
    .bind(row.edge.clone())
    .bind(row.protocol.word())
    .bind(row.number)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Versions before a number, newest first.
pub(crate) async fn of(
    connection: &mut AnyConnection,
    edge: &str,
    protocol: Protocol,
    before: i64,
    limit: i64,
) -> Result<Vec<LawModelRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM detection_law_models WHERE edge = $1 AND protocol = $2 AND number < $3 \
         ORDER BY number DESC LIMIT $4",
    )
    .bind(edge.to_owned())
    .bind(protocol.word())
    .bind(before)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// One version.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    edge: &str,
    protocol: Protocol,
    number: i64,
) -> Result<Option<LawModelRow>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM detection_law_models WHERE edge = $1 AND protocol = $2 AND number = $3",
    )
    .bind(edge.to_owned())
    .bind(protocol.word())
    .bind(number)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<LawModelRow, DbError> {
    Ok(LawModelRow {
        edge: row.try_get("edge")?,
        protocol: super::laws::protocol(row)?,
        number: row.try_get("number")?,
        state: row.try_get("state")?,
        reason: row.try_get("reason")?,
        blob: row.try_get("blob")?,
        created_at: row.try_get("created_at")?,
        messages: row.try_get("messages")?,
        trained_from: row.try_get("trained_from")?,
        trained_to: row.try_get("trained_to")?,
        signature: row.try_get("signature")?,
        signed_by: row.try_get("signed_by")?,
    })
}
