//! `POST /api/v1/playbooks/validate`: what is wrong with a playbook, and whether it runs here.

use axum::extract::State;
use bytes::Bytes;
use platform::http::Json;

use crate::Playbooks;
use crate::validate::{Report, validate_bytes};

/// Validates a CACAO v2.0 playbook without storing it.
#[utoipa::path(post, path = "/api/v1/playbooks/validate", tag = "playbooks",
    request_body(content = Object, description = "CACAO v2.0 JSON", content_type = "application/json"),
    responses((status = 200, body = Report)))]
pub(crate) async fn check(State(room): State<Playbooks>, body: Bytes) -> Json<Report> {
    Json(validate_bytes(&body, room.abilities()))
}
