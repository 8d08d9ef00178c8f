//! `POST /api/v1/detection/commands/{edge}/…`: go back to a version, learn again, learn a finding.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::FindingId;
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason;
use crate::Detection;

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MachineChange {
    /// In the person's words.
    reason: String,
}

impl MachineChange {
    /// The words as they came.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }
}

/// What to learn, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lesson {
    /// The finding whose commands are normal from now on.
    finding: String,
    /// In the person's words.
    reason: String,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Learned {
    /// The new version, in use from now on.
    version: i64,
}

/// Puts a version in use in place of the one that is. Its signature is checked first.
#[utoipa::path(post, path = "/api/v1/detection/commands/{edge}/versions/{version}/activate",
    tag = "detection", request_body = MachineChange,
    params(("edge" = String, Path, description = "The edge's name"),
        ("version" = i64, Path, description = "The version's number")),
    responses((status = 204, description = "It is in use"), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn activate_machine(
    State(detection): State<Detection>,
    Path((edge, version)): Path<(String, String)>,
    caller: Caller,
    Json(body): Json<MachineChange>,
) -> Result<StatusCode, Problem> {
    let number = version.parse().map_err(|_| {
        Problem::not_found(format!("version '{}'", version.chars().take(20).collect::<String>()))
    })?;
    let why = reason(&body.reason)?;
    detection.activate_machine(&edge, number, (&caller.name, &why)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the model in use up and learns from the next report on. Until the new model is there no
/// command is judged, and the state says so.
#[utoipa::path(post, path = "/api/v1/detection/commands/{edge}/relearn", tag = "detection",
    request_body = MachineChange,
    params(("edge" = String, Path, description = "The edge's name")),
    responses((status = 202, description = "It learns again"), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn relearn_machine(
    State(detection): State<Detection>,
    Path(edge): Path<String>,
    caller: Caller,
    Json(body): Json<MachineChange>,
) -> Result<StatusCode, Problem> {
    let why = reason(&body.reason)?;
    detection.relearn_machine(&edge, (&caller.name, &why)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Makes the unusual commands of a finding normal for good: they become a part of the model, as a new
/// version. To call them normal for a time, say so of the finding.
#[utoipa::path(post, path = "/api/v1/detection/commands/{edge}/learn", tag = "detection",
    request_body = Lesson,
    params(("edge" = String, Path, description = "The edge's name")),
    responses((status = 200, body = Learned), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn learn_finding(
    State(detection): State<Detection>,
    Path(edge): Path<String>,
    caller: Caller,
    Json(body): Json<Lesson>,
) -> Result<Json<Learned>, Problem> {
    let why = reason(&body.reason)?;
    let finding: FindingId = body.finding.parse().map_err(|_| {
        Problem::not_found(format!(
            "finding '{}'",
            body.finding.chars().take(64).collect::<String>()
        ))
    })?;
    let version = detection.teach_machine(&edge, finding, (&caller.name, &why)).await?;
    Ok(Json(Learned { version }))
}
