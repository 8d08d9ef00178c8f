//! To a collection of a TAXII 2.1 server (§5.5): what is acknowledged is noted in the transaction that moves on, statuses
//! that are pending are followed (§4.3).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use intel::outgoing::{self, Outgoing};
use reqwest::{Method, Url};
use serde_json::Value;

use super::{MAX_REASON_CHARS, judge, refusal};
use crate::error::FeedError;
use crate::fetch::{self, shown};
use crate::net::{Fault, Line, Request};
use crate::room::Feedhub;
use crate::source::discover::{self, MEDIA, below};
use crate::store;
use crate::store::pushes::{self, Origin, Push, Unsent};

/// Objects of an envelope.
const OBJECTS: usize = 200;
/// Bytes of an envelope, where the server takes no less.
const MAX_ENVELOPE_BYTES: usize = 4 << 20;
/// Bytes of a status.
const MAX_STATUS_BYTES: usize = 8 << 20;
/// Envelopes of one run; more go out in the next.
const MAX_ENVELOPES: usize = 500;
/// Objects that wait for the other side; more are not sent before it is done with them.
const MAX_PENDING: i64 = 10_000;
/// Looks at a pending status within a run, a second apart; later ones follow in the next run.
const LOOKS: usize = 3;
/// Of those that the sharing policies keep back, so many are kept with their reasons; all are counted.
pub(super) const MAX_WITHHELD: i64 = 1_000;

/// Where the other side is.
struct There {
    root: Url,
    collection: Url,
    max_bytes: usize,
}

/// Sends what is new; true when something is left for the next run.
pub(super) async fn run(
    room: &Feedhub,
    push: &Push,
    line: &Line,
    url: &Url,
) -> Result<bool, Fault> {
    let there = there(line, url).await?;
    follow(room, push, line, &there).await?;
    let own = own_echo(room, url).await?;
    let (mut place, mut most) = (push.place, OBJECTS);
    for _ in 0..MAX_ENVELOPES {
        let (pending, _) = counts(room, push).await?;
        if pending >= MAX_PENDING {
            return Err(Fault::new(format!("{pending} objects wait for the other side's word")));
        }
        let batch = next(room, push, place, most).await?;
        let Some(last) = batch.last().map(|one| one.place) else { return Ok(false) };
        let (goes, stays): (Vec<Outgoing>, Vec<Outgoing>) = batch.into_iter().partition(|one| {
            one.tlp <= intel::rank(push.new.highest) && !own.contains(&one.source)
        });
        let (goes, denied) = judge::judged(room, push, goes).await?;
        let (goes, last, oversized) = fitting(goes, last, there.max_bytes);
        let above = stays.iter().filter(|one| one.place <= last).count();
        let denied: Vec<Unsent> =
            denied.into_iter().filter(|(place, _)| *place <= last).map(|(_, one)| one).collect();
        let withheld = above + denied.len();
        if goes.is_empty() {
            let failed = oversized;
            note(room, push, last, Outcome { withheld, denied, failed, ..Outcome::default() })
                .await?;
            place = last;
            continue;
        }
        match envelope(line, &there, &goes).await {
            Ok(status) => {
                let mut outcome = judged(&goes, &status);
                outcome.withheld = withheld;
                outcome.denied = denied;
                outcome.failed.extend(oversized);
                note(room, push, last, outcome).await?;
                place = last;
                most = OBJECTS;
            }
            // One object that the server cannot stand must not hold up the others.
            Err(fault) if refuses_content(&fault) && goes.len() > 1 => most = goes.len() / 2,
            Err(fault) if refuses_content(&fault) => {
                let mut failed = oversized;
                failed.extend(goes.iter().map(|one| refused(one, &fault.text)));
                let outcome = Outcome { withheld, denied, failed, ..Outcome::default() };
                note(room, push, last, outcome).await?;
                place = last;
                most = OBJECTS;
            }
            Err(fault) => return Err(fault),
        }
        follow(room, push, line, &there).await?;
    }
    Ok(true)
}

fn refuses_content(fault: &Fault) -> bool {
    fault.status.is_some_and(|status| matches!(status.as_u16(), 400 | 413 | 422))
}

/// The collection must be one that may be written to; its root says how much it takes at once.
async fn there(line: &Line, url: &Url) -> Result<There, Fault> {
    let collection = below(url, "")?;
    let told = discover::ask(line, &collection).await?;
    if told.get("can_write").and_then(Value::as_bool) != Some(true) {
        let text = "may not be written to, or is no collection";
        return Err(Fault::new(format!("{} {text}", shown(&collection))));
    }
    let root = collection.join("../../").map_err(|_| Fault::new("the address has no API root"))?;
    let told = discover::ask(line, &root).await?;
    let takes = told.get("max_content_length").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let max_bytes = usize::try_from(takes).unwrap_or(usize::MAX).clamp(1, MAX_ENVELOPE_BYTES);
    Ok(There { root, collection, max_bytes })
}

/// The sources that are feeds of the same server: it is not told what it said.
async fn own_echo(room: &Feedhub, url: &Url) -> Result<HashSet<i64>, Fault> {
    let mut sql = room.platform().db.read().await.map_err(FeedError::Db)?;
    let feeds = store::all(&mut sql).await.map_err(FeedError::Db)?;
    let mut own = HashSet::new();
    for feed in feeds {
        let same = feed.new.url.as_deref().and_then(|text| fetch::address(text).ok());
        if same.is_some_and(|other| other.origin() == url.origin()) {
            let key = format!("feed:{}", feed.id);
            let found = intel::sources::by_key(&mut sql, &key).await.map_err(FeedError::Db)?;
            own.extend(found.map(|source| source.id));
        }
    }
    Ok(own)
}

async fn counts(room: &Feedhub, push: &Push) -> Result<(i64, i64), Fault> {
    let mut sql = room.platform().db.read().await.map_err(FeedError::Db)?;
    Ok(pushes::unsent_counts(&mut sql, &push.id).await.map_err(FeedError::Db)?)
}

async fn next(
    room: &Feedhub,
    push: &Push,
    place: i64,
    most: usize,
) -> Result<Vec<Outgoing>, Fault> {
    let mut sql = room.platform().db.read().await.map_err(FeedError::Db)?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let found = match &push.new.origin {
        Origin::Collection { root, collection } => {
            let found = intel::collections::find(&mut sql, root, collection).await;
            let found = found.map_err(FeedError::Db)?;
            let found = found.ok_or_else(|| {
                Fault::new(format!("the collection {root}/{collection} is no longer there"))
            })?;
            outgoing::of_collection(&mut sql, found.number, place, limit).await
        }
        Origin::Known { types } => outgoing::newest(&mut sql, types, place, limit).await,
        Origin::Events => Ok(vec![]),
    };
    Ok(found.map_err(FeedError::Db)?)
}

/// As many as fit into an envelope, the place behind them, and those that fit into none.
fn fitting(goes: Vec<Outgoing>, last: i64, max_bytes: usize) -> (Vec<Outgoing>, i64, Vec<Unsent>) {
    let (mut fits, mut oversized, mut bytes) = (Vec::new(), Vec::new(), FRAME_BYTES);
    let mut end = last;
    let mut before = None;
    for one in goes {
        let size = one.body.len() + 1;
        if size + FRAME_BYTES > max_bytes {
            oversized.push(refused(
                &one,
                &format!("larger than the {max_bytes} bytes the server takes"),
            ));
            before = Some(one.place);
            continue;
        }
        if bytes + size > max_bytes {
            end = before.unwrap_or(one.place - 1);
            break;
        }
        bytes += size;
        before = Some(one.place);
        fits.push(one);
    }
    (fits, end, oversized)
}

/// Bytes of an envelope around its objects.
const FRAME_BYTES: usize = 14;

fn refused(one: &Outgoing, reason: &str) -> Unsent {
    refusal(one, "failed", reason)
}

async fn envelope(line: &Line, there: &There, goes: &[Outgoing]) -> Result<Value, Fault> {
    let bodies: Vec<&str> = goes.iter().map(|one| one.body.as_str()).collect();
    let body = format!("{{\"objects\":[{}]}}", bodies.join(","));
    let url = below(&there.collection, "objects/")?;
    let request = Request {
        method: Method::POST,
        url: &url,
        accept: MEDIA,
        body: Some((MEDIA, body.into_bytes())),
        most: MAX_STATUS_BYTES,
    };
    let answer = line.once(&request).await?;
    discover::check_media(&url, &answer)?;
    let limits = stix::json::Limits { max_bytes: MAX_STATUS_BYTES, ..stix::json::DEFAULT_LIMITS };
    stix::json::read(&answer.body, limits)
        .map_err(|error| Fault::new(format!("{}: {error}", shown(&url))))
}

/// What became of the objects of an envelope.
#[derive(Default)]
struct Outcome {
    sent: Vec<(String, i64)>,
    withheld: usize,
    /// Those of the withheld that the sharing policies keep back.
    denied: Vec<Unsent>,
    pending: Vec<Unsent>,
    failed: Vec<Unsent>,
}

/// Ids of a list of a status, with what is said of each.
fn listed(status: &Value, name: &str) -> HashMap<String, String> {
    let list = status.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|one| {
        let id = one.get("id")?.as_str()?.to_owned();
        let said = one.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        Some((id, said.chars().take(MAX_REASON_CHARS).collect()))
    })
    .collect()
}

/// Objects as a status of TAXII 2.1 §4.3.1 tells of them: failures and pendings by id; the rest is taken when the status
/// is complete.
fn judged(goes: &[Outgoing], status: &Value) -> Outcome {
    let (failures, pendings) = (listed(status, "failures"), listed(status, "pendings"));
    let complete = status.get("status").and_then(Value::as_str) == Some("complete");
    let id = status.get("id").and_then(Value::as_str);
    let id = id.filter(|id| uuid::Uuid::parse_str(id).is_ok()).map(str::to_owned);
    let mut outcome = Outcome::default();
    for one in goes {
        if let Some(reason) = failures.get(&one.id) {
            outcome.failed.push(refused(one, reason));
        } else if complete && !pendings.contains_key(&one.id) {
            outcome.sent.push((one.id.clone(), one.version_us));
        } else if id.is_none() {
            outcome.failed.push(refused(one, "the server gave no status to follow"));
        } else {
            let unsent =
                Unsent { state: "pending", status: id.clone(), reason: None, ..refused(one, "") };
            outcome.pending.push(unsent);
        }
    }
    outcome
}

async fn note(room: &Feedhub, push: &Push, place: i64, outcome: Outcome) -> Result<(), Fault> {
    let id = push.id.clone();
    metrics::counter!("sereno_push_objects_total", "outcome" => "sent")
        .increment(outcome.sent.len() as u64);
    metrics::counter!("sereno_push_objects_total", "outcome" => "failed")
        .increment(outcome.failed.len() as u64);
    let done: Result<(), FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
                let (sent, withheld) = (count(outcome.sent.len()), count(outcome.withheld));
                pushes::advance(tx.sql(), &id, place, sent, withheld).await?;
                for (object, version_us) in &outcome.sent {
                    pushes::taken(tx.sql(), &id, object, *version_us).await?;
                }
                let kept = outcome.pending.iter().chain(&outcome.failed).chain(&outcome.denied);
                for one in kept {
                    pushes::put_unsent(tx.sql(), &id, one, now_us).await?;
                }
                if !outcome.denied.is_empty() {
                    pushes::trim_withheld(tx.sql(), &id, MAX_WITHHELD).await?;
                }
                Ok(())
            })
        })
        .await;
    Ok(done?)
}

/// Looks at what the other side was not done with.
async fn follow(room: &Feedhub, push: &Push, line: &Line, there: &There) -> Result<(), Fault> {
    for look in 0..LOOKS {
        let mut sql = room.platform().db.read().await.map_err(FeedError::Db)?;
        let pending = pushes::unsent(&mut sql, &push.id, "pending", MAX_PENDING).await;
        drop(sql);
        let mut by_status: HashMap<String, Vec<Unsent>> = HashMap::new();
        for one in pending.map_err(FeedError::Db)? {
            by_status.entry(one.status.clone().unwrap_or_default()).or_default().push(one);
        }
        if by_status.is_empty() {
            return Ok(());
        }
        if look > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        for (status, ones) in by_status {
            let url = below(&there.root, &format!("status/{status}/"))?;
            let goes: Vec<Outgoing> = ones.iter().map(again).collect();
            let mut outcome = match discover::ask(line, &url).await {
                Ok(told) => judged(&goes, &told),
                Err(fault) if fault.refuses() => {
                    let text =
                        "the server no longer knows the status; whether it took it is unknown";
                    let failed = goes.iter().map(|one| refused(one, text)).collect();
                    Outcome { failed, ..Outcome::default() }
                }
                Err(fault) => return Err(fault),
            };
            outcome.pending.clear();
            note(room, push, 0, outcome).await?;
        }
    }
    Ok(())
}

fn again(one: &Unsent) -> Outgoing {
    Outgoing {
        place: 0,
        id: one.id.clone(),
        version_us: one.version_us,
        tlp: 0,
        spec_version: String::new(),
        source: 0,
        body: String::new(),
    }
}
