//! Windows kept to learn from and to compare models on, and keys learned since the training.

use analytics::guard::keys::Key;
use analytics::host::Host;
use analytics::record::{RECORD_VERSION, WindowRecord};
use model::DeviceId;
use platform::db::{DbError, Tx};
use sqlx::{AnyConnection, Row};

use crate::plan::KeptWindow;

/// Rows of one statement.
const ROWS_AT_ONCE: usize = 64;

/// Of the first training.
pub(crate) const ANCHOR: &str = "anchor";
/// Trusted.
pub(crate) const LESSON: &str = "lesson";
/// Alerting.
pub(crate) const ALERT: &str = "alert";
/// Neither.
pub(crate) const DOUBT: &str = "doubt";

/// Keeps windows.
pub(crate) async fn keep(tx: &mut Tx, windows: &[KeptWindow]) -> Result<(), DbError> {
    for rows in windows.chunks(ROWS_AT_ONCE) {
        let places: Vec<String> = (0..rows.len())
            .map(|row| {
                let first = row * 7;
                let numbers: Vec<String> = (1..=7).map(|n| format!("${}", first + n)).collect();
                format!("({})", numbers.join(", "))
            })
            .collect();
        // Made of constants and numbers only.
        let sql = format!(
            "INSERT INTO detection_kept (device, place, role, epoch, score, finding, record) \
             VALUES {} ON CONFLICT (device, place) DO NOTHING",
            places.join(", ")
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for window in rows {
            query = query
                .bind(window.device.to_string())
                .bind(window.place)
                .bind(window.role)
                .bind(window.epoch)
                .bind(window.score)
                .bind(window.finding.map(|id| id.to_string()))
                .bind(window.record.clone());
        }
        query.execute(tx.sql()).await?;
    }
    Ok(())
}

/// The windows of a training become the anchor: the newest `limit` of them. Those of another version
/// of the record taught nothing and are left behind; every record begins with its version.
pub(crate) async fn anchor(tx: &mut Tx, device: DeviceId, limit: i64) -> Result<(), DbError> {
    forget(tx, device).await?;
    sqlx::query(
        "INSERT INTO detection_kept (device, place, role, epoch, score, finding, record) \
         SELECT device, place, 'anchor', epoch, NULL, NULL, record FROM detection_training \
         WHERE device = $1 AND role = 'train' AND record LIKE $3 ORDER BY place DESC LIMIT $2",
    )
    .bind(device.to_string())
    .bind(limit)
    .bind(format!("{{\"version\":{RECORD_VERSION},%"))
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Nothing is kept of a device, also no learned keys.
pub(crate) async fn forget(tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
    for sql in [
        "DELETE FROM detection_kept WHERE device = $1",
        "DELETE FROM detection_keys WHERE device = $1",
    ] {
        sqlx::query(sql).bind(device.to_string()).execute(tx.sql()).await?;
    }
    Ok(())
}

/// Removes the oldest lessons and doubts beyond `limit`, and alerts beyond a tenth of it.
pub(crate) async fn clean(tx: &mut Tx, device: DeviceId, limit: i64) -> Result<(), DbError> {
    for (roles, limit) in [("('lesson', 'doubt')", limit), ("('alert')", (limit / 10).max(1))] {
        let sql = format!(
            "DELETE FROM detection_kept WHERE device = $1 AND role IN {roles} AND place < \
             (SELECT MIN(place) FROM (SELECT place FROM detection_kept WHERE device = $1 \
             AND role IN {roles} ORDER BY place DESC LIMIT $2) newest)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(device.to_string())
            .bind(limit)
            .execute(tx.sql())
            .await?;
    }
    Ok(())
}

/// The windows of findings that people called normal teach from now on.
pub(crate) async fn believe(tx: &mut Tx, finding: &str) -> Result<(), DbError> {
    sqlx::query("UPDATE detection_kept SET role = 'lesson' WHERE finding = $1 AND role = 'alert'")
        .bind(finding)
        .execute(tx.sql())
        .await?;
    Ok(())
}

/// A kept window as it comes back.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) role: String,
    pub(crate) finding: Option<String>,
    pub(crate) record: WindowRecord,
}

/// Kept windows as they come back.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptWindows {
    /// Those this build can read.
    pub(crate) windows: Vec<Kept>,
    /// Those it cannot: records of another version.
    pub(crate) unreadable: usize,
}

/// Kept windows of some roles, the newest `limit` of them, oldest first.
pub(crate) async fn stored(
    connection: &mut AnyConnection,
    device: DeviceId,
    roles: &[&str],
    limit: i64,
) -> Result<KeptWindows, DbError> {
    let quoted: Vec<String> = roles.iter().map(|role| format!("'{role}'")).collect();
    let sql = format!(
        "SELECT role, finding, record FROM detection_kept WHERE device = $1 AND role IN ({}) \
         ORDER BY place DESC LIMIT $2",
        quoted.join(", ")
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(device.to_string())
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let mut kept = KeptWindows::default();
    kept.windows.reserve(rows.len());
    for row in rows.iter().rev() {
        let text: String = row.try_get("record")?;
        match serde_json::from_str(&text) {
            Ok(record) => kept.windows.push(Kept {
                role: row.try_get("role")?,
                finding: row.try_get("finding")?,
                record,
            }),
            Err(cause) => {
                if kept.unreadable == 0 {
                    tracing::warn!(%device, %cause, "kept windows cannot be read");
                }
                kept.unreadable += 1;
            }
        }
    }
    Ok(kept)
}

/// Keys of a device that became known after its training.
pub(crate) async fn add_keys(tx: &mut Tx, device: DeviceId, keys: &[Key]) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    for (peer, protocol, port) in keys {
        sqlx::query(
            "INSERT INTO detection_keys (device, peer, protocol, port, learned_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (device, peer, protocol, port) DO NOTHING",
        )
        .bind(device.to_string())
        .bind(peer.to_string())
        .bind(i64::from(*protocol))
        .bind(i64::from(*port))
        .bind(now)
        .execute(tx.sql())
        .await?;
    }
    Ok(())
}

/// All learned keys, by device.
pub(crate) async fn keys(
    connection: &mut AnyConnection,
) -> Result<std::collections::HashMap<DeviceId, Vec<Key>>, DbError> {
    let rows = sqlx::query("SELECT device, peer, protocol, port FROM detection_keys")
        .fetch_all(connection)
        .await?;
    let mut keys = std::collections::HashMap::<DeviceId, Vec<Key>>::new();
    for row in &rows {
        let (device, peer): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let peer: Host =
            peer.parse().map_err(|cause| DbError::corrupt("detection_keys.peer", cause))?;
        let (protocol, port): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let key = (
            peer,
            u8::try_from(protocol).unwrap_or(u8::MAX),
            u16::try_from(port).unwrap_or(u16::MAX),
        );
        keys.entry(super::device_id(&device, "detection_keys.device")?).or_default().push(key);
    }
    Ok(keys)
}
