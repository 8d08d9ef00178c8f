//! `POST /api/v1/detection/devices/{device}/learning`: hold the learning of a device, or let it go on.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{device_id, no_device, reason};
use crate::Detection;

/// On or off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    /// True lets learning go on, and accepts a change of habits; false holds it.
    on: bool,
    /// Why, in the person's words.
    reason: String,
}

/// Holds the learning of a device, or lets it go on. The model in use stays.
#[utoipa::path(post, path = "/api/v1/detection/devices/{device}/learning", tag = "detection",
    request_body = Switch, params(("device" = String, Path, description = "The device's id")),
    responses((status = 204, description = "Done"), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn learning(
    State(detection): State<Detection>,
    Path(device): Path<String>,
    caller: Caller,
    Json(body): Json<Switch>,
) -> Result<StatusCode, Problem> {
    let id = device_id(&device).ok_or_else(|| no_device(&device))?;
    let why = reason(&body.reason)?;
    detection.switch_learning(id, body.on, (&caller.name, &why)).await?;
    Ok(StatusCode::NO_CONTENT)
}
