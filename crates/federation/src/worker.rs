//! Calls the peers that can be called: one task brings our letters, one fetches theirs. A peer that only calls us is served
//! by the endpoints. What waits for a former peer is cancelled.

use std::collections::HashMap;
use std::time::Duration;

use model::PeerId;
use tokio_util::sync::CancellationToken;

use crate::error::FederationError;
use crate::line::{Line, Refusal};
use crate::room::Federation;
use crate::store::{letters, links};
use crate::wire::MAX_LETTERS;

/// Pause between two looks at who is a peer.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first pause after a peer was not reached; it doubles.
const FIRST_PAUSE_MS: u64 = 250;
/// Without news, we look this often whether something waits.
const IDLE: Duration = Duration::from_secs(20);
/// Looks between two times of dropping old texts: about an hour.
const PRUNE_EVERY: u64 = 3_600;
/// How long texts of settled letters are kept, microseconds: 30 days.
const KEEP_US: i64 = 30 * 86_400 * 1_000_000;

/// Runs until the node stops.
pub(crate) async fn run(room: Federation) {
    let mut called: HashMap<PeerId, CancellationToken> = HashMap::new();
    let mut looks = 0_u64;
    loop {
        if let Err(error) = look(&room, &mut called, looks).await {
            tracing::warn!(%error, "cannot look after the links; trying again");
        }
        looks = looks.wrapping_add(1);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn look(
    room: &Federation,
    called: &mut HashMap<PeerId, CancellationToken>,
    looks: u64,
) -> Result<(), FederationError> {
    let peers = room.peers().peers().await?;
    called.retain(|known, stop| {
        let stays = peers.iter().any(|peer| peer.id == *known && peer.url.is_some());
        if !stays {
            stop.cancel();
        }
        stays
    });
    for peer in peers.iter().filter(|peer| peer.url.is_some()) {
        called.entry(peer.id).or_insert_with(|| {
            let stop = CancellationToken::new();
            let tasks = &room.platform().tasks;
            let push = keep_on(room.clone(), peer.id, stop.clone(), Way::Out);
            tasks.spawn("federation-push", push);
            let pull = keep_on(room.clone(), peer.id, stop.clone(), Way::In);
            tasks.spawn("federation-pull", pull);
            stop
        });
    }
    let mut sql = room.platform().db.read().await?;
    let links = links::all(&mut sql).await?;
    drop(sql);
    for link in links {
        if !peers.iter().any(|peer| peer.id == link.peer) {
            room.end_link(link.peer).await?;
        }
    }
    if looks.is_multiple_of(PRUNE_EVERY) {
        let before_us = room.platform().now().as_micros().saturating_sub(KEEP_US);
        let pruned: Result<(), FederationError> = room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move { Ok(letters::prune(tx.sql(), before_us).await?) })
            })
            .await;
        pruned?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

/// Calls again and again, with pauses that double while the peer is away.
async fn keep_on(room: Federation, peer: PeerId, stop: CancellationToken, way: Way) {
    let mut wake = room.door(peer).wake.subscribe();
    let longest = room.config().pause_max_ms;
    let mut pause_ms = FIRST_PAUSE_MS;
    let mut failing = true;
    loop {
        wake.mark_unchanged();
        let turn = async {
            match way {
                Way::Out => push(&room, peer).await,
                Way::In => pull(&room, peer).await,
            }
        };
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            outcome = turn => outcome,
        };
        room.peers().note_contact(peer, outcome.is_ok());
        let more = match outcome {
            Ok(more) => {
                if failing || way == Way::In {
                    note(&room, peer, way, None).await;
                }
                failing = false;
                pause_ms = FIRST_PAUSE_MS;
                more
            }
            Err(reason) => {
                tracing::debug!(%peer, reason, "peer not reached");
                note(&room, peer, way, Some(reason)).await;
                failing = true;
                false
            }
        };
        if more {
            continue;
        }
        if failing {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {}
            }
            pause_ms = pause_ms.saturating_mul(2).min(longest);
        } else if way == Way::Out {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = wake.changed() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }
}

/// Writes down how the last try went.
async fn note(room: &Federation, peer: PeerId, way: Way, error: Option<String>) {
    let reached = error.is_none();
    let error = room.door(peer).went(usize::from(way == Way::In), error);
    let noted: Result<(), FederationError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                links::ensure(tx, peer).await?;
                Ok(links::contact(tx.sql(), peer, now_us, reached, error.as_deref()).await?)
            })
        })
        .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "cannot note a contact");
    }
}

/// Brings letters that wait; true when there may be more.
async fn push(room: &Federation, id: PeerId) -> Result<bool, String> {
    let words = |error: FederationError| error.to_string();
    let line = Line::to(room, id).await?;
    let waiting = room.offer(&line.peer, None).await.map_err(words)?;
    if waiting.is_empty() {
        return Ok(false);
    }
    let wires: Vec<String> = waiting.into_iter().map(|(_, wire)| wire).collect();
    let receipts = match line.bring(&wires).await {
        Ok(receipts) => receipts,
        Err(Refusal::Place(reason)) => {
            room.begin_anew(id).await.map_err(words)?;
            return Err(reason);
        }
        Err(Refusal::Other(reason)) => return Err(reason),
    };
    let any = !receipts.is_empty();
    room.settle(&line.peer, receipts).await.map_err(words)?;
    if any { Ok(true) } else { Err("the peer gave no receipt".into()) }
}

/// Fetches letters of the peer and gives our receipts; true when there may be more.
async fn pull(room: &Federation, id: PeerId) -> Result<bool, String> {
    let words = |error: FederationError| error.to_string();
    let line = Line::to(room, id).await?;
    let (stream, taken, owed) = owed(room, id).await.map_err(words)?;
    if let Some((last, _)) = owed.last() {
        let (last, owed) = (*last, owed.into_iter().map(|(_, text)| text).collect::<Vec<_>>());
        line.acknowledge(&owed).await?;
        let noted: Result<(), FederationError> = room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move { Ok(links::receipted(tx.sql(), id, last).await?) })
            })
            .await;
        noted.map_err(words)?;
        return Ok(true);
    }
    let letters = line.fetch(&stream, taken).await?;
    room.accept(&line.peer, letters).await.map_err(words)?;
    Ok(true)
}

/// Up to which letter of which of a peer's streams we have taken, and receipts that it does not have yet.
async fn owed(
    room: &Federation,
    id: PeerId,
) -> Result<(String, i64, Vec<(i64, String)>), FederationError> {
    let mut sql = room.platform().db.read().await?;
    let Some(link) = links::get(&mut sql, id).await? else {
        return Ok((String::new(), 0, vec![]));
    };
    let owed = links::receipts_after(&mut sql, &link, MAX_LETTERS).await?;
    Ok((link.in_stream, link.in_seq, owed))
}
