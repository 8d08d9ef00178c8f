//! The judgement about objects on their way out: policy, then redaction. Preview and federation ask the same function.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use model::{CommunityId, PeerId, ShareDecision};
use platform::peers::Peer;
use ports::PortError;
use ports::disclosure::{Address, Candidate, Disclosed, Disclosure, Known, Recipient as To, Said};
use serde_json::Value;
use sqlx::AnyConnection;
use stix::Object;

use crate::circle::Circle;
use crate::error::CommunityError;
use crate::organisations::Organisation;
use crate::policy::engine::Engine;
use crate::policy::facts::{self, Facts, Goes, Pap, Recipient};
use crate::redact::addresses;
use crate::redact::work::Redacted;
use crate::room::Communities;
use crate::store::{circles, organisations};

/// Objects that others refer to, read from the store for one batch at most.
const MAX_AROUND: usize = 10_000;
/// Marking definitions read from the store for one batch at most; what lies beyond counts as PAP:RED.
const MAX_MARKINGS: usize = 500;

/// What a recipient of whom nothing is known is called.
const UNNAMED: &str = "an organisation without a name";

/// Who would receive something.
#[derive(Clone, Debug)]
pub(crate) enum Party {
    /// An organisation with a node.
    Peer(Peer),
    /// One without.
    Nodeless(Organisation),
    /// Nobody knows who.
    Unnamed,
}

/// Where a batch would go: to whom, through what.
pub(crate) struct Channel {
    pub(crate) recipient: Recipient,
    to: Goes,
    /// Why nothing goes this way, whatever the object.
    closed: Option<String>,
}

/// Objects looked at, ready to be judged for any channel.
pub(crate) struct Batch<'c> {
    candidates: &'c [Candidate],
    read: Vec<Option<Object>>,
    /// What policies look at, without where it would go.
    facts: Vec<Option<Facts>>,
    engine: Arc<Engine>,
}

impl Batch<'_> {
    fn decisions(&self, channel: &Channel) -> Vec<ShareDecision> {
        let no = |reason: &str| ShareDecision {
            allowed: false,
            reason: reason.to_owned(),
            policies: vec![],
        };
        if let Some(reason) = &channel.closed {
            return vec![no(reason); self.candidates.len()];
        }
        let decide = |facts: &Option<Facts>| match facts {
            None => no("denied because it is no STIX object"),
            Some(facts) => {
                let facts = facts.clone().going(channel.to);
                self.engine.decide(&channel.recipient, &facts).as_ref().clone()
            }
        };
        self.facts.iter().map(decide).collect()
    }
}

impl Communities {
    /// Who a recipient is. To be asked before a connection is held: peers are another room's.
    pub(crate) async fn party(&self, to: To) -> Result<Party, CommunityError> {
        match to {
            To::Peer(id) => {
                let found = self.peers().peer(id).await?;
                let found = found.ok_or_else(|| PortError::NotFound(format!("peer {id}")))?;
                Ok(Party::Peer(found))
            }
            To::Organisation(id) => {
                let mut sql = self.platform().db.read().await?;
                let found = organisations::get_nodeless(&mut sql, id).await?;
                let found =
                    found.ok_or_else(|| PortError::NotFound(format!("organisation {id}")))?;
                Ok(Party::Nodeless(found.into()))
            }
            To::Unnamed => Ok(Party::Unnamed),
        }
    }

    /// What policies and rules see of a recipient.
    async fn seen(
        &self,
        sql: &mut AnyConnection,
        party: &Party,
    ) -> Result<Recipient, CommunityError> {
        let (it, communities) = match party {
            Party::Peer(peer) => {
                let shared = self.shared_with(sql, peer).await?;
                let communities = shared.iter().map(ToString::to_string).collect();
                (self.organisation_of(sql, peer).await?, communities)
            }
            Party::Nodeless(it) => (it.clone(), BTreeSet::new()),
            Party::Unnamed => {
                let (name, kind) = (UNNAMED.to_owned(), "other".to_owned());
                return Ok(Recipient { name, kind, ..Recipient::default() });
            }
        };
        Ok(Recipient {
            id: it.id(),
            name: it.name,
            kind: it.kind,
            sector: it.sector,
            country: it.country,
            communities,
        })
    }

    /// Opens the way to a recipient.
    pub(crate) async fn channel(
        &self,
        sql: &mut AnyConnection,
        party: &Party,
        address: Address,
    ) -> Result<Channel, CommunityError> {
        let recipient = self.seen(sql, party).await?;
        let mut closed = None;
        let to = match address {
            Address::Named => Goes::Named,
            Address::Open => Goes::Open,
            Address::Through(id) => match (circles::get(sql, id).await?, party) {
                (Some(circle), Party::Peer(peer)) => {
                    closed = self.closed(sql, &circle, peer).await?;
                    Goes::Community(id, circle.max_tlp)
                }
                (Some(circle), _) => {
                    closed = Some(format!(
                        "denied because {} has no node and belongs to no community",
                        recipient.name
                    ));
                    Goes::Community(id, circle.max_tlp)
                }
                (None, _) => {
                    closed = Some("denied because the community is not known here".to_owned());
                    Goes::Open
                }
            },
        };
        Ok(Channel { recipient, to, closed })
    }

    /// Why nothing may be shared with a peer through a community.
    async fn closed(
        &self,
        sql: &mut AnyConnection,
        circle: &Circle,
        peer: &Peer,
    ) -> Result<Option<String>, CommunityError> {
        if !circle.holds(self.platform().node.id, self.platform().now()) {
            return Ok(Some(format!(
                "denied because this node does not belong to community '{}' now",
                circle.name
            )));
        }
        if !circle.may_share() {
            return Ok(Some(format!(
                "denied because this node only reads in community '{}'",
                circle.name
            )));
        }
        let receives = self.recipients_of(sql, circle, std::slice::from_ref(peer)).await?;
        Ok(receives.is_empty().then(|| {
            format!(
                "denied because {} is not who gets what is shared with community '{}' now",
                peer.name, circle.name
            )
        }))
    }

    /// Looks at objects once, however many will be asked about.
    pub(crate) async fn batch<'c>(
        &self,
        sql: &mut AnyConnection,
        candidates: &'c [Candidate],
    ) -> Result<Batch<'c>, CommunityError> {
        let read: Vec<Option<Object>> = candidates
            .iter()
            .map(|candidate| Object::from_value(candidate.object.clone()))
            .collect();
        let paps = self.paps(sql, &read).await?;
        let onward = self.onward(sql, candidates).await?;
        let engine = self.engine();
        let facts = candidates.iter().zip(&read).map(|(candidate, object)| {
            let lets = |id| onward.get(&id).copied().unwrap_or(false);
            let origin = facts::Way {
                // Who brought it is not us, whatever is known of its source.
                said: match candidate.said {
                    Said::Own => candidate.from.map_or(Said::Own, Said::of_bringer),
                    said => said,
                },
                source: &candidate.source,
                through: candidate.through,
                onward: candidate.through.is_none_or(lets),
            };
            let of = facts::of(object.as_ref()?, candidate.tlp, origin, |id| {
                // What could not be looked at is taken for the strictest.
                paps.get(id).copied().unwrap_or(Some(Pap::Red))
            });
            Some(engine.relevant(of))
        });
        let facts = facts.collect();
        Ok(Batch { candidates, read, facts, engine })
    }

    /// Judges a batch for one channel; one answer for each object, in their order.
    pub(crate) async fn judge_for(
        &self,
        sql: &mut AnyConnection,
        channel: &Channel,
        batch: &Batch<'_>,
    ) -> Result<Vec<Disclosed>, CommunityError> {
        let decisions = batch.decisions(channel);
        let allowed: Vec<(&Candidate, &Object)> = batch
            .candidates
            .iter()
            .zip(&batch.read)
            .zip(&decisions)
            .filter(|(_, decision)| decision.allowed)
            .filter_map(|((candidate, object), _)| Some((candidate, object.as_ref()?)))
            .collect();
        let mut redacted = self.redacted(sql, channel, &allowed).await?.into_iter();
        let answers = decisions.into_iter().map(|decision| {
            let done = if decision.allowed { redacted.next() } else { None };
            match done {
                None => Disclosed { decision, object: None, redactions: vec![] },
                Some(Redacted { object: Ok(object), redactions }) => {
                    Disclosed { decision, object: Some(object), redactions }
                }
                Some(Redacted { object: Err(reason), redactions }) => {
                    Disclosed { redactions, ..stays(&decision, reason) }
                }
            }
        });
        Ok(answers.collect())
    }

    /// What marking definitions say about PAP: those of the batch, those of the store; `None` nothing.
    async fn paps(
        &self,
        sql: &mut AnyConnection,
        objects: &[Option<Object>],
    ) -> Result<HashMap<String, Option<Pap>>, CommunityError> {
        let mut known = HashMap::new();
        let mut wanted = BTreeSet::new();
        for object in objects.iter().flatten() {
            if object.kind() == "marking-definition" {
                known.insert(object.id_text().to_owned(), stated_pap(object));
            }
            for id in stix::marking::effective_whole(object).markings {
                if stix::Tlp::from_id(&id).is_some() {
                    known.insert(id, None);
                } else {
                    wanted.insert(id);
                }
            }
        }
        wanted.retain(|id| !known.contains_key(id));
        for id in wanted.into_iter().take(MAX_MARKINGS) {
            let stored = intel::objects::newest(sql, &id, intel::Sight::ALL).await?;
            let object = stored.and_then(|stored| serde_json::from_str(&stored.body).ok());
            let pap = object.and_then(Object::from_value).and_then(|object| stated_pap(&object));
            known.insert(id, pap);
        }
        Ok(known)
    }

    /// Whether the communities that objects came through let them go elsewhere.
    async fn onward(
        &self,
        sql: &mut AnyConnection,
        candidates: &[Candidate],
    ) -> Result<HashMap<CommunityId, bool>, CommunityError> {
        let through: BTreeSet<CommunityId> = candidates.iter().filter_map(|c| c.through).collect();
        let mut onward = HashMap::new();
        for id in through {
            // Of a community that is not known any more the careful side holds.
            let lets = circles::get(sql, id).await?.is_some_and(|circle| circle.onward);
            onward.insert(id, lets);
        }
        Ok(onward)
    }

    async fn redacted(
        &self,
        sql: &mut AnyConnection,
        channel: &Channel,
        objects: &[(&Candidate, &Object)],
    ) -> Result<Vec<Redacted>, CommunityError> {
        let redactor = self.redactor();
        let work = redactor.work(&channel.recipient, self.pseudonymiser());
        if work.is_idle() {
            let whole = |(candidate, _): &(&Candidate, &Object)| Redacted {
                object: Ok(candidate.object.clone()),
                redactions: vec![],
            };
            return Ok(objects.iter().map(whole).collect());
        }
        let objects: Vec<&Object> = objects.iter().map(|(_, object)| *object).collect();
        let mut around: Vec<Object> = Vec::new();
        // What is referred to may itself refer to what is redacted: two steps are all the standard has.
        for _ in 0..2 {
            let all: Vec<&Object> = objects.iter().copied().chain(&around).collect();
            let wanted = work.wanted(&all);
            let room = MAX_AROUND.saturating_sub(around.len());
            let mut found = Vec::new();
            for id in wanted.into_iter().take(room) {
                let stored = intel::objects::newest(sql, &id, intel::Sight::ALL).await?;
                let object = stored.and_then(|stored| serde_json::from_str(&stored.body).ok());
                found.extend(object.and_then(Object::from_value));
            }
            if found.is_empty() {
                break;
            }
            around.extend(found);
        }
        Ok(work.batch(&objects, &around))
    }
}

/// The PAP a marking definition states, in its name or its statement.
fn stated_pap(definition: &Object) -> Option<Pap> {
    let texts = [definition.text("name"), stix::marking::statement(definition)];
    texts.into_iter().flatten().filter_map(Pap::within).max()
}

fn stays(decision: &ShareDecision, reason: String) -> Disclosed {
    let decision = ShareDecision { allowed: false, reason, policies: decision.policies.clone() };
    Disclosed { decision, object: None, redactions: vec![] }
}

#[async_trait]
impl Disclosure for Communities {
    async fn judge(
        &self,
        to: To,
        address: Address,
        objects: &[Candidate],
    ) -> Result<Vec<Disclosed>, PortError> {
        let party = self.party(to).await?;
        let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
        let channel = self.channel(&mut sql, &party, address).await?;
        let batch = self.batch(&mut sql, objects).await?;
        Ok(self.judge_for(&mut sql, &channel, &batch).await?)
    }

    async fn judge_known(
        &self,
        to: To,
        address: Address,
        objects: &[Known],
    ) -> Result<Vec<Disclosed>, PortError> {
        let candidates = self.candidates(objects).await?;
        self.judge(to, address, &candidates).await
    }

    async fn rewrite(
        &self,
        to: To,
        values: &[(Value, BTreeSet<String>)],
    ) -> Result<Vec<(Value, BTreeSet<String>)>, PortError> {
        let party = self.party(to).await?;
        let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
        let recipient = self.seen(&mut sql, &party).await?;
        drop(sql);
        let redactor = self.redactor();
        let work = redactor.work(&recipient, self.pseudonymiser());
        let done = values.iter().map(|(value, named)| {
            work.rewrite(value, named).unwrap_or_else(|| (Value::Null, BTreeSet::new()))
        });
        Ok(done.collect())
    }

    async fn renames(&self, to: To) -> Result<bool, PortError> {
        let party = self.party(to).await?;
        let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
        let recipient = self.seen(&mut sql, &party).await?;
        Ok(self.redactor().work(&recipient, self.pseudonymiser()).renames_any())
    }

    async fn pseudonym_names(&self, to: To) -> Result<[String; 2], PortError> {
        let party = self.party(to).await?;
        let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
        let recipient = self.seen(&mut sql, &party).await?;
        Ok(addresses::names(self.own_networks(), self.pseudonymiser(), &recipient.id))
    }

    async fn recipients(&self, community: CommunityId) -> Result<Vec<PeerId>, PortError> {
        let peers = self.peers().peers().await?;
        let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
        let circle = circles::get(&mut sql, community).await.map_err(CommunityError::from)?;
        let Some(circle) = circle else { return Ok(vec![]) };
        let found = self.recipients_of(&mut sql, &circle, &peers).await;
        Ok(found.map_err(CommunityError::from)?)
    }

    async fn led(&self) -> Result<Vec<CommunityId>, PortError> {
        let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
        let all = circles::all(&mut sql).await.map_err(CommunityError::from)?;
        let (own, now) = (self.platform().node.id, self.platform().now());
        let led = all.into_iter().filter(|circle| circle.led() && circle.holds(own, now));
        Ok(led.map(|circle| circle.id).collect())
    }

    async fn may_send(&self, from: PeerId, community: CommunityId) -> Result<bool, PortError> {
        let Some(peer) = self.peers().peer(from).await? else { return Ok(false) };
        let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
        let circle = circles::get(&mut sql, community).await.map_err(CommunityError::from)?;
        let Some(circle) = circle else { return Ok(false) };
        Ok(self.sends(&mut sql, &circle, &peer).await.map_err(CommunityError::from)?)
    }
}
