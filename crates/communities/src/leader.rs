//! What a leader does with members: roles, putting out, new certificates, the end.

use model::{CommunityId, NodeId};
use platform::db::{DbError, Tx};
use platform::http::Caller;
use platform::peers::Peer;

use crate::certificate::{Certificate, Role};
use crate::circle::{Circle, Member, State};
use crate::error::CommunityError;
use crate::members::DAY_S;
use crate::room::Communities;
use crate::store::{circles, invitations, members};

/// Clocks of members may be this far behind ours, seconds.
const CLOCKS_DIFFER_S: i64 = 3_600;

impl Communities {
    /// Puts a member out, or gives it another role.
    pub(crate) async fn set_member(
        &self,
        by: &Caller,
        id: CommunityId,
        node: NodeId,
        role: Option<Role>,
    ) -> Result<(), CommunityError> {
        let peers = self.peers().peers().await?;
        let peer = peers.into_iter().find(|peer| peer.node == node);
        let (room, by) = (self.clone(), by.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut circle = led(tx, id).await?;
                    circle.not_offered(tx.now())?;
                    let member = members::get(tx.sql(), id, node).await?;
                    let member = member.filter(|member| member.state == State::Active);
                    let member = member
                        .ok_or_else(|| CommunityError::unknown("member", &node.to_string()))?;
                    let what = match (role, peer) {
                        (Some(role), Some(peer)) => {
                            room.admit(tx, &mut circle, &peer, role, &member.invitation).await?;
                            "community_role_changed"
                        }
                        (Some(_), None) => {
                            let text = format!("the exchange with {} was ended", member.name);
                            return Err(CommunityError::conflict(text, "Put the member out."));
                        }
                        (None, _) => {
                            room.put_out(tx, &mut circle, member.clone(), State::Expelled).await?;
                            room.tell_end(tx, &circle, &member).await?;
                            "community_expelled"
                        }
                    };
                    room.tell_all(tx, &mut circle).await?;
                    room.note(tx, &by, what, id, node).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends a community that this node leads.
    pub(crate) async fn dissolve(
        &self,
        by: &Caller,
        id: CommunityId,
    ) -> Result<(), CommunityError> {
        let (room, by) = (self.clone(), by.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut circle = led(tx, id).await?;
                    circle.not_offered(tx.now())?;
                    circle.state = State::Dissolved;
                    for member in members::all(tx.sql(), id).await? {
                        if member.state != State::Active {
                            continue;
                        }
                        room.put_out(tx, &mut circle, member.clone(), State::Dissolved).await?;
                        room.tell_end(tx, &circle, &member).await?;
                    }
                    let now_us = tx.now().as_micros();
                    circles::update(tx.sql(), &circle, now_us).await?;
                    invitations::withdraw_all(tx.sql(), id, None, now_us).await?;
                    room.note(tx, &by, "community_dissolved", id, circle.leader_node).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Makes certificates anew that end soon; how many.
    ///
    /// # Errors
    /// The database says no.
    pub async fn renew(&self) -> Result<usize, CommunityError> {
        let peers = self.peers().peers().await?;
        let room = self.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let soon = tx.now().plus_secs(room.config().renew_before_days * DAY_S);
                    let mut renewed = 0;
                    for mut circle in circles::all(tx.sql()).await? {
                        if !circle.led() || circle.state != State::Active {
                            continue;
                        }
                        let before = renewed;
                        for member in members::all(tx.sql(), circle.id).await? {
                            let due = member.certificate.not_after <= soon;
                            let peer = peers.iter().find(|peer| peer.node == member.node);
                            if let (State::Active, true, Some(peer)) = (member.state, due, peer) {
                                let by = &member.invitation;
                                room.admit(tx, &mut circle, peer, member.role, by).await?;
                                renewed += 1;
                            }
                        }
                        if renewed > before {
                            room.tell_all(tx, &mut circle).await?;
                        }
                    }
                    Ok(renewed)
                })
            })
            .await
    }

    /// Tells members what could not be told when it changed, because too many letters waited for them.
    ///
    /// # Errors
    /// The database says no.
    pub async fn tell_again(&self) -> Result<(), CommunityError> {
        let room = self.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    for circle in circles::all(tx.sql()).await? {
                        if !circle.led() {
                            continue;
                        }
                        let told = members::versions_told(tx.sql(), circle.id).await?;
                        for member in members::all(tx.sql(), circle.id).await? {
                            let ended = matches!(member.state, State::Expelled | State::Dissolved);
                            if ended && told.get(&member.node) == Some(&-1) {
                                room.tell_end(tx, &circle, &member).await?;
                            }
                        }
                        if circle.state == State::Active {
                            room.tell_members(tx, &circle).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Gives a member a certificate; one it had no longer counts.
    pub(crate) async fn admit(
        &self,
        tx: &mut Tx,
        circle: &mut Circle,
        peer: &Peer,
        role: Role,
        invitation: &str,
    ) -> Result<(), DbError> {
        let now = tx.now();
        if let Some(before) = members::get(tx.sql(), circle.id, peer.node).await? {
            let old = &before.certificate;
            members::revoke(tx.sql(), circle.id, old.serial, old.not_after.as_micros()).await?;
        }
        circle.serial += 1;
        let draft = Certificate {
            version: 0,
            community: circle.id,
            node: peer.node,
            key: peer.signing_key.to_ascii_lowercase(),
            role,
            serial: circle.serial,
            not_before: now.plus_secs(-CLOCKS_DIFFER_S),
            not_after: now.plus_secs(self.config().certificate_days * DAY_S),
            leader: circle.leader_node,
            leader_key: String::new(),
            signature: String::new(),
        };
        let member = Member {
            node: peer.node,
            peer: Some(peer.id),
            name: peer.name.clone(),
            role,
            state: State::Active,
            certificate: Certificate::sign(self.platform().signer.as_ref(), draft),
            invitation: invitation.to_owned(),
        };
        members::put(tx.sql(), circle.id, &member, now.as_micros()).await
    }

    /// A member counts no longer.
    pub(crate) async fn put_out(
        &self,
        tx: &mut Tx,
        circle: &mut Circle,
        member: Member,
        state: State,
    ) -> Result<(), DbError> {
        if circle.offer.as_ref().is_some_and(|offer| offer.handover.to == member.node) {
            circle.offer = None;
        }
        let (serial, ends) = (member.certificate.serial, member.certificate.not_after);
        members::revoke(tx.sql(), circle.id, serial, ends.as_micros()).await?;
        let now_us = tx.now().as_micros();
        invitations::withdraw_all(tx.sql(), circle.id, Some(member.node), now_us).await?;
        members::put(tx.sql(), circle.id, &Member { state, ..member }, now_us).await
    }
}

/// A community that this node leads and that goes on.
pub(crate) async fn led(tx: &mut Tx, id: CommunityId) -> Result<Circle, CommunityError> {
    let circle = circles::get(tx.sql(), id).await?;
    let circle = circle.ok_or_else(|| CommunityError::unknown("community", &id.to_string()))?;
    if !circle.led() {
        let text = format!("'{}' is led by {}", circle.name, circle.leader_name);
        return Err(CommunityError::conflict(text, "Ask the leader to change it."));
    }
    if circle.state != State::Active {
        let text = format!("'{}' was dissolved", circle.name);
        return Err(CommunityError::conflict(text, "Make another one."));
    }
    Ok(circle)
}
