//! `GET /api/v1/detection/evaluations/{id}/report.html`: one kept report as a page of its own.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use platform::http::Problem;

use super::evaluations::kept;
use crate::Detection;
use crate::offline::eval::to_html;

/// One kept report as a page that needs nothing else: to read, print and hand on.
#[utoipa::path(get, path = "/api/v1/detection/evaluations/{id}/report.html", tag = "detection",
    params(("id" = String, Path, description = "The evaluation's id")),
    responses((status = 200, description = "The page", content_type = "text/html"),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn evaluation_page(
    State(detection): State<Detection>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let (row, report) = kept(&detection, &id).await?;
    let name = format!("attachment; filename=\"evaluation-{}.html\"", row.id);
    Ok((
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        to_html(&report),
    ))
}
