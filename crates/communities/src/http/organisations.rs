//! `GET /api/v1/organisations`, `PATCH /api/v1/organisations/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use platform::http::{Json as Body, Page, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::organisations::{Change, Organisation};
use crate::room::Communities;

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationView {
    /// Id of its node.
    id: String,
    /// Our id of the peer; absent for this node's own.
    peer: Option<String>,
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
            id: it.node.to_string(),
            peer: it.peer.map(|peer| peer.to_string()),
            own: it.peer.is_none(),
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

/// This node's organisation, and one for each node it exchanges with.
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
    params(("id" = String, Path, description = "Id of its node")), responses(
    (status = 200, description = "The organisation", body = OrganisationView),
    (status = 404, description = "No such organisation", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Communities>,
    Path(id): Path<String>,
    Body(change): Body<OrganisationChange>,
) -> Result<Json<OrganisationView>, Problem> {
    let change = Change {
        kind: change.kind,
        sector: change.sector,
        country: change.country,
        note: change.note,
    };
    Ok(Json(room.change_organisation(&id, change).await?.into()))
}
