//! `POST /api/v1/detection/evaluations`: keep a report of `sereno detect eval`.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use model::EventId;
use platform::blobs::Blobs;
use platform::db::DbError;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::evaluations::EvaluationView;
use crate::Detection;
use crate::error::DetectionError;
use crate::offline::eval::{FORMAT, Report, VERSION, shortfalls};
use crate::store::evaluations::{self, EvaluationRow};

/// Longest name.
const MAX_NAME_CHARS: usize = 120;
/// Scenarios of a report.
const MAX_SCENARIOS: usize = 200;
/// Detectors and subjects of a report, all scenarios added up.
const MAX_SUBJECTS: usize = 20_000;

/// A report to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEvaluation {
    /// What people shall call it.
    name: String,
    /// The report as `sereno detect eval --json-file` writes it.
    #[schema(value_type = Object)]
    report: Value,
}

impl NewEvaluation {
    /// Name and report, when they make sense.
    fn read(self) -> Result<(String, Report), DetectionError> {
        let name = self.name.trim().to_owned();
        if !(1..=MAX_NAME_CHARS).contains(&name.chars().count())
            || name.chars().any(char::is_control)
        {
            let why = format!("name: 1 to {MAX_NAME_CHARS} characters on one line are wanted");
            return Err(DetectionError::Invalid(why));
        }
        let (format, version) = (&self.report["format"], &self.report["version"]);
        if format != FORMAT || *version != VERSION {
            return Err(DetectionError::Invalid(format!(
                "report: this node reads {FORMAT} version {VERSION}; make it with this program's \
                 `sereno detect eval --json-file`"
            )));
        }
        let report: Report = serde_json::from_value(self.report)
            .map_err(|cause| DetectionError::Invalid(format!("report: {cause}")))?;
        let subjects = report.scenarios.iter().flat_map(|one| &one.detectors);
        let subjects: usize = subjects.map(|one| 1 + one.subjects.len()).sum();
        if report.scenarios.len() > MAX_SCENARIOS || subjects > MAX_SUBJECTS {
            return Err(DetectionError::Invalid(format!(
                "report: more than {MAX_SCENARIOS} scenarios or {MAX_SUBJECTS} detectors and \
                 devices; keep it in parts"
            )));
        }
        Ok((name, report))
    }
}

/// Keeps a report; of more than a hundred the oldest goes.
#[utoipa::path(post, path = "/api/v1/detection/evaluations", tag = "detection",
    request_body = NewEvaluation,
    responses((status = 201, body = EvaluationView), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn keep(
    State(detection): State<Detection>,
    caller: Caller,
    Json(body): Json<NewEvaluation>,
) -> Result<(StatusCode, Json<EvaluationView>), Problem> {
    let (name, report) = body.read()?;
    let platform = &detection.inner.platform;
    let bytes = serde_json::to_vec(&report)
        .map_err(|cause| DetectionError::Invalid(format!("report: {cause}")))?;
    let blob = Blobs::new(&platform.data).put(&bytes).await.map_err(DetectionError::from)?;
    let detectors: BTreeSet<&str> = report
        .scenarios
        .iter()
        .flat_map(|one| &one.detectors)
        .map(|one| one.detector.as_str())
        .collect();
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let row = EvaluationRow {
        id: platform.mint::<EventId>().to_string(),
        name,
        program: report.program.chars().take(MAX_NAME_CHARS).collect(),
        author: caller.name,
        recorded_at: platform.now(),
        seeds: i64::try_from(report.seeds).unwrap_or(i64::MAX),
        alpha: report.alpha,
        window_s: report.window_s,
        scenarios: report.scenarios.iter().map(|one| one.name.clone()).collect(),
        detectors: count(detectors.len()),
        shortfalls: count(shortfalls(&report).len()),
        size_bytes: count(bytes.len()),
        blob,
    };
    let kept = row.clone();
    let done: Result<(), DbError> = platform
        .db
        .write(move |tx| Box::pin(async move { evaluations::add(tx, &kept).await }))
        .await;
    done.map_err(DetectionError::from)?;
    Ok((StatusCode::CREATED, Json(row.into())))
}
