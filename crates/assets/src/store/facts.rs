//! Facts about devices, and the dated evidence of one.

use analytics::inventory::{DeviceFacts, KindGuess};
use model::{DeviceId, Timestamp};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::inventory::Known;

/// A row of dated evidence.
#[derive(Clone, Debug)]
pub(crate) struct EvidenceRow {
    pub(crate) sensor: String,
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_to: Option<Timestamp>,
    pub(crate) last_seen: Timestamp,
}

/// Keeps what a sensor knows; what it knew before is replaced.
pub(crate) async fn keep_facts(tx: &mut Tx, known: &Known) -> Result<(), DbError> {
    let json = |value: Result<String, serde_json::Error>| value.unwrap_or_else(|_| "null".into());
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO assets_facts (device, sensor, facts, kind, confidence, reasons, maker, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (device, sensor) DO UPDATE SET \
         facts = excluded.facts, kind = excluded.kind, confidence = excluded.confidence, \
         reasons = excluded.reasons, maker = excluded.maker, recorded_at = excluded.recorded_at",
    )
    .bind(known.device.to_string())
    .bind(known.sensor.clone())
    .bind(json(serde_json::to_string(&known.facts)))
    .bind(kind_word(&known.guess))
    .bind(known.guess.confidence)
    .bind(json(serde_json::to_string(&known.guess.reasons)))
    .bind(known.maker.clone())
    .bind(now)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The kind as it is stored and asked for: `plc`, `camera`, `unknown` …
pub(crate) fn kind_word(guess: &KindGuess) -> String {
    let word = serde_json::to_value(guess.kind).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_else(|| "unknown".into())
}

/// What is known of the devices `first` to `last` (in the order of ids).
pub(crate) async fn facts_of(
    connection: &mut AnyConnection,
    first: DeviceId,
    last: DeviceId,
) -> Result<Vec<Known>, DbError> {
    let rows = sqlx::query(
        "SELECT device, sensor, facts, kind, confidence, reasons, maker FROM assets_facts \
         WHERE device >= $1 AND device <= $2 ORDER BY device, recorded_at DESC",
    )
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().filter_map(|row| known(row).transpose()).collect()
}

/// Ids of devices of a kind, and whose facts hold a text (a protocol, a name), after `after`.
pub(crate) async fn matching(
    connection: &mut AnyConnection,
    (kind, text): (Option<&str>, Option<&str>),
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<DeviceId>, DbError> {
    let rows = sqlx::query(
        "SELECT DISTINCT d.id FROM assets_devices d LEFT JOIN assets_facts f ON f.device = d.id \
         WHERE d.id > $1 AND ($2 = '' OR f.kind = $2) AND ($3 = '' OR LOWER(f.facts) LIKE $3 \
         ESCAPE '!' OR LOWER(d.name) LIKE $3 ESCAPE '!' \
         OR LOWER(COALESCE(f.maker, '')) LIKE $3 ESCAPE '!') \
         ORDER BY d.id LIMIT $4",
    )
    .bind(after.unwrap_or(""))
    .bind(kind.unwrap_or(""))
    .bind(text.map_or_else(String::new, like))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| super::parse_id(row.try_get("id")?)).collect()
}

/// A pattern that finds the text anywhere, its own wildcards taken as they stand (escape `!`).
fn like(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = lower.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{plain}%")
}

/// The dated evidence of a device, newest first.
pub(crate) async fn evidence(
    connection: &mut AnyConnection,
    id: DeviceId,
) -> Result<Vec<EvidenceRow>, DbError> {
    let rows = sqlx::query(
        "SELECT sensor, kind, value, valid_from, valid_to, last_seen FROM assets_evidence \
         WHERE device = $1 ORDER BY last_seen DESC, valid_from DESC",
    )
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let valid_to: Option<i64> = row.try_get("valid_to")?;
            Ok(EvidenceRow {
                sensor: row.try_get("sensor")?,
                kind: row.try_get("kind")?,
                value: row.try_get("value")?,
                valid_from: Timestamp::from_micros(row.try_get("valid_from")?),
                valid_to: valid_to.map(Timestamp::from_micros),
                last_seen: Timestamp::from_micros(row.try_get("last_seen")?),
            })
        })
        .collect()
}

/// A row as it was kept; one that this version cannot read is left out.
fn known(row: &AnyRow) -> Result<Option<Known>, DbError> {
    let text: String = row.try_get("facts")?;
    let (kind, reasons): (String, String) = (row.try_get("kind")?, row.try_get("reasons")?);
    let facts: Option<DeviceFacts> = serde_json::from_str(&text).ok();
    let kind = serde_json::from_value(serde_json::Value::String(kind)).ok();
    let (Some(facts), Some(kind)) = (facts, kind) else { return Ok(None) };
    Ok(Some(Known {
        device: super::parse_id(row.try_get("device")?)?,
        sensor: row.try_get("sensor")?,
        facts,
        guess: KindGuess {
            kind,
            confidence: row.try_get("confidence")?,
            reasons: serde_json::from_str(&reasons).unwrap_or_default(),
        },
        maker: row.try_get("maker")?,
    }))
}
