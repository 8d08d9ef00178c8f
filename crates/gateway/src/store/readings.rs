//! Counters over time.

use model::Timestamp;
use platform::db::DbError;
use ports::edge::DeviceCounters;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{signed, unsigned};

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
    let reasons = serde_json::to_string(&line.reasons)
        .map_err(|cause| DbError::corrupt("gateway_counters.reasons", cause))?;
    sqlx::query(
        "INSERT INTO gateway_counters (edge, mac, at, event_at, forwarded_packets, forwarded_bytes, \
         dropped_packets, dropped_bytes, blocked, reasons) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
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
    .bind(reasons)
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
    let reasons: Option<String> = row.try_get("reasons")?;
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
            reasons: reasons
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|cause| DbError::corrupt("gateway_counters.reasons", cause))?
                .unwrap_or_default(),
        },
    })
}
