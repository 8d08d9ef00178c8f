//! `GET /api/v1/peers`: the nodes we exchange with.

use axum::extract::State;
use model::Timestamp;
use platform::http::{Json, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::peers::{self, PeerRow};
use crate::{Identity, IdentityError};

/// A node we exchange with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeerView {
    /// Our id for it.
    id: String,
    /// Its node id.
    node: String,
    /// Its organisation's name.
    name: String,
    /// `operator`, `cert` or `other`.
    kind: String,
    /// Where we call it; absent when it only calls us.
    url: Option<String>,
    /// `reachable`, `unreachable`, or `never` when there was no contact since the node started.
    state: &'static str,
    /// When it was last heard of.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_contact: Option<Timestamp>,
    /// SHA-256 of the authority we trust it by.
    fingerprint: String,
    /// `we send`, `they send` or `both`.
    direction: &'static str,
}

fn view(identity: &Identity, row: PeerRow) -> PeerView {
    let contact = identity.contact(row.peer.id);
    PeerView {
        id: row.peer.id.to_string(),
        node: row.peer.node.to_string(),
        name: row.peer.name,
        kind: row.peer.kind,
        state: match contact {
            None => "never",
            Some(contact) if contact.ok => "reachable",
            Some(_) => "unreachable",
        },
        last_contact: contact.map(|contact| contact.at),
        direction: match (&row.peer.url, &row.certificate) {
            (Some(_), Some(_)) => "both",
            (Some(_), None) => "we send",
            (None, _) => "they send",
        },
        url: row.peer.url,
        fingerprint: row.peer.fingerprint,
    }
}

/// The nodes we exchange with, oldest first.
#[utoipa::path(get, path = "/api/v1/peers", tag = "identity",
    responses((status = 200, body = Page<PeerView>)))]
pub(crate) async fn list(
    State(identity): State<Identity>,
) -> Result<Json<Page<PeerView>>, Problem> {
    let mut sql = identity.platform().db.read().await?;
    let rows = peers::peers(&mut sql).await.map_err(IdentityError::from)?;
    Ok(Json(Page::whole(rows.into_iter().map(|row| view(&identity, row)).collect())))
}
