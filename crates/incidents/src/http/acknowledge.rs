//! `POST /api/v1/incidents/{id}/acknowledge`.

use axum::extract::{Path, State};
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::IncidentView;
use crate::error::{IncidentsError, checked};
use crate::{Incidents, desk};

/// The answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// What the sender should read; 1 to 4,000 characters.
    text: String,
}

/// Takes notice of an incident; the sender of a received one gets the answer.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/acknowledge", tag = "incidents",
    params(("id" = String, Path, description = "The incident")), request_body = Answer,
    responses((status = 200, body = IncidentView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn acknowledge(
    State(room): State<Incidents>,
    beyond: Beyond,
    caller: Caller,
    Path(text): Path<String>,
    Json(body): Json<Answer>,
) -> Result<Json<IncidentView>, Problem> {
    let id = super::id(&text)?;
    let answer = checked("text", &body.text)?;
    let done: Result<_, IncidentsError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let incident = desk::in_sight(tx, id, &beyond).await?;
                desk::acknowledge(tx, incident, &answer, &caller.name).await
            })
        })
        .await;
    Ok(Json(IncidentView(done?)))
}
