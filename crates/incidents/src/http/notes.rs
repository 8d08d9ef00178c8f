//! `POST /api/v1/incidents/{id}/notes`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::IncidentView;
use crate::error::{IncidentsError, checked};
use crate::{Incidents, desk};

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// 1 to 4,000 characters.
    text: String,
}

/// Adds a note to the timeline.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", tag = "incidents",
    params(("id" = String, Path, description = "The incident")), request_body = NewNote,
    responses((status = 201, body = IncidentView), (status = 404, body = Problem)))]
pub(crate) async fn note(
    State(room): State<Incidents>,
    beyond: Beyond,
    caller: Caller,
    Path(text): Path<String>,
    Json(body): Json<NewNote>,
) -> Result<(StatusCode, Json<IncidentView>), Problem> {
    let id = super::id(&text)?;
    let note = checked("text", &body.text)?;
    let noted: Result<_, IncidentsError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let incident = desk::in_sight(tx, id, &beyond).await?;
                desk::note(tx, incident, &note, &caller.name, None).await
            })
        })
        .await;
    Ok((StatusCode::CREATED, Json(IncidentView(noted?))))
}
