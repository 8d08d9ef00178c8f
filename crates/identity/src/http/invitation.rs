//! `POST /api/v1/peers/invitations`: an invitation for another node.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{Identity, Invitation};

/// Who is invited, as we want to know them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    /// The organisation's name.
    name: String,
    /// `operator`, `cert` or `other`; the sharing policies go by it.
    kind: String,
}

/// Makes an invitation that works once; it is shown once.
#[utoipa::path(post, path = "/api/v1/peers/invitations", tag = "identity",
    responses((status = 201, body = Invitation), (status = 409, body = Problem)))]
pub(crate) async fn invite(
    State(identity): State<Identity>,
    caller: Caller,
    Json(asked): Json<Invite>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<Invitation>), Problem> {
    let invitation = identity.invite(&caller, &asked.name, &asked.kind).await?;
    let unkept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, unkept, Json(invitation)))
}
