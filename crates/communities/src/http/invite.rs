//! `/api/v1/communities/{id}/invitations`: signed files for one organisation each; made, listed, taken back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use platform::http::{Caller, Json as Body, Page, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::certificate::Role;
use crate::invitation::Invitation;
use crate::room::Communities;
use crate::store::invitations::{self, Invited};

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

/// An invitation made here, without what opens the door.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitedView {
    /// SHA-256 of its code, hex.
    id: String,
    /// Node id of whom it is for.
    node: String,
    /// Their organisation; empty when the exchange with them was ended.
    organisation: String,
    /// What they may do.
    role: Role,
    /// `open`, `used`, `withdrawn` or `expired`.
    state: &'static str,
    /// Who made it.
    made_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Until when it holds; it is forgotten some time later.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was used.
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
}

/// Where an invitation stands.
fn state(invited: &Invited, now: Timestamp) -> &'static str {
    match (invited.used_at, invited.withdrawn_at) {
        (Some(_), _) => "used",
        (None, Some(_)) => "withdrawn",
        (None, None) if invited.expires_at <= now => "expired",
        (None, None) => "open",
    }
}

/// The invitations this node made to a community, the newest first.
#[utoipa::path(get, path = "/api/v1/communities/{id}/invitations", tag = "communities",
    params(("id" = String, Path, description = "Id of the community")), responses(
    (status = 200, description = "Invitations", body = Page<InvitedView>),
    (status = 404, description = "No such community", body = Problem)))]
pub(crate) async fn invited(
    State(room): State<Communities>,
    Path(id): Path<String>,
) -> Result<Json<Page<InvitedView>>, Problem> {
    let circle = room.circle(&id).await?;
    let peers = room.peers().peers().await?;
    let now = room.platform().now();
    let mut sql = room.platform().db.read().await?;
    let view = |invited: Invited| InvitedView {
        organisation: peers
            .iter()
            .find(|peer| peer.node == invited.node)
            .map(|peer| peer.name.clone())
            .unwrap_or_default(),
        node: invited.node.to_string(),
        role: invited.role,
        state: state(&invited, now),
        made_at: invited.made_at,
        expires_at: invited.expires_at,
        used_at: invited.used_at,
        made_by: invited.made_by,
        id: invited.digest,
    };
    let all = invitations::all(&mut sql, circle.id).await?;
    Ok(Json(Page::whole(all.into_iter().map(view).collect())))
}

/// Takes an invitation back that was not used: its file opens nothing any more.
#[utoipa::path(delete, path = "/api/v1/communities/{id}/invitations/{invitation}", tag = "communities",
    params(("id" = String, Path, description = "Id of the community"),
    ("invitation" = String, Path, description = "Id of the invitation")), responses(
    (status = 204, description = "Withdrawn"),
    (status = 404, description = "No such community or invitation", body = Problem),
    (status = 409, description = "It was used", body = Problem)))]
pub(crate) async fn withdraw(
    State(room): State<Communities>,
    caller: Caller,
    Path((id, invitation)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let circle = room.circle(&id).await?;
    room.withdraw(&caller, circle.id, &invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}
