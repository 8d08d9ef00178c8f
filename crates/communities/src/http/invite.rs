//! `POST /api/v1/communities/{id}/invitations`: a signed file for one organisation.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::certificate::Role;
use crate::invitation::Invitation;
use crate::room::Communities;

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommunityInvite {
    /// The organisation, by the id of its node or its name.
    organisation: String,
    /// What it may do.
    role: Role,
}

/// Makes an invitation; it works once, for that organisation's node.
#[utoipa::path(post, path = "/api/v1/communities/{id}/invitations", tag = "communities",
    request_body = CommunityInvite, params(("id" = String, Path, description = "Id of the community")), responses(
    (status = 201, description = "The invitation; it is shown once", body = Invitation),
    (status = 404, description = "No such community or organisation", body = Problem),
    (status = 409, description = "Another node leads it", body = Problem)))]
pub(crate) async fn invite(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<CommunityInvite>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    let circle = room.circle(&id).await?;
    let invitation = room.invite(&caller, circle.id, &request.organisation, request.role).await?;
    Ok((StatusCode::CREATED, Json(invitation)))
}
