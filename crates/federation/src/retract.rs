//! Taking back what was handed on: everybody who got it is told, and nobody else; those who passed it on tell theirs, and
//! count them.

use std::collections::BTreeMap;

use intel::sources;
use model::event::ObjectsRetracted;
use model::{LetterId, PeerId};
use platform::courier::Letter as Posted;
use platform::db::Tx;
use platform::peers::Peer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::FederationError;
use crate::inbox::Outcome;
use crate::objects::{MAX_OBJECTS, source_key};
use crate::outbox::{MAX_REASON_CHARS, PROGRESS, RETRACTION};
use crate::room::Federation;
use crate::store::hands::{self, Hand, State};
use crate::store::received;
use crate::store::retractions::{self, Retraction, Withdrawal};
use crate::wire::clip;

/// Objects retracted at once at most.
pub const MAX_RETRACTED: usize = 1_000;
/// Characters of a peer's id of a retraction.
const MAX_ID_CHARS: usize = 64;
/// Recipients behind a peer that are believed at most.
const MAX_BEHIND: i64 = 1_000_000;

/// What is taken back.
pub(crate) struct Start<'a> {
    pub(crate) ids: &'a [String],
    pub(crate) reason: &'a str,
    pub(crate) made_by: &'a str,
    /// Whose retraction is passed on, and its id there.
    pub(crate) origin: Option<(PeerId, String)>,
    /// Only from those who got it because this peer brought it.
    pub(crate) because: Option<PeerId>,
    /// Only from this peer.
    pub(crate) only: Option<PeerId>,
}

/// What came of it.
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) recipients: u64,
}

/// Takes objects back within the caller's transaction.
pub(crate) async fn start(
    room: &Federation,
    tx: &mut Tx,
    asked: &Start<'_>,
) -> Result<Started, FederationError> {
    let now_us = tx.now().as_micros();
    let id: LetterId = tx.mint();
    let id = id.to_string();
    let ids: Vec<&str> = asked.ids.iter().map(String::as_str).collect();
    let mut told: BTreeMap<PeerId, Vec<Hand>> = BTreeMap::new();
    for hand in hands::of_objects(tx.sql(), &ids).await? {
        if asked.because.is_some_and(|peer| hand.because != Some(peer))
            || asked.only.is_some_and(|peer| hand.peer != peer)
        {
            continue;
        }
        match (hand.state, hand.version) {
            (State::Queued, None) => {
                let reason = Some("it was retracted before it left");
                hands::set(tx.sql(), hand.number, State::Cancelled, reason, now_us).await?;
            }
            (State::Queued | State::Sent | State::Received, _) => {
                let reason = Some(asked.reason);
                hands::set(tx.sql(), hand.number, State::Retracting, reason, now_us).await?;
                told.entry(hand.peer).or_default().push(hand);
            }
            _ => {}
        }
    }
    let row = Retraction {
        id: id.clone(),
        made_by: asked.made_by.to_owned(),
        reason: asked.reason.to_owned(),
        origin: asked.origin.clone(),
        recorded_us: now_us,
    };
    retractions::insert(tx.sql(), &row).await?;
    let recipients = told.len() as u64;
    for (peer, all) in told {
        tell(room, tx, &row, peer, all).await?;
    }
    let peer_name = match &asked.origin {
        Some((peer, _)) => room.peer(*peer).await?.map(|peer| peer.name),
        None => None,
    };
    let fact = ObjectsRetracted {
        retraction: id.clone(),
        peer_name,
        objects: asked.ids.len() as u64,
        recipients,
    };
    tx.publish(asked.made_by, &fact).await?;
    room.platform().live.send("federation.retraction", json!({ "retraction": id }));
    Ok(Started { id, recipients })
}

async fn tell(
    room: &Federation,
    tx: &mut Tx,
    retraction: &Retraction,
    peer: PeerId,
    mut all: Vec<Hand>,
) -> Result<(), FederationError> {
    // Several shares may have brought one object.
    all.sort_by(|a, b| a.object.cmp(&b.object).then(b.tlp.cmp(&a.tlp)));
    all.dedup_by(|a, b| a.object == b.object);
    for chunk in all.chunks(MAX_OBJECTS) {
        let letter: LetterId = tx.mint();
        let objects: Vec<&str> = chunk.iter().map(|hand| hand.object.as_str()).collect();
        let body =
            json!({ "retraction": retraction.id, "reason": retraction.reason, "objects": objects });
        let posted =
            Posted { to: peer, kind: RETRACTION.into(), key: format!("retraction:{letter}"), body };
        room.post_as(tx, letter, &posted).await?;
        for hand in chunk {
            let row = Withdrawal {
                retraction: retraction.id.clone(),
                peer,
                object: hand.object.clone(),
                tlp: hand.tlp,
                state: "waiting".into(),
                changed_us: retraction.recorded_us,
            };
            retractions::tell(tx.sql(), &row, letter).await?;
        }
    }
    Ok(())
}

/// A letter with a retraction was answered.
pub(crate) async fn settled(
    room: &Federation,
    tx: &mut Tx,
    letter: LetterId,
    taken: bool,
) -> Result<(), FederationError> {
    let now_us = tx.now().as_micros();
    let state = if taken { "acknowledged" } else { "refused" };
    retractions::answered(tx.sql(), letter, state, now_us).await?;
    let told = retractions::of_letter(tx.sql(), letter).await?;
    let Some(first) = told.first() else { return Ok(()) };
    let ids: Vec<&str> = told.iter().map(|row| row.object.as_str()).collect();
    for hand in hands::of_objects(tx.sql(), &ids).await? {
        if taken && hand.peer == first.peer && hand.state == State::Retracting {
            let reason = hand.reason.as_deref();
            hands::set(tx.sql(), hand.number, State::Retracted, reason, now_us).await?;
        }
    }
    report(room, tx, &first.retraction).await
}

/// Tells whose retraction was passed on how many know of it.
async fn report(room: &Federation, tx: &mut Tx, id: &str) -> Result<(), FederationError> {
    let Some(retraction) = retractions::get(tx.sql(), id).await? else { return Ok(()) };
    let Some((origin, theirs)) = retraction.origin else { return Ok(()) };
    let (mut reached, mut acknowledged) = retractions::told(tx.sql(), id).await?;
    for (_, more, of_them) in retractions::behind(tx.sql(), id).await? {
        reached += more;
        acknowledged += of_them;
    }
    if reached == 0 || room.peer(origin).await?.is_none() {
        return Ok(());
    }
    let posted = Posted {
        to: origin,
        kind: PROGRESS.into(),
        key: format!("progress:{id}:{reached}:{acknowledged}"),
        body: json!({ "retraction": theirs, "reached": reached, "acknowledged": acknowledged }),
    };
    let letter = tx.mint();
    room.post_as(tx, letter, &posted).await?;
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    retraction: String,
    reason: String,
    objects: Vec<String>,
}

/// Takes a peer's retraction: what it brought and takes back is withdrawn as far as it said it, and those who got it
/// because of that peer are told.
pub(crate) async fn take(
    room: &Federation,
    tx: &mut Tx,
    peer: &Peer,
    body: &Value,
) -> Result<Outcome, FederationError> {
    let body = match Body::deserialize(body) {
        Ok(body) => body,
        Err(cause) => return Ok(Outcome::refused(format!("its content is none: {cause}"))),
    };
    if body.objects.is_empty() || body.objects.len() > MAX_OBJECTS {
        let text = format!("{} objects; a retraction names 1 to {MAX_OBJECTS}", body.objects.len());
        return Ok(Outcome::refused(text));
    }
    if body.retraction.is_empty() || body.retraction.chars().count() > MAX_ID_CHARS {
        return Ok(Outcome::refused(format!(
            "a retraction's id has 1 to {MAX_ID_CHARS} characters"
        )));
    }
    let reason = clip(&body.reason, MAX_REASON_CHARS);
    let now_us = tx.now().as_micros();
    let asked: Vec<&str> = body.objects.iter().map(String::as_str).collect();
    let brought = received::of_objects(tx.sql(), &asked).await?;
    let brought: Vec<_> = brought.into_iter().filter(|row| row.peer == peer.id).collect();
    let ids: Vec<String> = brought.iter().map(|row| row.object.clone()).collect();
    for row in &brought {
        received::withdrawn(tx.sql(), row.place, &reason, now_us).await?;
    }
    if ids.is_empty() {
        return Ok(Outcome::default());
    }
    if let Some(source) = sources::by_key(tx.sql(), &source_key(peer)).await? {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        intel::withdraw::withdraw(tx.sql(), source.id, &ids, now_us).await?;
        intel::beside::withdraw(tx.sql(), source.id, &ids).await?;
    }
    let start_of = Start {
        ids: &ids,
        reason: &reason,
        made_by: &format!("peer:{}", peer.name),
        origin: Some((peer.id, body.retraction)),
        because: Some(peer.id),
        only: None,
    };
    let started = start(room, tx, &start_of).await?;
    if started.recipients > 0 {
        report(room, tx, &started.id).await?;
    }
    Ok(Outcome::default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Progress {
    retraction: String,
    reached: i64,
    acknowledged: i64,
}

/// Takes a peer's count of those behind it, and passes the sum on.
pub(crate) async fn take_progress(
    room: &Federation,
    tx: &mut Tx,
    peer: &Peer,
    body: &Value,
) -> Result<Outcome, FederationError> {
    let said = match Progress::deserialize(body) {
        Ok(said) => said,
        Err(cause) => return Ok(Outcome::refused(format!("its content is none: {cause}"))),
    };
    let reached = said.reached.clamp(0, MAX_BEHIND);
    let acknowledged = said.acknowledged.clamp(0, reached);
    let known =
        retractions::progress(tx.sql(), &said.retraction, peer.id, reached, acknowledged).await?;
    if !known {
        return Ok(Outcome::refused("no such retraction was told you"));
    }
    room.platform().live.send("federation.retraction", json!({ "retraction": said.retraction }));
    report(room, tx, &said.retraction).await?;
    Ok(Outcome::default())
}
