//! `POST /api/v1/playbooks/validate`: what is wrong with a playbook, and whether it runs here.

use axum::extract::State;
use bytes::Bytes;
use platform::http::{Json, Problem};

use crate::Playbooks;
use crate::secrets::needed::lacking;
use crate::validate::{Report, validate_bytes};

/// Validates a CACAO v2.0 playbook without storing it.
#[utoipa::path(post, path = "/api/v1/playbooks/validate", tag = "playbooks",
    request_body(content = Object, description = "CACAO v2.0 JSON", content_type = "application/json"),
    responses((status = 200, body = Report)))]
pub(crate) async fn check(
    State(room): State<Playbooks>,
    body: Bytes,
) -> Result<Json<Report>, Problem> {
    let mut report = validate_bytes(&body, room.abilities());
    if let Ok(text) = String::from_utf8(body.to_vec()) {
        let mut sql = room.platform().db.read().await?;
        let lacking = lacking(&mut sql, std::iter::once(&text)).await?;
        report.runnable.ok &= lacking.is_empty();
        report.runnable.missing.extend(lacking);
    }
    Ok(Json(report))
}
