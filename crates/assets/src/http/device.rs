//! `GET /api/v1/devices/{id}`: one device.

use axum::extract::{Path, State};
use platform::http::{Json, Problem};

use super::{DeviceView, device_id};
use crate::Assets;

/// One device.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "assets",
    params(("id" = String, Path, description = "The device's id")),
    responses((status = 200, body = DeviceView), (status = 404, body = Problem)))]
pub(crate) async fn device(
    State(assets): State<Assets>,
    Path(id): Path<String>,
) -> Result<Json<DeviceView>, Problem> {
    let id = device_id(&id)?;
    let device = assets.read_device(id).await?;
    device
        .map(|device| Json(device.into()))
        .ok_or_else(|| Problem::not_found(format!("device {id}")))
}
