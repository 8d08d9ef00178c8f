//! `POST /api/v1/detection/devices/{device}/models/{version}/activate`: go back to a version.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{device_id, no_device, reason};
use crate::Detection;

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Activation {
    /// In the person's words.
    reason: String,
}

/// Puts an earlier version, or a candidate, in use in place of the one that is. Its signature is
/// checked first. Learning of the device is held until somebody lets it go on.
#[utoipa::path(post, path = "/api/v1/detection/devices/{device}/models/{version}/activate",
    tag = "detection", request_body = Activation,
    params(("device" = String, Path, description = "The device's id"),
        ("version" = i64, Path, description = "The version's number")),
    responses((status = 204, description = "It is in use"), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn activate(
    State(detection): State<Detection>,
    Path((device, version)): Path<(String, String)>,
    caller: Caller,
    Json(body): Json<Activation>,
) -> Result<StatusCode, Problem> {
    let id = device_id(&device).ok_or_else(|| no_device(&device))?;
    let number = version.parse().map_err(|_| {
        Problem::not_found(format!("version '{}'", version.chars().take(20).collect::<String>()))
    })?;
    let why = reason(&body.reason)?;
    detection.activate(id, number, (&caller.name, &why)).await?;
    Ok(StatusCode::NO_CONTENT)
}
