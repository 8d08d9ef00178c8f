//! Objects that a peer brings: judged outside of the transaction, kept under the peer's name inside.

use std::collections::HashSet;

use intel::{Batch, Prepared, Put, Source, sources};
use model::event::ObjectsReceived;
use model::{CommunityId, NodeId, ShareId};
use platform::db::Tx;
use platform::peers::Peer;
use ports::PortError;
use serde::Deserialize;
use serde_json::Value;
use stix::{Object, validate};

use super::{MAX_OBJECTS, source_key};
use crate::error::FederationError;
use crate::inbox::Outcome;
use crate::room::Federation;
use crate::store::received::{self, Received};
use crate::trail::Trail;
use crate::wire::{RefusedObject, clip};

/// Characters of an id that is told of.
const MAX_ID_CHARS: usize = 300;
/// Characters of a reason why an object was refused.
const MAX_REFUSAL_CHARS: usize = 200;

/// The content of a letter with objects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    share: ShareId,
    community: Option<CommunityId>,
    objects: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    object: Value,
    tlp: String,
    trail: Trail,
}

/// Objects of a letter, judged.
#[derive(Clone)]
pub(crate) struct Parcel {
    share: ShareId,
    community: Option<CommunityId>,
    items: Vec<Item>,
}

impl Parcel {
    pub(crate) fn through_community(&self) -> bool {
        self.community.is_some()
    }
}

#[derive(Clone)]
struct Item {
    id: String,
    tlp: i64,
    trail: Trail,
    judged: Result<Prepared, String>,
}

/// Reads and judges the objects of a letter, or says why none of it can be taken.
pub(crate) fn open(body: &Value, us: NodeId) -> Result<Parcel, String> {
    let body = Body::deserialize(body).map_err(|cause| format!("its content is none: {cause}"))?;
    if body.objects.is_empty() || body.objects.len() > MAX_OBJECTS {
        return Err(format!("{} objects; a letter holds 1 to {MAX_OBJECTS}", body.objects.len()));
    }
    let items = body.objects.into_iter().map(|entry| item(entry, us)).collect();
    Ok(Parcel { share: body.share, community: body.community, items })
}

fn item(entry: Entry, us: NodeId) -> Item {
    let id = entry.object.get("id").and_then(Value::as_str).unwrap_or_default();
    let id = clip(id, MAX_ID_CHARS);
    // A label nobody knows protects most.
    let said = stix::Tlp::from_label(&entry.tlp).unwrap_or(stix::Tlp::Red);
    let judged = match Object::from_value(entry.object) {
        None => Err("it is no JSON object".to_owned()),
        Some(object) => judge(&object, &entry.trail, us),
    };
    let judged = judged.map(|mut prepared| {
        prepared.tlp = prepared.tlp.max(Some(intel::rank(said)));
        prepared
    });
    let tlp = judged.as_ref().ok().and_then(|prepared| prepared.tlp);
    Item { id, tlp: tlp.unwrap_or_else(|| intel::rank(said)), trail: entry.trail, judged }
}

fn judge(object: &Object, trail: &Trail, us: NodeId) -> Result<Prepared, String> {
    trail.check()?;
    if trail.passed(us) {
        return Err("it has been here: it came back in a circle".into());
    }
    let older = object.text("spec_version") == Some("2.0")
        || (object.get("spec_version").is_none() && object.created().is_some());
    if older {
        return Err("/spec_version: objects of STIX 2.0 are not handed on; upgrade them".into());
    }
    match validate::object(object).first_error() {
        Some(first) => Err(format!("{}: {} ({})", first.property, first.message, first.clause)),
        None => Ok(Prepared::new(object)),
    }
}

/// What became of the sound objects of a letter.
#[derive(Default)]
struct Counts {
    kept: u64,
    beside: u64,
}

/// Takes a letter's objects.
pub(crate) async fn parcel(
    room: &Federation,
    tx: &mut Tx,
    peer: &Peer,
    parcel: Parcel,
) -> Result<Outcome, FederationError> {
    if let Some(community) = parcel.community {
        match room.disclosure()?.may_send(peer.id, community).await {
            Ok(true) => {}
            // One that does not exist is told of as one that is closed.
            Ok(false) | Err(PortError::NotFound(_) | PortError::Invalid(_)) => {
                return Ok(Outcome::refused("you may not send through this community"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let onward = match parcel.community {
        Some(community) => room.disclosure()?.led().await?.contains(&community),
        None => false,
    };
    let puts = keep(tx, peer, &parcel.items).await?;
    let now_us = tx.now().as_micros();
    let (mut counts, mut refused) = (Counts::default(), Vec::new());
    for (item, put) in parcel.items.iter().zip(puts) {
        let (outcome, reason) = match put {
            Ok(Put::Beside) => ("beside", Some("it came from somebody else".to_owned())),
            Ok(Put::Conflict) => {
                let text =
                    "this version is known with other content; a change needs a newer `modified`";
                ("refused", Some(text.to_owned()))
            }
            Ok(_) => ("kept", None),
            Err(reason) => ("refused", Some(clip(&reason, MAX_REFUSAL_CHARS))),
        };
        match outcome {
            "kept" => counts.kept += 1,
            "beside" => counts.beside += 1,
            _ => refused.push(RefusedObject {
                object: item.id.clone(),
                reason: reason.clone().unwrap_or_default(),
            }),
        }
        let row = Received {
            place: 0,
            peer: peer.id,
            object: item.id.clone(),
            version: item.judged.as_ref().map_or(0, |prepared| prepared.version_us),
            tlp: item.tlp,
            share: parcel.share.to_string(),
            community: parcel.community,
            trail: if item.judged.is_ok() { item.trail.clone() } else { Trail::default() },
            outcome: outcome.to_owned(),
            reason,
            recorded_us: now_us,
        };
        received::put(tx.sql(), &row).await?;
        if let Some(community) = parcel.community.filter(|_| onward && outcome == "kept") {
            received::add_onward(tx.sql(), &item.id, peer.id, community).await?;
        }
    }
    tell(tx, peer, &counts, refused.len() as u64).await?;
    Ok(Outcome { refused: None, objects: refused })
}

async fn tell(
    tx: &mut Tx,
    peer: &Peer,
    counts: &Counts,
    refused: u64,
) -> Result<(), FederationError> {
    for (word, count) in [("kept", counts.kept), ("beside", counts.beside), ("refused", refused)] {
        metrics::counter!("sereno_federation_objects_total", "outcome" => word).increment(count);
    }
    let fact = ObjectsReceived {
        peer_name: peer.name.clone(),
        kept: counts.kept,
        beside: counts.beside,
        refused,
    };
    tx.publish(&format!("peer:{}", peer.name), &fact).await?;
    Ok(())
}

/// Keeps what is sound: what the peer may speak of replaces what it said before, the rest stands beside. The answers
/// stand in the order of the items.
async fn keep(
    tx: &mut Tx,
    peer: &Peer,
    items: &[Item],
) -> Result<Vec<Result<Put, String>>, FederationError> {
    let now_us = tx.now().as_micros();
    let source = Source {
        key: source_key(peer),
        name: peer.name.clone(),
        kind: "peer".into(),
        tlp: stix::Tlp::Amber,
        licence: String::new(),
    };
    let number = sources::ensure(tx.sql(), &source, now_us).await?;
    let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
    let origins = intel::beside::origins(tx.sql(), &ids).await?;
    let (mut own, mut others) = (Vec::new(), Vec::new());
    let mut answers: Vec<Result<Put, String>> = Vec::with_capacity(items.len());
    let mut places: (Vec<usize>, Vec<usize>) = (vec![], vec![]);
    let mut seen = HashSet::new();
    for (at, item) in items.iter().enumerate() {
        match &item.judged {
            Err(reason) => answers.push(Err(reason.clone())),
            Ok(_) if !seen.insert(item.id.as_str()) => {
                answers.push(Err("it stands twice in the letter".into()));
            }
            Ok(prepared) => {
                // Answered below.
                answers.push(Ok(Put::Same));
                let may_speak = origins.get(&item.id).is_none_or(|origin| origin.source == number);
                let (list, at_list) = if may_speak {
                    (&mut own, &mut places.0)
                } else {
                    (&mut others, &mut places.1)
                };
                list.push(prepared.clone());
                at_list.push(at);
            }
        }
    }
    let unmarked = intel::rank(source.tlp);
    let batch = |objects| Batch { source: number, unmarked, collection: None, objects, now_us };
    let puts = intel::write::store(tx.sql(), &batch(&own)).await?;
    for (at, put) in places.0.into_iter().zip(puts) {
        answers[at] = Ok(put);
    }
    let puts = intel::beside::store(tx.sql(), &batch(&others)).await?;
    for (at, put) in places.1.into_iter().zip(puts) {
        answers[at] = Ok(put);
    }
    Ok(answers)
}
