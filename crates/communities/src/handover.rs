//! Hand-overs of leadership: the leader's signed word that another member leads from now on. Their chain goes back to the
//! node that made the community, so that a member can follow it from the last leader it knew.

use model::{CommunityId, NodeId, Timestamp};
use ports::Signer;
use serde::{Deserialize, Serialize};

use crate::circle::Circle;
use crate::signed;

/// The version of the form.
const VERSION: u32 = 1;
const CONTEXT: &str = "sereno community handover v1\n";
/// Hand-overs of a community at most: its chain travels in every letter about it.
pub(crate) const MAX_HANDOVERS: usize = 100;

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handover {
    /// Of this form.
    pub(crate) version: u32,
    pub(crate) community: CommunityId,
    /// Its place in the chain, from 1.
    pub(crate) number: usize,
    /// Who led.
    pub(crate) from: NodeId,
    /// Its Ed25519 key, hex.
    pub(crate) from_key: String,
    /// Who leads from now on.
    pub(crate) to: NodeId,
    /// Its Ed25519 key, hex.
    pub(crate) to_key: String,
    /// It may be accepted until here.
    pub(crate) expires_at: Timestamp,
    /// The signature of who led, hex.
    pub(crate) signature: String,
}

impl Handover {
    /// Signs a hand-over; `draft` is one without signature.
    pub(crate) fn sign(signer: &dyn Signer, draft: Self) -> Self {
        let mut signed = Self { version: VERSION, ..draft };
        signed.from_key = hex::encode(signer.public_key());
        signed.signature = signed::sign(signer, CONTEXT, &signed);
        signed
    }

    /// Whether who led signed it.
    pub(crate) fn is_sound(&self) -> bool {
        self.version == VERSION && signed::verify(&self.from_key, CONTEXT, self, &self.signature)
    }

    /// Whether it names this node with this key as the one who leads.
    pub(crate) fn names(&self, node: NodeId, key: &str) -> bool {
        self.to == node && self.to_key.eq_ignore_ascii_case(key)
    }

    /// Whether this node with this key said it.
    pub(crate) fn is_by(&self, node: NodeId, key: &str) -> bool {
        self.from == node && self.from_key.eq_ignore_ascii_case(key)
    }
}

/// Whether a chain of hand-overs leads from the leader that is known of a community to this node with this key.
///
/// # Errors
/// One sentence that says what is wrong with it.
pub(crate) fn follow(
    circle: &Circle,
    chain: &[Handover],
    (node, key): (NodeId, &str),
) -> Result<(), &'static str> {
    if chain.len() > MAX_HANDOVERS {
        return Err("the leadership was handed over too often");
    }
    let Some(last) = chain.last().filter(|last| last.names(node, key)) else {
        return Err("the last hand-over names another leader");
    };
    for (at, one) in chain.iter().enumerate() {
        let links = chain.get(at + 1).is_none_or(|next| next.is_by(one.to, &one.to_key));
        if one.number != at + 1 || one.community != circle.id || !links || !one.is_sound() {
            return Err("a hand-over in the chain does not hold");
        }
    }
    let known = circle.chain.len();
    // Who leads already may tell the whole history to one that knows none of it.
    let leads = circle.leader_node == node && circle.leader_key.eq_ignore_ascii_case(key);
    if leads && known == 0 {
        return Ok(());
    }
    if chain.get(..known) != Some(circle.chain.as_slice()) {
        return Err("the chain of hand-overs is not the one that is known here");
    }
    let by_known = |next: &Handover| next.is_by(circle.leader_node, &circle.leader_key);
    if leads && chain.len() == known && last.names(node, key) {
        return Ok(());
    }
    match chain.get(known) {
        Some(next) if by_known(next) => Ok(()),
        _ => Err("the leader that is known here did not hand over"),
    }
}
