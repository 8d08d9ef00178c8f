//! What may leave this node, to whom, and in which form. `communities` decides; `federation` asks before each object leaves,
//! and once more when it really goes: in between a member may have been expelled.

use async_trait::async_trait;
use model::{CommunityId, PeerId, ShareDecision, Tlp};
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

    /// What a source of the store is, by its key and kind. What is not known is not taken for our own word.
    #[must_use]
    pub fn of_source(key: &str, kind: &str) -> Self {
        let begins = |prefix: &str| key.starts_with(prefix);
        match kind {
            _ if begins("peer:") => Self::Peer,
            "peer" => Self::Peer,
            "person" if begins("sender:") => Self::Taxii,
            "own" | "person" => Self::Own,
            "taxii" => Self::Taxii,
            "misp" => Self::Misp,
            _ if begins("misp:") => Self::Misp,
            "import" => Self::Import,
            _ => Self::Feed,
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
    /// The peer it came from; `None` when it was first said here.
    pub from: Option<PeerId>,
    /// The community it came through, if any.
    pub through: Option<CommunityId>,
    /// Whose word it is.
    pub said: Said,
    /// What its source is called.
    pub source: String,
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
    /// Judges objects for one recipient, sent through a community or directly; one answer each, in their order.
    async fn judge(
        &self,
        to: PeerId,
        through: Option<CommunityId>,
        objects: &[Candidate],
    ) -> Result<Vec<Disclosed>, PortError>;

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
    /// The peer that brought it; `None` when it was first said here.
    pub from: Option<PeerId>,
    /// The community it came through, if any.
    pub through: Option<CommunityId>,
}

/// Knows where objects came from, so that a preview judges them as the sharing would.
#[async_trait]
pub trait Provenance: Send + Sync {
    /// The origins of objects by their STIX ids, in their order; `None` where it is not known here.
    async fn origins(&self, objects: &[String]) -> Result<Vec<Option<Origin>>, PortError>;
}
