//! The door of a community: invitations, asking to be let in, the leader's answer, leaving.

use model::{CommunityId, Timestamp, Tlp};
use platform::db::{DbError, Tx};
use platform::http::Caller;
use platform::peers::Peer;

use crate::certificate::Role;
use crate::circle::{Circle, Contribute, Roster, State};
use crate::error::CommunityError;
use crate::invitation::{self, Invitation};
use crate::leader::led;
use crate::letters::{About, JOIN, Join, LEAVE};
use crate::members::{DAY_S, MAX_NAME, checked_text};
use crate::room::Communities;
use crate::store::invitations::{self, Invited};
use crate::store::{circles, members};

/// Invitations to a community kept at most: the list of them is one page.
const MAX_INVITATIONS: i64 = 1_000;

impl Communities {
    /// An invitation for one organisation, by its node or name.
    pub(crate) async fn invite(
        &self,
        by: &Caller,
        id: CommunityId,
        organisation: &str,
        role: Role,
    ) -> Result<Invitation, CommunityError> {
        let platform = self.platform();
        let peer = self.peer_named(organisation).await?;
        let mut code = [0; 32];
        platform.random.fill(&mut code);
        let code = hex::encode(code);
        let expires_at = platform.now().plus_secs(self.config().invitation_days * DAY_S);
        let (room, by, digest) = (self.clone(), by.name.clone(), invitation::digest(&code));
        let node = peer.node;
        let circle = platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let circle = led(tx, id).await?;
                    circle.not_offered(tx.now())?;
                    let made_at = tx.now();
                    let invited = Invited {
                        digest,
                        community: id,
                        node,
                        role,
                        made_by: by.clone(),
                        made_at,
                        expires_at,
                        used_at: None,
                        withdrawn_at: None,
                    };
                    invitations::insert(tx.sql(), &invited).await?;
                    if invitations::count(tx.sql(), id).await? > MAX_INVITATIONS {
                        let text = format!("{MAX_INVITATIONS} invitations to '{}' are kept, the limit", circle.name);
                        let remedy = "Wait until older ones have expired; communities.invitation_days says when.";
                        return Err(CommunityError::conflict(text, remedy));
                    }
                    room.note(tx, &by, "community_invited", id, node).await?;
                    Ok::<_, CommunityError>(circle)
                })
            })
            .await?;
        let draft = Invitation {
            version: 0,
            community: id,
            name: circle.name,
            leader: platform.node.id,
            leader_key: String::new(),
            node,
            role,
            expires_at,
            code,
            signature: String::new(),
        };
        Ok(Invitation::sign(platform.signer.as_ref(), draft))
    }

    /// Uses an invitation: the leader is asked; its answer comes as a letter.
    pub(crate) async fn join(
        &self,
        by: &Caller,
        invitation: Invitation,
    ) -> Result<Circle, CommunityError> {
        let platform = self.platform();
        let wrong = |text: &str| {
            let text = format!("the invitation cannot be used: {text}");
            CommunityError::invalid(text, "Ask the community's leader for an invitation.")
        };
        let peers = self.peers().peers().await?;
        let leader = peers.into_iter().find(|peer| peer.node == invitation.leader);
        let leader = leader.ok_or_else(|| {
            wrong("its leader is no node that we exchange with; join that node first")
        })?;
        invitation.check(platform.node.id, &leader.signing_key, platform.now()).map_err(wrong)?;
        checked_text("the community's name", &invitation.name, 1, MAX_NAME)?;
        let circle = asking(&invitation, &leader, platform.now());
        let (room, by, made) = (self.clone(), by.name.clone(), circle.clone());
        let letter = Join { community: invitation.community, code: invitation.code };
        platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    room.room_for_one(tx, "", made.id).await?;
                    let known = circles::get(tx.sql(), made.id).await?;
                    // Of one that we are in no longer the leadership may have moved.
                    let elsewhere = |known: &Circle| {
                        known.leader_peer != Some(leader.id)
                            && matches!(known.state, State::Active | State::Joining)
                    };
                    if known.as_ref().is_some_and(|known| known.led() || elsewhere(known)) {
                        return Err(wrong("another node leads a community of this id"));
                    }
                    match known.filter(|known| known.state == State::Active) {
                        // Who is in already stays in while the leader answers.
                        Some(known) => {
                            let asking = Circle {
                                asked: made.asked.clone(),
                                refusal: String::new(),
                                ..known
                            };
                            circles::update(tx.sql(), &asking, made.updated_us).await?;
                        }
                        None => {
                            members::clear(tx.sql(), made.id).await?;
                            circles::insert(tx.sql(), &made).await?;
                        }
                    }
                    // With the time: who was refused may ask once more by the same file.
                    let asked_us = tx.now().as_micros();
                    let key = format!("{JOIN}:{}:{asked_us}", invitation::digest(&letter.code));
                    room.must_post(tx, leader.id, JOIN, key, &letter).await?;
                    room.note(tx, &by, "community_join_asked", made.id, made.leader_node).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(circle)
    }

    /// Makes an invitation worthless that was not used yet: whoever comes with its file is told what everybody is told.
    pub(crate) async fn withdraw(
        &self,
        by: &Caller,
        id: CommunityId,
        digest: &str,
    ) -> Result<(), CommunityError> {
        let (room, by, digest) = (self.clone(), by.name.clone(), digest.to_owned());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let invited = invitations::get(tx.sql(), &digest).await?;
                    let invited = invited.filter(|invited| invited.community == id);
                    let invited =
                        invited.ok_or_else(|| CommunityError::unknown("invitation", &digest))?;
                    let now_us = tx.now().as_micros();
                    if invitations::withdraw(tx.sql(), &digest, now_us).await? {
                        room.note(tx, &by, "community_invitation_withdrawn", id, invited.node)
                            .await?;
                        return Ok(());
                    }
                    if invited.used_at.is_none() {
                        return Ok(());
                    }
                    let text = "the invitation was used";
                    Err(CommunityError::conflict(text, "Put the member out instead."))
                })
            })
            .await
    }

    /// The leader answered what we asked it by an invitation: `refused` is why it does not let us in.
    pub(crate) async fn join_answered(
        &self,
        tx: &mut Tx,
        by: &Peer,
        key: &str,
        refused: &str,
    ) -> Result<(), DbError> {
        let digest = key.split(':').nth(1).unwrap_or_default();
        let all = circles::all(tx.sql()).await?;
        let asked = all
            .into_iter()
            .find(|circle| circle.leader_peer == Some(by.id) && circle.asked == digest);
        let Some(circle) = asked.filter(|_| !digest.is_empty()) else { return Ok(()) };
        // Who is in and asked for another role stays in.
        let state = match circle.state {
            State::Joining => State::Refused,
            other => other,
        };
        let refused = Circle { state, asked: String::new(), refusal: refused.to_owned(), ..circle };
        let now_us = tx.now().as_micros();
        circles::update(tx.sql(), &refused, now_us).await?;
        let own = self.platform().node.id;
        self.note(tx, "system", "community_join_refused", refused.id, own).await
    }

    /// Leaves a community of another node, or forgets one that never answered or refused us.
    pub(crate) async fn leave(&self, by: &Caller, id: CommunityId) -> Result<(), CommunityError> {
        let (room, by, own) = (self.clone(), by.name.clone(), self.platform().node.id);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let circle = circles::get(tx.sql(), id).await?;
                    let circle = circle
                        .ok_or_else(|| CommunityError::unknown("community", &id.to_string()))?;
                    let Some(leader) = circle.leader_peer else {
                        let text = format!("this node leads '{}'", circle.name);
                        return Err(CommunityError::conflict(text, "Dissolve it instead."));
                    };
                    if matches!(circle.state, State::Active | State::Joining) {
                        let key = format!("{LEAVE}:{id}:{}", tx.now().as_micros());
                        room.must_post(tx, leader, LEAVE, key, &About { community: id }).await?;
                    }
                    members::clear(tx.sql(), id).await?;
                    let left = Circle {
                        state: State::Left,
                        own_certificate: None,
                        asked: String::new(),
                        ..circle.clone()
                    };
                    match circle.state {
                        State::Active => circles::update(tx.sql(), &left, left.updated_us).await?,
                        _ => circles::remove(tx.sql(), id).await?,
                    }
                    room.note(tx, &by, "community_left", id, own).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// A community as it is known while its leader is asked.
fn asking(invitation: &Invitation, leader: &Peer, now: Timestamp) -> Circle {
    Circle {
        id: invitation.community,
        name: invitation.name.clone(),
        description: String::new(),
        max_tlp: Tlp::Clear,
        contribute: Contribute::Leader,
        roster: Roster::Leader,
        onward: false,
        leader_node: leader.node,
        leader_name: leader.name.clone(),
        leader_key: leader.signing_key.clone(),
        leader_peer: Some(leader.id),
        own_role: Some(invitation.role),
        own_certificate: None,
        asked: invitation::digest(&invitation.code),
        refusal: String::new(),
        chain: vec![],
        offer: None,
        state: State::Joining,
        version: 0,
        serial: 0,
        updated_us: now.as_micros(),
    }
}
