//! Looks for answers at the peers: quickly while a share waits for one, now and then otherwise, which
//! also shows whether a peer can be reached.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use model::{PeerId, ShareState, Timestamp};
use platform::db::Tx;
use reqwest::StatusCode;
use serde::Deserialize;
use stix::Object;

use crate::acknowledge;
use crate::client::{self, Answer, Line};
use crate::deliver;
use crate::error::CtiError;
use crate::room::Cti;
use crate::store::contacts::{self, Contact};
use crate::store::shares;
use crate::taxii::outbox_id;

/// Peers asked at the same time.
const MAX_AT_ONCE: usize = 8;
/// Pages read of one peer in one go.
const MAX_PAGES: usize = 10;
/// A success is written down at most this often, so that a quick pace costs no disk.
const NOTE_EVERY_US: i64 = 5_000_000;

/// When a peer is asked again, and whether a fresh share was waiting the last time.
struct Turn {
    at: Timestamp,
    fresh: bool,
}

/// Runs until the node stops.
pub(crate) async fn run(cti: Cti) {
    let mut turns: HashMap<PeerId, Turn> = HashMap::new();
    loop {
        if let Err(error) = round(&cti, &mut turns).await {
            tracing::warn!(%error, "cannot look for answers; trying again");
        }
        let pause = Duration::from_millis(cti.config().poll_fast_ms);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cti.delivered().notified() => {}
        }
    }
}

/// Asks every peer whose turn it is; one to which a share was just delivered at once.
async fn round(cti: &Cti, turns: &mut HashMap<PeerId, Turn>) -> Result<(), CtiError> {
    let config = cti.config();
    let now = cti.platform().now();
    let mut sql = cti.platform().db.read().await?;
    let waiting: HashMap<String, i64> = shares::waiting(&mut sql).await?.into_iter().collect();
    drop(sql);
    let fresh_for_us = config.poll_fast_for_s.saturating_mul(1_000_000);
    let is_fresh = |peer: PeerId| {
        let newest = waiting.get(&peer.to_string());
        newest.is_some_and(|at| now.as_micros() - at < fresh_for_us)
    };
    let peers = cti.deps().peers.peers().await?;
    turns.retain(|known, _| peers.iter().any(|peer| peer.id == *known));
    let due: Vec<(PeerId, bool)> = peers
        .iter()
        .filter(|peer| peer.url.is_some())
        .map(|peer| (peer.id, is_fresh(peer.id)))
        .filter(|(peer, fresh)| {
            turns.get(peer).is_none_or(|turn| turn.at <= now || (*fresh && !turn.fresh))
        })
        .collect();
    let asked: Vec<(PeerId, bool, Result<(), String>)> = futures::stream::iter(due)
        .map(|(peer, fresh)| async move { (peer, fresh, ask(cti, peer).await) })
        .buffer_unordered(MAX_AT_ONCE)
        .collect()
        .await;
    for (peer, fresh, outcome) in asked {
        let pause_ms = match (fresh, &outcome) {
            (true, Ok(())) => config.poll_fast_ms,
            (true, Err(_)) => config.poll_fast_ms * 3,
            (false, _) => config.poll_slow_ms,
        };
        let pause_us = i64::try_from(pause_ms).unwrap_or(10_000) * 1_000;
        turns.insert(peer, Turn { at: now.plus_micros(pause_us), fresh });
        if let Err(reason) = outcome {
            tracing::debug!(%peer, reason, "peer not reached");
        }
    }
    Ok(())
}

/// An envelope as a peer sends it.
#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    more: bool,
    #[serde(default)]
    objects: Vec<serde_json::Value>,
}

/// Reads what is new in our outbox at one peer.
async fn ask(cti: &Cti, peer: PeerId) -> Result<(), String> {
    let words = |error: CtiError| error.to_string();
    let contact = contact(cti, peer).await.map_err(words)?;
    let outcome = pages(cti, peer, contact.added_after.clone()).await;
    cti.deps().peers.note_contact(peer, outcome.is_ok());
    let now_us = cti.platform().now().as_micros();
    let error = outcome.as_ref().err().cloned();
    let fresh = contact.last_contact_us.is_some_and(|at| now_us - at < NOTE_EVERY_US);
    if contact.last_error != error || (error.is_none() && !fresh) {
        let noted: Result<(), CtiError> = cti
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let peer = peer.to_string();
                    contacts::note(tx.sql(), &peer, now_us, error.as_deref(), None).await?;
                    Ok(())
                })
            })
            .await;
        noted.map_err(words)?;
    }
    outcome
}

async fn contact(cti: &Cti, peer: PeerId) -> Result<Contact, CtiError> {
    let mut sql = cti.platform().db.read().await?;
    Ok(contacts::get(&mut sql, &peer.to_string()).await?)
}

async fn pages(cti: &Cti, peer: PeerId, mut after: Option<String>) -> Result<(), String> {
    let line = Line::to(cti, peer).await?;
    let outbox = outbox_id(&cti.platform().node.id.to_string());
    for _ in 0..MAX_PAGES {
        let mut path = format!("collections/{outbox}/objects/?match[version]=all");
        if let Some(after) = &after {
            path.push_str(&format!("&added_after={after}"));
        }
        let answer = client::send(line.get(&path)).await?;
        match answer.status {
            StatusCode::OK => {}
            // The peer has no outbox for us before we shared something.
            StatusCode::NOT_FOUND => return Ok(()),
            _ => return Err(answer.complaint()),
        }
        let envelope: Envelope = answer.json()?;
        let Some(last) = last_date(&answer, &envelope) else { return Ok(()) };
        take(cti, &line, envelope.objects, last.clone()).await.map_err(|e| e.to_string())?;
        if !envelope.more {
            return Ok(());
        }
        after = Some(last);
    }
    Ok(())
}

fn last_date(answer: &Answer, envelope: &Envelope) -> Option<String> {
    let last = answer.added_last.clone()?;
    let sound = stix::Timestamp::parse(&last).is_ok();
    (sound && !envelope.objects.is_empty()).then_some(last)
}

/// Notes the answers and how far we have read, in one transaction.
async fn take(
    cti: &Cti,
    line: &Line,
    objects: Vec<serde_json::Value>,
    last: String,
) -> Result<(), CtiError> {
    let peer = line.peer.clone();
    let written: Result<(), CtiError> = cti
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let notes = objects.into_iter().filter_map(Object::from_value);
                for note in notes.filter(|object| object.kind() == "note") {
                    let node = peer.node.to_string();
                    match acknowledge::read(&note, &node, &peer.signing_key) {
                        Some((share, answer)) => acknowledged(tx, peer.id, share, &answer).await?,
                        None => tracing::warn!(
                            peer = peer.name,
                            note = note.id_text(),
                            "a note at a peer carries no answer that it signed; passed over"
                        ),
                    }
                }
                let now = tx.now().as_micros();
                contacts::note(tx.sql(), &peer.id.to_string(), now, None, Some(&last)).await?;
                Ok(())
            })
        })
        .await;
    written
}

async fn acknowledged(
    tx: &mut Tx,
    peer: PeerId,
    id: model::ShareId,
    answer: &shares::Answer,
) -> Result<(), CtiError> {
    let Some(share) = shares::get(tx.sql(), id).await?.filter(|share| share.peer == peer) else {
        return Ok(());
    };
    let now = tx.now();
    if shares::acknowledged(tx.sql(), id, answer, now).await? {
        let detail = format!("{}: {}", answer.by, answer.text);
        shares::note(tx.sql(), id, now, &format!("Acknowledged by {detail}")).await?;
        deliver::publish(tx, &share, ShareState::Acknowledged, detail).await?;
    }
    Ok(())
}
