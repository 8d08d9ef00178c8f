//! `POST /api/v1/incidents/{id}/acknowledge`: somebody has seen it; the sender gets the answer.

use axum::extract::{Path, State};
use model::Incident;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{IncidentView, incident_id};
use crate::{Incidents, IncidentsError, change};

/// The answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// What the sender is told, 1 to 4,000 characters.
    text: String,
}

/// Acknowledges the incident; the answer to a received one goes back to its sender.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/acknowledge", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")), request_body = Answer,
    responses((status = 200, body = IncidentView), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn acknowledge(
    State(room): State<Incidents>,
    Path(id): Path<String>,
    caller: Caller,
    Json(answer): Json<Answer>,
) -> Result<Json<IncidentView>, Problem> {
    let id = incident_id(&id)?;
    let taken: Result<Incident, IncidentsError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move { change::acknowledge(tx, id, &answer.text, &caller.name).await })
        })
        .await;
    Ok(Json(taken?.into()))
}
