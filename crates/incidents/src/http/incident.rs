//! `GET /api/v1/incidents/{id}`.

use axum::extract::{Path, State};
use model::IncidentState;
use platform::http::{Beyond, Json, Problem};

use super::view::IncidentWhole;
use crate::error::IncidentsError;
use crate::{Incidents, milestones, store};

/// One incident with findings, timeline and lawful next states; one of others only as far as the caller sees.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "The incident")),
    responses((status = 200, body = IncidentWhole), (status = 404, body = Problem)))]
pub(crate) async fn incident(
    State(room): State<Incidents>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<IncidentWhole>, Problem> {
    let id = super::id(&text)?;
    let mut connection = room.platform.db.read().await?;
    let report = store::report(&mut connection, id)
        .await?
        .filter(|report| !beyond.hides(report.incident.bound()))
        .ok_or_else(|| IncidentsError::NotFound(text.clone()))?;
    let state = report.incident.state;
    let milestones = milestones::of(&mut connection, &report.incident).await?;
    Ok(Json(IncidentWhole {
        incident: report.incident,
        findings: report.findings,
        timeline: report.timeline,
        milestones,
        allowed_states: IncidentState::ALL
            .into_iter()
            .filter(|next| state.may_become(*next))
            .collect(),
    }))
}
