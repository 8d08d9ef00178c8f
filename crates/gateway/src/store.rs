//! The room's SQL and nothing else.

mod allow;
mod orders;
mod policies;
mod readings;

use model::{Outcome, Timestamp};
use platform::db::DbError;
use ports::edge::{Order, Source};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

pub(crate) use allow::{
    AllowRow, ListRow, allow_entries, allow_lists, entries_of, forget_entries, learn, put_entry,
    set_list,
};
pub(crate) use orders::{
    answer, find_order, in_force, insert_order, keep_rule, lift, next_rule, orders, rule, rule_of,
    see, standing, unanswered,
};
pub(crate) use policies::{HistoryRow, PolicyRow, history, note_taken, policy, set_policy};
pub(crate) use readings::{Reading, keep_reading, readings};

/// A gateway as last heard of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edge {
    pub(crate) name: String,
    pub(crate) not_enforcing: Option<String>,
    pub(crate) source: Source,
    pub(crate) epoch: u64,
    pub(crate) last_contact: Timestamp,
    pub(crate) refused_batches: i64,
}

/// An order with its fate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OrderRow {
    pub(crate) order: Order,
    pub(crate) edge: String,
    pub(crate) state: String,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) requested_by: String,
    pub(crate) requested_at: Timestamp,
    pub(crate) done_at: Option<Timestamp>,
    pub(crate) lifted_at: Option<Timestamp>,
    /// Forwarded before, forwarded now, dropped now: packets of the device since the gateway started.
    pub(crate) seen: Option<(u64, u64, u64)>,
}

impl OrderRow {
    /// The MAC the order took effect on: the one named, or the one the gateway found.
    pub(crate) fn mac(&self) -> Option<&str> {
        let found = match &self.outcome {
            Some(Outcome::Done { data, .. }) => data["mac"].as_str(),
            _ => None,
        };
        self.order.target.mac.as_deref().or(found)
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// All gateways by name.
pub(crate) async fn edges(connection: &mut AnyConnection) -> Result<Vec<Edge>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM gateway_edges ORDER BY name").fetch_all(connection).await?;
    rows.iter().map(edge).collect()
}

fn edge(row: &AnyRow) -> Result<Edge, DbError> {
    let source: String = row.try_get("source")?;
    Ok(Edge {
        name: row.try_get("name")?,
        not_enforcing: row.try_get("not_enforcing")?,
        source: serde_json::from_str(&source)
            .map_err(|cause| DbError::corrupt("gateway_edges.source", cause))?,
        epoch: unsigned(row.try_get("epoch")?),
        last_contact: Timestamp::from_micros(row.try_get("last_contact")?),
        refused_batches: row.try_get("refused_batches")?,
    })
}

/// One gateway.
pub(crate) async fn find_edge(
    connection: &mut AnyConnection,
    name: &str,
) -> Result<Option<Edge>, DbError> {
    let row = sqlx::query("SELECT * FROM gateway_edges WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(edge).transpose()
}

/// Writes a gateway as it introduced itself.
pub(crate) async fn keep_edge(
    connection: &mut AnyConnection,
    edge: &Edge,
    version: &str,
) -> Result<(), DbError> {
    let source = serde_json::to_string(&edge.source)
        .map_err(|cause| DbError::corrupt("gateway_edges.source", cause))?;
    sqlx::query(
        "INSERT INTO gateway_edges (name, version, not_enforcing, source, epoch, last_contact, refused_batches) \
         VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
         not_enforcing = excluded.not_enforcing, source = excluded.source, epoch = excluded.epoch, \
         last_contact = excluded.last_contact",
    )
    .bind(&edge.name)
    .bind(version)
    .bind(&edge.not_enforcing)
    .bind(source)
    .bind(signed(edge.epoch))
    .bind(edge.last_contact.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts a batch that could not be read.
pub(crate) async fn count_refused(
    connection: &mut AnyConnection,
    name: &str,
) -> Result<(), DbError> {
    sqlx::query("UPDATE gateway_edges SET refused_batches = refused_batches + 1 WHERE name = $1")
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes when a gateway was last heard.
pub(crate) async fn touch(
    connection: &mut AnyConnection,
    name: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("UPDATE gateway_edges SET last_contact = $1 WHERE name = $2")
        .bind(at.as_micros())
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}
