//! Versions of machine models.

use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::models::{ACTIVE, RETIRED};

/// One version.
#[derive(Clone, Debug)]
pub(crate) struct MachineModelRow {
    pub(crate) edge: String,
    /// From 1, rising by one.
    pub(crate) number: i64,
    /// `active` or `retired`.
    pub(crate) state: String,
    /// `learned`, `edited` or `taught`.
    pub(crate) origin: String,
    /// Who made it.
    pub(crate) author: String,
    pub(crate) reason: String,
    /// SHA-256 of its text.
    pub(crate) blob: String,
    /// Wall time.
    pub(crate) created_at: i64,
    pub(crate) pairs: i64,
    pub(crate) functions: i64,
    /// Operations learned from.
    pub(crate) operations: i64,
    /// Over how long, seconds.
    pub(crate) seconds: f64,
    pub(crate) signature: String,
    pub(crate) signed_by: String,
}

/// Registers a version as the one in use; the one before is retired.
pub(crate) async fn add(tx: &mut Tx, row: &MachineModelRow) -> Result<(), DbError> {
    retire(tx, &row.edge).await?;
    sqlx::query(
        "INSERT INTO detection_machine_models (edge, number, state, origin, author, reason, blob, \
         created_at, pairs, functions, operations, seconds, signature, signed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(row.edge.clone())
    .bind(row.number)
    .bind(ACTIVE)
    .bind(row.origin.clone())
    .bind(row.author.clone())
    .bind(row.reason.clone())
    .bind(row.blob.clone())
    .bind(row.created_at)
    .bind(row.pairs)
    .bind(row.functions)
    .bind(row.operations)
    .bind(row.seconds)
    .bind(row.signature.clone())
    .bind(row.signed_by.clone())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// No version of an edge is in use.
pub(crate) async fn retire(tx: &mut Tx, edge: &str) -> Result<(), DbError> {
    sqlx::query("UPDATE detection_machine_models SET state = $1 WHERE edge = $2 AND state = $3")
        .bind(RETIRED)
        .bind(edge.to_owned())
        .bind(ACTIVE)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Puts a version in use again.
pub(crate) async fn activate(tx: &mut Tx, edge: &str, number: i64) -> Result<(), DbError> {
    retire(tx, edge).await?;
    sqlx::query("UPDATE detection_machine_models SET state = $1 WHERE edge = $2 AND number = $3")
        .bind(ACTIVE)
        .bind(edge.to_owned())
        .bind(number)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Versions before a number, newest first.
pub(crate) async fn of_edge(
    connection: &mut AnyConnection,
    edge: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<MachineModelRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM detection_machine_models WHERE edge = $1 AND number < $2 \
         ORDER BY number DESC LIMIT $3",
    )
    .bind(edge.to_owned())
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
    number: i64,
) -> Result<Option<MachineModelRow>, DbError> {
    let row = sqlx::query("SELECT * FROM detection_machine_models WHERE edge = $1 AND number = $2")
        .bind(edge.to_owned())
        .bind(number)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<MachineModelRow, DbError> {
    Ok(MachineModelRow {
        edge: row.try_get("edge")?,
        number: row.try_get("number")?,
        state: row.try_get("state")?,
        origin: row.try_get("origin")?,
        author: row.try_get("author")?,
        reason: row.try_get("reason")?,
        blob: row.try_get("blob")?,
        created_at: row.try_get("created_at")?,
        pairs: row.try_get("pairs")?,
        functions: row.try_get("functions")?,
        operations: row.try_get("operations")?,
        seconds: row.try_get("seconds")?,
        signature: row.try_get("signature")?,
        signed_by: row.try_get("signed_by")?,
    })
}
