//! Letters between a community's leader and its members. Only the leader tells who is in it and what holds there;
//! only a member itself joins and leaves. To everybody else a community does not exist: letters about one that is not
//! theirs are refused with one and the same text.

use async_trait::async_trait;
use model::{CommunityId, NodeId, Tlp};
use platform::courier::{Correspondent, Letter};
use platform::db::{DbError, Tx};
use platform::peers::Peer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::certificate::{Certificate, CertificateError, Role, verify};
use crate::circle::{Circle, Contribute, Member, Roster, State};
use crate::invitation;
use crate::lead::{LEAD, LEAD_DECLINED, LED, Led};
use crate::members::{MAX_MEMBERS, checked_text};
use crate::room::Communities;
use crate::store::{circles, invitations, members};

pub(crate) const JOIN: &str = "communities.join";
pub(crate) const MEMBERSHIP: &str = "communities.membership";
pub(crate) const LEAVE: &str = "communities.leave";
pub(crate) const EXPELLED: &str = "communities.expelled";
pub(crate) const DISSOLVED: &str = "communities.dissolved";

/// The one answer to whoever has no part in what a letter speaks of.
pub(crate) const NOT_BETWEEN_US: &str = "no such community stands between us";
/// Serials of certificates told as revoked at most; older ones have ended.
const MAX_REVOKED: usize = 5_000;

/// Asks to be let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {
    pub(crate) community: CommunityId,
    pub(crate) code: String,
}

/// Speaks of a community alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) community: CommunityId,
}

/// Ends the membership that came of an invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expelled {
    pub(crate) community: CommunityId,
    /// Digest of the invitation's code.
    pub(crate) invitation: String,
}

/// Tells a member its certificate, the rules and who else belongs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Membership {
    pub(crate) community: CommunityId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) max_tlp: Tlp,
    pub(crate) contribute: Contribute,
    pub(crate) roster: Roster,
    pub(crate) onward: bool,
    /// Rises with each change.
    pub(crate) version: i64,
    pub(crate) certificate: Certificate,
    /// Digest of the code of the invitation by which the member is in.
    pub(crate) invitation: String,
    pub(crate) members: Vec<Listed>,
    pub(crate) revoked: Vec<i64>,
}

/// Another member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) organisation: String,
    pub(crate) node: NodeId,
    pub(crate) role: Role,
    pub(crate) certificate: Certificate,
}

/// Refused for good with this reason.
pub(crate) type Taken = Result<Result<(), String>, DbError>;

pub(crate) fn refused(reason: &str) -> Taken {
    Ok(Err(reason.to_owned()))
}

impl Communities {
    /// Posts a letter; false when too many wait for that node, which must not keep others from what is to be changed.
    /// Without a way to other nodes nothing can be told, and the change is not made.
    pub(crate) async fn post(
        &self,
        tx: &mut Tx,
        to: model::PeerId,
        kind: &str,
        key: String,
        body: &(impl Serialize + Sync),
    ) -> Result<bool, DbError> {
        let courier = self.courier().ok_or_else(|| {
            DbError::corrupt("communities letters", "this program carries no letters between nodes")
        })?;
        let body = serde_json::to_value(body)
            .map_err(|cause| DbError::corrupt("communities letters", cause))?;
        match courier.post(tx, Letter { to, kind: kind.to_owned(), key, body }).await {
            Ok(_) => Ok(true),
            Err(DbError::QueueFull(cause)) => {
                tracing::warn!(cause, kind, peer = %to, "a member is told later");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells every member how the community stands; the caller has changed it. `circle.version` rises.
    pub(crate) async fn tell_all(&self, tx: &mut Tx, circle: &mut Circle) -> Result<(), DbError> {
        circle.version += 1;
        let now_us = tx.now().as_micros();
        circles::update(tx.sql(), circle, now_us).await?;
        self.tell_members(tx, circle).await?;
        if !self.tell_offer(tx, circle).await? {
            tracing::warn!(community = %circle.id, "the next leader is not told what changed");
        }
        Ok(())
    }

    /// Tells every member that was not told this version.
    pub(crate) async fn tell_members(&self, tx: &mut Tx, circle: &Circle) -> Result<(), DbError> {
        let now_us = tx.now().as_micros();
        let revoked = members::revoked(tx.sql(), circle.id, now_us).await?;
        let revoked: Vec<i64> = revoked.into_iter().rev().take(MAX_REVOKED).collect();
        let told = members::versions_told(tx.sql(), circle.id).await?;
        let all = members::all(tx.sql(), circle.id).await?;
        let active: Vec<&Member> = all.iter().filter(|m| m.state == State::Active).collect();
        for member in &active {
            let Some(peer) = member.peer else { continue };
            if told.get(&member.node).is_some_and(|version| *version >= circle.version) {
                continue;
            }
            let body = membership(circle, member, &active, &revoked);
            let key = format!("{MEMBERSHIP}:{}:{}", circle.id, circle.version);
            let posted = match circle.chain.as_slice() {
                [] => self.post(tx, peer, MEMBERSHIP, key, &body).await?,
                // By what right this node leads is told each time: who was away follows the whole chain.
                chain => {
                    let led = Led { handovers: chain.to_vec(), membership: body };
                    self.post(tx, peer, LED, key, &led).await?
                }
            };
            if posted {
                members::told(tx.sql(), circle.id, member.node, circle.version).await?;
            }
        }
        Ok(())
    }

    /// Tells a member that its membership ended; noted where that must be done later.
    pub(crate) async fn tell_end(
        &self,
        tx: &mut Tx,
        circle: &Circle,
        member: &Member,
    ) -> Result<(), DbError> {
        let (Some(peer), id, serial) = (member.peer, circle.id, member.certificate.serial) else {
            return Ok(());
        };
        let posted = if circle.state == State::Dissolved {
            let about = About { community: id };
            self.post(tx, peer, DISSOLVED, format!("{DISSOLVED}:{id}:{serial}"), &about).await?
        } else {
            let letter = Expelled { community: id, invitation: member.invitation.clone() };
            self.post(tx, peer, EXPELLED, format!("{EXPELLED}:{id}:{serial}"), &letter).await?
        };
        let told = if posted { circle.version } else { -1 };
        members::told(tx.sql(), id, member.node, told).await
    }

    async fn take_join(&self, tx: &mut Tx, from: &Peer, letter: Join) -> Taken {
        let now = tx.now();
        let circle = circles::get(tx.sql(), letter.community).await?;
        let digest = invitation::digest(&letter.code);
        let invited = invitations::get(tx.sql(), &digest).await?;
        let (Some(mut circle), Some(invited)) = (circle, invited) else {
            return refused(NOT_BETWEEN_US);
        };
        let ours = circle.led() && circle.state == State::Active;
        let theirs = invited.community == circle.id && invited.node == from.node;
        let over = invited.expires_at <= now || invited.withdrawn_at.is_some();
        if !ours || !theirs || over {
            return refused(NOT_BETWEEN_US);
        }
        if circle.not_offered(now).is_err() {
            return refused(
                "the leadership of the community is being handed over; try again later",
            );
        }
        if !invitations::spend(tx.sql(), &digest, now.as_micros()).await? {
            // Only who is in by it may say it twice; a member that was put out does not come back by an old code.
            let known = members::get(tx.sql(), circle.id, from.node).await?;
            let inside = known.is_some_and(|member| member.state == State::Active);
            return if inside { Ok(Ok(())) } else { refused(NOT_BETWEEN_US) };
        }
        let held = members::all(tx.sql(), circle.id).await?;
        let held = held.iter().filter(|m| m.state == State::Active && m.node != from.node).count();
        if held >= MAX_MEMBERS {
            return refused("the community is full");
        }
        self.admit(tx, &mut circle, from, invited.role, &digest).await?;
        self.note(tx, &format!("peer:{}", from.id), "community_joined", circle.id, from.node)
            .await?;
        self.tell_all(tx, &mut circle).await?;
        Ok(Ok(()))
    }

    async fn take_membership(&self, tx: &mut Tx, from: &Peer, letter: Membership) -> Taken {
        match self.led_by(tx, from, letter.community).await? {
            Some(circle) => self.settle_membership(tx, from, circle, letter).await,
            None => refused(NOT_BETWEEN_US),
        }
    }

    /// Takes what the leader of a community tells of it.
    pub(crate) async fn settle_membership(
        &self,
        tx: &mut Tx,
        from: &Peer,
        mut circle: Circle,
        letter: Membership,
    ) -> Taken {
        // What is late changes nothing, and while we wait to be let in neither does what is about an earlier time.
        let earlier = circle.state == State::Joining && letter.invitation != circle.asked;
        if letter.version <= circle.version || earlier {
            return Ok(Ok(()));
        }
        if let Err(reason) = self.check_membership(&circle, &letter) {
            return Ok(Err(reason));
        }
        let now_us = tx.now().as_micros();
        circle.name = letter.name;
        circle.description = letter.description;
        circle.max_tlp = letter.max_tlp;
        circle.contribute = letter.contribute;
        circle.roster = letter.roster;
        circle.onward = letter.onward;
        circle.leader_name.clone_from(&from.name);
        circle.own_role = Some(letter.certificate.role);
        circle.own_certificate = Some(letter.certificate);
        circle.version = letter.version;
        if circle.state == State::Joining {
            let own = self.platform().node.id;
            self.note(tx, "system", "community_joined", circle.id, own).await?;
        }
        if letter.invitation == circle.asked {
            circle.asked.clear();
            circle.refusal.clear();
        }
        circle.state = State::Active;
        circles::update(tx.sql(), &circle, now_us).await?;
        members::clear(tx.sql(), circle.id).await?;
        for listed in letter.members {
            let member = Member {
                node: listed.node,
                peer: None,
                name: listed.organisation,
                role: listed.role,
                state: State::Active,
                certificate: listed.certificate,
                invitation: String::new(),
            };
            members::put(tx.sql(), circle.id, &member, now_us).await?;
        }
        for serial in letter.revoked {
            members::revoke(tx.sql(), circle.id, serial, i64::MAX).await?;
        }
        Ok(Ok(()))
    }

    /// Whether what the leader tells can be: bounded, and every certificate signed by it for this community.
    fn check_membership(&self, circle: &Circle, letter: &Membership) -> Result<(), String> {
        checked_text("the name", &letter.name, 1, crate::members::MAX_NAME)
            .and_then(|_| {
                let most = crate::members::MAX_DESCRIPTION;
                checked_text("the description", &letter.description, 0, most)
            })
            .map_err(|_| "the community's name or description is too long".to_owned())?;
        if letter.members.len() > MAX_MEMBERS || letter.revoked.len() > MAX_REVOKED {
            return Err(format!("more than {MAX_MEMBERS} members or {MAX_REVOKED} serials"));
        }
        let now = self.platform().now();
        let own_key = hex::encode(self.platform().signer.public_key());
        let sound = |certificate: &Certificate, node: NodeId, role: Role| {
            // One that has just ended only does not count; a forged one makes the whole letter a lie.
            let verified = verify(certificate, &circle.leader_key, now);
            certificate.community == circle.id
                && certificate.leader == circle.leader_node
                && certificate.node == node
                && certificate.role == role
                && matches!(verified, Ok(()) | Err(CertificateError::Expired))
        };
        let own = &letter.certificate;
        let holds = verify(own, &circle.leader_key, now).is_ok();
        let node = self.platform().node.id;
        if !holds || !sound(own, node, own.role) || own.key != own_key {
            return Err("the certificate is not for this node, or does not hold".into());
        }
        for listed in &letter.members {
            let named = checked_text("name", &listed.organisation, 1, crate::members::MAX_NAME);
            if named.is_err() || !sound(&listed.certificate, listed.node, listed.role) {
                return Err(format!("the certificate of member {} does not hold", listed.node));
            }
        }
        Ok(())
    }

    /// The community, if its leader wrote the letter and we are in it or asked to be.
    pub(crate) async fn led_by(
        &self,
        tx: &mut Tx,
        from: &Peer,
        community: CommunityId,
    ) -> Result<Option<Circle>, DbError> {
        let circle = circles::get(tx.sql(), community).await?;
        Ok(circle.filter(|circle| {
            circle.leader_peer == Some(from.id)
                && circle.leader_node == from.node
                && circle.leader_key.eq_ignore_ascii_case(&from.signing_key)
                && matches!(circle.state, State::Active | State::Joining)
        }))
    }

    async fn take_leave(&self, tx: &mut Tx, from: &Peer, letter: About) -> Taken {
        let circle = circles::get(tx.sql(), letter.community).await?;
        let Some(mut circle) = circle.filter(|c| c.led() && c.state == State::Active) else {
            return refused(NOT_BETWEEN_US);
        };
        let member = members::get(tx.sql(), circle.id, from.node).await?;
        let Some(member) = member.filter(|member| member.state == State::Active) else {
            return refused(NOT_BETWEEN_US);
        };
        self.put_out(tx, &mut circle, member, State::Left).await?;
        self.note(tx, &format!("peer:{}", from.id), "community_left", circle.id, from.node).await?;
        self.tell_all(tx, &mut circle).await?;
        Ok(Ok(()))
    }

    async fn take_expelled(&self, tx: &mut Tx, from: &Peer, letter: Expelled) -> Taken {
        let Some(circle) = self.led_by(tx, from, letter.community).await? else {
            return refused(NOT_BETWEEN_US);
        };
        // Who asked to be let in again waits for the answer to that.
        let asked = !circle.asked.is_empty() && circle.asked != letter.invitation;
        match (asked, circle.state) {
            (true, State::Joining) => Ok(Ok(())),
            (true, _) => self.end(tx, circle, State::Joining).await,
            (false, _) => self.end(tx, circle, State::Expelled).await,
        }
    }

    async fn take_dissolved(&self, tx: &mut Tx, from: &Peer, letter: About) -> Taken {
        match self.led_by(tx, from, letter.community).await? {
            Some(circle) => self.end(tx, circle, State::Dissolved).await,
            None => refused(NOT_BETWEEN_US),
        }
    }

    /// We are in a community no longer, and know nothing of its members any more.
    async fn end(&self, tx: &mut Tx, circle: Circle, state: State) -> Taken {
        let circle = Circle { state, own_certificate: None, ..circle };
        members::clear(tx.sql(), circle.id).await?;
        let now_us = tx.now().as_micros();
        circles::update(tx.sql(), &circle, now_us).await?;
        let what = format!("community_{}", state.word());
        self.note(tx, "system", &what, circle.id, self.platform().node.id).await?;
        Ok(Ok(()))
    }
}

/// What a member is told.
fn membership(circle: &Circle, member: &Member, active: &[&Member], revoked: &[i64]) -> Membership {
    let shown = circle.roster == Roster::Members;
    let others = active.iter().filter(|other| shown && other.node != member.node);
    let listed = others.map(|other| listed(other));
    Membership {
        community: circle.id,
        name: circle.name.clone(),
        description: circle.description.clone(),
        max_tlp: circle.max_tlp,
        contribute: circle.contribute,
        roster: circle.roster,
        onward: circle.onward,
        version: circle.version,
        certificate: member.certificate.clone(),
        invitation: member.invitation.clone(),
        members: listed.collect(),
        revoked: if shown { revoked.to_vec() } else { vec![] },
    }
}

/// A member as others are told of it.
pub(crate) fn listed(member: &Member) -> Listed {
    Listed {
        organisation: member.name.clone(),
        node: member.node,
        role: member.role,
        certificate: member.certificate.clone(),
    }
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, String> {
    serde_json::from_value(body.clone()).map_err(|_| "the letter cannot be read".to_owned())
}

macro_rules! read_or_refuse {
    ($body:expr) => {
        match read($body) {
            Ok(letter) => letter,
            Err(reason) => return Ok(Err(reason)),
        }
    };
}

#[async_trait]
impl Correspondent for Communities {
    fn kinds(&self) -> &'static [&'static str] {
        &[JOIN, MEMBERSHIP, LEAVE, EXPELLED, DISSOLVED, LEAD, LED, LEAD_DECLINED]
    }

    async fn take(
        &self,
        tx: &mut Tx,
        from: &Peer,
        kind: &str,
        body: &Value,
    ) -> Result<Result<(), String>, DbError> {
        match kind {
            JOIN => self.take_join(tx, from, read_or_refuse!(body)).await,
            MEMBERSHIP => self.take_membership(tx, from, read_or_refuse!(body)).await,
            LEAVE => self.take_leave(tx, from, read_or_refuse!(body)).await,
            EXPELLED => self.take_expelled(tx, from, read_or_refuse!(body)).await,
            LEAD => self.take_lead(tx, from, read_or_refuse!(body)).await,
            LED => self.take_led(tx, from, read_or_refuse!(body)).await,
            LEAD_DECLINED => self.take_declined(tx, from, read_or_refuse!(body)).await,
            DISSOLVED => self.take_dissolved(tx, from, read_or_refuse!(body)).await,
            _ => refused("this room takes no letters of this kind"),
        }
    }

    async fn answered(
        &self,
        tx: &mut Tx,
        by: &Peer,
        key: &str,
        refused: Option<&str>,
    ) -> Result<(), DbError> {
        match refused {
            Some(reason) if key.starts_with(JOIN) => self.join_answered(tx, by, key, reason).await,
            _ => Ok(()),
        }
    }
}
