//! Reports of evaluations that people keep.

use model::Timestamp;
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// Reports kept; a newer one takes the place of the oldest.
pub(crate) const MAX_KEPT: i64 = 100;

/// One report, without its body.
#[derive(Clone, Debug)]
pub(crate) struct EvaluationRow {
    /// Identity; ids order by time.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Program and version that made it.
    pub program: String,
    /// Who handed it in.
    pub author: String,
    /// When.
    pub recorded_at: Timestamp,
    /// Seeds tried.
    pub seeds: i64,
    /// False-alarm budget.
    pub alpha: f64,
    /// Length of a window, seconds.
    pub window_s: f64,
    /// Names of the scenarios.
    pub scenarios: Vec<String>,
    /// Different detectors in it.
    pub detectors: i64,
    /// Goals the shipped detector misses.
    pub shortfalls: i64,
    /// Size of the report.
    pub size_bytes: i64,
    /// SHA-256 of the report.
    pub blob: String,
}

/// Keeps a report, and forgets the oldest beyond [`MAX_KEPT`].
pub(crate) async fn add(tx: &mut Tx, row: &EvaluationRow) -> Result<(), DbError> {
    let scenarios = serde_json::to_string(&row.scenarios)
        .map_err(|cause| DbError::corrupt("detection_evaluations.scenarios", cause))?;
    sqlx::query(
        "INSERT INTO detection_evaluations (id, name, program, author, recorded_at, seeds, alpha, \
         window_s, scenarios, detectors, shortfalls, size_bytes, blob) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(row.id.clone())
    .bind(row.name.clone())
    .bind(row.program.clone())
    .bind(row.author.clone())
    .bind(row.recorded_at.as_micros())
    .bind(row.seeds)
    .bind(row.alpha)
    .bind(row.window_s)
    .bind(scenarios)
    .bind(row.detectors)
    .bind(row.shortfalls)
    .bind(row.size_bytes)
    .bind(row.blob.clone())
    .execute(tx.sql())
    .await?;
    sqlx::query(
        "DELETE FROM detection_evaluations WHERE id NOT IN \
         (SELECT id FROM detection_evaluations ORDER BY recorded_at DESC, id DESC LIMIT $1)",
    )
    .bind(MAX_KEPT)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// All that are kept, newest first.
pub(crate) async fn all(connection: &mut AnyConnection) -> Result<Vec<EvaluationRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM detection_evaluations ORDER BY recorded_at DESC, id DESC LIMIT $1",
    )
    .bind(MAX_KEPT)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// One of them.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<EvaluationRow>, DbError> {
    let row = sqlx::query("SELECT * FROM detection_evaluations WHERE id = $1")
        .bind(id.to_owned())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<EvaluationRow, DbError> {
    let scenarios: String = row.try_get("scenarios")?;
    Ok(EvaluationRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        program: row.try_get("program")?,
        author: row.try_get("author")?,
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at")?),
        seeds: row.try_get("seeds")?,
        alpha: row.try_get("alpha")?,
        window_s: row.try_get("window_s")?,
        scenarios: serde_json::from_str(&scenarios)
            .map_err(|cause| DbError::corrupt("detection_evaluations.scenarios", cause))?,
        detectors: row.try_get("detectors")?,
        shortfalls: row.try_get("shortfalls")?,
        size_bytes: row.try_get("size_bytes")?,
        blob: row.try_get("blob")?,
    })
}
