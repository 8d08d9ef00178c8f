//! Leadership moves: the leader offers it to a member, the member accepts and tells everybody, with the chain of
//! hand-overs that leads from the leader they knew to it. The old leader becomes a member like the others.

use model::{CommunityId, NodeId};
use platform::db::{DbError, Tx};
use platform::http::Caller;
use platform::peers::Peer;
use serde::{Deserialize, Serialize};

use crate::certificate::Role;
use crate::circle::{Circle, Member, State};
use crate::error::CommunityError;
use crate::handover::{Handover, MAX_HANDOVERS, follow};
use crate::leader::led;
use crate::letters::{About, Listed, Membership, NOT_BETWEEN_US, Taken, listed, refused};
use crate::members::{DAY_S, MAX_MEMBERS, named};
use crate::room::Communities;
use crate::store::{circles, members};

pub(crate) const LEAD: &str = "communities.lead";
pub(crate) const LED: &str = "communities.led";
pub(crate) const LEAD_DECLINED: &str = "communities.lead-declined";

/// Days an offer may be accepted; until then, or until it is declined, no other is made.
const OFFER_DAYS: i64 = 7;
/// The new leader's versions and serials begin so far behind the old one's last told ones: what the old one did meanwhile
/// must not look newer, and a serial it revoked must not be met again.
const JUMP: i64 = 1_000_000;

/// Offers the leadership.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lead {
    pub(crate) handover: Handover,
    /// The community's version and last serial at the old leader.
    pub(crate) version: i64,
    pub(crate) serial: i64,
    /// The other members.
    pub(crate) members: Vec<Listed>,
}

/// A membership by the word of a leader to whom it was handed over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Led {
    pub(crate) handovers: Vec<Handover>,
    pub(crate) membership: Membership,
}

impl Circle {
    /// The offer that may be accepted now.
    pub(crate) fn open_offer(&self, now: model::Timestamp) -> Option<&Lead> {
        let open = |offer: &&Lead| self.state == State::Active && offer.handover.expires_at > now;
        self.offer.as_ref().filter(open)
    }

    /// Refuses changes while the leadership is on its way: what is changed here would not be known there.
    pub(crate) fn not_offered(&self, now: model::Timestamp) -> Result<(), CommunityError> {
        match self.open_offer(now).filter(|_| self.led()) {
            None => Ok(()),
            Some(offer) => Err(CommunityError::conflict(
                format!(
                    "the leadership of '{}' is offered to another node until {}",
                    self.name, offer.handover.expires_at
                ),
                "Wait until it accepts or declines.",
            )),
        }
    }
}

impl Communities {
    /// Offers the leadership to a member, by its organisation or node.
    pub(crate) async fn offer_lead(
        &self,
        by: &Caller,
        id: CommunityId,
        organisation: &str,
    ) -> Result<Circle, CommunityError> {
        let peer = named(&self.peers().peers().await?, organisation)?;
        let (room, by) = (self.clone(), by.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut circle = led(tx, id).await?;
                    let now = tx.now();
                    circle.not_offered(now)?;
                    let member = members::get(tx.sql(), id, peer.node).await?;
                    let active = member.filter(|member| {
                        member.state == State::Active
                            && member.certificate.key.eq_ignore_ascii_case(&peer.signing_key)
                    });
                    if active.is_none() {
                        return Err(CommunityError::unknown("member", &peer.name));
                    }
                    if circle.chain.len() >= MAX_HANDOVERS {
                        let text = format!(
                            "the leadership was handed over {MAX_HANDOVERS} times, the limit"
                        );
                        return Err(CommunityError::conflict(text, "Make the community anew."));
                    }
                    let draft = Handover {
                        version: 0,
                        community: id,
                        number: circle.chain.len() + 1,
                        from: circle.leader_node,
                        from_key: String::new(),
                        to: peer.node,
                        to_key: peer.signing_key.to_ascii_lowercase(),
                        expires_at: now.plus_secs(OFFER_DAYS * DAY_S),
                        signature: String::new(),
                    };
                    let handover = Handover::sign(room.platform().signer.as_ref(), draft);
                    let (version, serial) = (circle.version, circle.serial);
                    circle.offer = Some(Lead { handover, version, serial, members: vec![] });
                    circles::update(tx.sql(), &circle, now.as_micros()).await?;
                    if !room.tell_offer(tx, &circle).await? {
                        let text = "too many letters wait for that node; nothing was changed";
                        return Err(ports::PortError::Unavailable(text.into()).into());
                    }
                    room.note(tx, &by, "community_lead_offered", id, peer.node).await?;
                    Ok(circle)
                })
            })
            .await
    }

    /// Tells whom the leadership is offered how the community stands; false when too many letters wait for it.
    pub(crate) async fn tell_offer(&self, tx: &mut Tx, circle: &Circle) -> Result<bool, DbError> {
        let Some(offer) = circle.open_offer(tx.now()).filter(|_| circle.led()) else {
            return Ok(true);
        };
        let all = members::all(tx.sql(), circle.id).await?;
        let active: Vec<&Member> = all.iter().filter(|m| m.state == State::Active).collect();
        let to = offer.handover.to;
        let Some(peer) = active.iter().find(|m| m.node == to).and_then(|m| m.peer) else {
            return Ok(true);
        };
        let others = active.iter().filter(|other| other.node != to);
        let letter = Lead {
            handover: offer.handover.clone(),
            version: circle.version,
            serial: circle.serial,
            members: others.map(|other| listed(other)).collect(),
        };
        let key = format!("{LEAD}:{}:{}:{}", circle.id, offer.handover.signature, circle.version);
        self.post(tx, peer, LEAD, key, &letter).await
    }

    pub(crate) async fn take_lead(&self, tx: &mut Tx, from: &Peer, letter: Lead) -> Taken {
        let circle = self.led_by(tx, from, letter.handover.community).await?;
        let Some(mut circle) = circle.filter(|circle| circle.state == State::Active) else {
            return refused(NOT_BETWEEN_US);
        };
        let platform = self.platform();
        let own_key = hex::encode(platform.signer.public_key());
        let handover = &letter.handover;
        let ours = handover.names(platform.node.id, &own_key)
            && handover.is_by(circle.leader_node, &circle.leader_key)
            && handover.number == circle.chain.len() + 1
            && handover.is_sound();
        if !ours || letter.members.len() > MAX_MEMBERS || letter.version < 0 || letter.serial < 0 {
            return refused("the offer of the leadership does not hold");
        }
        let id = circle.id;
        circle.offer = Some(letter);
        let now_us = tx.now().as_micros();
        circles::update(tx.sql(), &circle, now_us).await?;
        self.note(tx, "system", "community_lead_offered", id, platform.node.id).await?;
        Ok(Ok(()))
    }

    /// Takes the leadership that was offered. Members that do not exchange with this node can get no letters of it: they
    /// are named and nothing happens, unless they are to be left behind.
    pub(crate) async fn accept_lead(
        &self,
        by: &Caller,
        id: CommunityId,
        leave_behind: bool,
    ) -> Result<Circle, CommunityError> {
        let peers = self.peers().peers().await?;
        let (room, by) = (self.clone(), by.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (mut circle, offer) = offered(tx, id).await?;
                    let (come, stay) = room.followers(&circle, &offer, &peers);
                    if !stay.is_empty() && !leave_behind {
                        let text = format!(
                            "{} members do not exchange with this node and could not be told",
                            stay.len()
                        );
                        let remedy =
                            "Begin to exchange with them (sereno peer), or leave them behind.";
                        return Err(CommunityError::Conflict {
                            text,
                            lines: stay,
                            remedy: remedy.into(),
                        });
                    }
                    let platform = room.platform();
                    circle.chain.push(offer.handover);
                    circle.leader_node = platform.node.id;
                    circle.leader_name.clone_from(&platform.node.name);
                    circle.leader_key = hex::encode(platform.signer.public_key());
                    circle.leader_peer = None;
                    circle.own_role = None;
                    circle.own_certificate = None;
                    circle.asked.clear();
                    circle.version = circle.version.max(offer.version).saturating_add(JUMP);
                    circle.serial = offer.serial.saturating_add(JUMP);
                    circle.offer = None;
                    members::clear(tx.sql(), id).await?;
                    for (peer, role) in come {
                        room.admit(tx, &mut circle, &peer, role, "").await?;
                    }
                    room.tell_all(tx, &mut circle).await?;
                    room.note(tx, &by, "community_lead_accepted", id, circle.leader_node).await?;
                    Ok(circle)
                })
            })
            .await
    }

    /// The peers that are members, with their roles, the old leader among them; and the names of members that are no
    /// peers.
    fn followers(
        &self,
        circle: &Circle,
        offer: &Lead,
        peers: &[Peer],
    ) -> (Vec<(Peer, Role)>, Vec<String>) {
        let (mut come, mut stay) = (Vec::new(), Vec::new());
        let own = self.platform().node.id;
        let find = |node: NodeId, key: &str| {
            peers.iter().find(|p| p.node == node && p.signing_key.eq_ignore_ascii_case(key))
        };
        if let Some(old) = find(circle.leader_node, &circle.leader_key) {
            come.push((old.clone(), Role::Contributor));
        }
        for one in &offer.members {
            if one.node == own || one.node == circle.leader_node {
                continue;
            }
            match find(one.node, &one.certificate.key) {
                Some(peer) => come.push((peer.clone(), one.role)),
                None => stay.push(one.organisation.chars().take(120).collect()),
            }
        }
        (come, stay)
    }

    /// Says no to the leadership.
    pub(crate) async fn decline_lead(
        &self,
        by: &Caller,
        id: CommunityId,
    ) -> Result<(), CommunityError> {
        let (room, by, own) = (self.clone(), by.name.clone(), self.platform().node.id);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (mut circle, offer) = offered(tx, id).await?;
                    circle.offer = None;
                    let now_us = tx.now().as_micros();
                    circles::update(tx.sql(), &circle, now_us).await?;
                    if let Some(leader) = circle.leader_peer {
                        let key = format!("{LEAD_DECLINED}:{}", offer.handover.signature);
                        let letter = About { community: id };
                        room.must_post(tx, leader, LEAD_DECLINED, key, &letter).await?;
                    }
                    room.note(tx, &by, "community_lead_declined", id, own).await?;
                    Ok(())
                })
            })
            .await
    }

    pub(crate) async fn take_declined(&self, tx: &mut Tx, from: &Peer, letter: About) -> Taken {
        let circle = circles::get(tx.sql(), letter.community).await?;
        let circle = circle.filter(|circle| {
            let to = circle.offer.as_ref().map(|offer| offer.handover.to);
            circle.led() && to == Some(from.node)
        });
        let Some(mut circle) = circle else { return refused(NOT_BETWEEN_US) };
        circle.offer = None;
        let now_us = tx.now().as_micros();
        circles::update(tx.sql(), &circle, now_us).await?;
        self.note(tx, "system", "community_lead_declined", circle.id, from.node).await?;
        Ok(Ok(()))
    }

    pub(crate) async fn take_led(&self, tx: &mut Tx, from: &Peer, letter: Led) -> Taken {
        let circle = circles::get(tx.sql(), letter.membership.community).await?;
        let circle = circle.filter(|circle| matches!(circle.state, State::Active | State::Joining));
        let Some(mut circle) = circle else { return refused(NOT_BETWEEN_US) };
        let leader = (from.node, from.signing_key.as_str());
        if let Err(reason) = follow(&circle, &letter.handovers, leader) {
            // Who has no part in it learns nothing but that.
            let known = circle.leader_peer == Some(from.id);
            return refused(if known { reason } else { NOT_BETWEEN_US });
        }
        // Who leads gives way only by the offer that stands: one that was declined or replaced is no hand-over any more.
        let stands = |one: &Handover| circle.offer.as_ref().is_some_and(|o| o.handover == *one);
        if circle.led() && !letter.handovers.get(circle.chain.len()).is_some_and(stands) {
            return refused(NOT_BETWEEN_US);
        }
        let moved = circle.leader_node != from.node;
        if moved {
            circle.leader_node = from.node;
            circle.leader_key = from.signing_key.to_ascii_lowercase();
            circle.offer = None;
        }
        circle.leader_peer = Some(from.id);
        circle.chain = letter.handovers;
        let id = circle.id;
        let settled = self.settle_membership(tx, from, circle, letter.membership).await?;
        if moved && settled.is_ok() {
            self.note(tx, "system", "community_lead_moved", id, from.node).await?;
        }
        Ok(settled)
    }
}

/// A community whose leadership is offered to this node now.
async fn offered(tx: &mut Tx, id: CommunityId) -> Result<(Circle, Lead), CommunityError> {
    let circle = circles::get(tx.sql(), id).await?;
    let circle = circle.ok_or_else(|| CommunityError::unknown("community", &id.to_string()))?;
    let offer = circle.open_offer(tx.now()).filter(|_| !circle.led()).cloned();
    match offer {
        Some(offer) => Ok((circle, offer)),
        None => {
            let text = format!("the leadership of '{}' is not offered to this node", circle.name);
            Err(CommunityError::conflict(text, "Ask its leader to offer it."))
        }
    }
}
