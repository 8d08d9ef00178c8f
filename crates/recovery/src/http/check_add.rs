//! `POST /api/v1/recovery/checks`.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use model::BlockTarget;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::checks::CheckView;
use crate::Recovery;
use crate::error::RecoveryError;
use crate::health::Spec;
use crate::store::cases::{self, CheckRow, MAX_CHECKS, MAX_CHECKS_EACH};

/// A new health check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckRequest {
    /// The device: MAC or network address.
    target: String,
    /// What is asked.
    check: Spec,
}

/// Declares how it is seen that a device is well; only such devices are released by themselves.
#[utoipa::path(post, path = "/api/v1/recovery/checks", tag = "recovery", request_body = CheckRequest,
    responses((status = 201, body = CheckView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(room): State<Recovery>,
    caller: Caller,
    Json(body): Json<CheckRequest>,
) -> Result<(StatusCode, Json<CheckView>), Problem> {
    let target = target(&body.target).map_err(RecoveryError::Invalid)?;
    body.check.check().map_err(RecoveryError::Invalid)?;
    let row = CheckRow {
        id: room.platform.uuid4().to_string(),
        target,
        spec: body.check,
        created_by: caller.name,
        recorded_at: room.platform.now(),
    };
    let kept = row.clone();
    let done: Result<(), RecoveryError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                if cases::count_checks(tx.sql()).await? >= MAX_CHECKS {
                    let text =
                        format!("a node keeps at most {MAX_CHECKS} checks: remove some first");
                    return Err(RecoveryError::Conflict(text));
                }
                let name = BlockTarget { mac: Some(row.target.clone()), addresses: vec![] };
                if cases::checks_of(tx.sql(), &name).await?.len() >= MAX_CHECKS_EACH {
                    let text =
                        format!("a device has at most {MAX_CHECKS_EACH} checks: remove one first");
                    return Err(RecoveryError::Conflict(text));
                }
                Ok(cases::insert_check(tx.sql(), &row).await?)
            })
        })
        .await;
    done?;
    Ok((StatusCode::CREATED, Json(kept.into())))
}

/// A MAC address in lower-case colon form, or a network address as it prints.
fn target(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let parts: Vec<&str> = text.split(':').collect();
    let pair = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if parts.len() == 6 && parts.iter().all(pair) {
        return Ok(text);
    }
    let address: Result<IpAddr, _> = text.parse();
    address.map(|address| address.to_string()).map_err(|_| {
        "target must be a MAC address like 02:00:00:00:00:01 or a network address".to_owned()
    })
}
