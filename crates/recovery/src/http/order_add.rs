//! `POST /api/v1/recovery/orders`.

use axum::extract::State;
use axum::http::StatusCode;
use model::{IncidentId, Timestamp};
use platform::http::{Caller, Json, Problem};
use ports::checkpoint::{MAX_MARGIN_S, WhenNone};
use serde::Deserialize;
use utoipa::ToSchema;

use super::OrderView;
use crate::Recovery;
use crate::error::RecoveryError;
use crate::orders::{NewOrder, Want};

/// What is wanted of a service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderRequest {
    /// `take`, `restore_before`, `restart`.
    verb: String,
    /// The service.
    service: String,
    /// Its agent; looked for when absent.
    agent: Option<String>,
    /// The incident it answers; gives the time of the first evidence when `evidence_at` is absent.
    incident: Option<String>,
    /// The first evidence of infection, for `restore_before`.
    #[schema(value_type = Option<String>, format = DateTime)]
    evidence_at: Option<Timestamp>,
    /// Seconds before the evidence from which nothing is trusted.
    margin_s: Option<u32>,
    /// When no checkpoint is old enough: `refuse`, `oldest`, `clean`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    when_none: WhenNone,
    /// The same key acts once; a new one when absent.
    key: Option<String>,
}

/// Gives an order; it is carried out in the background, a restart at a random moment.
#[utoipa::path(post, path = "/api/v1/recovery/orders", tag = "recovery", request_body = OrderRequest,
    responses((status = 202, description = "It is under way", body = OrderView),
        (status = 404, description = "Nobody protects that service, or there is no such incident", body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(room): State<Recovery>,
    caller: Caller,
    Json(body): Json<OrderRequest>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let incident = body.incident.as_deref().map(incident).transpose()?;
    if body.margin_s.is_some_and(|margin| margin > MAX_MARGIN_S) {
        let text = format!("margin_s must not exceed {MAX_MARGIN_S} seconds");
        return Err(RecoveryError::Invalid(text).into());
    }
    let want = match body.verb.as_str() {
        "take" => Want::Take,
        "restart" => Want::Restart,
        "restore_before" => Want::RestoreBefore {
            evidence_at: body.evidence_at,
            margin_s: body.margin_s,
            when_none: body.when_none,
        },
        _ => {
            let text = "verb is take, restore_before or restart".to_owned();
            return Err(RecoveryError::Invalid(text).into());
        }
    };
    if let Some(incident) = incident {
        room.first_evidence(incident).await?;
    }
    let new = NewOrder {
        key: body.key.unwrap_or_else(|| format!("order-{}", room.platform.uuid4())),
        agent: body.agent,
        service: body.service,
        want,
        incident,
        actor: caller.name,
    };
    let row = room.place(new).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

fn incident(text: &str) -> Result<IncidentId, RecoveryError> {
    let shown: String = text.chars().take(64).collect();
    text.parse().map_err(|_| RecoveryError::NotFound(format!("incident {shown}")))
}
