//! Imports that people follow, and what of them was not stored.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::import::{ImportProblem, ImportReport};
use crate::import_job::MAX_PROBLEMS;

/// An import.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) made_by: String,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) tlp: String,
    pub(crate) bytes: u64,
    /// `waiting`, `storing`, `done` or `failed`.
    pub(crate) state: String,
    pub(crate) error: String,
    pub(crate) done: u64,
    /// Without its problems.
    pub(crate) report: ImportReport,
    pub(crate) made_us: i64,
    pub(crate) ended_us: Option<i64>,
}

/// A new one.
pub(crate) struct New<'a> {
    pub(crate) id: &'a str,
    pub(crate) person: &'a str,
    pub(crate) made_by: &'a str,
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) tlp: &'a str,
    pub(crate) bytes: u64,
}

pub(crate) async fn insert(
    sql: &mut AnyConnection,
    new: &New<'_>,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO knowledge_imports (id, person, made_by, name, label, tlp, bytes, state, error, objects, \
         done, new, updated, older, same, conflicts, refused, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', '', 0, 0, 0, 0, 0, 0, 0, 0, $8)",
    )
    .bind(new.id)
    .bind(new.person)
    .bind(new.made_by)
    .bind(new.name)
    .bind(new.label)
    .bind(new.tlp)
    .bind(signed(new.bytes))
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// Forgets the oldest that ended, beyond `keep`.
pub(crate) async fn forget(sql: &mut AnyConnection, keep: i64) -> Result<(), DbError> {
    let old = "SELECT id FROM knowledge_imports WHERE ended_at IS NOT NULL AND id NOT IN (SELECT id FROM \
               knowledge_imports WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id LIMIT $1)";
    for text in [
        format!("DELETE FROM knowledge_import_problems WHERE import IN ({old})"),
        format!("DELETE FROM knowledge_imports WHERE id IN ({old})"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(keep).execute(&mut *sql).await?;
    }
    Ok(())
}

/// Ids of those that have not ended.
pub(crate) async fn open(sql: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query("SELECT id FROM knowledge_imports WHERE ended_at IS NULL")
        .fetch_all(sql)
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub(crate) async fn get(sql: &mut AnyConnection, id: &str) -> Result<Option<Kept>, DbError> {
    let row = sqlx::query("SELECT * FROM knowledge_imports WHERE id = $1")
        .bind(id)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(kept).transpose()
}

/// One of a person's own.
pub(crate) async fn of(
    sql: &mut AnyConnection,
    person: &str,
    id: &str,
) -> Result<Option<Kept>, DbError> {
    let row = sqlx::query("SELECT * FROM knowledge_imports WHERE id = $1 AND person = $2")
        .bind(id)
        .bind(person)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(kept).transpose()
}

/// A person's own, the newest first.
pub(crate) async fn all_of(
    sql: &mut AnyConnection,
    person: &str,
    limit: i64,
) -> Result<Vec<Kept>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM knowledge_imports WHERE person = $1 ORDER BY recorded_at DESC, id LIMIT $2",
    )
    .bind(person)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(kept).collect()
}

/// It was read: what is refused is counted and named, the rest will be stored.
pub(crate) async fn begin(
    sql: &mut AnyConnection,
    id: &str,
    report: &ImportReport,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE knowledge_imports SET state = 'storing', objects = $1, refused = $2 WHERE id = $3",
    )
    .bind(signed(report.objects))
    .bind(signed(report.refused))
    .bind(id)
    .execute(&mut *sql)
    .await?;
    add_problems(sql, id, &report.problems).await
}

/// `done` more objects are stored.
pub(crate) async fn advance(
    sql: &mut AnyConnection,
    id: &str,
    done: u64,
    report: &ImportReport,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE knowledge_imports SET done = done + $1, new = new + $2, updated = updated + $3, older = older + $4, \
         same = same + $5, conflicts = conflicts + $6 WHERE id = $7",
    )
    .bind(signed(done))
    .bind(signed(report.new))
    .bind(signed(report.updated))
    .bind(signed(report.older))
    .bind(signed(report.same))
    .bind(signed(report.conflicts))
    .bind(id)
    .execute(&mut *sql)
    .await?;
    add_problems(sql, id, &report.problems).await
}

/// It is over; an empty error says that all went well.
pub(crate) async fn end(
    sql: &mut AnyConnection,
    id: &str,
    error: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE knowledge_imports SET state = $1, error = $2, ended_at = $3 WHERE id = $4 AND ended_at IS NULL",
    )
    .bind(if error.is_empty() { "done" } else { "failed" })
    .bind(error)
    .bind(now_us)
    .bind(id)
    .execute(sql)
    .await?;
    Ok(())
}

async fn add_problems(
    sql: &mut AnyConnection,
    id: &str,
    problems: &[ImportProblem],
) -> Result<(), DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM knowledge_import_problems WHERE import = $1")
        .bind(id)
        .fetch_one(&mut *sql)
        .await?;
    let held = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
    for problem in problems.iter().take(MAX_PROBLEMS.saturating_sub(held)) {
        sqlx::query(
            "INSERT INTO knowledge_import_problems (import, place, object, reason) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (import, place) DO NOTHING",
        )
        .bind(id)
        .bind(signed(problem.index))
        .bind(&problem.id)
        .bind(&problem.reason)
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// What was not stored, by place.
pub(crate) async fn problems(
    sql: &mut AnyConnection,
    id: &str,
    limit: i64,
) -> Result<Vec<ImportProblem>, DbError> {
    let rows = sqlx::query(
        "SELECT place, object, reason FROM knowledge_import_problems WHERE import = $1 ORDER BY place LIMIT $2",
    )
    .bind(id)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(ImportProblem {
                index: count(row, "place")?,
                id: row.try_get("object")?,
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(row: &AnyRow, column: &str) -> Result<u64, DbError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

fn kept(row: &AnyRow) -> Result<Kept, DbError> {
    Ok(Kept {
        id: row.try_get("id")?,
        made_by: row.try_get("made_by")?,
        name: row.try_get("name")?,
        label: row.try_get("label")?,
        tlp: row.try_get("tlp")?,
        bytes: count(row, "bytes")?,
        state: row.try_get("state")?,
        error: row.try_get("error")?,
        done: count(row, "done")?,
        report: ImportReport {
            objects: count(row, "objects")?,
            new: count(row, "new")?,
            updated: count(row, "updated")?,
            older: count(row, "older")?,
            same: count(row, "same")?,
            conflicts: count(row, "conflicts")?,
            refused: count(row, "refused")?,
            problems: vec![],
        },
        made_us: row.try_get("recorded_at")?,
        ended_us: row.try_get("ended_at")?,
    })
}
