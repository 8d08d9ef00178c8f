//! `POST /api/v1/sign-in`: name and password for a session.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Door, session_headers};
use crate::{Identity, IdentityError};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The user's name.
    name: String,
    /// Their password.
    password: String,
}

/// Opens a session; the cookie is not readable by scripts and not sent from other sites.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "identity",
    responses((status = 204), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn sign_in(
    State(identity): State<Identity>,
    door: Door,
    Json(asked): Json<SignIn>,
) -> Result<(StatusCode, HeaderMap), Response> {
    match identity.sign_in(&asked.name, asked.password, &door.entry(&identity)).await {
        Ok(session) => session_headers(&identity, &session, &door)
            .map(|headers| (StatusCode::NO_CONTENT, headers))
            .map_err(IntoResponse::into_response),
        Err(error) => {
            let wait = match &error {
                IdentityError::TooMany { retry_after_s } => Some(*retry_after_s),
                _ => None,
            };
            let mut response = Problem::from(error).into_response();
            if let Some(seconds) = wait {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            Err(response)
        }
    }
}
