//! The room's SQL and nothing else.

use model::Timestamp;
use platform::db::DbError;
use ports::checkpoint::{CheckpointOrder, RecoveryReport};
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

pub(crate) mod cases;

/// An order and how it stands.
#[derive(Clone, Debug)]
pub(crate) struct OrderRow {
    pub(crate) key: String,
    pub(crate) agent: String,
    pub(crate) service: String,
    pub(crate) order: CheckpointOrder,
    pub(crate) incident: Option<String>,
    pub(crate) actor: String,
    /// `waiting`, `working`, `done`, `failed`.
    pub(crate) state: String,
    pub(crate) detail: String,
    pub(crate) report: Option<RecoveryReport>,
    pub(crate) offers: Vec<String>,
    pub(crate) asked_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

impl OrderRow {
    /// True when nothing more will happen.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "done" | "failed")
    }
}

pub(crate) fn json<T: DeserializeOwned>(text: &str, place: &'static str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|cause| DbError::corrupt(place, cause))
}

pub(crate) fn text<T: serde::Serialize>(value: &T, place: &'static str) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|cause| DbError::corrupt(place, cause))
}

fn order(row: &AnyRow) -> Result<OrderRow, DbError> {
    let body: String = row.try_get("body")?;
    let report: Option<String> = row.try_get("report")?;
    let offers: String = row.try_get("offers")?;
    let time = |micros: i64| Timestamp::from_micros(micros);
    Ok(OrderRow {
        key: row.try_get("key")?,
        agent: row.try_get("agent")?,
        service: row.try_get("service")?,
        order: json(&body, "recovery_orders.body")?,
        incident: row.try_get("incident")?,
        actor: row.try_get("actor")?,
        state: row.try_get("state")?,
        detail: row.try_get("detail")?,
        report: report.map(|text| json(&text, "recovery_orders.report")).transpose()?,
        offers: json(&offers, "recovery_orders.offers")?,
        asked_at: time(row.try_get("asked_at")?),
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(time),
    })
}

/// Adds an order; false when its key is known.
pub(crate) async fn insert_order(sql: &mut AnyConnection, row: &OrderRow) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO recovery_orders (key, agent, service, verb, body, incident, actor, state, detail, offers, asked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '[]', $10) ON CONFLICT (key) DO NOTHING",
    )
    .bind(&row.key)
    .bind(&row.agent)
    .bind(&row.service)
    .bind(row.order.verb())
    .bind(text(&row.order, "recovery_orders.body")?)
    .bind(&row.incident)
    .bind(&row.actor)
    .bind(&row.state)
    .bind(&row.detail)
    .bind(row.asked_at.as_micros())
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An order by its key.
pub(crate) async fn find_order(
    sql: &mut AnyConnection,
    key: &str,
) -> Result<Option<OrderRow>, DbError> {
    let row = sqlx::query("SELECT * FROM recovery_orders WHERE key = $1")
        .bind(key)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(order).transpose()
}

/// Orders, the newest first, before `(asked_at, key)`.
pub(crate) async fn orders(
    sql: &mut AnyConnection,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<OrderRow>, DbError> {
    let (at, key) = before.unwrap_or((i64::MAX, String::new()));
    let rows = sqlx::query(
        "SELECT * FROM recovery_orders WHERE asked_at < $1 OR (asked_at = $1 AND key < $2) \
         ORDER BY asked_at DESC, key DESC LIMIT $3",
    )
    .bind(at)
    .bind(key)
    .bind(limit)
    .fetch_all(sql)
    .await?;
    rows.iter().map(order).collect()
}

/// Notes how an open order stands; false when it was over before.
pub(crate) async fn move_order(sql: &mut AnyConnection, row: &OrderRow) -> Result<bool, DbError> {
    let report = row.report.as_ref().map(|report| text(report, "recovery_orders.report"));
    let done = sqlx::query(
        "UPDATE recovery_orders SET state = $1, detail = $2, report = $3, offers = $4, ended_at = $5 \
         WHERE key = $6 AND state NOT IN ('done', 'failed')",
    )
    .bind(&row.state)
    .bind(&row.detail)
    .bind(report.transpose()?)
    .bind(text(&row.offers, "recovery_orders.offers")?)
    .bind(row.ended_at.map(Timestamp::as_micros))
    .bind(&row.key)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many orders are open, and how many failed within the newest hundred.
pub(crate) async fn count_orders(sql: &mut AnyConnection) -> Result<i64, DbError> {
    let row =
        sqlx::query("SELECT COUNT(*) FROM recovery_orders WHERE state NOT IN ('done', 'failed')")
            .fetch_one(sql)
            .await?;
    Ok(row.try_get(0)?)
}

/// Keeps a delay that was found out; the newest word on an incident counts.
pub(crate) async fn put_delay(
    sql: &mut AnyConnection,
    incident: &str,
    delay_s: i64,
    by: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO recovery_delays (incident, delay_s, said_by, recorded_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (incident) DO UPDATE SET delay_s = excluded.delay_s, said_by = excluded.said_by, \
         recorded_at = excluded.recorded_at",
    )
    .bind(incident)
    .bind(delay_s)
    .bind(by)
    .bind(now.as_micros())
    .execute(sql)
    .await?;
    Ok(())
}

/// The newest delays, seconds.
pub(crate) async fn delays(sql: &mut AnyConnection, limit: i64) -> Result<Vec<u32>, DbError> {
    let rows =
        sqlx::query("SELECT delay_s FROM recovery_delays ORDER BY recorded_at DESC LIMIT $1")
            .bind(limit)
            .fetch_all(sql)
            .await?;
    rows.iter()
        .map(|row| Ok(u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX)))
        .collect()
}
