//! `GET|PUT /api/v1/detection/commands/{edge}`: a machine model as text.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reason;
use crate::Detection;
use crate::machines::edit::{EditError, TextView};

/// Which version.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct VersionQuery {
    /// Its number; absent for the one in use.
    version: Option<i64>,
}

/// Why.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct ReasonQuery {
    /// In the person's words.
    reason: Option<String>,
}

/// What came of an edit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TextTaken {
    /// The new version, in use from now on.
    version: i64,
    /// What it holds, and what it changed.
    #[serde(flatten)]
    text: TextView,
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Text(error) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-text", error.to_string())
                    .remedy("Correct the line; nothing was changed.")
                    .errors(vec![error.to_string()])
            }
            EditError::Stale(version) => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                format!("version {version} is in use, which this text was not made from"),
            )
            .remedy("Get the model again, repeat the change, and send it with its ETag."),
            EditError::Other(error) => error.into(),
        }
    }
}

/// The version a caller's text was made from: `If-Match: "3"`.
fn expected(headers: &HeaderMap) -> Result<i64, Problem> {
    let given = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let given = given.ok_or_else(|| {
        Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition-required",
            "the header If-Match is missing",
        )
        .remedy("Send the ETag of the model the text was made from, e.g. If-Match: \"3\".")
    })?;
    given.trim().trim_matches('"').parse().map_err(|_| {
        let given: String = given.chars().take(40).collect();
        Problem::bad_request(format!("If-Match: '{given}' is no version"))
            .remedy("Send the ETag of the model, e.g. If-Match: \"3\".")
    })
}

/// A machine model as text (TOML): pairs of machines, their functions, points and values. The ETag
/// is its version. What a person wrote comes back as written.
#[utoipa::path(get, path = "/api/v1/detection/commands/{edge}", tag = "detection",
    params(("edge" = String, Path, description = "The edge's name"), VersionQuery),
    responses((status = 200, description = "The text", content_type = "text/plain", body = String),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn text(
    State(detection): State<Detection>,
    Path(edge): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Response, Problem> {
    let (row, text) = detection.machine_text(&edge, query.version).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::ETAG, format!("\"{}\"", row.number)),
    ];
    Ok((headers, text).into_response())
}

/// Writes a machine model: the text becomes the next version and is in use at once. `If-Match` names
/// the version it was made from. A text that is no model changes nothing, and the answer names the
/// line.
#[utoipa::path(put, path = "/api/v1/detection/commands/{edge}", tag = "detection",
    params(("edge" = String, Path, description = "The edge's name"), ReasonQuery,
        ("If-Match" = String, Header, description = "The ETag of the model it was made from")),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = TextTaken), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem),
        (status = 422, body = Problem), (status = 428, body = Problem)))]
pub(crate) async fn put_text(
    State(detection): State<Detection>,
    Path(edge): Path<String>,
    Query(query): Query<ReasonQuery>,
    caller: Caller,
    headers: HeaderMap,
    body: String,
) -> Result<Json<TextTaken>, Problem> {
    let expected = expected(&headers)?;
    let why = query.reason.map_or_else(|| Ok("edited as text".to_owned()), |it| reason(&it))?;
    let made = ("edited", caller.name.as_str(), why.as_str());
    let (version, text) = detection.edit_machine(&edge, &body, expected, made).await?;
    Ok(Json(TextTaken { version, text }))
}

/// Reads a text as a machine model without storing it: what it holds and how it differs from the
/// model in use, or the line that is wrong.
#[utoipa::path(post, path = "/api/v1/detection/commands/{edge}/check", tag = "detection",
    params(("edge" = String, Path, description = "The edge's name")),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = TextView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn check_text(
    State(detection): State<Detection>,
    Path(edge): Path<String>,
    body: String,
) -> Result<Json<TextView>, Problem> {
    Ok(Json(detection.check_machine_text(&edge, &body).await?))
}
