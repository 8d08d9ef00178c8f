//! `GET /api/v1/detection/evaluations`: reports of `sereno detect eval` kept here.

use axum::extract::State;
use model::Timestamp;
use platform::blobs::Blobs;
use platform::http::{Json, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::error::DetectionError;
use crate::offline::eval::Report;
use crate::store::evaluations::{self, EvaluationRow};

/// A kept report, without its body.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvaluationView {
    /// Identity.
    id: String,
    /// What people call it.
    name: String,
    /// Program and version that made it.
    program: String,
    /// Who handed it in.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Seeds tried for detectors that draw.
    seeds: i64,
    /// Share of benign windows that may alert, as asked for.
    alpha: f64,
    /// Length of a window, seconds.
    window_s: f64,
    /// Names of the scenarios.
    scenarios: Vec<String>,
    /// Different detectors in it.
    detectors: i64,
    /// Goals that the shipped detector misses.
    shortfalls: i64,
    /// Size of the report.
    size_bytes: i64,
    /// SHA-256 of the report.
    digest: String,
}

impl From<EvaluationRow> for EvaluationView {
    fn from(row: EvaluationRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            program: row.program,
            by: row.author,
            recorded_at: row.recorded_at,
            seeds: row.seeds,
            alpha: row.alpha,
            window_s: row.window_s,
            scenarios: row.scenarios,
            detectors: row.detectors,
            shortfalls: row.shortfalls,
            size_bytes: row.size_bytes,
            digest: row.blob,
        }
    }
}

/// A kept report with what it says.
pub(crate) async fn kept(
    detection: &Detection,
    id: &str,
) -> Result<(EvaluationRow, Report), Problem> {
    let missing =
        || Problem::not_found(format!("evaluation '{}'", id.chars().take(64).collect::<String>()));
    let platform = &detection.inner.platform;
    let row = {
        let mut connection = platform.db.read().await.map_err(DetectionError::from)?;
        evaluations::one(&mut connection, id).await.map_err(DetectionError::from)?
    };
    let row = row.ok_or_else(missing)?;
    let body = Blobs::new(&platform.data).get(&row.blob).await.map_err(DetectionError::from)?;
    let body = body.ok_or_else(missing)?;
    let report = serde_json::from_slice(&body).map_err(|cause| {
        DetectionError::Conflict(format!(
            "the report of evaluation '{}' cannot be read ({cause}); keep it again",
            row.id
        ))
    })?;
    Ok((row, report))
}

/// The reports kept here (at most 100), newest first.
#[utoipa::path(get, path = "/api/v1/detection/evaluations", tag = "detection",
    responses((status = 200, body = Page<EvaluationView>)))]
pub(crate) async fn evaluations(
    State(detection): State<Detection>,
) -> Result<Json<Page<EvaluationView>>, Problem> {
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    let rows = evaluations::all(&mut connection).await.map_err(DetectionError::from)?;
    let items: Vec<_> = rows.into_iter().map(EvaluationView::from).collect();
    let limit = u32::try_from(evaluations::MAX_KEPT).unwrap_or(u32::MAX);
    Ok(Json(Page::from_surplus(items, limit, |item: &EvaluationView| item.id.clone())))
}
