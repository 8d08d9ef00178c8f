//! `POST /api/v1/first-run`: the first administrator.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Door, session_headers};
use crate::Identity;

/// Who the first administrator is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstRun {
    /// The organisation this node belongs to.
    organisation: String,
    /// The administrator's name.
    name: String,
    /// Their password, 10 characters or more.
    password: String,
}

/// Creates the first administrator and signs them in; only while nobody has an account.
#[utoipa::path(post, path = "/api/v1/first-run", tag = "identity",
    responses((status = 201), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn first_run(
    State(identity): State<Identity>,
    door: Door,
    Json(asked): Json<FirstRun>,
) -> Result<(StatusCode, HeaderMap), Problem> {
    let entry = door.entry(&identity);
    let session = identity
        .create_first_administrator(&asked.organisation, &asked.name, asked.password, &entry)
        .await?;
    Ok((StatusCode::CREATED, session_headers(&identity, &session, &door)?))
}
