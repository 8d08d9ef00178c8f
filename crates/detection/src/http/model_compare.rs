//! `GET /api/v1/detection/devices/{device}/models/compare`: two versions on the same windows.

use axum::extract::{Path, Query, State};
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{device_id, no_device};
use crate::Detection;
use crate::versions::{Comparison, MAX_COMPARED};

/// Windows compared when the caller does not say.
const DEFAULT_WINDOWS: i64 = 1_000;

/// Which versions, on how many windows.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct CompareQuery {
    /// The first version.
    a: i64,
    /// The second version.
    b: i64,
    /// The newest windows kept, 1 to 10,000; 1,000 when absent.
    windows: Option<i64>,
}

/// Judges the newest windows kept of a device by two versions and shows where they disagree.
#[utoipa::path(get, path = "/api/v1/detection/devices/{device}/models/compare", tag = "detection",
    params(("device" = String, Path, description = "The device's id"), CompareQuery),
    responses((status = 200, body = Comparison), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn compare(
    State(detection): State<Detection>,
    Path(device): Path<String>,
    Query(query): Query<CompareQuery>,
) -> Result<Json<Comparison>, Problem> {
    let id = device_id(&device).ok_or_else(|| no_device(&device))?;
    let windows = query.windows.unwrap_or(DEFAULT_WINDOWS).clamp(1, MAX_COMPARED);
    Ok(Json(detection.compare(id, (query.a, query.b), windows).await?))
}
