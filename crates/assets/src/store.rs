//! The room's SQL.

use std::collections::HashMap;
use std::net::IpAddr;

use model::{Device, DeviceId, DeviceRole, Severity, Timestamp};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::evidence::Sighting;

pub(crate) use self::facts::{evidence, facts_of, keep_facts, kind_word, matching};

mod facts;

/// Addresses of a device that hold at the same time; beyond, the one unseen for longest is closed.
pub(crate) const MAX_CURRENT_ADDRESSES: usize = 16;
/// Evidence rows kept per device.
pub(crate) const MAX_EVIDENCE_ROWS: i64 = 256;

const DEVICE: &str =
    "SELECT id, name, place, role, criticality, mac, first_seen, last_seen FROM assets_devices";

pub(crate) async fn device(
    connection: &mut AnyConnection,
    id: DeviceId,
) -> Result<Option<Device>, DbError> {
    let sql = format!("{DEVICE} WHERE id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut device = read_device(&row)?;
    device.addresses = addresses(connection, id).await?;
    Ok(Some(device))
}

/// Devices after `after` in the order they were recorded, with their addresses.
pub(crate) async fn devices(
    connection: &mut AnyConnection,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Device>, DbError> {
    let sql = format!("{DEVICE} WHERE id > $1 ORDER BY id LIMIT $2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(after.unwrap_or(""))
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
    let mut devices = rows.iter().map(read_device).collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (devices.first(), devices.last()) else { return Ok(devices) };
    let rows = sqlx::query(
        "SELECT device, value FROM assets_evidence WHERE kind = 'ip' AND valid_to IS NULL \
         AND device >= $1 AND device <= $2 ORDER BY last_seen DESC, valid_from DESC",
    )
    .bind(first.id.to_string())
    .bind(last.id.to_string())
    .fetch_all(connection)
    .await?;
    let mut by_device: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for row in &rows {
        by_device.entry(row.try_get("device")?).or_default().push(address(row)?);
    }
    for device in &mut devices {
        device.addresses = by_device.remove(&device.id.to_string()).unwrap_or_default();
        device.addresses.dedup();
    }
    Ok(devices)
}

pub(crate) async fn count(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM assets_devices").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// The device the evidence speaks of: by MAC address on the sensor, else by address. An address
/// does not lead to a device that is known under another MAC address.
pub(crate) async fn find(tx: &mut Tx, sighting: &Sighting) -> Result<Option<DeviceId>, DbError> {
    if let Some(mac) = &sighting.mac {
        let known = find_by(tx, &sighting.sensor, "mac", mac, false).await?;
        if known.is_some() {
            return Ok(known);
        }
    }
    // A MAC address the device made up is no sign that it is the one known by its address: leases pass
    // from one to the next.
    if sighting.mac_is_private() {
        return Ok(None);
    }
    let Some(address) = sighting.address else { return Ok(None) };
    let without_mac = sighting.mac.is_some();
    find_by(tx, &sighting.sensor, "ip", &address.to_string(), without_mac).await
}

async fn find_by(
    tx: &mut Tx,
    sensor: &str,
    kind: &str,
    value: &str,
    without_mac: bool,
) -> Result<Option<DeviceId>, DbError> {
    let sql = "SELECT e.device FROM assets_evidence e JOIN assets_devices d ON d.id = e.device \
               WHERE e.sensor = $1 AND e.kind = $2 AND e.value = $3 AND e.valid_to IS NULL \
               AND ($4 = 0 OR d.mac IS NULL) ORDER BY e.last_seen DESC LIMIT 1";
    let row = sqlx::query(sql)
        .bind(sensor)
        .bind(kind)
        .bind(value)
        .bind(i64::from(without_mac))
        .fetch_optional(tx.sql())
        .await?;
    row.map(|row| parse_id(row.try_get("device")?)).transpose()
}

pub(crate) async fn insert(tx: &mut Tx, device: &Device) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    sqlx::query(
        "INSERT INTO assets_devices (id, name, place, role, criticality, mac, first_seen, last_seen, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(device.id.to_string())
    .bind(device.name.clone())
    .bind(device.place.clone())
    .bind(role_word(device.role))
    .bind(device.criticality.word())
    .bind(device.mac.clone())
    .bind(device.first_seen.as_micros())
    .bind(device.last_seen.as_micros())
    .bind(now)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Moves `last_seen` forward, keeps the role in step with the configuration, and takes over the MAC
/// address of a device that was known by its address only (its automatic name follows).
pub(crate) async fn touch(
    tx: &mut Tx,
    id: DeviceId,
    sighting: &Sighting,
    role: DeviceRole,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE assets_devices SET last_seen = CASE WHEN last_seen > $1 THEN last_seen ELSE $1 END, \
         role = $2, mac = COALESCE(mac, $3), \
         name = CASE WHEN mac IS NULL AND named_by IS NULL THEN COALESCE($3, name) ELSE name END \
         WHERE id = $4",
    )
    .bind(sighting.seen_at.as_micros())
    .bind(role_word(role))
    .bind(sighting.mac.clone())
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Records one line of evidence as holding from now on, or as seen again.
pub(crate) async fn note_evidence(
    tx: &mut Tx,
    id: DeviceId,
    sensor: &str,
    (kind, value): (&str, &str),
    seen_at: Timestamp,
) -> Result<(), DbError> {
    let seen = seen_at.as_micros();
    let again = sqlx::query(
        "UPDATE assets_evidence SET last_seen = CASE WHEN last_seen > $1 THEN last_seen ELSE $1 END \
         WHERE device = $2 AND sensor = $3 AND kind = $4 AND value = $5 AND valid_to IS NULL",
    )
    .bind(seen)
    .bind(id.to_string())
    .bind(sensor)
    .bind(kind)
    .bind(value)
    .execute(tx.sql())
    .await?;
    if again.rows_affected() > 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO assets_evidence (device, sensor, kind, value, valid_from, valid_to, last_seen) \
         VALUES ($1, $2, $3, $4, $5, NULL, $5) \
         ON CONFLICT (device, sensor, kind, value, valid_from) DO UPDATE SET valid_to = NULL",
    )
    .bind(id.to_string())
    .bind(sensor)
    .bind(kind)
    .bind(value)
    .bind(seen)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// An address belongs to one device of a sensor at a time: the others no longer hold it.
pub(crate) async fn take_address(
    tx: &mut Tx,
    id: DeviceId,
    sensor: &str,
    address: &str,
    seen_at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE assets_evidence SET valid_to = $1 WHERE sensor = $2 AND kind = 'ip' AND value = $3 \
         AND device <> $4 AND valid_to IS NULL",
    )
    .bind(seen_at.as_micros())
    .bind(sensor)
    .bind(address)
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// What stands behind a router is not the router: addresses it was taken for before it was known to
/// be one are closed, so that they lead to the devices behind it.
pub(crate) async fn release_addresses(
    tx: &mut Tx,
    id: DeviceId,
    sensor: &str,
    own: &[String],
) -> Result<(), DbError> {
    let own = serde_json::to_string(own).unwrap_or_else(|_| "[]".into());
    sqlx::query(
        "UPDATE assets_evidence SET valid_to = last_seen WHERE device = $1 AND sensor = $2 \
         AND kind = 'ip' AND valid_to IS NULL AND $3 NOT LIKE '%\"' || value || '\"%'",
    )
    .bind(id.to_string())
    .bind(sensor)
    .bind(own)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Closes the addresses beyond the bound and forgets the oldest closed rows.
pub(crate) async fn bound_evidence(tx: &mut Tx, id: DeviceId) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE assets_evidence SET valid_to = last_seen WHERE device = $1 AND kind = 'ip' \
         AND valid_to IS NULL AND last_seen < (SELECT MIN(last_seen) FROM (SELECT last_seen \
         FROM assets_evidence WHERE device = $1 AND kind = 'ip' AND valid_to IS NULL \
         ORDER BY last_seen DESC LIMIT $2) newest)",
    )
    .bind(id.to_string())
    .bind(i64::try_from(MAX_CURRENT_ADDRESSES).unwrap_or(i64::MAX))
    .execute(tx.sql())
    .await?;
    sqlx::query(
        "DELETE FROM assets_evidence WHERE device = $1 AND valid_to IS NOT NULL AND last_seen < \
         (SELECT MIN(last_seen) FROM (SELECT last_seen FROM assets_evidence WHERE device = $1 \
         ORDER BY last_seen DESC LIMIT $2) newest)",
    )
    .bind(id.to_string())
    .bind(MAX_EVIDENCE_ROWS)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// What a person may change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    /// `Some(None)` clears it.
    pub(crate) place: Option<Option<String>>,
    pub(crate) criticality: Option<Severity>,
}

/// Applies a person's change; false when there is no such device.
pub(crate) async fn change(
    tx: &mut Tx,
    id: DeviceId,
    change: &Change,
    by: &str,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE assets_devices SET name = COALESCE($1, name), \
         named_by = CASE WHEN $1 IS NULL THEN named_by ELSE $2 END, \
         place = CASE WHEN $3 = 1 THEN $4 ELSE place END, \
         criticality = COALESCE($5, criticality) WHERE id = $6",
    )
    .bind(change.name.clone())
    .bind(by)
    .bind(i64::from(change.place.is_some()))
    .bind(change.place.clone().flatten())
    .bind(change.criticality.map(Severity::word))
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn addresses(connection: &mut AnyConnection, id: DeviceId) -> Result<Vec<IpAddr>, DbError> {
    let rows = sqlx::query(
        "SELECT value FROM assets_evidence WHERE device = $1 AND kind = 'ip' AND valid_to IS NULL \
         ORDER BY last_seen DESC, valid_from DESC",
    )
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    let mut addresses = rows.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    addresses.dedup();
    Ok(addresses)
}

fn address(row: &AnyRow) -> Result<IpAddr, DbError> {
    let text: String = row.try_get("value")?;
    text.parse().map_err(|cause| DbError::corrupt("assets_evidence.value", cause))
}

fn parse_id(text: String) -> Result<DeviceId, DbError> {
    text.parse().map_err(|cause| DbError::corrupt("assets_devices.id", cause))
}

fn read_device(row: &AnyRow) -> Result<Device, DbError> {
    let role: String = row.try_get("role")?;
    let criticality: String = row.try_get("criticality")?;
    Ok(Device {
        id: parse_id(row.try_get("id")?)?,
        name: row.try_get("name")?,
        place: row.try_get("place")?,
        role: role_of(&role)?,
        criticality: criticality
            .parse()
            .map_err(|cause| DbError::corrupt("assets_devices.criticality", cause))?,
        mac: row.try_get("mac")?,
        addresses: vec![],
        first_seen: Timestamp::from_micros(row.try_get("first_seen")?),
        last_seen: Timestamp::from_micros(row.try_get("last_seen")?),
    })
}

const fn role_word(role: DeviceRole) -> &'static str {
    match role {
        DeviceRole::Unknown => "unknown",
        DeviceRole::Protected => "protected",
        DeviceRole::Infrastructure => "infrastructure",
    }
}

fn role_of(word: &str) -> Result<DeviceRole, DbError> {
    [DeviceRole::Unknown, DeviceRole::Protected, DeviceRole::Infrastructure]
        .into_iter()
        .find(|role| role_word(*role) == word)
        .ok_or_else(|| DbError::corrupt("assets_devices.role", word))
}
