//! `PUT /api/v1/playbooks/{id}/trigger`: when a playbook starts by itself.

use axum::extract::{Path, State};
use model::PlaybookId;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{PlaybookView, id};
use crate::store::playbooks::{Stored, one, set_trigger};
use crate::{Playbooks, PlaybooksError, Trigger};

/// The trigger wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TriggerWanted {
    /// `null`: only people start it.
    trigger: Option<Trigger>,
}

/// Sets when a playbook starts by itself.
#[utoipa::path(put, path = "/api/v1/playbooks/{id}/trigger", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id")), request_body = TriggerWanted,
    responses((status = 200, body = PlaybookView), (status = 404, body = Problem)))]
pub(crate) async fn trigger(
    State(room): State<Playbooks>,
    Path(text): Path<String>,
    Json(wanted): Json<TriggerWanted>,
) -> Result<Json<PlaybookView>, Problem> {
    let id: PlaybookId = id("playbook", &text)?;
    let stored: Result<Stored, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                set_trigger(tx.sql(), id, wanted.trigger.as_ref()).await?;
                one(tx.sql(), id).await?.ok_or(PlaybooksError::NoPlaybook(id))
            })
        })
        .await;
    Ok(Json(stored?.into()))
}
