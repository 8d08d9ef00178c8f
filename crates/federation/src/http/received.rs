//! `GET /api/v1/federation/received`: what peers brought, and what became of it.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use model::Timestamp;
use platform::http::{Caller, Gate, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Seen, label, sight};
use crate::room::Federation;
use crate::store::received;

/// Which of it.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Filter {
    /// Only what this peer brought, by id.
    peer: Option<String>,
    /// Only `kept`, `beside`, `refused` or `withdrawn`.
    outcome: Option<String>,
    /// Items wanted, 1 to 500; 50 when absent.
    limit: Option<u32>,
    /// Where to go on, from `next`.
    cursor: Option<String>,
}

/// An object that a peer brought.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceivedObject {
    /// The peer.
    peer: String,
    /// Its organisation's name; empty when it is no peer any more.
    peer_name: String,
    /// STIX id.
    object: String,
    /// The label it came under.
    tlp: String,
    /// Their share.
    share: String,
    /// The community it came through.
    community: Option<String>,
    /// `kept`; `beside`: it came from somebody else, whose word stays; `refused`; `withdrawn`: they took it back.
    outcome: String,
    /// Why, where that needs a reason.
    reason: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    #[serde(skip)]
    place: i64,
}

/// What peers brought, the newest first, as far as it is in sight.
#[utoipa::path(get, path = "/api/v1/federation/received", tag = "federation", params(Filter), responses(
    (status = 200, description = "Objects", body = Page<ReceivedObject>)))]
pub(crate) async fn list(
    State(room): State<Federation>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<ReceivedObject>>, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let (peer, outcome) = (filter.peer.unwrap_or_default(), filter.outcome.unwrap_or_default());
    let limit = page.limit();
    let mut before = match page.after()? {
        Some(key) => {
            key.parse().map_err(|_| Problem::bad_request("the cursor is none of this list"))?
        }
        None => i64::MAX,
    };
    let sight = sight(&gate, &caller);
    let mut seen = Seen::new(sight);
    let peers = room.peers().peers().await?;
    let mut sql = room.platform().db.read().await?;
    let mut shown: Vec<ReceivedObject> = Vec::new();
    while shown.len() <= limit as usize {
        let most = i64::from(limit) + 1;
        let found = received::before(&mut sql, &peer, &outcome, before, sight.most(), most).await?;
        let Some(last) = found.last() else { break };
        before = last.place;
        for row in found {
            if !seen.sees(&mut sql, &row.object, row.tlp).await? {
                continue;
            }
            let name = peers.iter().find(|peer| peer.id == row.peer).map(|peer| peer.name.clone());
            shown.push(ReceivedObject {
                peer: row.peer.to_string(),
                peer_name: name.unwrap_or_default(),
                object: row.object,
                tlp: label(row.tlp),
                share: row.share,
                community: row.community.map(|id| id.to_string()),
                outcome: row.outcome,
                reason: row.reason,
                recorded_at: Timestamp::from_micros(row.recorded_us),
                place: row.place,
            });
        }
    }
    shown.truncate(limit as usize + 1);
    Ok(Json(Page::from_surplus(shown, limit, |row| row.place.to_string())))
}
