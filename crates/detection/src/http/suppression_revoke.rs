//! `DELETE /api/v1/detection/suppressions/{id}`: take a suppression back.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::SuppressionId;
use platform::http::{Caller, Problem};

use crate::Detection;

/// Takes a suppression back: what it covered is told again from the next window on.
#[utoipa::path(delete, path = "/api/v1/detection/suppressions/{id}", tag = "detection",
    params(("id" = String, Path, description = "The suppression's id")),
    responses((status = 204, description = "Taken back"), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn revoke(
    State(detection): State<Detection>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let missing =
        || Problem::not_found(format!("suppression '{}'", id.chars().take(64).collect::<String>()));
    let parsed: SuppressionId = id.parse().map_err(|_| missing())?;
    if detection.revoke(parsed, (&caller.name, "taken back")).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::conflict("this suppression was taken back before"))
    }
}
