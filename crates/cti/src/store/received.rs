//! Incidents that peers shared with us.

use model::IncidentId;
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// One received incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) incident: IncidentId,
    /// Id of the STIX incident.
    pub(crate) object: String,
    /// Its version, microseconds UTC.
    pub(crate) version_us: i64,
    /// Node id of the sender, or the caller's id when it is no node.
    pub(crate) sender: String,
    /// Our id for the peer, when the sender is one.
    pub(crate) sender_peer: Option<String>,
    /// The sender's share.
    pub(crate) share: Option<String>,
    /// Id of our acknowledging note.
    pub(crate) note: Option<String>,
}

/// Adds a received incident, or a newer version by the same sender, which may be answered again;
/// false when there is nothing new in it.
pub(crate) async fn add(
    sql: &mut AnyConnection,
    received: &Received,
    now_us: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO cti_received (incident, object, version, sender, sender_peer, share, note, \
         recorded_at) VALUES ($1, $2, $3, $4, $5, $6, NULL, $7) ON CONFLICT (incident) DO UPDATE SET \
         object = excluded.object, version = excluded.version, share = excluded.share, note = NULL \
         WHERE cti_received.sender = excluded.sender AND cti_received.version < excluded.version",
    )
    .bind(received.incident.to_string())
    .bind(&received.object)
    .bind(received.version_us)
    .bind(&received.sender)
    .bind(&received.sender_peer)
    .bind(&received.share)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A received incident.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    incident: IncidentId,
) -> Result<Option<Received>, DbError> {
    let row = sqlx::query("SELECT * FROM cti_received WHERE incident = $1")
        .bind(incident.to_string())
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(received).transpose()
}

/// Notes our acknowledgement, once; false when there was one.
pub(crate) async fn set_note(
    sql: &mut AnyConnection,
    incident: IncidentId,
    note: &str,
) -> Result<bool, DbError> {
    let done =
        sqlx::query("UPDATE cti_received SET note = $1 WHERE incident = $2 AND note IS NULL")
            .bind(note)
            .bind(incident.to_string())
            .execute(sql)
            .await?;
    Ok(done.rows_affected() == 1)
}

fn received(row: &AnyRow) -> Result<Received, DbError> {
    let incident: String = row.try_get("incident")?;
    Ok(Received {
        incident: super::parsed(&incident, "cti_received.incident")?,
        object: row.try_get("object")?,
        version_us: row.try_get("version")?,
        sender: row.try_get("sender")?,
        sender_peer: row.try_get("sender_peer")?,
        share: row.try_get("share")?,
        note: row.try_get("note")?,
    })
}
