//! `POST /api/v1/incidents/{id}/state`.

use axum::extract::{Path, State};
use model::IncidentState;
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::IncidentView;
use crate::error::{IncidentsError, checked};
use crate::{Incidents, desk};

/// Where it should go, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewState {
    /// One of `allowed_states`.
    #[schema(value_type = String)]
    state: IncidentState,
    /// Why, in a sentence.
    reason: String,
}

/// Moves an incident along a lawful arrow.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/state", tag = "incidents",
    params(("id" = String, Path, description = "The incident")), request_body = NewState,
    responses((status = 200, body = IncidentView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn state(
    State(room): State<Incidents>,
    beyond: Beyond,
    caller: Caller,
    Path(text): Path<String>,
    Json(body): Json<NewState>,
) -> Result<Json<IncidentView>, Problem> {
    let id = super::id(&text)?;
    let reason = checked("reason", &body.reason)?;
    let moved: Result<_, IncidentsError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let incident = desk::in_sight(tx, id, &beyond).await?;
                desk::move_to(tx, incident, body.state, &reason, &caller.name, None).await
            })
        })
        .await;
    Ok(Json(IncidentView(moved?)))
}
