//! Endpoints under `/api/v1/federation`, one a file.

mod letters;
mod links;
mod receipts;
mod received;
mod retractions;
mod shares;
mod standing;

use intel::{Sight, objects};
use platform::http::{Caller, CallerKind, Gate, Permission, Problem, RoomRouter};
use platform::peers::Peer;
use utoipa_axum::routes;

use crate::error::FederationError;
use crate::room::Federation;

const EXCHANGE: Permission = Permission("federation.exchange");
/// Where letters stand: how many were exchanged with whom.
const LINKS: Permission = Permission("federation.links");
const READ: Permission = Permission("federation.read");
const SHARE: Permission = Permission("federation.share");

pub(crate) fn routes() -> RoomRouter<Federation> {
    RoomRouter::default()
        .route(EXCHANGE, routes!(letters::bring))
        .route(EXCHANGE, routes!(letters::fetch))
        .route(EXCHANGE, routes!(receipts::bring))
        .route(LINKS, routes!(links::list))
        .route(READ, routes!(received::list))
        .route(READ, routes!(shares::list))
        .route(READ, routes!(shares::show))
        .route(SHARE, routes!(shares::create))
        .route(READ, routes!(retractions::list))
        .route(READ, routes!(retractions::show))
        .route(SHARE, routes!(retractions::create))
        .route(READ, routes!(standing::list))
        .route(SHARE, routes!(standing::create))
        .route(SHARE, routes!(standing::remove))
}

/// The peer that calls; nobody else exchanges letters.
async fn calling_peer(room: &Federation, caller: &Caller) -> Result<Peer, Problem> {
    let CallerKind::Peer { peer, .. } = caller.kind else {
        return Err(Problem::new(
            axum::http::StatusCode::FORBIDDEN,
            "no-peer",
            "only a peer exchanges letters, and this is not a peer's certificate",
        )
        .remedy("Share with `sereno share`; the node itself exchanges letters."));
    };
    let found = room.peer(peer).await?;
    Ok(found.ok_or_else(|| FederationError::NotFound("the peer".into()))?)
}

/// What a caller may see, or why nothing.
fn sight(gate: &Gate, caller: &Caller) -> Sight {
    Sight::of(gate, caller)
}

/// Looks that every object is known and in sight; what is out of sight is told of as what does not exist.
async fn all_in_sight(room: &Federation, ids: &[String], sight: Sight) -> Result<(), Problem> {
    let mut sql = room.platform().db.read().await?;
    let mut missing = Vec::new();
    for id in ids {
        if objects::newest(&mut sql, id, sight).await?.is_none() {
            missing.push(format!("{} is not known", crate::wire::clip(id, 200)));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!("{} of {} object(s) are not known here", missing.len(), ids.len());
    Err(Problem::new(axum::http::StatusCode::NOT_FOUND, "not-found", text)
        .errors(missing)
        .remedy("Check the ids; nothing was done."))
}

/// The label that lists show for a rank.
fn label(rank: i64) -> String {
    intel::label(rank).label().to_owned()
}

/// What of some objects a caller may see, remembered while one answer is made.
struct Seen {
    sight: Sight,
    known: std::collections::HashMap<String, bool>,
}

impl Seen {
    fn new(sight: Sight) -> Self {
        Self { sight, known: std::collections::HashMap::new() }
    }

    /// Whether an object that went (or came) under a label is in sight: by that label and by the one that holds now.
    async fn sees(
        &mut self,
        sql: &mut sqlx::AnyConnection,
        id: &str,
        tlp: i64,
    ) -> Result<bool, Problem> {
        if self.sight == Sight::ALL || !self.sight.sees(tlp) {
            return Ok(self.sight == Sight::ALL);
        }
        if let Some(seen) = self.known.get(id) {
            return Ok(*seen);
        }
        let now = objects::newest(sql, id, Sight::ALL).await?;
        let seen = now.is_none_or(|object| self.sight.sees(object.tlp));
        self.known.insert(id.to_owned(), seen);
        Ok(seen)
    }
}
