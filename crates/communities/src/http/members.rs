//! `PATCH` and `DELETE /api/v1/communities/{id}/members/{node}`: another role, or out.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::NodeId;
use platform::http::{Caller, Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::certificate::Role;
use crate::error::CommunityError;
use crate::room::Communities;

/// What changes of a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// What it may do from now on.
    role: Role,
}

fn node(text: &str) -> Result<NodeId, CommunityError> {
    text.parse().map_err(|_| CommunityError::unknown("member", text))
}

/// Gives a member another role, by a new certificate.
#[utoipa::path(patch, path = "/api/v1/communities/{id}/members/{node}", tag = "communities",
    request_body = MemberChange, params(("id" = String, Path, description = "Id of the community"),
    ("node" = String, Path, description = "Node id of the member")), responses(
    (status = 204, description = "Changed; all members are told"),
    (status = 404, description = "No such community or member", body = Problem),
    (status = 409, description = "Another node leads it", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Communities>,
    caller: Caller,
    Path((id, member)): Path<(String, String)>,
    Body(change): Body<MemberChange>,
) -> Result<StatusCode, Problem> {
    let circle = room.circle(&id).await?;
    room.set_member(&caller, circle.id, node(&member)?, Some(change.role)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a member out; its certificate counts no longer, and all are told.
#[utoipa::path(delete, path = "/api/v1/communities/{id}/members/{node}", tag = "communities",
    params(("id" = String, Path, description = "Id of the community"),
    ("node" = String, Path, description = "Node id of the member")), responses(
    (status = 204, description = "Put out"),
    (status = 404, description = "No such community or member", body = Problem),
    (status = 409, description = "Another node leads it", body = Problem)))]
pub(crate) async fn expel(
    State(room): State<Communities>,
    caller: Caller,
    Path((id, member)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let circle = room.circle(&id).await?;
    room.set_member(&caller, circle.id, node(&member)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
