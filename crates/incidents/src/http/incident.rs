//! `GET /api/v1/incidents/{id}`: one incident with everything that belongs to it.

use axum::extract::{Path, State};
use model::{Finding, IncidentState, TimelineItem};
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::{IncidentView, incident_id};
use crate::Incidents;

/// One line of an incident's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimelineView {
    /// `finding`, `opened`, `run`, `action`, `enforcement`, `share`, `acknowledged`, `state`, `note` …
    kind: String,
    /// One sentence.
    text: String,
    /// Who or what did it.
    actor: String,
    /// A link into the console, where there is one.
    link: Option<String>,
    /// Packet time, for lines that come from the wire.
    #[schema(value_type = Option<String>, format = DateTime)]
    event_at: Option<model::Timestamp>,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: model::Timestamp,
}

impl From<TimelineItem> for TimelineView {
    fn from(it: TimelineItem) -> Self {
        Self {
            kind: it.kind,
            text: it.text,
            actor: it.actor,
            link: it.link,
            event_at: it.event_at,
            recorded_at: it.recorded_at,
        }
    }
}

/// An incident with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentDetail {
    /// The incident.
    incident: IncidentView,
    /// Its findings, oldest first; shape as `/api/v1/findings/{id}`.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Finding>,
    /// Its history, oldest first.
    timeline: Vec<TimelineView>,
    /// States it may lawfully move to.
    #[schema(value_type = Vec<String>)]
    allowed_states: Vec<IncidentState>,
}

/// One incident with its findings, its timeline and the states it may move to.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, body = IncidentDetail), (status = 404, body = Problem)))]
pub(crate) async fn incident(
    State(room): State<Incidents>,
    Path(id): Path<String>,
) -> Result<Json<IncidentDetail>, Problem> {
    let id = incident_id(&id)?;
    let report =
        room.whole(id).await?.ok_or_else(|| Problem::not_found(format!("incident {id}")))?;
    let state = report.incident.state;
    Ok(Json(IncidentDetail {
        incident: report.incident.into(),
        findings: report.findings,
        timeline: report.timeline.into_iter().map(Into::into).collect(),
        allowed_states: IncidentState::ALL
            .into_iter()
            .filter(|next| state.may_become(*next))
            .collect(),
    }))
}
