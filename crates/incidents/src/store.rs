//! The room's SQL and nothing else.

mod timeline;

use std::net::IpAddr;

use model::{
    DeviceId, Finding, Incident, IncidentId, IncidentReport, IncidentState, TimelineItem, Timestamp,
};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

pub(crate) use timeline::{add_line, has_line};

/// Findings of one incident; further ones open a new incident.
pub(crate) const MAX_FINDINGS: u64 = 1_000;

const COLUMNS: &str = "id, title, state, severity, tlp, origin, origin_name, received_share, \
     acknowledged_by, event_at, recorded_at, updated_at, \
     (SELECT COUNT(*) FROM incidents_findings f WHERE f.incident = incidents_incidents.id) AS findings";

fn incident(row: &AnyRow) -> Result<Incident, DbError> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let share: Option<String> = row.try_get("received_share")?;
    let findings: i64 = row.try_get("findings")?;
    Ok(Incident {
        id: parse("incidents_incidents.id", &text("id")?)?,
        title: text("title")?,
        state: IncidentState::from_word(&text("state")?)
            .ok_or_else(|| DbError::corrupt("incidents_incidents.state", "unknown word"))?,
        severity: parse("incidents_incidents.severity", &text("severity")?)?,
        tlp: parse("incidents_incidents.tlp", &text("tlp")?)?,
        origin: parse("incidents_incidents.origin", &text("origin")?)?,
        origin_name: text("origin_name")?,
        findings: findings.unsigned_abs(),
        received_share: share
            .map(|id| parse("incidents_incidents.received_share", &id))
            .transpose()?,
        acknowledged_by: row.try_get("acknowledged_by")?,
        event_at: Timestamp::from_micros(row.try_get("event_at")?),
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at")?),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
    })
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    place: &'static str,
    text: &str,
) -> Result<T, DbError> {
    text.parse().map_err(|cause| DbError::corrupt(place, cause))
}

/// One incident.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    id: IncidentId,
) -> Result<Option<Incident>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM incidents_incidents WHERE id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(incident).transpose()
}

/// The incidents of these ids, in no order, each with its owner and its tags.
pub(crate) async fn of_ids(
    connection: &mut AnyConnection,
    ids: &[String],
) -> Result<Vec<(Incident, Option<String>, Vec<String>)>, DbError> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let places: Vec<String> = (1..=ids.len()).map(|at| format!("${at}")).collect();
    let places = places.join(", ");
    let sql =
        format!("SELECT {COLUMNS}, owner, tags FROM incidents_incidents WHERE id IN ({places})");
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
    for id in ids {
        query = query.bind(id.clone());
    }
    let rows = query.fetch_all(connection).await?;
    let read = |row: &AnyRow| {
        let tags: String = row.try_get("tags")?;
        let tags = serde_json::from_str(&tags)
            .map_err(|cause| DbError::corrupt("incidents_incidents.tags", cause))?;
        Ok((incident(row)?, row.try_get("owner")?, tags))
    };
    rows.iter().map(read).collect()
}

/// How many are open.
pub(crate) async fn count_open(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM incidents_incidents WHERE state NOT IN ('closed', 'false_alarm')",
    )
    .fetch_one(connection)
    .await?;
    Ok(row.try_get(0)?)
}

/// An incident with its findings and timeline.
pub(crate) async fn report(
    connection: &mut AnyConnection,
    id: IncidentId,
) -> Result<Option<IncidentReport>, DbError> {
    let Some(incident) = find(connection, id).await? else { return Ok(None) };
    let findings =
        sqlx::query("SELECT body FROM incidents_findings WHERE incident = $1 ORDER BY finding")
            .bind(id.to_string())
            .fetch_all(&mut *connection)
            .await?
            .iter()
            .map(|row| {
                let body: String = row.try_get(0)?;
                serde_json::from_str(&body)
                    .map_err(|cause| DbError::corrupt("incidents_findings.body", cause))
            })
            .collect::<Result<Vec<Finding>, DbError>>()?;
    let timeline =
        sqlx::query("SELECT * FROM incidents_timeline WHERE incident = $1 ORDER BY position")
            .bind(id.to_string())
            .fetch_all(connection)
            .await?
            .iter()
            .map(timeline_item)
            .collect::<Result<Vec<TimelineItem>, DbError>>()?;
    Ok(Some(IncidentReport { incident, findings, timeline }))
}

fn timeline_item(row: &AnyRow) -> Result<TimelineItem, DbError> {
    Ok(TimelineItem {
        kind: row.try_get("kind")?,
        text: row.try_get("text")?,
        actor: row.try_get("actor")?,
        link: row.try_get("link")?,
        event_at: row.try_get::<Option<i64>, _>("event_at")?.map(Timestamp::from_micros),
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at")?),
    })
}

/// Writes a new incident.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    incident: &Incident,
    last_event_at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO incidents_incidents (id, title, state, severity, tlp, origin, origin_name, \
         received_share, acknowledged_by, event_at, last_event_at, recorded_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(incident.id.to_string())
    .bind(&incident.title)
    .bind(incident.state.word())
    .bind(incident.severity.word())
    .bind(incident.tlp.label())
    .bind(incident.origin.to_string())
    .bind(&incident.origin_name)
    .bind(incident.received_share.map(|id| id.to_string()))
    .bind(&incident.acknowledged_by)
    .bind(incident.event_at.as_micros())
    .bind(last_event_at.as_micros())
    .bind(incident.recorded_at.as_micros())
    .bind(incident.updated_at.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what can change about an incident.
pub(crate) async fn update(
    connection: &mut AnyConnection,
    incident: &Incident,
) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE incidents_incidents SET title = $1, state = $2, severity = $3, tlp = $4, \
         acknowledged_by = $5, updated_at = $6 WHERE id = $7",
    )
    .bind(&incident.title)
    .bind(incident.state.word())
    .bind(incident.severity.word())
    .bind(incident.tlp.label())
    .bind(&incident.acknowledged_by)
    .bind(incident.updated_at.as_micros())
    .bind(incident.id.to_string())
    .execute(connection)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(DbError::corrupt("incidents_incidents", format!("{} is gone", incident.id)))
}

/// Marks whether the block that contained an incident has ended.
pub(crate) async fn mark_released(
    connection: &mut AnyConnection,
    id: IncidentId,
    released: bool,
) -> Result<(), DbError> {
    sqlx::query("UPDATE incidents_incidents SET released = $1 WHERE id = $2")
        .bind(i64::from(released))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Dates the version of a received incident; false when the same or a newer one is here.
pub(crate) async fn newer_version(
    connection: &mut AnyConnection,
    id: IncidentId,
    origin_updated_at: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE incidents_incidents SET origin_updated_at = $1 WHERE id = $2 \
         AND (origin_updated_at IS NULL OR origin_updated_at < $3)",
    )
    .bind(origin_updated_at.as_micros())
    .bind(id.to_string())
    .bind(origin_updated_at.as_micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes or renews a finding of an incident.
pub(crate) async fn keep_finding(
    connection: &mut AnyConnection,
    id: IncidentId,
    finding: &Finding,
) -> Result<(), DbError> {
    let body = serde_json::to_string(finding)
        .map_err(|cause| DbError::corrupt("incidents_findings.body", cause))?;
    sqlx::query(
        "INSERT INTO incidents_findings (finding, incident, device, device_mac, device_address, body) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (finding) DO UPDATE SET body = excluded.body",
    )
    .bind(finding.id.to_string())
    .bind(id.to_string())
    .bind(finding.device.to_string())
    .bind(&finding.device_mac)
    .bind(&finding.device_address)
    .bind(body)
    .execute(&mut *connection)
    .await?;
    for evidence in finding.evidence.iter().filter(|evidence| evidence.new) {
        sqlx::query(
            "INSERT INTO incidents_peers (incident, peer) VALUES ($1, $2) \
             ON CONFLICT (incident, peer) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(evidence.peer.to_string())
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query(
        "UPDATE incidents_incidents SET last_event_at = $1 WHERE id = $2 AND last_event_at < $1",
    )
    .bind(finding.last_at.as_micros())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// The incident that holds a finding.
pub(crate) async fn incident_of(
    connection: &mut AnyConnection,
    finding: &Finding,
) -> Result<Option<Incident>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM incidents_incidents WHERE id = \
         (SELECT incident FROM incidents_findings WHERE finding = $1)"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(finding.id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(incident).transpose()
}

/// An open own incident of the same device, near in packet time.
pub(crate) async fn open_of_device(
    connection: &mut AnyConnection,
    device: DeviceId,
    around: Timestamp,
    within_us: i64,
) -> Result<Option<Incident>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM incidents_incidents WHERE received_share IS NULL \
         AND state NOT IN ('closed', 'false_alarm') AND released = 0 \
         AND event_at <= $1 AND last_event_at >= $2 \
         AND id IN (SELECT incident FROM incidents_findings WHERE device = $3) \
         ORDER BY recorded_at DESC LIMIT 1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(around.plus_micros(within_us).as_micros())
        .bind(around.plus_micros(-within_us).as_micros())
        .bind(device.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(incident).transpose()
}

/// An open own incident whose new remote parties include this one.
pub(crate) async fn open_with_peer(
    connection: &mut AnyConnection,
    peer: IpAddr,
) -> Result<Option<Incident>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM incidents_incidents WHERE received_share IS NULL \
         AND state NOT IN ('closed', 'false_alarm') AND released = 0 \
         AND id IN (SELECT incident FROM incidents_peers WHERE peer = $1) \
         ORDER BY recorded_at DESC LIMIT 1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(peer.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(incident).transpose()
}

/// Open own incidents about a device known by this MAC or address.
pub(crate) async fn open_about(
    connection: &mut AnyConnection,
    target: &str,
) -> Result<Vec<Incident>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM incidents_incidents WHERE received_share IS NULL \
         AND state NOT IN ('closed', 'false_alarm') AND id IN (SELECT incident FROM \
         incidents_findings WHERE device_mac = $1 OR device_address = $2)"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(target)
        .bind(target)
        .fetch_all(connection)
        .await?;
    rows.iter().map(incident).collect()
}
