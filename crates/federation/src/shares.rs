//! Deciding who gets what: every recipient and object is judged and written down, then what may go is queued.

use std::collections::{BTreeMap, HashMap};

use model::event::ObjectsShared;
use model::{CommunityId, PeerId, ShareId};
use platform::db::Tx;
use ports::PortError;
use ports::disclosure::Candidate;
use serde_json::json;

use crate::error::FederationError;
use crate::objects::{self, Known, send};
use crate::outbox::MAX_REASON_CHARS;
use crate::room::Federation;
use crate::store::hands::{self, Hand, New, State};
use crate::store::links;
use crate::store::shares::{self, Share};
use crate::wire::clip;

/// Objects in one share at most.
pub const MAX_SHARED: usize = 1_000;
/// Recipients times objects of one share at most.
pub const MAX_HANDS: usize = 10_000;

/// A recipient, and the community it is one through.
pub(crate) type Way = (PeerId, Option<CommunityId>);

/// What is to be shared.
pub(crate) struct NewShare {
    /// `person`, `standing` or `onward`.
    pub(crate) kind: &'static str,
    /// Who decided it.
    pub(crate) made_by: String,
    /// Why, in words for this node.
    pub(crate) note: String,
    /// STIX ids.
    pub(crate) objects: Vec<String>,
    /// Recipients; one that is named twice gets an object by the first way that lets it.
    pub(crate) ways: Vec<Way>,
}

/// What was decided about one object for one recipient.
struct Verdict {
    community: Option<CommunityId>,
    refused: Option<String>,
}

impl Federation {
    /// The recipients of peers and communities.
    pub(crate) async fn ways(
        &self,
        peers: &[PeerId],
        communities: &[CommunityId],
    ) -> Result<Vec<Way>, FederationError> {
        let mut ways: Vec<Way> = peers.iter().map(|peer| (*peer, None)).collect();
        for community in communities {
            let members = self.disclosure()?.recipients(*community).await?;
            ways.extend(members.into_iter().map(|peer| (peer, Some(*community))));
        }
        Ok(ways)
    }

    /// The recipients as they are now; communities that are gone have none.
    pub(crate) async fn ways_left(
        &self,
        peers: &[PeerId],
        communities: &[CommunityId],
    ) -> Result<Vec<Way>, FederationError> {
        let mut ways = self.ways(peers, &[]).await?;
        for community in communities {
            match self.ways(&[], &[*community]).await {
                Ok(members) => ways.extend(members),
                Err(FederationError::Port(PortError::NotFound(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ways)
    }
}

/// Shares within the caller's transaction.
pub(crate) async fn create(
    room: &Federation,
    tx: &mut Tx,
    new: &NewShare,
) -> Result<ShareId, FederationError> {
    let recipients = new.ways.len();
    if recipients.saturating_mul(new.objects.len()) > MAX_HANDS {
        return Err(FederationError::Invalid(format!(
            "{recipients} recipients times {} objects exceed the limit of {MAX_HANDS}; share in parts",
            new.objects.len()
        )));
    }
    let ids: Vec<&str> = new.objects.iter().map(String::as_str).collect();
    let known = objects::load(room, tx.sql(), &ids).await?;
    let id: ShareId = tx.mint();
    let mut salt = [0; 16];
    room.platform().random.fill(&mut salt);
    let share = Share {
        id,
        kind: new.kind.to_owned(),
        made_by: new.made_by.clone(),
        note: new.note.clone(),
        salt: hex::encode(salt),
        recorded_us: tx.now().as_micros(),
    };
    shares::insert(tx.sql(), &share).await?;
    let verdicts = judge(room, &new.ways, &ids, &known).await?;
    let mut fact = ObjectsShared { share: id, queued: 0, withheld: 0, recipients: 0 };
    for ((peer, object), verdict) in &verdicts {
        let Some(object) = known.get(*object) else { continue };
        let state = if verdict.refused.is_some() { State::Withheld } else { State::Queued };
        match state {
            State::Queued => fact.queued += 1,
            _ => fact.withheld += 1,
        }
        let row = New {
            share: id,
            peer: *peer,
            object: &object.stored.id,
            community: verdict.community,
            because: object.from,
            state,
            reason: verdict.refused.as_deref(),
            tlp: object.stored.tlp,
            letter: None,
        };
        hands::insert(tx.sql(), &row, share.recorded_us).await?;
    }
    let limit = i64::try_from(MAX_HANDS).unwrap_or(i64::MAX);
    let mut letters: BTreeMap<Way, Vec<Hand>> = BTreeMap::new();
    let all = hands::of_share(tx.sql(), id, limit).await?;
    for hand in all.into_iter().filter(|hand| hand.state == State::Queued) {
        letters.entry((hand.peer, hand.community)).or_default().push(hand);
    }
    let mut served: Vec<PeerId> = letters.keys().map(|(peer, _)| *peer).collect();
    served.dedup();
    fact.recipients = served.len() as u64;
    for ((peer, _), waiting) in &letters {
        if new.kind == "person" {
            let link = links::ensure(tx, *peer).await?;
            room.within_limit(link.queued)?;
        }
        send::ticket(room, tx, waiting, None).await?;
    }
    tx.publish(&new.made_by, &fact).await?;
    room.platform().live.send("federation.share", json!({ "share": id }));
    Ok(id)
}

async fn judge<'a>(
    room: &Federation,
    ways: &[Way],
    ids: &[&'a str],
    known: &HashMap<String, Known>,
) -> Result<BTreeMap<(PeerId, &'a str), Verdict>, FederationError> {
    let mut present: Vec<&str> = ids.iter().copied().filter(|id| known.contains_key(*id)).collect();
    present.sort_unstable();
    present.dedup();
    let candidates: Result<Vec<Candidate>, _> =
        present.iter().filter_map(|id| known.get(*id)).map(Known::candidate).collect();
    let candidates = candidates?;
    let mut verdicts: BTreeMap<(PeerId, &str), Verdict> = BTreeMap::new();
    for (peer, community) in ways {
        let Some(recipient) = room.peer(*peer).await? else { continue };
        let judged = objects::judge(room, *peer, *community, &candidates).await?;
        for (at, id) in present.iter().enumerate() {
            let answer = judged.get(at);
            let echo = known.get(*id).is_some_and(|object| object.echoes_to(&recipient));
            let refused = match answer {
                _ if echo => Some("it came from there".to_owned()),
                Some(answer) if answer.decision.allowed && answer.object.is_some() => None,
                Some(answer) => Some(clip(&answer.decision.reason, MAX_REASON_CHARS)),
                None => Some("it was not judged".to_owned()),
            };
            let verdict = Verdict { community: *community, refused };
            let kept = verdicts.get(&(*peer, *id));
            if kept.is_none_or(|kept| kept.refused.is_some() && verdict.refused.is_none()) {
                verdicts.insert((*peer, *id), verdict);
            }
        }
    }
    Ok(verdicts)
}
