//! Orders and their fate.

use model::{BlockTarget, Outcome, Timestamp};
use platform::db::DbError;
use ports::edge::{Order, Verb};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{OrderRow, signed, unsigned};

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
    let json = |value: Result<String, serde_json::Error>| {
        value.map_err(|cause| DbError::corrupt("gateway_orders.spec", cause))
    };
    let spec = json(serde_json::to_string(&order.verb))?;
    let flow = order.flow.as_ref().map(|flow| json(serde_json::to_string(flow))).transpose()?;
    let done = sqlx::query(
        "INSERT INTO gateway_orders (key, edge, verb, timeout_s, target, mac, state, requested_by, requested_at, spec, \
         flow, why) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9, $10, $11) ON CONFLICT (key) DO NOTHING",
    )
    .bind(&order.key)
    .bind(edge)
    .bind(order.verb.name())
    .bind(order.verb.timeout_s().map(i64::from))
    .bind(target)
    .bind(&order.target.mac)
    .bind(requested_by)
    .bind(now.as_micros())
    .bind(spec)
    .bind(flow)
    .bind(&order.why)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The verb as written; orders of older nodes knew only blocks and releases.
fn verb(row: &AnyRow) -> Result<Verb, DbError> {
    if let Some(spec) = row.try_get::<Option<String>, _>("spec")? {
        return serde_json::from_str(&spec)
            .map_err(|cause| DbError::corrupt("gateway_orders.spec", cause));
    }
    let (verb, timeout): (String, Option<i64>) = (row.try_get("verb")?, row.try_get("timeout_s")?);
    Ok(match timeout.and_then(|seconds| u32::try_from(seconds).ok()) {
        Some(timeout_s) if verb == "block" => Verb::Block { timeout_s },
        _ => Verb::Release,
    })
}

fn order(row: &AnyRow) -> Result<OrderRow, DbError> {
    let target: String = row.try_get("target")?;
    let target: BlockTarget = serde_json::from_str(&target)
        .map_err(|cause| DbError::corrupt("gateway_orders.target", cause))?;
    let outcome: Option<String> = row.try_get("outcome")?;
    let flow: Option<String> = row.try_get("flow")?;
    let time = |name: &str| -> Result<Option<Timestamp>, DbError> {
        Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp::from_micros))
    };
    let before: Option<i64> = row.try_get("forwarded_before")?;
    let after: Option<i64> = row.try_get("forwarded_after")?;
    let dropped: Option<i64> = row.try_get("dropped_after")?;
    Ok(OrderRow {
        order: Order {
            key: row.try_get("key")?,
            verb: verb(row)?,
            target,
            flow: flow
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|cause| DbError::corrupt("gateway_orders.flow", cause))?,
            why: row.try_get::<Option<String>, _>("why")?.unwrap_or_default(),
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

/// Orders with an end that have not ended, at all gateways, newest first: in force, not carried out, or waiting.
pub(crate) async fn standing(
    connection: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<OrderRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM gateway_orders WHERE timeout_s IS NOT NULL AND lifted_at IS NULL \
         ORDER BY requested_at DESC, key LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(order).collect()
}

/// Orders in force at a gateway.
pub(crate) async fn in_force(
    connection: &mut AnyConnection,
    edge: &str,
) -> Result<Vec<OrderRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM gateway_orders WHERE edge = $1 AND timeout_s IS NOT NULL AND state = 'done' \
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

/// The order behind a rule number of OpenC2: its key and gateway.
pub(crate) async fn rule(
    connection: &mut AnyConnection,
    number: i64,
) -> Result<Option<(String, String)>, DbError> {
    let row =
        sqlx::query("SELECT order_key, edge FROM gateway_openc2_rules WHERE rule_number = $1")
            .bind(number)
            .fetch_optional(connection)
            .await?;
    row.map(|row| Ok((row.try_get("order_key")?, row.try_get("edge")?))).transpose()
}

/// The number that the rule of an order was given.
pub(crate) async fn rule_of(
    connection: &mut AnyConnection,
    key: &str,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query("SELECT rule_number FROM gateway_openc2_rules WHERE order_key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(row.try_get("rule_number")?)).transpose()
}

/// A rule number that is free.
pub(crate) async fn next_rule(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(rule_number), 0) AS last FROM gateway_openc2_rules")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>("last")?.saturating_add(1))
}

/// Gives an order a rule number; false when the number is taken.
pub(crate) async fn keep_rule(
    connection: &mut AnyConnection,
    number: i64,
    key: &str,
    edge: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO gateway_openc2_rules (rule_number, order_key, edge, made_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (rule_number) DO NOTHING",
    )
    .bind(number)
    .bind(key)
    .bind(edge)
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
