//! `POST /api/v1/incidents/{id}/state`: moves an incident along, with a reason.

use axum::extract::{Path, State};
use model::{Incident, IncidentState};
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{IncidentView, incident_id};
use crate::{Incidents, IncidentsError, change};

/// The state wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StateWanted {
    /// `triaged`, `contained`, `closed` or `false_alarm`.
    #[schema(value_type = String)]
    state: IncidentState,
    /// Why, 1 to 4,000 characters.
    reason: String,
    /// The state the caller saw; when it has changed since, nothing happens (409).
    #[schema(value_type = Option<String>)]
    from: Option<IncidentState>,
}

/// Moves the incident to another state.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/state", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id")), request_body = StateWanted,
    responses((status = 200, body = IncidentView), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn state(
    State(room): State<Incidents>,
    Path(id): Path<String>,
    caller: Caller,
    Json(wanted): Json<StateWanted>,
) -> Result<Json<IncidentView>, Problem> {
    let id = incident_id(&id)?;
    let moved: Result<Incident, IncidentsError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let StateWanted { state, reason, from } = wanted;
                change::ask_state(tx, id, state, from, &reason, &caller.name).await
            })
        })
        .await;
    Ok(Json(moved?.into()))
}
