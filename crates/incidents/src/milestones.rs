//! The whole of an incident in four moments: detected, contained, eradicated, recovered.

use model::event::{Fact, RecoveryEnded, RecoveryMoved};
use model::{Incident, IncidentId, Outcome, Timestamp};
use platform::db::DbError;
use serde::Serialize;
use sqlx::{AnyConnection, Row};
use utoipa::ToSchema;

/// It cannot spread further.
pub(crate) const CONTAINED: &str = "contained";
/// The service runs from a state older than the infection.
const ERADICATED: &str = "eradicated";
/// The block is lifted, and what was infected is well.
const RECOVERED: &str = "recovered";

/// The moments, by the clock of this node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Milestones {
    /// When this node opened the incident.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) detected: Timestamp,
    /// When it was first contained.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) contained: Option<Timestamp>,
    /// When a service was first restarted from before the infection.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) eradicated: Option<Timestamp>,
    /// When the block was lifted because all was well.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) recovered: Option<Timestamp>,
}

/// The milestone a fact of recovery reaches.
pub(crate) fn reached(
    fact: &Fact,
) -> Result<Option<(IncidentId, &'static str, Timestamp)>, serde_json::Error> {
    if let Some(ended) = fact.read::<RecoveryEnded>()? {
        let clean = ended.verb == "restore_before" && matches!(ended.outcome, Outcome::Done { .. });
        let incident = ended.incident.filter(|_| clean);
        return Ok(incident.map(|id| (id, ERADICATED, fact.recorded_at)));
    }
    if let Some(moved) = fact.read::<RecoveryMoved>()? {
        let well = moved.stage == "recovered";
        return Ok(well.then_some((moved.incident, RECOVERED, moved.at)));
    }
    Ok(None)
}

/// Notes the first time of a milestone.
pub(crate) async fn note(
    sql: &mut AnyConnection,
    incident: IncidentId,
    name: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO incidents_milestones (incident, name, at) VALUES ($1, $2, $3) \
         ON CONFLICT (incident, name) DO NOTHING",
    )
    .bind(incident.to_string())
    .bind(name)
    .bind(at.as_micros())
    .execute(sql)
    .await?;
    Ok(())
}

/// The moments of an incident.
pub(crate) async fn of(
    sql: &mut AnyConnection,
    incident: &Incident,
) -> Result<Milestones, DbError> {
    let rows = sqlx::query("SELECT name, at FROM incidents_milestones WHERE incident = $1")
        .bind(incident.id.to_string())
        .fetch_all(sql)
        .await?;
    let mut all = Milestones {
        detected: incident.recorded_at,
        contained: None,
        eradicated: None,
        recovered: None,
    };
    for row in &rows {
        let (name, at): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let at = Some(Timestamp::from_micros(at));
        match name.as_str() {
            CONTAINED => all.contained = at,
            ERADICATED => all.eradicated = at,
            RECOVERED => all.recovered = at,
            _ => {}
        }
    }
    Ok(all)
}
