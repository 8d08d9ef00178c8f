//! Checks, and cases whose block is being lifted.

use model::{BlockTarget, Timestamp};
use platform::db::DbError;
use ports::recovery::ScoreMark;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{json, text};
use crate::health::Spec;

/// Most checks of a node.
pub(crate) const MAX_CHECKS: i64 = 10_000;
/// Most checks of one device.
pub(crate) const MAX_CHECKS_EACH: usize = 16;

/// How it is seen that a device is well.
#[derive(Clone, Debug)]
pub(crate) struct CheckRow {
    pub(crate) id: String,
    pub(crate) target: String,
    pub(crate) spec: Spec,
    pub(crate) created_by: String,
    pub(crate) recorded_at: Timestamp,
}

/// A case.
#[derive(Clone, Debug)]
pub(crate) struct CaseRow {
    pub(crate) incident: String,
    pub(crate) device: String,
    pub(crate) target: BlockTarget,
    pub(crate) stage: String,
    pub(crate) trial: i64,
    pub(crate) failures: i64,
    pub(crate) mark: Option<ScoreMark>,
    pub(crate) detail: String,
    pub(crate) due_at: Timestamp,
    pub(crate) started_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl CaseRow {
    /// True when nothing more happens by itself.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(self.stage.as_str(), "holding" | "trial")
    }
}

fn check(row: &AnyRow) -> Result<CheckRow, DbError> {
    let spec: String = row.try_get("spec")?;
    Ok(CheckRow {
        id: row.try_get("id")?,
        target: row.try_get("target")?,
        spec: json(&spec, "recovery_checks.spec")?,
        created_by: row.try_get("created_by")?,
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at")?),
    })
}

fn case(row: &AnyRow) -> Result<CaseRow, DbError> {
    let target: String = row.try_get("target")?;
    let mark: Option<String> = row.try_get("mark")?;
    let time = |name: &str| -> Result<Timestamp, DbError> {
        Ok(Timestamp::from_micros(row.try_get(name)?))
    };
    Ok(CaseRow {
        incident: row.try_get("incident")?,
        device: row.try_get("device")?,
        target: json(&target, "recovery_cases.target")?,
        stage: row.try_get("stage")?,
        trial: row.try_get("trial")?,
        failures: row.try_get("failures")?,
        mark: mark.map(|text| json(&text, "recovery_cases.mark")).transpose()?,
        detail: row.try_get("detail")?,
        due_at: time("due_at")?,
        started_at: time("started_at")?,
        updated_at: time("updated_at")?,
    })
}

pub(crate) async fn insert_check(sql: &mut AnyConnection, row: &CheckRow) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO recovery_checks (id, target, kind, spec, created_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&row.id)
    .bind(&row.target)
    .bind(row.spec.kind())
    .bind(text(&row.spec, "recovery_checks.spec")?)
    .bind(&row.created_by)
    .bind(row.recorded_at.as_micros())
    .execute(sql)
    .await?;
    Ok(())
}

/// All checks, by device.
pub(crate) async fn checks(sql: &mut AnyConnection) -> Result<Vec<CheckRow>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM recovery_checks ORDER BY target, recorded_at, id LIMIT $1")
            .bind(MAX_CHECKS)
            .fetch_all(sql)
            .await?;
    rows.iter().map(check).collect()
}

/// Checks of a device under any of its names.
pub(crate) async fn checks_of(
    sql: &mut AnyConnection,
    target: &BlockTarget,
) -> Result<Vec<CheckRow>, DbError> {
    let addresses = target.addresses.iter().map(ToString::to_string);
    let mut found = Vec::new();
    for name in target.mac.iter().cloned().chain(addresses).take(MAX_CHECKS_EACH) {
        let rows =
            sqlx::query("SELECT * FROM recovery_checks WHERE target = $1 ORDER BY recorded_at")
                .bind(name)
                .fetch_all(&mut *sql)
                .await?;
        for row in &rows {
            found.push(check(row)?);
        }
    }
    found.truncate(MAX_CHECKS_EACH);
    Ok(found)
}

pub(crate) async fn count_checks(sql: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM recovery_checks").fetch_one(sql).await?;
    Ok(row.try_get(0)?)
}

/// Removes a check; false when there is none.
pub(crate) async fn remove_check(sql: &mut AnyConnection, id: &str) -> Result<bool, DbError> {
    let done =
        sqlx::query("DELETE FROM recovery_checks WHERE id = $1").bind(id).execute(sql).await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a case as it stands.
pub(crate) async fn put_case(sql: &mut AnyConnection, row: &CaseRow) -> Result<(), DbError> {
    let mark = row.mark.as_ref().map(|mark| text(mark, "recovery_cases.mark")).transpose()?;
    sqlx::query(
        "INSERT INTO recovery_cases (incident, device, target, stage, trial, failures, mark, detail, due_at, started_at, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (incident) DO UPDATE SET stage = excluded.stage, trial = excluded.trial, \
         failures = excluded.failures, mark = excluded.mark, detail = excluded.detail, due_at = excluded.due_at, \
         updated_at = excluded.updated_at",
    )
    .bind(&row.incident)
    .bind(&row.device)
    .bind(text(&row.target, "recovery_cases.target")?)
    .bind(&row.stage)
    .bind(row.trial)
    .bind(row.failures)
    .bind(mark)
    .bind(&row.detail)
    .bind(row.due_at.as_micros())
    .bind(row.started_at.as_micros())
    .bind(row.updated_at.as_micros())
    .execute(sql)
    .await?;
    Ok(())
}

pub(crate) async fn find_case(
    sql: &mut AnyConnection,
    incident: &str,
) -> Result<Option<CaseRow>, DbError> {
    let row = sqlx::query("SELECT * FROM recovery_cases WHERE incident = $1")
        .bind(incident)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(case).transpose()
}

/// Cases, the newest first.
pub(crate) async fn cases(sql: &mut AnyConnection, limit: i64) -> Result<Vec<CaseRow>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM recovery_cases ORDER BY started_at DESC, incident LIMIT $1")
            .bind(limit)
            .fetch_all(sql)
            .await?;
    rows.iter().map(case).collect()
}
