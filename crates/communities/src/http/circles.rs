//! `/api/v1/communities` and `/api/v1/communities/{id}`: make, see, change, end.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::{Timestamp, Tlp};
use platform::http::{Caller, Json as Body, Page, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::certificate::Role;
use crate::circle::{Circle, Contribute, Member, Roster, State as Standing};
use crate::error::CommunityError;
use crate::members::{Terms, at};
use crate::room::Communities;
use crate::store;

/// A community.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommunityView {
    /// UUID.
    id: String,
    /// Name.
    name: String,
    /// What it is for.
    description: String,
    /// Nothing marked above it is shared through the community.
    max_tlp: String,
    /// Who may share with it.
    contribute: Contribute,
    /// Who is told who the members are.
    roster: Roster,
    /// Whether what came through it may go elsewhere as far as its label allows.
    onward: bool,
    /// Whether this node leads it.
    led: bool,
    /// The leader's organisation.
    leader: String,
    /// Node id of the leader.
    leader_node: String,
    /// What this node may do: `leader`, `contributor` or `reader`.
    role: &'static str,
    /// Where it stands for this node.
    state: Standing,
    /// Why the leader did not let this node in when it last asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    refusal: String,
    /// Whether this node belongs to it now, by a certificate that holds.
    holds: bool,
    /// Until when this node's certificate holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    not_after: Option<Timestamp>,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// The leadership is on its way, from this node or to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<LeadOffer>,
    /// Times the leadership moved.
    handovers: usize,
    /// Members that are known here, with one community only.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<MemberView>>,
}

/// A leadership on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeadOffer {
    /// Node id of who shall lead.
    to: String,
    /// Whether that is this node: it accepts or declines.
    ours: bool,
    /// Until when it may be accepted.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Members that would be told.
    members: Vec<String>,
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberView {
    /// Its node.
    node: String,
    /// Its organisation.
    organisation: String,
    /// What it may do.
    role: Role,
    /// Where it stands.
    state: Standing,
    /// Whether it counts now: its certificate is signed by the leader, has not ended and was not revoked.
    holds: bool,
    /// Serial of its certificate.
    serial: i64,
    /// Until when that holds.
    #[schema(value_type = String, format = DateTime)]
    not_after: Timestamp,
}

/// What a community shall be, or what changes in it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommunityTerms {
    /// Name.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Nothing marked above it is shared through the community; `TLP:AMBER` for a new one.
    max_tlp: Option<String>,
    /// Who may share with it: `members` or `leader`.
    contribute: Option<Contribute>,
    /// Who is told who the members are: `members` or `leader`.
    roster: Option<Roster>,
    /// Whether what came through it may go elsewhere as far as its label allows.
    onward: Option<bool>,
}

impl CommunityTerms {
    fn read(self) -> Result<Terms, CommunityError> {
        let max_tlp = self.max_tlp.map(|text| {
            text.parse::<Tlp>().map_err(|cause| {
                let clip: String = cause.to_string().chars().take(200).collect();
                CommunityError::invalid(format!("max_tlp {clip}"), "Write it like TLP:AMBER.")
            })
        });
        Ok(Terms {
            name: self.name,
            description: self.description,
            max_tlp: max_tlp.transpose()?,
            contribute: self.contribute,
            roster: self.roster,
            onward: self.onward,
        })
    }
}

impl CommunityView {
    pub(crate) fn new(room: &Communities, circle: Circle) -> Self {
        let platform = room.platform();
        let offer = circle.open_offer(platform.now()).map(|offer| LeadOffer {
            to: offer.handover.to.to_string(),
            ours: !circle.led(),
            expires_at: offer.handover.expires_at,
            members: offer.members.iter().map(|one| one.organisation.clone()).collect(),
        });
        Self {
            offer,
            handovers: circle.chain.len(),
            id: circle.id.to_string(),
            max_tlp: circle.max_tlp.label().to_owned(),
            contribute: circle.contribute,
            roster: circle.roster,
            onward: circle.onward,
            led: circle.led(),
            leader_node: circle.leader_node.to_string(),
            role: circle.own_role.map_or("leader", Role::word),
            state: circle.state,
            holds: circle.holds(platform.node.id, platform.now()),
            not_after: circle.own_certificate.as_ref().map(|it| it.not_after),
            updated_at: at(circle.updated_us),
            members: None,
            refusal: circle.refusal,
            name: circle.name,
            description: circle.description,
            leader: circle.leader_name,
        }
    }
}

/// The communities this node leads, is in, or was in.
#[utoipa::path(get, path = "/api/v1/communities", tag = "communities", responses(
    (status = 200, description = "Communities, by name", body = Page<CommunityView>)))]
pub(crate) async fn list(
    State(room): State<Communities>,
) -> Result<Json<Page<CommunityView>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let all = store::circles::all(&mut sql).await?;
    let shown = all.into_iter().map(|circle| CommunityView::new(&room, circle));
    Ok(Json(Page::whole(shown.collect())))
}

/// Makes a community that this node leads.
#[utoipa::path(post, path = "/api/v1/communities", tag = "communities", request_body = CommunityTerms, responses(
    (status = 201, description = "The community", body = CommunityView),
    (status = 409, description = "The name is taken, or there are too many", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn make(
    State(room): State<Communities>,
    caller: Caller,
    Body(terms): Body<CommunityTerms>,
) -> Result<(StatusCode, Json<CommunityView>), Problem> {
    let circle = room.make(&caller, terms.read()?).await?;
    Ok((StatusCode::CREATED, Json(CommunityView::new(&room, circle))))
}

/// One community with the members that are known here.
#[utoipa::path(get, path = "/api/v1/communities/{id}", tag = "communities",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "The community", body = CommunityView),
    (status = 404, description = "No such community", body = Problem)))]
pub(crate) async fn show(
    State(room): State<Communities>,
    Path(id): Path<String>,
) -> Result<Json<CommunityView>, Problem> {
    let circle = room.circle(&id).await?;
    let now = room.platform().now();
    let mut sql = room.platform().db.read().await?;
    let revoked = store::members::revoked(&mut sql, circle.id, now.as_micros()).await?;
    let members = store::members::all(&mut sql, circle.id).await?;
    let view = |member: Member| MemberView {
        node: member.node.to_string(),
        holds: member.holds(&circle, &revoked, now),
        role: member.role,
        state: member.state,
        serial: member.certificate.serial,
        not_after: member.certificate.not_after,
        organisation: member.name,
    };
    let members = members.into_iter().map(view).collect();
    Ok(Json(CommunityView { members: Some(members), ..CommunityView::new(&room, circle) }))
}

/// Changes what holds in a community that this node leads; every member is told.
#[utoipa::path(patch, path = "/api/v1/communities/{id}", tag = "communities", request_body = CommunityTerms,
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "The community", body = CommunityView),
    (status = 404, description = "No such community", body = Problem),
    (status = 409, description = "Another node leads it, or the name is taken", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
    Body(terms): Body<CommunityTerms>,
) -> Result<Json<CommunityView>, Problem> {
    let circle = room.circle(&id).await?;
    let changed = room.change(&caller, circle.id, terms.read()?).await?;
    Ok(Json(CommunityView::new(&room, changed)))
}

/// Ends a community that this node leads; every member is told.
#[utoipa::path(delete, path = "/api/v1/communities/{id}", tag = "communities",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 204, description = "Dissolved"),
    (status = 404, description = "No such community", body = Problem),
    (status = 409, description = "Another node leads it", body = Problem)))]
pub(crate) async fn dissolve(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let circle = room.circle(&id).await?;
    room.dissolve(&caller, circle.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
