//! Incidents as facts tell them.

use model::{Timestamp, Tlp};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::without;

/// An incident as last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: String,
    pub(crate) weight: i64,
    pub(crate) state: String,
    pub(crate) open: bool,
    pub(crate) received: bool,
    pub(crate) tlp: String,
    pub(crate) bound: String,
    pub(crate) origin: String,
    pub(crate) origin_name: String,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) opened_at: Timestamp,
    pub(crate) acknowledged_at: Option<Timestamp>,
    pub(crate) contained_at: Option<Timestamp>,
    pub(crate) recovered_at: Option<Timestamp>,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
}

fn case(row: &AnyRow) -> Result<Case, DbError> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let yes = |name: &str| Ok::<_, DbError>(row.try_get::<i64, _>(name)? == 1);
    let time = |name: &str| {
        let at: Option<i64> = row.try_get(name)?;
        Ok::<_, DbError>(at.map(Timestamp::from_micros))
    };
    Ok(Case {
        id: text("id")?,
        title: text("title")?,
        severity: text("severity")?,
        weight: row.try_get("weight")?,
        state: text("state")?,
        open: yes("open")?,
        received: yes("received")?,
        tlp: text("tlp")?,
        bound: text("bound")?,
        origin: text("origin")?,
        origin_name: text("origin_name")?,
        acknowledged_by: row.try_get("acknowledged_by")?,
        opened_at: Timestamp::from_micros(row.try_get("opened_at")?),
        acknowledged_at: time("acknowledged_at")?,
        contained_at: time("contained_at")?,
        recovered_at: time("recovered_at")?,
        closed_at: time("closed_at")?,
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
    })
}

/// One incident.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Case>, DbError> {
    let row = sqlx::query("SELECT * FROM situation_incidents WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(case).transpose()
}

/// Writes an incident as it stands.
pub(crate) async fn put(tx: &mut Tx, it: &Case) -> Result<(), DbError> {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
    sqlx::query(
        "INSERT INTO situation_incidents (id, title, severity, weight, state, open, received, waiting, tlp, \
         bound, origin, origin_name, acknowledged_by, opened_at, acknowledged_at, contained_at, \
         recovered_at, closed_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
         ON CONFLICT (id) DO UPDATE SET title = excluded.title, severity = excluded.severity, \
         weight = excluded.weight, state = excluded.state, open = excluded.open, \
         received = excluded.received, waiting = excluded.waiting, tlp = excluded.tlp, \
         bound = excluded.bound, origin_name = excluded.origin_name, \
         acknowledged_by = excluded.acknowledged_by, acknowledged_at = excluded.acknowledged_at, \
         contained_at = excluded.contained_at, recovered_at = excluded.recovered_at, \
         closed_at = excluded.closed_at, updated_at = excluded.updated_at",
    )
    .bind(it.id.clone())
    .bind(it.title.clone())
    .bind(it.severity.clone())
    .bind(it.weight)
    .bind(it.state.clone())
    .bind(i64::from(it.open))
    .bind(i64::from(it.received))
    .bind(i64::from(it.open && it.acknowledged_by.is_none()))
    .bind(it.tlp.clone())
    .bind(it.bound.clone())
    .bind(it.origin.clone())
    .bind(it.origin_name.clone())
    .bind(it.acknowledged_by.clone())
    .bind(it.opened_at.as_micros())
    .bind(micros(it.acknowledged_at))
    .bind(micros(it.contained_at))
    .bind(micros(it.recovered_at))
    .bind(micros(it.closed_at))
    .bind(it.updated_at.as_micros())
    .execute(tx.sql())
    .await?;
    Ok(())
}

async fn read(
    connection: &mut AnyConnection,
    condition: &str,
    beyond: &[Tlp],
    order: &str,
    limit: i64,
) -> Result<Vec<Case>, DbError> {
    let hidden = without(beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT * FROM situation_incidents WHERE {condition} {hidden}ORDER BY {order} LIMIT $1"
    )))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(case).collect()
}

/// Open incidents, the most severe and then the newest first.
pub(crate) async fn calling(
    connection: &mut AnyConnection,
    beyond: &[Tlp],
    limit: i64,
) -> Result<Vec<Case>, DbError> {
    read(connection, "open = 1", beyond, "weight DESC, opened_at DESC", limit).await
}

/// Received incidents that nobody acknowledged, the longest waiting first.
pub(crate) async fn waiting(
    connection: &mut AnyConnection,
    beyond: &[Tlp],
    limit: i64,
) -> Result<Vec<Case>, DbError> {
    read(connection, "waiting = 1 AND received = 1", beyond, "opened_at", limit).await
}

/// The newest received incidents, for the list of who sent what.
pub(crate) async fn recent_origins(
    connection: &mut AnyConnection,
    beyond: &[Tlp],
    limit: i64,
) -> Result<Vec<Case>, DbError> {
    read(connection, "received = 1", beyond, "opened_at DESC", limit).await
}

/// How many were opened after a moment, and how many older ones changed; at most `limit` of each are looked at.
pub(crate) async fn changes_since(
    connection: &mut AnyConnection,
    since: Timestamp,
    beyond: &[Tlp],
    limit: i64,
) -> Result<(u64, u64), DbError> {
    let hidden = without(beyond);
    let mut counts = [0_u64; 2];
    // The limit stands before the second condition: otherwise a moment long ago would read everything.
    for (count, (moment, besides)) in
        counts.iter_mut().zip([("opened_at", "opened_at > $1"), ("updated_at", "opened_at <= $1")])
    {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT COUNT(*) AS n FROM (SELECT opened_at FROM situation_incidents WHERE {moment} > $1 {hidden}\
             ORDER BY {moment} DESC LIMIT $2) newest WHERE {besides}",
        )))
        .bind(since.as_micros())
        .bind(limit)
        .fetch_one(&mut *connection)
        .await?;
        *count = row.try_get::<i64, _>("n")?.unsigned_abs();
    }
    Ok((counts[0], counts[1]))
}
