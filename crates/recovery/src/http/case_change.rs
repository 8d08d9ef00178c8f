//! `POST /api/v1/recovery/cases/{incident}`.

use axum::extract::{Path, State};
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::cases::CaseView;
use crate::error::RecoveryError;
use crate::{Recovery, heal};

/// What shall become of a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseChange {
    /// `stop`: nothing more by itself; `again`: begin anew, the first trial at once.
    action: String,
}

/// Stops the lifting of a block by itself, or begins it anew.
#[utoipa::path(post, path = "/api/v1/recovery/cases/{incident}", tag = "recovery", request_body = CaseChange,
    params(("incident" = String, Path, description = "The incident")),
    responses((status = 200, body = CaseView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(room): State<Recovery>,
    caller: Caller,
    Path(incident): Path<String>,
    Json(body): Json<CaseChange>,
) -> Result<Json<CaseView>, Problem> {
    let shown: String = incident.chars().take(64).collect();
    let missing = || RecoveryError::NotFound(format!("recovery of incident {shown}"));
    let mut row = room.case(&incident).await?.ok_or_else(missing)?;
    match body.action.as_str() {
        "stop" => {
            row.stage = "stopped".into();
            row.detail = format!("stopped by {}: the block stays as it was ordered", caller.name);
        }
        "again" => {
            row.stage = "holding".into();
            (row.trial, row.due_at) = (0, room.platform.now());
            row.detail = format!("begun anew by {}", caller.name);
        }
        _ => return Err(RecoveryError::Invalid("action is stop or again".into()).into()),
    }
    // Keys of orders count failures: a new round must not meet the outcomes of an old one.
    row.failures += i64::from(body.action == "again");
    room.keep_case(row.clone()).await?;
    if body.action == "again" {
        let key = format!("{incident}/{}", room.platform.uuid4());
        let done: Result<(), RecoveryError> = room
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    tx.enqueue(heal::KIND, &key, &json!({ "incident": incident }), now).await?;
                    Ok(())
                })
            })
            .await;
        done?;
    }
    Ok(Json(row.into()))
}
