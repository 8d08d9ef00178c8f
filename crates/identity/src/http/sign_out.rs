//! `POST /api/v1/sign-out`: ends the session.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use platform::http::Problem;

use super::{Door, cookie_headers};
use crate::Identity;

/// Ends the session of the cookie that comes with the request; without one nothing happens.
#[utoipa::path(post, path = "/api/v1/sign-out", tag = "identity", responses((status = 204)))]
pub(crate) async fn sign_out(
    State(identity): State<Identity>,
    door: Door,
    headers: HeaderMap,
) -> Result<(StatusCode, HeaderMap), Problem> {
    if let Some(secret) = identity.session_secret(&headers, door.encrypted) {
        identity.sign_out(&secret).await?;
    }
    Ok((StatusCode::NO_CONTENT, cookie_headers(&identity.cookie("", 0, door.encrypted))?))
}
