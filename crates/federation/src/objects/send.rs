//! Objects on their way out: looked up and judged in the transaction that seals their letter.

use model::LetterId;
use platform::courier::Letter as Posted;
use platform::db::Tx;
use platform::peers::Peer;
use ports::disclosure::{Candidate, Disclosed};
use serde_json::{Value, json};

use super::{Known, MAX_OBJECTS, load};
use crate::error::FederationError;
use crate::outbox::{MAX_BODY_BYTES, MAX_REASON_CHARS, OBJECTS};
use crate::retract;
use crate::room::Federation;
use crate::store::hands::{self, Hand, State};
use crate::store::shares;
use crate::wire::{RefusedObject, clip};

/// Bytes of a letter's content beside its objects.
const FRAME_BYTES: usize = 512;

/// Hands of one share that go to one peer in one letter, split.
#[derive(Default)]
struct Sorted {
    /// May go.
    going: Vec<(Hand, i64, i64, Value)>,
    /// Went before and may not any more: label or policy changed.
    revoked: Vec<String>,
}

/// The content of a letter with objects; `None` when none of them may leave any more.
pub(crate) async fn fill(
    room: &Federation,
    tx: &mut Tx,
    peer: &Peer,
    letter: LetterId,
) -> Result<Option<Value>, FederationError> {
    let mut waiting = hands::of_letter(tx.sql(), letter).await?;
    waiting.retain(|hand| hand.state == State::Queued);
    let Some(first) = waiting.first() else { return Ok(None) };
    let (share, community) = (first.share, first.community);
    let Some(share) = shares::get(tx.sql(), share).await? else { return Ok(None) };
    let sorted = sort(room, tx, peer, waiting, &share.salt).await?;
    if !sorted.revoked.is_empty() {
        let start = retract::Start {
            ids: &sorted.revoked,
            reason: "it may not be shared with this recipient any more",
            made_by: "system",
            origin: None,
            because: None,
            only: Some(peer.id),
        };
        retract::start(room, tx, &start).await?;
    }
    let now_us = tx.now().as_micros();
    let (mut objects, mut bytes, mut rest) = (Vec::new(), FRAME_BYTES, Vec::new());
    for (hand, version, tlp, entry) in sorted.going {
        let size = entry.to_string().len() + 1;
        if FRAME_BYTES + size > MAX_BODY_BYTES {
            let reason = format!("it has {size} bytes, more than a letter's {MAX_BODY_BYTES}");
            hands::set(tx.sql(), hand.number, State::Cancelled, Some(&reason), now_us).await?;
        } else if bytes + size > MAX_BODY_BYTES {
            rest.push(hand);
        } else {
            bytes += size;
            objects.push(entry);
            hands::sent(tx.sql(), hand.number, version, tlp, now_us).await?;
        }
    }
    if !rest.is_empty() {
        ticket(room, tx, &rest, Some(letter)).await?;
    }
    if objects.is_empty() {
        return Ok(None);
    }
    Ok(Some(json!({ "share": share.id, "community": community, "objects": objects })))
}

/// Queues hands of one share, for one peer, through one community: in a letter that waits for them already and has room,
/// other than the one being sealed, else in a new one. What changes often while a peer is away so fills no queue.
pub(crate) async fn ticket(
    room: &Federation,
    tx: &mut Tx,
    waiting: &[Hand],
    sealing: Option<LetterId>,
) -> Result<(), FederationError> {
    let Some(first) = waiting.first() else { return Ok(()) };
    let now_us = tx.now().as_micros();
    let open = hands::open_letter(tx.sql(), first, sealing).await?;
    let (mut letter, mut space) = match open {
        Some((letter, held)) => (letter, MAX_OBJECTS.saturating_sub(held)),
        None => (tx.mint(), 0),
    };
    for hand in waiting {
        if space == 0 {
            letter = tx.mint();
            space = MAX_OBJECTS;
            let posted = Posted {
                to: hand.peer,
                kind: OBJECTS.into(),
                key: format!("objects:{letter}"),
                body: Value::Null,
            };
            room.post_as(tx, letter, &posted).await?;
        }
        hands::queue(tx.sql(), hand.number, letter, now_us).await?;
        space -= 1;
    }
    room.wake(first.peer);
    Ok(())
}

async fn sort(
    room: &Federation,
    tx: &mut Tx,
    peer: &Peer,
    waiting: Vec<Hand>,
    salt: &str,
) -> Result<Sorted, FederationError> {
    let now_us = tx.now().as_micros();
    let ids: Vec<&str> = waiting.iter().map(|hand| hand.object.as_str()).collect();
    let mut known = load(room, tx.sql(), &ids).await?;
    let elsewhere = hands::of_objects(tx.sql(), &ids).await?;
    let community = waiting.first().and_then(|hand| hand.community);
    let mut asked: Vec<(Hand, Known)> = Vec::with_capacity(waiting.len());
    let mut candidates: Vec<Candidate> = Vec::with_capacity(waiting.len());
    for hand in waiting {
        let Some(object) = known.remove(&hand.object) else {
            let reason = Some("it is not known here any more");
            hands::set(tx.sql(), hand.number, State::Cancelled, reason, now_us).await?;
            continue;
        };
        if let Some(reason) = needless(peer, &object) {
            let state = if hand.held.is_some() { State::Received } else { State::Cancelled };
            hands::set(tx.sql(), hand.number, state, Some(reason), now_us).await?;
            continue;
        }
        let there = elsewhere.iter().find(|other| {
            other.peer == hand.peer
                && other.object == hand.object
                && other.number != hand.number
                && matches!(other.state, State::Sent | State::Received)
                && other.version == Some(object.stored.version_us)
        });
        if let Some(other) = there {
            follow(tx, &hand, other, object.stored.tlp, now_us).await?;
            continue;
        }
        candidates.push(object.candidate()?);
        asked.push((hand, object));
    }
    let judged = super::judge(room, peer.id, community, &candidates).await?;
    let mut sorted = Sorted::default();
    for (at, (hand, object)) in asked.into_iter().enumerate() {
        let Disclosed { decision, object: form, .. } = match judged.get(at) {
            Some(answer) => answer.clone(),
            None => continue,
        };
        match form.filter(|_| decision.allowed) {
            Some(form) => {
                let trail = object.trail(salt).through(room.platform().node.id);
                let tlp = super::label(object.stored.tlp).label();
                let entry = json!({ "object": form, "tlp": tlp, "trail": trail });
                sorted.going.push((hand, object.stored.version_us, object.stored.tlp, entry));
            }
            None if hand.version.is_some() => sorted.revoked.push(hand.object),
            None => {
                let reason = clip(&decision.reason, MAX_REASON_CHARS);
                hands::set(tx.sql(), hand.number, State::Cancelled, Some(&reason), now_us).await?;
            }
        }
    }
    Ok(sorted)
}

/// Why an object need not go to a peer although it may.
fn needless(peer: &Peer, object: &Known) -> Option<&'static str> {
    if object.echoes_to(peer) {
        return Some("it came from there");
    }
    (!object.trail("").may_go_on()).then_some("it has passed as many nodes as an object may")
}

/// Another share brought this version to the peer, or is about to: this one stands as that one does.
async fn follow(
    tx: &mut Tx,
    hand: &Hand,
    other: &Hand,
    tlp: i64,
    now_us: i64,
) -> Result<(), FederationError> {
    hands::sent(tx.sql(), hand.number, other.version.unwrap_or_default(), tlp, now_us).await?;
    if let Some(letter) = other.letter {
        hands::join(tx.sql(), hand.number, letter).await?;
    }
    if other.state == State::Received {
        hands::received(tx.sql(), hand.number, now_us).await?;
    }
    Ok(())
}

/// The letter was answered.
pub(crate) async fn settled(
    tx: &mut Tx,
    letter: LetterId,
    refused: Option<&str>,
    objects: &[RefusedObject],
) -> Result<(), FederationError> {
    let now_us = tx.now().as_micros();
    let under_way = hands::of_letter(tx.sql(), letter).await?;
    for hand in under_way.into_iter().filter(|hand| hand.state == State::Sent) {
        let one = objects.iter().find(|refused| refused.object == hand.object);
        let reason = refused.map(str::to_owned);
        let reason = reason.or_else(|| one.map(|one| clip(&one.reason, MAX_REASON_CHARS)));
        match reason {
            None => hands::received(tx.sql(), hand.number, now_us).await?,
            Some(reason) if hand.held.is_some() => {
                hands::kept_older(tx.sql(), hand.number, &reason, now_us).await?;
            }
            Some(reason) => {
                hands::set(tx.sql(), hand.number, State::Refused, Some(&reason), now_us).await?;
            }
        }
    }
    Ok(())
}
