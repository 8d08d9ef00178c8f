//! `GET /api/v1/incidents/{id}`.

use axum::Extension;
use axum::extract::{Path, State};
use model::IncidentState;
use platform::http::{Caller, Gate, Json, Problem};

use super::view::IncidentWhole;
use crate::error::IncidentsError;
use crate::{Incidents, milestones, store};

/// One incident with findings, timeline and lawful next states; one of others only as far as the caller sees.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "The incident")),
    responses((status = 200, body = IncidentWhole), (status = 404, body = Problem)))]
pub(crate) async fn incident(
    State(room): State<Incidents>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<Json<IncidentWhole>, Problem> {
    let id = super::id(&text)?;
    let mut connection = room.platform.db.read().await?;
    let beyond = gate.labels_beyond(&caller);
    let hidden = |tlp| beyond.contains(&tlp);
    let report = store::report(&mut connection, id)
        .await?
        .filter(|report| !report.incident.bound().is_some_and(hidden))
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
