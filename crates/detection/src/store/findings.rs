//! Findings as they stand.

use model::{DeviceId, Finding, FindingId};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::finding::{Lane, OpenFinding, Tally};
use crate::machines::evidence::UnusualCommand;
use crate::plan::FindingWrite;

/// Writes a finding as it stands.
pub(crate) async fn write(tx: &mut Tx, write: &FindingWrite) -> Result<(), DbError> {
    let finding = &write.finding;
    let print = |cause| DbError::corrupt("detection_findings.body", cause);
    let body = serde_json::to_string(finding).map_err(print)?;
    let tally = serde_json::to_string(&write.tally).map_err(print)?;
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO detection_findings (id, device, severity, first_at, last_at, body, tally, \
         recorded_at, updated_at, lane, place) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, last_at = excluded.last_at, \
         body = excluded.body, tally = excluded.tally, updated_at = excluded.updated_at",
    )
    .bind(finding.id.to_string())
    .bind(finding.device.to_string())
    .bind(finding.severity.word())
    .bind(finding.first_at.as_micros())
    .bind(finding.last_at.as_micros())
    .bind(body)
    .bind(tally)
    .bind(finding.recorded_at.as_micros())
    .bind(now)
    .bind(write.lane.word())
    .bind(write.place)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Removes the oldest findings of a device beyond the limit.
pub(crate) async fn clean(tx: &mut Tx, device: DeviceId, limit: i64) -> Result<(), DbError> {
    sqlx::query(
        "DELETE FROM detection_findings WHERE device = $1 AND place < (SELECT MIN(place) FROM \
         (SELECT place FROM detection_findings WHERE device = $1 ORDER BY place DESC LIMIT $2) newest)",
    )
    .bind(device.to_string())
    .bind(limit)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The newest finding of each device and lane, with what is needed to go on with it.
pub(crate) async fn newest_of_each(
    connection: &mut AnyConnection,
) -> Result<Vec<(Lane, OpenFinding)>, DbError> {
    let rows = sqlx::query(
        "SELECT lane, place, body, tally FROM detection_findings own WHERE place = \
         (SELECT MAX(place) FROM detection_findings WHERE device = own.device AND lane = own.lane)",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let finding = read(row)?;
            let tally: String = row.try_get("tally")?;
            let tally = serde_json::from_str(&tally)
                .map_err(|cause| DbError::corrupt("detection_findings.tally", cause))?;
            let (word, place): (String, i64) = (row.try_get("lane")?, row.try_get("place")?);
            let lane = Lane::ALL
                .into_iter()
                .find(|lane| lane.word() == word)
                .ok_or_else(|| DbError::corrupt("detection_findings.lane", &word))?;
            Ok((lane, OpenFinding { finding, tally, place, dirty: false }))
        })
        .collect()
}

/// The findings of these ids, in no order, each with what people last said of it.
pub(crate) async fn of_ids(
    connection: &mut AnyConnection,
    ids: &[String],
) -> Result<Vec<(Finding, Option<String>)>, DbError> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let places: Vec<String> = (1..=ids.len()).map(|at| format!("${at}")).collect();
    let sql = format!(
        "SELECT f.body AS body, l.verdict AS verdict FROM detection_findings f \
         JOIN detection_list l ON l.id = f.id WHERE f.id IN ({})",
        places.join(", ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
    for id in ids {
        query = query.bind(id.clone());
    }
    let rows = query.fetch_all(connection).await?;
    let one = |row: &AnyRow| {
        let verdict: String = row.try_get("verdict")?;
        Ok((read(row)?, (!verdict.is_empty()).then_some(verdict)))
    };
    rows.iter().map(one).collect()
}

/// One finding.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: FindingId,
) -> Result<Option<Finding>, DbError> {
    let row = sqlx::query("SELECT body FROM detection_findings WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The unusual commands of a finding, and how many found no place.
pub(crate) async fn commands(
    connection: &mut AnyConnection,
    id: FindingId,
) -> Result<(Vec<UnusualCommand>, u64), DbError> {
    let tally = tally(connection, id).await?;
    Ok(tally.map_or_else(Default::default, |tally| (tally.commands, tally.commands_beyond)))
}

/// What the windows of a finding add up to, where it is stored.
pub(crate) async fn tally(
    connection: &mut AnyConnection,
    id: FindingId,
) -> Result<Option<Tally>, DbError> {
    let row = sqlx::query("SELECT tally FROM detection_findings WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let tally: String = row.try_get("tally")?;
    serde_json::from_str(&tally)
        .map(Some)
        .map_err(|cause| DbError::corrupt("detection_findings.tally", cause))
}

fn read(row: &AnyRow) -> Result<Finding, DbError> {
    let body: String = row.try_get("body")?;
    serde_json::from_str(&body).map_err(|cause| DbError::corrupt("detection_findings.body", cause))
}
