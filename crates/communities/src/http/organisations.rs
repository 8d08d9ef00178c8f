//! `GET`, `POST /api/v1/organisations`, `PATCH`, `DELETE /api/v1/organisations/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json as Body, Page, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::organisations::{Change, Organisation, Who};
use crate::room::Communities;

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationView {
    /// Id of its node, or its own where it has none.
    id: String,
    /// Our id of the peer; absent for this node's own and where there is no node.
    peer: Option<String>,
    /// Whether it has a node.
    has_node: bool,
    /// This node's own.
    own: bool,
    /// Name.
    name: String,
    /// `operator`, `cert`, `authority`, `vendor` or `other`, as recorded here.
    kind: String,
    /// Sector; may be empty.
    sector: String,
    /// ISO 3166-1 alpha-2; may be empty.
    country: String,
    /// What people noted; may be empty.
    note: String,
}

impl From<Organisation> for OrganisationView {
    fn from(it: Organisation) -> Self {
        Self {
            id: it.id(),
            peer: it.peer().map(|peer| peer.to_string()),
            has_node: !matches!(it.who, Who::Nodeless(_)),
            own: matches!(it.who, Who::Own(_)),
            name: it.name,
            kind: it.kind,
            sector: it.sector,
            country: it.country,
            note: it.note,
        }
    }
}

/// What changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganisationChange {
    /// `operator`, `cert`, `authority`, `vendor` or `other`.
    kind: Option<String>,
    /// Sector.
    sector: Option<String>,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    /// Anything.
    note: Option<String>,
}

impl From<OrganisationChange> for Change {
    fn from(it: OrganisationChange) -> Self {
        Self { kind: it.kind, sector: it.sector, country: it.country, note: it.note }
    }
}

/// An organisation that has no node.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganisation {
    /// Its name, which no other has.
    name: String,
    /// `operator`, `cert`, `authority`, `vendor` or `other`; `other` when absent.
    kind: Option<String>,
    /// Sector.
    sector: Option<String>,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    /// Anything.
    note: Option<String>,
}

/// This node's organisation, one for each node it exchanges with, and those that have no node.
#[utoipa::path(get, path = "/api/v1/organisations", tag = "communities", responses(
    (status = 200, description = "Organisations, the own one first", body = Page<OrganisationView>)))]
pub(crate) async fn list(
    State(room): State<Communities>,
) -> Result<Json<Page<OrganisationView>>, Problem> {
    let all = room.organisations().await?;
    Ok(Json(Page::whole(all.into_iter().map(OrganisationView::from).collect())))
}

/// Notes kind, sector, country or anything else about an organisation.
#[utoipa::path(patch, path = "/api/v1/organisations/{id}", tag = "communities", request_body = OrganisationChange,
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, description = "The organisation", body = OrganisationView),
    (status = 404, description = "No such organisation", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Communities>,
    Path(id): Path<String>,
    Body(change): Body<OrganisationChange>,
) -> Result<Json<OrganisationView>, Problem> {
    Ok(Json(room.change_organisation(&id, change.into()).await?.into()))
}

/// Makes an organisation that has no node: a recipient for tokens, accounts and pushes.
#[utoipa::path(post, path = "/api/v1/organisations", tag = "communities", request_body = NewOrganisation, responses(
    (status = 201, description = "The organisation", body = OrganisationView),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn add(
    State(room): State<Communities>,
    caller: Caller,
    Body(new): Body<NewOrganisation>,
) -> Result<(StatusCode, Json<OrganisationView>), Problem> {
    let NewOrganisation { name, kind, sector, country, note } = new;
    let about = Change { kind, sector, country, note };
    let made = room.new_organisation(&caller.name, &name, about).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Forgets an organisation that has no node. Tokens, accounts and pushes that are for it get nothing any more.
#[utoipa::path(delete, path = "/api/v1/organisations/{id}", tag = "communities",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204, description = "Forgotten"),
    (status = 404, description = "No such organisation", body = Problem),
    (status = 409, description = "It has a node", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    room.remove_organisation(&caller.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
