//! `GET /api/v1/peers`: the nodes we exchange with, and whether they can be reached.

use axum::Json;
use axum::extract::State;
use model::{PeerId, Timestamp};
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::room::Cti;
use crate::store::{contacts, received, shares};

/// A peer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeerItem {
    /// Our id for it.
    #[schema(value_type = String)]
    id: PeerId,
    /// Its organisation.
    name: String,
    /// `operator`, `cert` or `other`.
    kind: String,
    /// Where it is reached; absent when it only calls us.
    url: Option<String>,
    /// `reachable`, `unreachable` or `never` contacted.
    state: &'static str,
    /// Last success.
    #[schema(value_type = Option<String>)]
    last_contact: Option<Timestamp>,
    /// Why the last try failed.
    last_error: Option<String>,
    /// SHA-256 of the certificate authority it is trusted by, hex.
    fingerprint: String,
    /// `we send`, `they send` or `both`.
    direction: &'static str,
}

/// The peers.
#[utoipa::path(get, path = "/api/v1/peers", tag = "cti", responses(
    (status = 200, description = "Peers", body = Vec<PeerItem>)))]
pub(crate) async fn peers(State(cti): State<Cti>) -> Result<Json<Vec<PeerItem>>, Problem> {
    let peers = cti.deps().peers.peers().await?;
    let mut sql = cti.platform().db.read().await?;
    let mut items = Vec::with_capacity(peers.len());
    for peer in peers {
        let contact = contacts::get(&mut sql, &peer.id.to_string()).await?;
        let they = received::any_from(&mut sql, &peer.node.to_string()).await?;
        let we = peer.url.is_some() || shares::any_to(&mut sql, peer.id).await?;
        items.push(PeerItem {
            state: match (&contact.last_error, contact.last_try_us, contact.last_contact_us) {
                (_, None, _) => "never",
                (Some(_), _, _) => "unreachable",
                (None, _, _) => "reachable",
            },
            direction: match (we, they) {
                (true, true) => "both",
                (true, false) => "we send",
                (false, _) => "they send",
            },
            id: peer.id,
            name: peer.name,
            kind: peer.kind,
            url: peer.url,
            last_contact: contact.last_contact_us.map(Timestamp::from_micros),
            last_error: contact.last_error,
            fingerprint: peer.fingerprint,
        });
    }
    Ok(Json(items))
}
