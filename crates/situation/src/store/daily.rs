//! Counts by day.

use model::Tlp;
use platform::db::{DbError, Tx};
use sqlx::{AnyConnection, Row};

use super::without;

/// One thing counted on a day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counted {
    pub(crate) day: i64,
    pub(crate) what: &'static str,
    pub(crate) item: String,
    pub(crate) bound: String,
}

/// Takes away what no longer holds and adds what does; what is in both costs nothing.
pub(crate) async fn move_counts(
    tx: &mut Tx,
    before: &[Counted],
    after: &[Counted],
) -> Result<(), DbError> {
    let gone = before.iter().filter(|one| !after.contains(one)).map(|one| (one, -1_i64));
    let new = after.iter().filter(|one| !before.contains(one)).map(|one| (one, 1_i64));
    for (one, by) in gone.chain(new) {
        sqlx::query(
            "INSERT INTO situation_daily (day, what, item, bound, n) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (what, day, item, bound) DO UPDATE SET n = situation_daily.n + excluded.n",
        )
        .bind(one.day)
        .bind(one.what)
        .bind(one.item.clone())
        .bind(one.bound.clone())
        .bind(by)
        .execute(tx.sql())
        .await?;
    }
    Ok(())
}

/// Counts of a thing from day to day (both included) by item, within sight.
pub(crate) async fn count_by_item(
    connection: &mut AnyConnection,
    what: &str,
    (from, to): (i64, i64),
    beyond: &[Tlp],
) -> Result<Vec<(String, u64)>, DbError> {
    let hidden = without(beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT item, CAST(SUM(n) AS BIGINT) AS n FROM situation_daily \
         WHERE what = $1 AND day >= $2 AND day <= $3 {hidden}GROUP BY item HAVING SUM(n) > 0 ORDER BY item",
    )))
    .bind(what)
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("item")?, row.try_get::<i64, _>("n")?.unsigned_abs())))
        .collect()
}

/// Counts of a thing by day and item, within sight.
pub(crate) async fn daily(
    connection: &mut AnyConnection,
    what: &str,
    (from, to): (i64, i64),
    beyond: &[Tlp],
) -> Result<Vec<(i64, String, u64)>, DbError> {
    let hidden = without(beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT day, item, CAST(SUM(n) AS BIGINT) AS n FROM situation_daily \
         WHERE what = $1 AND day >= $2 AND day <= $3 {hidden}\
         GROUP BY day, item HAVING SUM(n) > 0 ORDER BY day, item",
    )))
    .bind(what)
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let n: i64 = row.try_get("n")?;
            Ok((row.try_get("day")?, row.try_get("item")?, n.unsigned_abs()))
        })
        .collect()
}

/// A finding as last counted: day, severity, detector, kind.
pub(crate) async fn finding(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<(i64, String, String, String)>, DbError> {
    let row =
        sqlx::query("SELECT day, severity, detector, kind FROM situation_findings WHERE id = $1")
            .bind(id)
            .fetch_optional(connection)
            .await?;
    row.map(|row| {
        Ok((
            row.try_get("day")?,
            row.try_get("severity")?,
            row.try_get("detector")?,
            row.try_get("kind")?,
        ))
    })
    .transpose()
}

/// Notes how a finding is counted.
pub(crate) async fn put_finding(
    tx: &mut Tx,
    id: &str,
    (day, severity, detector, kind): (i64, &str, &str, &str),
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO situation_findings (id, day, severity, detector, kind) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, detector = excluded.detector, \
         kind = excluded.kind",
    )
    .bind(id)
    .bind(day)
    .bind(severity)
    .bind(detector)
    .bind(kind)
    .execute(tx.sql())
    .await?;
    Ok(())
}
