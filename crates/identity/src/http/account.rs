//! `PUT /api/v1/me/password`, `PUT /api/v1/me/shown`: what people change of their own account.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Door, session_headers};
use crate::Identity;

/// A new password for the old one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The password in use.
    old: String,
    /// The new one, 10 characters or more.
    new: String,
}

/// Changes the own password. All sessions end; the one that asks goes on under a new cookie.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "identity", operation_id = "set_own_password",
    request_body = ChangePassword, responses((status = 204), (status = 401, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn password(
    State(identity): State<Identity>,
    caller: Caller,
    door: Door,
    Json(asked): Json<ChangePassword>,
) -> Result<(StatusCode, HeaderMap), Problem> {
    let entry = door.entry(&identity);
    let user = identity.change_password(&caller, asked.old, asked.new, &entry).await?;
    if door.session.is_none() {
        return Ok((StatusCode::NO_CONTENT, HeaderMap::new()));
    }
    let session = identity.open_session(&user, &entry).await?;
    Ok((StatusCode::NO_CONTENT, session_headers(&identity, &session, &door)?))
}

/// A name as it is shown.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownName {
    /// The name; empty: that of the account.
    shown: String,
}

/// Says how the own name is shown.
#[utoipa::path(put, path = "/api/v1/me/shown", tag = "identity", operation_id = "set_own_shown",
    request_body = ShownName, responses((status = 204), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
pub(crate) async fn shown(
    State(identity): State<Identity>,
    caller: Caller,
    Json(asked): Json<ShownName>,
) -> Result<StatusCode, Problem> {
    identity.set_own_shown(&caller, &asked.shown).await?;
    Ok(StatusCode::NO_CONTENT)
}
