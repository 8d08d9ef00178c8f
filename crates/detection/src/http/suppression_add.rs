//! `POST /api/v1/detection/suppressions`: call something normal without a finding.

use axum::extract::State;
use axum::http::StatusCode;
use model::Timestamp;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::suppressions::SuppressionView;
use super::{device_id, no_device, reason, until};
use crate::Detection;
use crate::error::DetectionError;
use crate::feedback::Word;
use crate::http::feedback::ScopeBody;
use crate::suppress::HEADROOM;

/// Largest ceiling that can be asked for.
const MAX_CEILING: f64 = 1e6;

/// What is normal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSuppression {
    /// The device.
    device: String,
    /// What is covered.
    scope: ScopeBody,
    /// Nothing above this score is covered; 1.5 when absent.
    ceiling: Option<f64>,
    /// Why.
    reason: String,
    /// Until when; absent until it is taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Calls something normal for a device.
#[utoipa::path(post, path = "/api/v1/detection/suppressions", tag = "detection",
    request_body = NewSuppression,
    responses((status = 201, body = SuppressionView), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(detection): State<Detection>,
    caller: Caller,
    Json(body): Json<NewSuppression>,
) -> Result<(StatusCode, Json<SuppressionView>), Problem> {
    let device = device_id(&body.device).ok_or_else(|| no_device(&body.device))?;
    let now = detection.inner.platform.now();
    let ceiling = body.ceiling.unwrap_or(HEADROOM);
    if !(1.0..=MAX_CEILING).contains(&ceiling) {
        let why = format!("ceiling {ceiling} must lie between 1 and {MAX_CEILING}");
        return Err(DetectionError::Invalid(why).into());
    }
    let word = Word {
        normal: true,
        reason: reason(&body.reason)?,
        until: until(body.until, now)?,
        scope: body.scope.read()?,
        by: caller.name,
    };
    let called = detection.call_normal(device, word.scope.clone(), ceiling, &word);
    let one = Box::pin(called).await?;
    Ok((StatusCode::CREATED, Json(SuppressionView::new(one, now))))
}
