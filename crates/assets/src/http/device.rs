//! `GET /api/v1/devices/{id}`: one device.

use axum::extract::{Path, State};
use platform::http::{Json, Problem};

use super::{DeviceView, device_id, with_facts};
use crate::{Assets, AssetsError};

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
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let mut views = with_facts(&mut connection, device.into_iter().collect()).await?;
    views.pop().map(Json).ok_or_else(|| Problem::not_found(format!("device {id}")))
}
