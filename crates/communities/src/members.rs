//! What people do with communities: make them, change them. Each change and the letters that tell of it are one
//! transaction.

use model::event::CommunityNoted;
use model::{CommunityId, NodeId, Timestamp, Tlp};
use platform::db::{DbError, Tx};
use platform::http::Caller;
use platform::peers::Peer;

use crate::circle::{Circle, Contribute, Roster, State};
use crate::error::CommunityError;
use crate::leader::led;
use crate::room::Communities;
use crate::store::circles;

/// Members of a community at most: each change is told to each of them with all certificates.
pub(crate) const MAX_MEMBERS: usize = 200;
/// Communities known here at most.
pub(crate) const MAX_COMMUNITIES: usize = 500;
/// Characters of a name at most.
pub(crate) const MAX_NAME: usize = 120;
/// Characters of a description at most.
pub(crate) const MAX_DESCRIPTION: usize = 2_000;
/// A day, seconds.
pub(crate) const DAY_S: i64 = 86_400;

/// What may be said of a community; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) max_tlp: Option<Tlp>,
    pub(crate) contribute: Option<Contribute>,
    pub(crate) roster: Option<Roster>,
    pub(crate) onward: Option<bool>,
}

impl Terms {
    fn onto(self, circle: &mut Circle) -> Result<(), CommunityError> {
        if let Some(name) = self.name {
            circle.name = checked_text("name", &name, 1, MAX_NAME)?;
        }
        if let Some(description) = self.description {
            circle.description = checked_text("description", &description, 0, MAX_DESCRIPTION)?;
        }
        circle.max_tlp = self.max_tlp.unwrap_or(circle.max_tlp);
        circle.contribute = self.contribute.unwrap_or(circle.contribute);
        circle.roster = self.roster.unwrap_or(circle.roster);
        circle.onward = self.onward.unwrap_or(circle.onward);
        if circle.max_tlp == Tlp::Red {
            return Err(CommunityError::invalid(
                "max_tlp is TLP:RED, which is for named recipients and never for a community",
                "Choose TLP:AMBER+STRICT or less; share TLP:RED with one organisation by name.",
            ));
        }
        Ok(())
    }
}

/// A text within its bounds, without control characters but line breaks.
pub(crate) fn checked_text(
    what: &str,
    text: &str,
    least: usize,
    most: usize,
) -> Result<String, CommunityError> {
    let text = text.trim();
    let length = text.chars().count();
    let odd = text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if !(least..=most).contains(&length) || odd {
        return Err(CommunityError::invalid(
            format!("{what} has {length} characters; {least} to {most} may stand there"),
            "Shorten it, and leave out control characters.",
        ));
    }
    Ok(text.to_owned())
}

impl Communities {
    /// Makes a community that this node leads.
    pub(crate) async fn make(&self, by: &Caller, terms: Terms) -> Result<Circle, CommunityError> {
        let platform = self.platform();
        let mut circle = Circle {
            id: platform.mint(),
            name: String::new(),
            description: String::new(),
            max_tlp: Tlp::Amber,
            contribute: Contribute::Members,
            roster: Roster::Members,
            onward: true,
            leader_node: platform.node.id,
            leader_name: platform.node.name.clone(),
            leader_key: hex::encode(platform.signer.public_key()),
            leader_peer: None,
            own_role: None,
            own_certificate: None,
            asked: String::new(),
            refusal: String::new(),
            chain: vec![],
            offer: None,
            state: State::Active,
            version: 0,
            serial: 0,
            updated_us: platform.now().as_micros(),
        };
        Terms { name: Some(terms.name.clone().unwrap_or_default()), ..terms }.onto(&mut circle)?;
        let (room, by, made) = (self.clone(), by.name.clone(), circle.clone());
        platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    room.room_for_one(tx, &made.name, made.id).await?;
                    circles::insert(tx.sql(), &made).await?;
                    let own = made.leader_node;
                    room.note(tx, &by, "community_made", made.id, own).await?;
                    Ok::<_, CommunityError>(())
                })
            })
            .await?;
        Ok(circle)
    }

    /// Refuses a name that is taken among those led here, and one community too many.
    pub(crate) async fn room_for_one(
        &self,
        tx: &mut Tx,
        name: &str,
        id: CommunityId,
    ) -> Result<(), CommunityError> {
        let all = circles::all(tx.sql()).await?;
        if all.len() >= MAX_COMMUNITIES && !all.iter().any(|circle| circle.id == id) {
            return Err(CommunityError::conflict(
                format!("{MAX_COMMUNITIES} communities are known here, the limit"),
                "Dissolve or leave one that is no longer used.",
            ));
        }
        let same = |circle: &Circle| {
            circle.led() && circle.state == State::Active && circle.id != id && circle.name == name
        };
        if all.iter().any(same) {
            return Err(CommunityError::conflict(
                format!("this node leads a community '{name}' already"),
                "Choose another name.",
            ));
        }
        Ok(())
    }

    /// A community by id, whatever its state.
    pub(crate) async fn circle(&self, id: &str) -> Result<Circle, CommunityError> {
        let mut sql = self.platform().db.read().await?;
        let found = match id.parse() {
            Ok(id) => circles::get(&mut sql, id).await?,
            Err(_) => None,
        };
        found.ok_or_else(|| CommunityError::unknown("community", id))
    }

    /// Changes what holds in a community that this node leads.
    pub(crate) async fn change(
        &self,
        by: &Caller,
        id: CommunityId,
        terms: Terms,
    ) -> Result<Circle, CommunityError> {
        let (room, by) = (self.clone(), by.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut circle = led(tx, id).await?;
                    circle.not_offered(tx.now())?;
                    terms.onto(&mut circle)?;
                    room.room_for_one(tx, &circle.name, id).await?;
                    room.tell_all(tx, &mut circle).await?;
                    room.note(tx, &by, "community_changed", id, circle.leader_node).await?;
                    Ok(circle)
                })
            })
            .await
    }

    /// Posts a letter for a person, who reads why it cannot be.
    pub(crate) async fn must_post(
        &self,
        tx: &mut Tx,
        to: model::PeerId,
        kind: &str,
        key: String,
        body: &(impl serde::Serialize + Sync),
    ) -> Result<(), CommunityError> {
        if self.courier().is_none() {
            let text = "this program carries no letters between nodes";
            return Err(ports::PortError::Unavailable(text.into()).into());
        }
        if self.post(tx, to, kind, key, body).await? {
            return Ok(());
        }
        let text = "too many letters wait for that node; nothing was changed";
        Err(ports::PortError::Unavailable(text.into()).into())
    }

    /// Notes what changed. Ids alone: who reads the node's facts may be no member.
    pub(crate) async fn note(
        &self,
        tx: &mut Tx,
        actor: &str,
        what: &str,
        community: CommunityId,
        node: NodeId,
    ) -> Result<(), DbError> {
        let detail = format!("community {community}, node {node}");
        let note = CommunityNoted { what: what.into(), who: actor.into(), detail };
        tx.publish(actor, &note).await?;
        Ok(())
    }

    /// A peer by its node id or its organisation's name.
    pub(crate) async fn peer_named(&self, name: &str) -> Result<Peer, CommunityError> {
        named(&self.peers().peers().await?, name)
    }
}

/// The one of the peers with this node id, peer id or organisation's name.
pub(crate) fn named(peers: &[Peer], name: &str) -> Result<Peer, CommunityError> {
    let node: Option<NodeId> = name.parse().ok();
    let mut found = peers
        .iter()
        .filter(|peer| Some(peer.node) == node || peer.id.to_string() == name || peer.name == name);
    let first = found.next().ok_or_else(|| CommunityError::unknown("organisation", name))?;
    if found.next().is_some() {
        return Err(CommunityError::conflict(
            format!("several organisations are called '{}'", first.name),
            "Name it by the id that `sereno organisation list` shows.",
        ));
    }
    Ok(first.clone())
}

/// When something was last changed, for answers.
pub(crate) const fn at(us: i64) -> Timestamp {
    Timestamp::from_micros(us)
}
