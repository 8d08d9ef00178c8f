//! `POST /api/v1/communities/join` and `POST /api/v1/communities/{id}/leave`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json as Body, Problem};

use super::circles::CommunityView;
use crate::invitation::Invitation;
use crate::room::Communities;

/// Uses an invitation: the leader is asked, and its answer makes this node a member.
#[utoipa::path(post, path = "/api/v1/communities/join", tag = "communities", request_body = Invitation, responses(
    (status = 202, description = "The leader is asked", body = CommunityView),
    (status = 422, description = "The invitation cannot be used", body = Problem),
    (status = 503, description = "Letters are not carried", body = Problem)))]
pub(crate) async fn join(
    State(room): State<Communities>,
    caller: Caller,
    Body(invitation): Body<Invitation>,
) -> Result<(StatusCode, Json<CommunityView>), Problem> {
    let circle = room.join(&caller, invitation).await?;
    Ok((StatusCode::ACCEPTED, Json(CommunityView::new(&room, circle))))
}

/// Leaves a community of another node; the leader is told.
#[utoipa::path(post, path = "/api/v1/communities/{id}/leave", tag = "communities",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 204, description = "Left"),
    (status = 404, description = "No such community", body = Problem),
    (status = 409, description = "This node leads it", body = Problem)))]
pub(crate) async fn leave(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let circle = room.circle(&id).await?;
    room.leave(&caller, circle.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
