//! `GET /api/v1/federation/links`: where the letters to and from each peer stand.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use platform::http::{Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::room::Federation;
use crate::store::{letters, links};

/// A link as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FederationLink {
    /// The peer.
    peer: String,
    /// Its organisation's name.
    name: String,
    /// `we-call`: we bring and fetch; `it-calls`: the peer does.
    way: &'static str,
    /// Letters that wait and have no number yet.
    queued: i64,
    /// Letters that were sent and have no receipt yet.
    under_way: i64,
    /// Number of our last letter to it.
    out_seq: i64,
    /// Number of its last letter to us.
    in_seq: i64,
    /// Letters of it that were refused for what they are: forged, replayed, for somebody else.
    refused: i64,
    /// Why the last of them was refused.
    last_refusal: Option<String>,
    /// When it last answered or called.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_contact: Option<Timestamp>,
    /// Why the last try failed; absent when it did not.
    last_error: Option<String>,
}

/// One link for each peer.
#[utoipa::path(get, path = "/api/v1/federation/links", tag = "federation", responses(
    (status = 200, description = "Links", body = Page<FederationLink>)))]
pub(crate) async fn list(
    State(room): State<Federation>,
) -> Result<Json<Page<FederationLink>>, Problem> {
    let peers = room.peers().peers().await?;
    let mut sql = room.platform().db.read().await?;
    let mut shown = Vec::with_capacity(peers.len());
    for peer in peers {
        let link = links::get(&mut sql, peer.id).await?;
        let under_way = letters::under_way(&mut sql, peer.id).await?;
        let count = |of: fn(&links::Link) -> i64| link.as_ref().map_or(0, of);
        shown.push(FederationLink {
            peer: peer.id.to_string(),
            name: peer.name,
            way: if peer.url.is_some() { "we-call" } else { "it-calls" },
            queued: count(|link| link.queued),
            under_way,
            out_seq: count(|link| link.out_seq),
            in_seq: count(|link| link.in_seq),
            refused: count(|link| link.refused),
            last_refusal: link.as_ref().and_then(|link| link.last_refusal.clone()),
            last_contact: link
                .as_ref()
                .and_then(|link| link.last_contact_us)
                .map(Timestamp::from_micros),
            last_error: link.and_then(|link| link.last_error),
        });
    }
    Ok(Json(Page::whole(shown)))
}
