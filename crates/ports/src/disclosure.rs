//! What may leave this node, to whom, and in which form. `communities` decides; every way out asks before each object
//! leaves, and once more when it really goes: in between a member may have been expelled.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use model::{CommunityId, OrganisationId, PeerId, ShareDecision, Tlp};
use serde_json::Value;

use crate::PortError;

/// By which way the word about an object came here first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Said {
    /// This organisation said it.
    #[default]
    Own,
    /// A feed, or a knowledge base.
    Feed,
    /// A file that somebody brought under a name of its own.
    Import,
    /// Another node.
    Peer,
    /// A MISP server, or an organisation whose events came over MISP.
    Misp,
    /// A TAXII server that is asked, or a TAXII client that is no node.
    Taxii,
}

impl Said {
    /// All of them with their words.
    pub const ALL: [(Self, &str); 6] = [
        (Self::Own, "own"),
        (Self::Feed, "feed"),
        (Self::Import, "import"),
        (Self::Peer, "peer"),
        (Self::Misp, "misp"),
        (Self::Taxii, "taxii"),
    ];

    /// The word of policies.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(said, _)| *said == self).map_or("", |(_, word)| word)
    }

    /// What a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == word).map(|(said, _)| said)
    }

    /// The way of an object that somebody else brought.
    #[must_use]
    pub fn of_bringer(bringer: Recipient) -> Self {
        match bringer {
            Recipient::Peer(_) => Self::Peer,
            Recipient::Organisation(_) | Recipient::Unnamed => Self::Taxii,
        }
    }

    /// What a source of the store is, by its key and kind. What is not known is not taken for our own word.
    #[must_use]
    pub fn of_source(key: &str, kind: &str) -> Self {
        let begins = |prefix: &str| key.starts_with(prefix);
        match kind {
            _ if begins("peer:") => Self::Peer,
            _ if begins("organisation:") => Self::Taxii,
            "peer" => Self::Peer,
            "own" | "person" => Self::Own,
            "taxii" => Self::Taxii,
            "misp" => Self::Misp,
            _ if begins("misp:") => Self::Misp,
            "import" => Self::Import,
            _ => Self::Feed,
        }
    }
}

/// Who would receive something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// An organisation with a node that we exchange with.
    Peer(PeerId),
    /// An organisation without a node.
    Organisation(OrganisationId),
    /// Somebody of whom nothing is known: an organisation of kind `other` without a name.
    Unnamed,
}

impl From<PeerId> for Recipient {
    fn from(peer: PeerId) -> Self {
        Self::Peer(peer)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(peer) => write!(f, "peer:{peer}"),
            Self::Organisation(id) => write!(f, "organisation:{id}"),
            Self::Unnamed => f.write_str("unnamed"),
        }
    }
}

impl FromStr for Recipient {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' names no recipient");
        match text.split_once(':') {
            None if text == "unnamed" => Ok(Self::Unnamed),
            Some(("peer", id)) => id.parse().map(Self::Peer).map_err(|_| wrong()),
            Some(("organisation", id)) => id.parse().map(Self::Organisation).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// How what is shared is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// To the recipient itself, by name.
    Named,
    /// To a community.
    Through(CommunityId),
    /// To whoever may read it, like what stands in a collection that is open to many.
    Open,
}

impl Address {
    /// To a community, or without one by name.
    #[must_use]
    pub const fn through(community: Option<CommunityId>) -> Self {
        match community {
            Some(id) => Self::Through(id),
            None => Self::Named,
        }
    }
}

/// An object that somebody wants to hand on.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The STIX object, as it is known here.
    pub object: Value,
    /// The label that holds here: at least what the object itself says.
    pub tlp: Tlp,
    /// Who brought it; `None` when it was first said here.
    pub from: Option<Recipient>,
    /// The community it came through, if any.
    pub through: Option<CommunityId>,
    /// Whose word it is.
    pub said: Said,
    /// What its source is called.
    pub source: String,
}

/// A version that the store of what is known holds; how it came here is looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The STIX object.
    pub object: Value,
    /// The label that holds here.
    pub tlp: Tlp,
    /// Number of the source that said this version first.
    pub source: i64,
}

/// A change made on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// The rule that asked for it.
    pub rule: String,
    /// Where, as a JSON pointer.
    pub place: String,
}

/// The answer about one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Disclosed {
    /// May it go, and why (not). The reason is for people on this node only.
    pub decision: ShareDecision,
    /// The object as it leaves; `None` when it stays.
    pub object: Option<Value>,
    /// What was changed in it.
    pub redactions: Vec<Redaction>,
}

/// Decides about objects on their way out.
#[async_trait]
pub trait Disclosure: Send + Sync {
    /// Judges objects for one recipient; one answer each, in their order.
    async fn judge(
        &self,
        to: Recipient,
        address: Address,
        objects: &[Candidate],
    ) -> Result<Vec<Disclosed>, PortError>;

    /// As [`Self::judge`], of what the store holds.
    async fn judge_known(
        &self,
        to: Recipient,
        address: Address,
        objects: &[Known],
    ) -> Result<Vec<Disclosed>, PortError>;

    /// What the rules of redaction for texts make of values that are no STIX objects: those for every type, and those that
    /// stand with the value. Each with the ids of the rules that changed it; a value that could not be done is `null`.
    async fn rewrite(
        &self,
        to: Recipient,
        values: &[(Value, BTreeSet<String>)],
    ) -> Result<Vec<(Value, BTreeSet<String>)>, PortError>;

    /// Whether an object may leave for a recipient under another id than it has here.
    async fn renames(&self, to: Recipient) -> Result<bool, PortError>;

    /// The names under which pseudonyms of IPv4 and of IPv6 addresses are made for a recipient, so that one who hides
    /// addresses before it asks gives the recipient the same ones.
    async fn pseudonym_names(&self, to: Recipient) -> Result<[String; 2], PortError>;

    /// The peers that get what is shared with a community: its members where this node leads it, else the node that does.
    async fn recipients(&self, community: CommunityId) -> Result<Vec<PeerId>, PortError>;

    /// The communities this node leads: what a member sends through them goes on to the others.
    async fn led(&self) -> Result<Vec<CommunityId>, PortError>;

    /// Whether a peer may send through a community: it is a member that may contribute, or leads it.
    async fn may_send(&self, from: PeerId, community: CommunityId) -> Result<bool, PortError>;
}

/// Where an object came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Who brought it; `None` when it was first said here.
    pub from: Option<Recipient>,
    /// The community it came through, if any.
    pub through: Option<CommunityId>,
}

/// Knows where objects came from, so that a preview judges them as the sharing would.
#[async_trait]
pub trait Provenance: Send + Sync {
    /// The origins of objects by their STIX ids, in their order; `None` where it is not known here.
    async fn origins(&self, objects: &[String]) -> Result<Vec<Option<Origin>>, PortError>;
}

/// An organisation as others name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Who it is.
    pub recipient: Recipient,
    /// What people call it.
    pub name: String,
}

/// Knows the organisations that something may be for, with a node or without one.
#[async_trait]
pub trait Organisations: Send + Sync {
    /// The organisation of this name or id; a name that several have is refused.
    async fn organisation(&self, name: &str) -> Result<Named, PortError>;

    /// What a recipient is called; `None` when it is not known any more.
    async fn name_of(&self, recipient: Recipient) -> Result<Option<String>, PortError>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use model::id::TypedId;

    #[test]
    fn recipients_survive_text() {
        let (at, random) = (model::Timestamp::from_micros(1), [7; 10]);
        for recipient in [
            Recipient::Peer(PeerId::mint(at, random)),
            Recipient::Organisation(OrganisationId::mint(at, random)),
            Recipient::Unnamed,
        ] {
            assert_eq!(recipient.to_string().parse(), Ok(recipient));
        }
        for wrong in
            ["", "peer", "peer:x", "organisation:", "city:01890a5d-ac96-774b-bcce-b302099a8057"]
        {
            assert!(wrong.parse::<Recipient>().is_err(), "{wrong}");
        }
    }
}
