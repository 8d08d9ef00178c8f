//! `GET /api/v1/detection/evaluations/{id}`: one kept report.

use axum::extract::{Path, State};
use platform::http::{Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::evaluations::{EvaluationView, kept};
use crate::Detection;
use crate::error::DetectionError;
use crate::offline::eval::shortfalls;

/// A kept report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvaluationDetail {
    #[serde(flatten)]
    evaluation: EvaluationView,
    /// Where the shipped detector falls short, in words.
    short: Vec<String>,
    /// The report as `sereno detect eval --json-file` writes it.
    #[schema(value_type = Object)]
    report: Value,
}

/// One kept report, whole.
#[utoipa::path(get, path = "/api/v1/detection/evaluations/{id}", tag = "detection",
    params(("id" = String, Path, description = "The evaluation's id")),
    responses((status = 200, body = EvaluationDetail), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn evaluation(
    State(detection): State<Detection>,
    Path(id): Path<String>,
) -> Result<Json<EvaluationDetail>, Problem> {
    let (row, report) = kept(&detection, &id).await?;
    let value = serde_json::to_value(&report)
        .map_err(|cause| DetectionError::Conflict(format!("evaluation '{id}': {cause}")))?;
    Ok(Json(EvaluationDetail { evaluation: row.into(), short: shortfalls(&report), report: value }))
}
