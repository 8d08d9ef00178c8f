//! The room's SQL and nothing else.

use model::{BlockTarget, Outcome, Timestamp};
use platform::db::DbError;
use ports::edge::{DeviceCounters, Order, Source, Verb};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

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

/// Writes a new order; false when the key is known.
pub(crate) async fn insert_order(
    connection: &mut AnyConnection,
    edge: &str,
    order: &Order,
    requested_by: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let target = serde_json::to_string(&order.target)
        .map_err(|cause| DbError::corrupt("gateway_orders.target", cause))?;
    let (verb, timeout) = match order.verb {
        Verb::Block { timeout_s } => ("block", Some(i64::from(timeout_s))),
        Verb::Release => ("release", None),
    };
    let done = sqlx::query(
        "INSERT INTO gateway_orders (key, edge, verb, timeout_s, target, mac, state, requested_by, requested_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8) ON CONFLICT (key) DO NOTHING",
    )
    .bind(&order.key)
    .bind(edge)
    .bind(verb)
    .bind(timeout)
    .bind(target)
    .bind(&order.target.mac)
    .bind(requested_by)
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn order(row: &AnyRow) -> Result<OrderRow, DbError> {
    let target: String = row.try_get("target")?;
    let target: BlockTarget = serde_json::from_str(&target)
        .map_err(|cause| DbError::corrupt("gateway_orders.target", cause))?;
    let verb: String = row.try_get("verb")?;
    let timeout: Option<i64> = row.try_get("timeout_s")?;
    let outcome: Option<String> = row.try_get("outcome")?;
    let time = |name: &str| -> Result<Option<Timestamp>, DbError> {
        Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp::from_micros))
    };
    let before: Option<i64> = row.try_get("forwarded_before")?;
    let after: Option<i64> = row.try_get("forwarded_after")?;
    let dropped: Option<i64> = row.try_get("dropped_after")?;
    Ok(OrderRow {
        order: Order {
            key: row.try_get("key")?,
            verb: match timeout.and_then(|seconds| u32::try_from(seconds).ok()) {
                Some(timeout_s) if verb == "block" => Verb::Block { timeout_s },
                _ => Verb::Release,
            },
            target,
        },
        edge: row.try_get("edge")?,
        state: row.try_get("state")?,
        outcome: outcome
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|cause| DbError::corrupt("gateway_orders.outcome", cause))?,
        requested_by: row.try_get("requested_by")?,
        requested_at: Timestamp::from_micros(row.try_get("requested_at")?),
        done_at: time("done_at")?,
        lifted_at: time("lifted_at")?,
        seen: before.map(|before| {
            (unsigned(before), after.map_or(0, unsigned), dropped.map_or(0, unsigned))
        }),
    })
}

/// One order.
pub(crate) async fn find_order(
    connection: &mut AnyConnection,
    key: &str,
) -> Result<Option<OrderRow>, DbError> {
    let row = sqlx::query("SELECT * FROM gateway_orders WHERE key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(order).transpose()
}

/// Orders, newest first.
pub(crate) async fn orders(
    connection: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<OrderRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM gateway_orders ORDER BY requested_at DESC, key LIMIT $1")
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(order).collect()
}

/// Orders a gateway has not answered, oldest first.
pub(crate) async fn unanswered(
    connection: &mut AnyConnection,
    edge: &str,
) -> Result<Vec<OrderRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM gateway_orders WHERE edge = $1 AND state = 'waiting' ORDER BY requested_at, key",
    )
    .bind(edge)
    .fetch_all(connection)
    .await?;
    rows.iter().map(order).collect()
}

/// Blocks in force at a gateway.
pub(crate) async fn in_force(
    connection: &mut AnyConnection,
    edge: &str,
) -> Result<Vec<OrderRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM gateway_orders WHERE edge = $1 AND verb = 'block' AND state = 'done' \
         AND lifted_at IS NULL ORDER BY requested_at, key",
    )
    .bind(edge)
    .fetch_all(connection)
    .await?;
    let orders: Result<Vec<OrderRow>, DbError> = rows.iter().map(order).collect();
    Ok(orders?
        .into_iter()
        .filter(|row| matches!(row.outcome, Some(Outcome::Done { .. })))
        .collect())
}

/// Writes what became of an order; false when that was known.
pub(crate) async fn answer(
    connection: &mut AnyConnection,
    key: &str,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<bool, DbError> {
    let text = serde_json::to_string(outcome)
        .map_err(|cause| DbError::corrupt("gateway_orders.outcome", cause))?;
    let done = sqlx::query(
        "UPDATE gateway_orders SET state = 'done', outcome = $1, done_at = $2 \
         WHERE key = $3 AND state = 'waiting'",
    )
    .bind(text)
    .bind(now.as_micros())
    .bind(key)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Marks a block as no longer in force; false when it was already.
pub(crate) async fn lift(
    connection: &mut AnyConnection,
    key: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE gateway_orders SET lifted_at = $1 WHERE key = $2 AND lifted_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(key)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what the counters show of a block: the first reading is "before", later ones "after".
pub(crate) async fn see(
    connection: &mut AnyConnection,
    key: &str,
    forwarded: u64,
    dropped: u64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE gateway_orders SET forwarded_before = COALESCE(forwarded_before, $1), \
         forwarded_after = $2, dropped_after = $3 WHERE key = $4 AND lifted_at IS NULL",
    )
    .bind(signed(forwarded))
    .bind(signed(forwarded))
    .bind(signed(dropped))
    .bind(key)
    .execute(connection)
    .await?;
    Ok(())
}

/// One reading of a device's counters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) at: Timestamp,
    pub(crate) event_at: Timestamp,
    pub(crate) counters: DeviceCounters,
}

/// Keeps a reading and forgets the oldest beyond `rows`.
pub(crate) async fn keep_reading(
    connection: &mut AnyConnection,
    edge: &str,
    reading: &Reading,
    rows: u32,
) -> Result<(), DbError> {
    let line = &reading.counters;
    sqlx::query(
        "INSERT INTO gateway_counters (edge, mac, at, event_at, forwarded_packets, forwarded_bytes, \
         dropped_packets, dropped_bytes, blocked) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (edge, mac, at) DO NOTHING",
    )
    .bind(edge)
    .bind(&line.mac)
    .bind(reading.at.as_micros())
    .bind(reading.event_at.as_micros())
    .bind(signed(line.forwarded_packets))
    .bind(signed(line.forwarded_bytes))
    .bind(signed(line.dropped_packets))
    .bind(signed(line.dropped_bytes))
    .bind(i64::from(line.blocked))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM gateway_counters WHERE edge = $1 AND mac = $2 AND at <= \
         (SELECT at FROM gateway_counters WHERE edge = $3 AND mac = $4 ORDER BY at DESC LIMIT 1 OFFSET $5)",
    )
    .bind(edge)
    .bind(&line.mac)
    .bind(edge)
    .bind(&line.mac)
    .bind(i64::from(rows))
    .execute(connection)
    .await?;
    Ok(())
}

/// Readings of a gateway, oldest first, at most `limit` newest of them.
pub(crate) async fn readings(
    connection: &mut AnyConnection,
    edge: &str,
    mac: Option<&str>,
    from: Timestamp,
    to: Timestamp,
    limit: i64,
) -> Result<Vec<Reading>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM gateway_counters WHERE edge = $1 AND ($2 = '' OR mac = $2) AND at >= $3 AND at <= $4 \
         ORDER BY at DESC LIMIT $5",
    )
    .bind(edge)
    .bind(mac.unwrap_or_default())
    .bind(from.as_micros())
    .bind(to.as_micros())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let mut readings = rows.iter().map(reading).collect::<Result<Vec<_>, DbError>>()?;
    readings.reverse();
    Ok(readings)
}

fn reading(row: &AnyRow) -> Result<Reading, DbError> {
    let number = |name: &str| row.try_get::<i64, _>(name);
    Ok(Reading {
        at: Timestamp::from_micros(number("at")?),
        event_at: Timestamp::from_micros(number("event_at")?),
        counters: DeviceCounters {
            mac: row.try_get("mac")?,
            forwarded_packets: unsigned(number("forwarded_packets")?),
            forwarded_bytes: unsigned(number("forwarded_bytes")?),
            dropped_packets: unsigned(number("dropped_packets")?),
            dropped_bytes: unsigned(number("dropped_bytes")?),
            blocked: number("blocked")? != 0,
        },
    })
}
