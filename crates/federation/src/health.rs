//! What the doctor is told: each link and its queue.

use platform::health::{Component, Health};

use crate::error::FederationError;
use crate::room::Federation;
use crate::store::links;

/// A queue that is fuller than this is told, percent of its limit.
const FULL_PERCENT: i64 = 90;

/// The room's parts. A database that does not answer is itself the answer.
pub(crate) async fn components(room: &Federation) -> Vec<Component> {
    match read(room).await {
        Ok(component) => vec![component],
        Err(error) => vec![Component::not_ok(
            "letters to peers",
            Health::Failed,
            error.to_string(),
            "See the node's log; the database may be damaged or the disk full.",
        )],
    }
}

async fn read(room: &Federation) -> Result<Component, FederationError> {
    let mut sql = room.platform().db.read().await?;
    let links = links::all(&mut sql).await?;
    drop(sql);
    let peers = room.peers().peers().await?;
    let name = |id| {
        peers.iter().find(|peer| peer.id == id).map_or("a former peer", |peer| peer.name.as_str())
    };
    let most = room.config().max_queued_letters;
    let queued: i64 = links.iter().map(|link| link.queued).sum();
    let full = links.iter().find(|link| link.queued * 100 >= most * FULL_PERCENT);
    let failing = links.iter().find(|link| link.last_error.is_some());
    Ok(match (full, failing) {
        (Some(link), _) => Component::not_ok(
            "letters to peers",
            Health::Degraded,
            format!("{} letters wait for {}; {most} is the limit", link.queued, name(link.peer)),
            "See whether the peer runs; raise federation.max_queued_letters, or end the exchange.",
        ),
        (None, Some(link)) => {
            let cause = link.last_error.as_deref().unwrap_or_default();
            Component::not_ok(
                "letters to peers",
                Health::Degraded,
                format!("{queued} wait; {}: {cause}", name(link.peer)),
                "Nothing is lost: they are delivered when the peer is back.",
            )
        }
        (None, None) => {
            Component::ok("letters to peers", format!("{} link(s), {queued} wait", links.len()))
        }
    })
}
