//! `GET /api/v1/detection/devices/{device}/scores`: the history of a device's scores.

use axum::extract::{Path, Query, State};
use model::{DeviceId, Timestamp};
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{device_id, no_device, time};
use crate::Detection;
use crate::error::DetectionError;
use crate::state::moment;
use crate::store::{self, scores::ScorePoint};

/// Points given when the caller does not say.
const DEFAULT_POINTS: u32 = 600;
/// Points given at most.
const MAX_POINTS: u32 = 5_000;

/// Which part of the history.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct ScoresQuery {
    /// From this packet time on (RFC 3339); the start of the epoch when absent.
    from: Option<String>,
    /// Before this packet time; the end of the epoch when absent.
    to: Option<String>,
    /// Points wanted at most, 1 to 5,000; 600 when absent.
    points: Option<u32>,
    /// Start of the source; the newest when absent.
    epoch: Option<i64>,
}

/// One or more windows; of several the largest of every figure.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    /// Packet time of the first window's start.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// Packet time of the last window's end.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Error over threshold, above 1 is an alert; nothing while the device learned.
    score: Option<f64>,
    /// True when a window was above the threshold.
    alert: bool,
    /// Packets sent in a window.
    packets_out: i64,
    /// Packets received in a window.
    packets_in: i64,
    /// Bytes sent in a window.
    bytes_out: i64,
    /// Bytes received in a window.
    bytes_in: i64,
    /// The metric behind the score.
    top_metric: Option<String>,
    /// What was measured, in the metric's unit.
    measured: Option<f64>,
    /// What was expected.
    expected: Option<f64>,
}

impl From<ScorePoint> for Point {
    fn from(point: ScorePoint) -> Self {
        let [packets_out, packets_in, bytes_out, bytes_in] = point.traffic;
        Self {
            start: moment(point.start_us),
            end: moment(point.end_us),
            score: point.score,
            alert: point.alert,
            packets_out,
            packets_in,
            bytes_out,
            bytes_in,
            top_metric: point.top_metric,
            measured: point.measured,
            expected: point.expected,
        }
    }
}

/// The history of a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct History {
    /// The device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The start of the source these scores belong to.
    epoch: Option<i64>,
    /// Time a point stands for, seconds.
    step_s: f64,
    /// The points, oldest first; times without traffic have none.
    points: Vec<Point>,
}

/// Scores and traffic over packet time; many windows become one point that keeps the largest.
#[utoipa::path(get, path = "/api/v1/detection/devices/{device}/scores", tag = "detection",
    params(("device" = String, Path, description = "The device's id"), ScoresQuery),
    responses((status = 200, body = History), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn scores(
    State(detection): State<Detection>,
    Path(device): Path<String>,
    Query(query): Query<ScoresQuery>,
) -> Result<Json<History>, Problem> {
    let id = device_id(&device).ok_or_else(|| no_device(&device))?;
    let (from, to) = (time(query.from.as_deref())?, time(query.to.as_deref())?);
    let points = i64::from(query.points.unwrap_or(DEFAULT_POINTS).clamp(1, MAX_POINTS));
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    if store::devices::one(&mut connection, id).await?.is_none() {
        return Err(no_device(&device));
    }
    let epoch = match query.epoch {
        Some(epoch) => Some(epoch),
        None => store::scores::newest_epoch(&mut connection, id).await?,
    };
    let nothing = History { device: id, epoch, step_s: 0.0, points: vec![] };
    let Some(epoch) = epoch else { return Ok(Json(nothing)) };
    let Some((first, last)) = store::scores::span(&mut connection, id, epoch).await? else {
        return Ok(Json(nothing));
    };
    // Nothing lies outside the span: a bound far away must not make the steps coarse.
    let from = from.map_or(first, |from| from.as_micros().max(first));
    let to = to.map_or(last, |to| to.as_micros().min(last));
    if to <= from {
        return Ok(Json(nothing));
    }
    let step_us = ((to - from) / points + i64::from((to - from) % points != 0)).max(1);
    let found = store::scores::history(&mut connection, id, epoch, (from, to), step_us).await?;
    Ok(Json(History {
        device: id,
        epoch: Some(epoch),
        step_s: step_us as f64 / 1e6,
        points: found.into_iter().map(Point::from).collect(),
    }))
}
