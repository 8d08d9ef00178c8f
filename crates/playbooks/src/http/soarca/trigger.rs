//! `/soarca/trigger/playbook…`: runs begin.

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use bytes::Bytes;
use platform::http::{Caller, Gate};
use serde::Serialize;
use utoipa::ToSchema;

use super::playbooks::{find, take};
use super::{Refusal, json, refuse, values};
use crate::Playbooks;
use crate::engine::Wanted;
use crate::store::playbooks::Stored;

/// A run that has begun.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SoarcaExecution)]
pub(crate) struct Execution {
    /// The run.
    execution_id: String,
    /// The playbook's CACAO id.
    payload: String,
}

async fn begin(
    room: &Playbooks,
    uri: &Uri,
    stored: Stored,
    variables: BTreeMap<String, String>,
    person: String,
) -> Result<Json<Execution>, Refusal> {
    let payload = stored.cacao_id.clone();
    let wanted = Wanted { stored, report: None, variables, rehearsal: false, person };
    let run = room.engine.start_by(wanted).await.map_err(refuse(uri))?;
    Ok(Json(Execution { execution_id: run.to_string(), payload }))
}

/// Stores the playbook sent and runs it: whoever does that may do both.
#[utoipa::path(post, path = "/soarca/trigger/playbook", tag = "soarca", request_body = Object,
    responses((status = 200, body = Execution), (status = 422, body = Refusal)))]
pub(crate) async fn sent(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    bytes: Bytes,
) -> Result<Json<Execution>, Refusal> {
    gate.check(&caller, "playbooks.run", "/soarca/trigger/playbook")
        .map_err(|problem| Refusal::of(&uri, problem))?;
    let stored = take(&room, &uri, bytes).await?;
    begin(&room, &uri, stored, BTreeMap::new(), caller.name).await
}

/// Runs a stored playbook; the body gives values to its external variables.
#[utoipa::path(post, path = "/soarca/trigger/playbook/{id}", tag = "soarca", request_body = Object,
    params(("id" = String, Path, description = "The playbook's CACAO id")),
    responses((status = 200, body = Execution), (status = 404, body = Refusal)))]
pub(crate) async fn stored(
    State(room): State<Playbooks>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
    caller: Caller,
    bytes: Bytes,
) -> Result<Json<Execution>, Refusal> {
    let variables = values(&uri, &json(&uri, &bytes)?)?;
    let found = find(&room, &uri, &id).await?;
    begin(&room, &uri, found, variables, caller.name).await
}
