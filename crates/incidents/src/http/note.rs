//! `POST /api/v1/incidents/{id}/notes`: what a person has to say about an incident.

use axum::extract::{Path, State};
use model::Incident;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{IncidentView, incident_id};
use crate::{Incidents, IncidentsError, change};

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// 1 to 4,000 characters.
    text: String,
}

/// Adds a note to the timeline.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")), request_body = NewNote,
    responses((status = 200, body = IncidentView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn note(
    State(room): State<Incidents>,
    Path(id): Path<String>,
    caller: Caller,
    Json(note): Json<NewNote>,
) -> Result<Json<IncidentView>, Problem> {
    let id = incident_id(&id)?;
    let noted: Result<Incident, IncidentsError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move { change::add_note(tx, id, &note.text, &caller.name).await })
        })
        .await;
    Ok(Json(noted?.into()))
}
