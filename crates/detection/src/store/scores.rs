//! The history of scores.

use std::fmt::Write as _;

use model::DeviceId;
use platform::db::{DbError, Tx};
use sqlx::{AnyConnection, Row};

use crate::plan::ScoreRow;

/// Rows of one statement: 14 values each, below every database's limit of bound values.
const ROWS_AT_ONCE: usize = 64;
const COLUMNS: usize = 14;

/// Adds scores. A window that was scored before (a device with two addresses) keeps the larger score.
pub(crate) async fn insert(tx: &mut Tx, scores: &[ScoreRow]) -> Result<(), DbError> {
    for rows in scores.chunks(ROWS_AT_ONCE) {
        let sql = insert_statement(rows.len());
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for score in rows {
            let [packets_out, packets_in, bytes_out, bytes_in] = score.traffic;
            query = query
                .bind(score.device.to_string())
                .bind(score.epoch)
                .bind(score.start_us)
                .bind(score.end_us)
                .bind(score.place)
                .bind(score.score)
                .bind(i64::from(score.alert))
                .bind(packets_out)
                .bind(packets_in)
                .bind(bytes_out)
                .bind(bytes_in)
                .bind(score.top.map(|(metric, _, _)| metric))
                .bind(score.top.map(|(_, measured, _)| measured))
                .bind(score.top.map(|(_, _, expected)| expected));
        }
        query.execute(tx.sql()).await?;
    }
    Ok(())
}

/// The statement for so many rows; made of constants and numbers only.
fn insert_statement(rows: usize) -> String {
    let mut sql = String::from(
        "INSERT INTO detection_scores (device, epoch, start_us, end_us, place, score, alert, \
         packets_out, packets_in, bytes_out, bytes_in, top_metric, measured, expected) VALUES ",
    );
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=COLUMNS {
            let comma = if column == 1 { "" } else { ", " };
            let _ = write!(sql, "{comma}${}", row * COLUMNS + column);
        }
        sql.push(')');
    }
    sql.push_str(
        " ON CONFLICT (device, epoch, start_us) DO UPDATE SET score = excluded.score, \
         alert = excluded.alert, top_metric = excluded.top_metric, measured = excluded.measured, \
         expected = excluded.expected \
         WHERE excluded.score > COALESCE(detection_scores.score, -1)",
    );
    sql
}

/// Removes the scores of a device up to a place.
pub(crate) async fn clean(tx: &mut Tx, device: DeviceId, place: i64) -> Result<(), DbError> {
    sqlx::query("DELETE FROM detection_scores WHERE device = $1 AND place <= $2")
        .bind(device.to_string())
        .bind(place)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// A point of the history; the largest figures of the windows it stands for.
#[derive(Clone, Debug)]
pub(crate) struct ScorePoint {
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
    pub(crate) score: Option<f64>,
    pub(crate) alert: bool,
    pub(crate) traffic: [i64; 4],
    pub(crate) top_metric: Option<String>,
    pub(crate) measured: Option<f64>,
    pub(crate) expected: Option<f64>,
}

/// First start and last end of an epoch's scores.
pub(crate) async fn span(
    connection: &mut AnyConnection,
    device: DeviceId,
    epoch: i64,
) -> Result<Option<(i64, i64)>, DbError> {
    let row = sqlx::query(
        "SELECT MIN(start_us), MAX(end_us) FROM detection_scores WHERE device = $1 AND epoch = $2",
    )
    .bind(device.to_string())
    .bind(epoch)
    .fetch_one(connection)
    .await?;
    let (first, last): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(first.zip(last))
}

/// The newest epoch with scores.
pub(crate) async fn newest_epoch(
    connection: &mut AnyConnection,
    device: DeviceId,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query("SELECT MAX(epoch) FROM detection_scores WHERE device = $1")
        .bind(device.to_string())
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

/// The history of `[from, to)` in steps of `step_us`; each step keeps the largest of every figure
/// and the explanation of its largest score.
pub(crate) async fn history(
    connection: &mut AnyConnection,
    device: DeviceId,
    epoch: i64,
    (from_us, to_us): (i64, i64),
    step_us: i64,
) -> Result<Vec<ScorePoint>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM (SELECT top_metric, measured, expected, \
         MIN(start_us) OVER step AS first_us, MAX(end_us) OVER step AS last_us, \
         MAX(score) OVER step AS top_score, MAX(alert) OVER step AS any_alert, \
         MAX(packets_out) OVER step AS top_packets_out, MAX(packets_in) OVER step AS top_packets_in, \
         MAX(bytes_out) OVER step AS top_bytes_out, MAX(bytes_in) OVER step AS top_bytes_in, \
         ROW_NUMBER() OVER (PARTITION BY (start_us - $3) / $5 ORDER BY COALESCE(score, -1) DESC, start_us) AS rank_in_step \
         FROM detection_scores WHERE device = $1 AND epoch = $2 AND start_us >= $3 AND start_us < $4 \
         WINDOW step AS (PARTITION BY (start_us - $3) / $5)) steps \
         WHERE rank_in_step = 1 ORDER BY first_us",
    )
    .bind(device.to_string())
    .bind(epoch)
    .bind(from_us)
    .bind(to_us)
    .bind(step_us)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(ScorePoint {
                start_us: row.try_get("first_us")?,
                end_us: row.try_get("last_us")?,
                score: row.try_get("top_score")?,
                alert: row.try_get::<i64, _>("any_alert")? != 0,
                traffic: [
                    row.try_get("top_packets_out")?,
                    row.try_get("top_packets_in")?,
                    row.try_get("top_bytes_out")?,
                    row.try_get("top_bytes_in")?,
                ],
                top_metric: row.try_get("top_metric")?,
                measured: row.try_get("measured")?,
                expected: row.try_get("expected")?,
            })
        })
        .collect()
}

/// What was scored after a place.
#[derive(Clone, Debug)]
pub(crate) struct Since {
    pub(crate) windows: i64,
    pub(crate) alerts: i64,
    pub(crate) highest: Option<f64>,
    pub(crate) newest_us: Option<i64>,
}

/// Scores of windows that begin at or after `end_us` of an epoch, and of all later epochs: a source that starts again
/// is fresh as a whole.
pub(crate) async fn since(
    connection: &mut AnyConnection,
    device: DeviceId,
    epoch: i64,
    end_us: i64,
) -> Result<Since, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(score), COALESCE(SUM(alert), 0), MAX(score), MAX(end_us) FROM detection_scores \
         WHERE device = $1 AND (epoch > $2 OR (epoch = $2 AND start_us >= $3)) AND score IS NOT NULL",
    )
    .bind(device.to_string())
    .bind(epoch)
    .bind(end_us)
    .fetch_one(connection)
    .await?;
    Ok(Since {
        windows: row.try_get(0)?,
        alerts: row.try_get(1)?,
        highest: row.try_get(2)?,
        newest_us: row.try_get(3)?,
    })
}
