//! `DELETE /api/v1/recovery/checks/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::Problem;

use crate::Recovery;
use crate::error::RecoveryError;
use crate::store::cases;

/// Removes a health check.
#[utoipa::path(delete, path = "/api/v1/recovery/checks/{id}", tag = "recovery",
    params(("id" = String, Path, description = "The check")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Recovery>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let shown: String = id.chars().take(64).collect();
    let removed: Result<bool, RecoveryError> = room
        .platform
        .db
        .write(move |tx| Box::pin(async move { Ok(cases::remove_check(tx.sql(), &id).await?) }))
        .await;
    if removed? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(RecoveryError::NotFound(format!("check {shown}")).into())
}
