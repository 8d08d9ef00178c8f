//! `POST /api/v1/peers/join`: accepts another node's invitation.

use axum::extract::State;
use axum::http::StatusCode;
use platform::http::{Caller, Json, Problem};
use platform::peers::Peer;

use crate::{Identity, Invitation};

/// Calls the inviting node, gets a certificate from it and remembers it as a peer.
#[utoipa::path(post, path = "/api/v1/peers/join", tag = "identity",
    responses((status = 201, body = Peer), (status = 422, body = Problem), (status = 502, body = Problem)))]
pub(crate) async fn join(
    State(identity): State<Identity>,
    caller: Caller,
    Json(invitation): Json<Invitation>,
) -> Result<(StatusCode, Json<Peer>), Problem> {
    Ok((StatusCode::CREATED, Json(identity.join(&caller, &invitation).await?)))
}
