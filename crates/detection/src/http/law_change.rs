//! `POST /api/v1/detection/laws/{edge}/{protocol}/…`: go back to a version, learn again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json, Problem};

use super::law_model::protocol;
use super::machine_change::MachineChange;
use super::reason;
use crate::Detection;

/// Puts a version in use in place of the one that is. Its signature is checked first.
#[utoipa::path(post, path = "/api/v1/detection/laws/{edge}/{protocol}/versions/{version}/activate",
    tag = "detection", request_body = MachineChange,
    params(("edge" = String, Path, description = "The edge's name"),
        ("protocol" = String, Path, description = "`goose` or `mms`"),
        ("version" = i64, Path, description = "The version's number")),
    responses((status = 204, description = "It is in use"), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn activate_law(
    State(detection): State<Detection>,
    Path((edge, word, version)): Path<(String, String, String)>,
    caller: Caller,
    Json(body): Json<MachineChange>,
) -> Result<StatusCode, Problem> {
    let number = version.parse().map_err(|_| {
        Problem::not_found(format!("version '{}'", version.chars().take(20).collect::<String>()))
    })?;
    let (protocol, why) = (protocol(&word)?, reason(body.reason())?);
    detection.activate_law((&edge, protocol, number), (&caller.name, &why)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the model in use up and learns from the next report on. Until the new model is there no
/// message is judged, and the state says so.
#[utoipa::path(post, path = "/api/v1/detection/laws/{edge}/{protocol}/relearn", tag = "detection",
    request_body = MachineChange,
    params(("edge" = String, Path, description = "The edge's name"),
        ("protocol" = String, Path, description = "`goose` or `mms`")),
    responses((status = 202, description = "It learns again"), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn relearn_law(
    State(detection): State<Detection>,
    Path((edge, word)): Path<(String, String)>,
    caller: Caller,
    Json(body): Json<MachineChange>,
) -> Result<StatusCode, Problem> {
    let (protocol, why) = (protocol(&word)?, reason(body.reason())?);
    detection.relearn_law((&edge, protocol), (&caller.name, &why)).await?;
    Ok(StatusCode::ACCEPTED)
}
