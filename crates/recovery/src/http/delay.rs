//! `PUT /api/v1/recovery/delays/{incident}`.

use axum::extract::{Path, State};
use model::{IncidentId, Timestamp};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Recovery;
use crate::error::RecoveryError;
use crate::store;

/// When the infection really happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DelayRequest {
    /// As it was found out afterwards.
    #[schema(value_type = String, format = DateTime)]
    infected_at: Timestamp,
}

/// What was learned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DelayView {
    incident: String,
    /// Seconds from the infection to the first evidence.
    delay_s: i64,
}

/// Tells when an infection really happened: it teaches how old a checkpoint must be to be trusted.
#[utoipa::path(put, path = "/api/v1/recovery/delays/{incident}", tag = "recovery", request_body = DelayRequest,
    params(("incident" = String, Path, description = "The incident")),
    responses((status = 200, body = DelayView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn learn(
    State(room): State<Recovery>,
    caller: Caller,
    Path(incident): Path<String>,
    Json(body): Json<DelayRequest>,
) -> Result<Json<DelayView>, Problem> {
    let shown: String = incident.chars().take(64).collect();
    let id: IncidentId =
        incident.parse().map_err(|_| RecoveryError::NotFound(format!("incident {shown}")))?;
    let evidence_at = room.first_evidence(id).await?;
    let delay_s = evidence_at.micros_since(body.infected_at) / 1_000_000;
    if delay_s < 0 {
        let text = format!("infected_at lies after the first evidence of {evidence_at}");
        return Err(RecoveryError::Invalid(text).into());
    }
    let kept: Result<(), RecoveryError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                Ok(store::put_delay(tx.sql(), &id.to_string(), delay_s, &caller.name, now).await?)
            })
        })
        .await;
    kept?;
    Ok(Json(DelayView { incident: id.to_string(), delay_s }))
}
