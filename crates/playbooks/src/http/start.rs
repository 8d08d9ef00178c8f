//! `POST /api/v1/runs`: a person starts a playbook.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use model::{IncidentId, PlaybookId};
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::run::{RunDetail, detail};
use crate::engine::Wanted;
use crate::{Playbooks, PlaybooksError, store};

/// What is to be run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunWanted {
    /// The playbook.
    #[schema(value_type = String)]
    playbook: PlaybookId,
    /// The incident it answers.
    #[schema(value_type = Option<String>)]
    incident: Option<IncidentId>,
    /// Values of the playbook's external variables, by name.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Rehearse: nothing outside is touched, every command says what it would do.
    #[serde(default)]
    dry_run: bool,
}

/// Starts a playbook, or rehearses it.
#[utoipa::path(post, path = "/api/v1/runs", tag = "playbooks", request_body = RunWanted,
    responses((status = 201, body = RunDetail), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn start(
    State(room): State<Playbooks>,
    beyond: Beyond,
    caller: Caller,
    Json(wanted): Json<RunWanted>,
) -> Result<(StatusCode, Json<RunDetail>), Problem> {
    let report = match wanted.incident {
        None => None,
        Some(id) => Some(super::in_sight(&room, &beyond, id).await?),
    };
    let stored = {
        let mut connection = room.platform().db.read().await?;
        store::playbooks::one(&mut connection, wanted.playbook).await?
    };
    let stored = stored.ok_or(PlaybooksError::NoPlaybook(wanted.playbook))?;
    let run = room
        .engine
        .start_by(Wanted {
            stored,
            report,
            variables: wanted.variables,
            rehearsal: wanted.dry_run,
            person: caller.name,
        })
        .await?;
    Ok((StatusCode::CREATED, Json(detail(&room, run).await?)))
}
