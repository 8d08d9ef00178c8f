//! `/api/v1/communities/{id}/lead`: the leadership is offered, accepted, declined.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::circles::CommunityView;
use crate::room::Communities;

/// Who shall lead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommunityLead {
    /// A member, by the id of its node or its organisation's name.
    organisation: String,
}

/// How the leadership is taken.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CommunityLeadAccept {
    /// Members that do not exchange with this node are left behind; else they stand in the way.
    leave_behind: bool,
}

/// Offers the leadership of a community to a member. Until it accepts or declines, for seven days at most, this node leads
/// on and changes nothing in it.
#[utoipa::path(post, path = "/api/v1/communities/{id}/lead", tag = "communities", request_body = CommunityLead,
    params(("id" = String, Path, description = "Id")), responses(
    (status = 202, description = "It is asked", body = CommunityView),
    (status = 404, description = "No such community or member", body = Problem),
    (status = 409, description = "Another node leads it, or it is offered already", body = Problem)))]
pub(crate) async fn offer(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<CommunityLead>,
) -> Result<(StatusCode, Json<CommunityView>), Problem> {
    let circle = room.circle(&id).await?;
    let circle = room.offer_lead(&caller, circle.id, &request.organisation).await?;
    Ok((StatusCode::ACCEPTED, Json(CommunityView::new(&room, circle))))
}

/// Takes the leadership that was offered: every member gets a certificate of this node and is told by what right.
#[utoipa::path(post, path = "/api/v1/communities/{id}/lead/accept", tag = "communities",
    request_body = CommunityLeadAccept, params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "This node leads it", body = CommunityView),
    (status = 404, description = "No such community", body = Problem),
    (status = 409, description = "It is not offered, or members could not be told", body = Problem)))]
pub(crate) async fn accept(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<CommunityLeadAccept>,
) -> Result<Json<CommunityView>, Problem> {
    let circle = room.circle(&id).await?;
    let circle = room.accept_lead(&caller, circle.id, request.leave_behind).await?;
    Ok(Json(CommunityView::new(&room, circle)))
}

/// Says no to the leadership; who leads is told.
#[utoipa::path(post, path = "/api/v1/communities/{id}/lead/decline", tag = "communities",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 204, description = "Declined"),
    (status = 404, description = "No such community", body = Problem),
    (status = 409, description = "It is not offered", body = Problem)))]
pub(crate) async fn decline(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let circle = room.circle(&id).await?;
    room.decline_lead(&caller, circle.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
