//! Machine models as they stand, and reports that wait.

use model::Timestamp;
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::machines::state::MachineRow;
use crate::plan::StoredReport;
use crate::state::Phase;

/// Writes rows as they stand.
pub(crate) async fn write(tx: &mut Tx, rows: &[MachineRow]) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    for row in rows {
        sqlx::query(
            "INSERT INTO detection_machines (edge, phase, reason, fallback, generation, epoch, \
             first_us, last_us, operations, reports, waiting, place, version, judged, unusual, \
             informed, suppressed, kept_out, unwatched, unread, unjudged, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
             $18, $19, $20, $21, $22) ON CONFLICT (edge) DO UPDATE SET phase = excluded.phase, \
             reason = excluded.reason, fallback = excluded.fallback, \
             generation = excluded.generation, epoch = excluded.epoch, \
             first_us = excluded.first_us, last_us = excluded.last_us, \
             operations = excluded.operations, reports = excluded.reports, \
             waiting = excluded.waiting, place = excluded.place, version = excluded.version, \
             judged = excluded.judged, unusual = excluded.unusual, informed = excluded.informed, \
             suppressed = excluded.suppressed, kept_out = excluded.kept_out, \
             unwatched = excluded.unwatched, unread = excluded.unread, \
             unjudged = excluded.unjudged, updated_at = excluded.updated_at",
        )
        .bind(row.edge.clone())
        .bind(row.phase.word())
        .bind(row.reason.clone())
        .bind(row.fallback.clone())
        .bind(row.generation)
        .bind(row.epoch)
        .bind(row.first_us)
        .bind(row.last_us)
        .bind(row.operations)
        .bind(row.reports)
        .bind(row.waiting)
        .bind(row.place)
        .bind(row.version)
        .bind(row.judged)
        .bind(row.unusual)
        .bind(row.informed)
        .bind(row.suppressed)
        .bind(row.kept_out)
        .bind(row.unwatched)
        .bind(row.unread)
        .bind(row.unjudged)
        .bind(now)
        .execute(tx.sql())
        .await?;
    }
    Ok(())
}

/// Every edge's machine model, in the order of their names.
pub(crate) async fn all(
    connection: &mut AnyConnection,
) -> Result<Vec<(MachineRow, Timestamp)>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM detection_machines ORDER BY edge").fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<(MachineRow, Timestamp), DbError> {
    let phase: String = row.try_get("phase")?;
    let phase = Phase::from_word(&phase)
        .ok_or_else(|| DbError::corrupt("detection_machines.phase", &phase))?;
    let own = MachineRow {
        edge: row.try_get("edge")?,
        phase,
        reason: row.try_get("reason")?,
        fallback: row.try_get("fallback")?,
        generation: row.try_get("generation")?,
        epoch: row.try_get("epoch")?,
        first_us: row.try_get("first_us")?,
        last_us: row.try_get("last_us")?,
        operations: row.try_get("operations")?,
        reports: row.try_get("reports")?,
        waiting: row.try_get("waiting")?,
        place: row.try_get("place")?,
        version: row.try_get("version")?,
        judged: row.try_get("judged")?,
        unusual: row.try_get("unusual")?,
        informed: row.try_get("informed")?,
        suppressed: row.try_get("suppressed")?,
        kept_out: row.try_get("kept_out")?,
        unwatched: row.try_get("unwatched")?,
        unread: row.try_get("unread")?,
        unjudged: row.try_get("unjudged")?,
    };
    Ok((own, Timestamp::from_micros(row.try_get("updated_at")?)))
}

/// Stores reports.
pub(crate) async fn keep(tx: &mut Tx, reports: &[StoredReport]) -> Result<(), DbError> {
    for report in reports {
        sqlx::query(
            "INSERT INTO detection_operations (edge, role, place, epoch, report) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(report.edge.clone())
        .bind(report.role)
        .bind(report.place)
        .bind(report.epoch)
        .bind(report.report.clone())
        .execute(tx.sql())
        .await?;
    }
    Ok(())
}

/// Stored reports of a role after a place, in the order they came: place and text.
pub(crate) async fn stored(
    connection: &mut AnyConnection,
    edge: &str,
    role: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>, DbError> {
    let rows = sqlx::query(
        "SELECT place, report FROM detection_operations WHERE edge = $1 AND role = $2 \
         AND place > $3 ORDER BY place LIMIT $4",
    )
    .bind(edge.to_owned())
    .bind(role.to_owned())
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Removes stored reports that were used.
pub(crate) async fn used(tx: &mut Tx, edge: &str, role: &str, place: i64) -> Result<(), DbError> {
    sqlx::query("DELETE FROM detection_operations WHERE edge = $1 AND role = $2 AND place <= $3")
        .bind(edge.to_owned())
        .bind(role.to_owned())
        .bind(place)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// Removes all stored reports of commands of an edge.
pub(crate) async fn forget(tx: &mut Tx, edge: &str) -> Result<(), DbError> {
    for role in StoredReport::COMMAND_ROLES {
        used(tx, edge, role, i64::MAX).await?;
    }
    Ok(())
}
