//! Follows what becomes known: newer versions go to those who have older ones, what fits a standing share goes by itself,
//! and what came through a community that this node leads goes on to its other members. A durable cursor over the rows
//! of the store; what was looked at and what came of it are one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use intel::objects::{self as known, Stored};
use model::{CommunityId, PeerId, ShareId};
use platform::db::Tx;

use crate::error::FederationError;
use crate::objects::{self, Known, send};
use crate::outbox::MAX_BODY_BYTES;
use crate::room::Federation;
use crate::shares::{self, MAX_HANDS, NewShare};
use crate::standing::Rule;
use crate::store::hands::{self, Hand, State};
use crate::store::{json, received, standing};

/// Pause between two looks at the store.
const PAUSE: Duration = Duration::from_millis(200);
/// Pause after a look that failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(2);
/// Rows of the store looked at in one transaction.
const ROWS: i64 = 500;
/// Objects that go onward in one transaction.
const ONWARD: i64 = 500;
/// Looks between two looks at labels.
const LABELS_EVERY: u32 = 50;
/// Hands whose labels are compared in one transaction.
const LABELS: i64 = 500;

/// Runs until the node stops.
pub(crate) async fn run(room: Federation) {
    let (mut looks, mut hand) = (0_u32, 0);
    loop {
        looks = looks.wrapping_add(1);
        let look = async {
            let more = step(&room).await? | onward(&room).await?;
            if looks.is_multiple_of(LABELS_EVERY) {
                hand = labels(&room, hand).await?;
            }
            Ok::<bool, FederationError>(more)
        };
        let pause = match look.await {
            Ok(true) => continue,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "cannot follow what was shared; trying again");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = room.arrived().notified() => {}
        }
    }
}

/// Looks at what became known; true when there is more.
pub(crate) async fn step(room: &Federation) -> Result<bool, FederationError> {
    let mut sql = room.platform().db.read().await?;
    let (seq, at) = standing::cursor(&mut sql).await?.unwrap_or_default();
    // Where the row is not the one that was looked at, numbers were given out again.
    let same = seq == 0 || known::recorded(&mut sql, seq).await?.is_some_and(|when| when <= at);
    let last = known::last_seq(&mut sql).await?;
    if same && last <= seq {
        return Ok(false);
    }
    drop(sql);
    let own = room.clone();
    room.platform().db.write(move |tx| Box::pin(async move { look(&own, tx).await })).await
}

async fn look(room: &Federation, tx: &mut Tx) -> Result<bool, FederationError> {
    let (seq, at) = standing::cursor(tx.sql()).await?.unwrap_or_default();
    let from = match known::recorded(tx.sql(), seq).await? {
        Some(when) if when <= at => seq,
        _ => known::last_by(tx.sql(), seq, at).await?,
    };
    let rows = known::since(tx.sql(), from, ROWS).await?;
    let Some(last) = rows.last() else {
        let last = known::last_seq(tx.sql()).await?;
        let now_us = tx.now().as_micros();
        standing::move_cursor(tx.sql(), last, now_us).await?;
        return Ok(false);
    };
    let more = i64::try_from(rows.len()).is_ok_and(|count| count == ROWS);
    standing::move_cursor(tx.sql(), last.seq, last.recorded_us).await?;
    let newest: Vec<&Stored> = rows.iter().filter(|row| row.superseded_us.is_none()).collect();
    update(room, tx, &newest).await?;
    stand(room, tx, &newest).await?;
    Ok(more)
}

/// Queues newer versions for those who have older ones.
async fn update(room: &Federation, tx: &mut Tx, newest: &[&Stored]) -> Result<(), FederationError> {
    let ids: Vec<&str> = newest.iter().map(|row| row.id.as_str()).collect();
    let versions: HashMap<&str, i64> =
        newest.iter().map(|row| (row.id.as_str(), row.version_us)).collect();
    // The first share that brought it brings its updates.
    let mut first: BTreeMap<(PeerId, String), Hand> = BTreeMap::new();
    for hand in hands::of_objects(tx.sql(), &ids).await? {
        let has = matches!(hand.state, State::Sent | State::Received);
        let newer = versions.get(hand.object.as_str()) != hand.version.as_ref();
        if has && newer {
            first.entry((hand.peer, hand.object.clone())).or_insert(hand);
        }
    }
    requeue(room, tx, first.into_values()).await
}

async fn requeue(
    room: &Federation,
    tx: &mut Tx,
    hands: impl Iterator<Item = Hand>,
) -> Result<(), FederationError> {
    let mut letters: BTreeMap<(PeerId, ShareId, Option<CommunityId>), Vec<Hand>> = BTreeMap::new();
    for hand in hands {
        letters.entry((hand.peer, hand.share, hand.community)).or_default().push(hand);
    }
    for ((peer, ..), waiting) in letters {
        if room.peer(peer).await?.is_some() {
            send::ticket(room, tx, &waiting, None).await?;
        }
    }
    Ok(())
}

/// Shares what fits a standing share.
async fn stand(room: &Federation, tx: &mut Tx, newest: &[&Stored]) -> Result<(), FederationError> {
    let rules = standing::all(tx.sql()).await?;
    if rules.is_empty() || newest.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = newest
        .iter()
        .filter(|row| row.body.len() < MAX_BODY_BYTES)
        .map(|row| row.id.as_str())
        .collect();
    let known = objects::load(room, tx.sql(), &ids).await?;
    let handed = hands::of_objects(tx.sql(), &ids).await?;
    for row in rules {
        let rule: Rule = json(&row.rule, "federation_standing.rule")?;
        let ways = room.ways_left(&rule.peers, &rule.communities).await?;
        let fitting: BTreeSet<&String> = known
            .iter()
            .filter(|(_, object)| rule.fits(object))
            // What was decided about once is updated, retracted or withheld: not decided again.
            .filter(|(id, _)| {
                let decided = |way: &shares::Way| {
                    handed.iter().any(|hand| hand.object == **id && hand.peer == way.0)
                };
                !ways.iter().all(decided)
            })
            .map(|(id, _)| id)
            .collect();
        share_in_parts(room, tx, "standing", &row.made_by, &ways, &fitting).await?;
    }
    Ok(())
}

async fn share_in_parts(
    room: &Federation,
    tx: &mut Tx,
    kind: &'static str,
    made_by: &str,
    ways: &[shares::Way],
    ids: &BTreeSet<&String>,
) -> Result<(), FederationError> {
    if ways.is_empty() || ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
    for part in ids.chunks((MAX_HANDS / ways.len()).max(1)) {
        let new = NewShare {
            kind,
            made_by: made_by.to_owned(),
            note: String::new(),
            objects: part.to_vec(),
            ways: ways.to_vec(),
        };
        shares::create(room, tx, &new).await?;
    }
    Ok(())
}

/// Sends on what came through communities that this node leads; true when there is more.
pub(crate) async fn onward(room: &Federation) -> Result<bool, FederationError> {
    let mut sql = room.platform().db.read().await?;
    if received::onward(&mut sql, 1).await?.is_empty() {
        return Ok(false);
    }
    drop(sql);
    let own = room.clone();
    room.platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let all = received::onward(tx.sql(), ONWARD).await?;
                let Some((last, ..)) = all.last() else { return Ok(false) };
                received::drop_onward(tx.sql(), *last).await?;
                let mut groups: BTreeMap<(CommunityId, PeerId), BTreeSet<&String>> =
                    BTreeMap::new();
                for (_, object, peer, community) in &all {
                    groups.entry((*community, *peer)).or_default().insert(object);
                }
                for ((community, from), ids) in groups {
                    let mut ways = own.ways_left(&[], &[community]).await?;
                    ways.retain(|(peer, _)| *peer != from);
                    // Who has it or is about to gets newer versions as updates.
                    let texts: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
                    let handed = hands::of_objects(tx.sql(), &texts).await?;
                    let lacks = |id: &&String| {
                        let served = |way: &shares::Way| {
                            handed.iter().any(|hand| {
                                hand.object == **id && hand.peer == way.0 && is_served(hand.state)
                            })
                        };
                        !ways.iter().all(served)
                    };
                    let ids: BTreeSet<&String> = ids.into_iter().filter(lacks).collect();
                    share_in_parts(&own, tx, "onward", "system", &ways, &ids).await?;
                }
                Ok(i64::try_from(all.len()).is_ok_and(|count| count == ONWARD))
            })
        })
        .await
}

const fn is_served(state: State) -> bool {
    matches!(state, State::Queued | State::Sent | State::Received)
}

/// Queues again what goes under a stricter label now than when it was sent: whether its recipients may have it is judged
/// anew. Answers the hand after which to go on.
pub(crate) async fn labels(room: &Federation, after: i64) -> Result<i64, FederationError> {
    let own = room.clone();
    room.platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let held = hands::held_after(tx.sql(), after, LABELS).await?;
                let Some(last) = held.last().map(|hand| hand.number) else { return Ok(0) };
                let ids: Vec<&str> = held.iter().map(|hand| hand.object.as_str()).collect();
                let known: HashMap<String, Known> = objects::load(&own, tx.sql(), &ids).await?;
                let raised: Vec<Hand> = held
                    .iter()
                    .filter(|hand| {
                        known.get(&hand.object).is_some_and(|object| object.stored.tlp > hand.tlp)
                    })
                    .cloned()
                    .collect();
                requeue(&own, tx, raised.into_iter()).await?;
                Ok(last)
            })
        })
        .await
}
