//! What may leave this node, to whom, and in which form. `communities` decides; `federation` asks before each object leaves,
//! and once more when it really goes: in between a member may have been expelled.

use async_trait::async_trait;
use model::{CommunityId, PeerId, ShareDecision, Tlp};
use serde_json::Value;

use crate::PortError;

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
