//! Invitations: a file the leader signs for one node, good for one use.

use model::{CommunityId, NodeId, Timestamp};
use ports::Signer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::certificate::Role;
use crate::signed;

/// The version of the form.
const VERSION: u32 = 1;
const CONTEXT: &str = "sereno community invitation v1\n";
/// Largest invitation read, bytes.
pub const MAX_INVITATION_BYTES: u64 = 16 << 10;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CommunityInvitation)]
pub struct Invitation {
    /// Of this form.
    pub version: u32,
    /// The community.
    #[schema(value_type = String)]
    pub community: CommunityId,
    /// Its name.
    pub name: String,
    /// The leader's node.
    #[schema(value_type = String)]
    pub leader: NodeId,
    /// The leader's Ed25519 key, hex.
    pub leader_key: String,
    /// The invited node.
    #[schema(value_type = String)]
    pub node: NodeId,
    /// What it may do.
    pub role: Role,
    /// Holds until here.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Opens the door once.
    pub code: String,
    /// The leader's signature, hex.
    pub signature: String,
}

impl Invitation {
    /// Signs an invitation; `draft` is one without signature.
    pub(crate) fn sign(signer: &dyn Signer, draft: Self) -> Self {
        let mut signed = Self { version: VERSION, ..draft };
        signed.leader_key = hex::encode(signer.public_key());
        signed.signature = signed::sign(signer, CONTEXT, &signed);
        signed
    }

    /// Whether the node `own` may use it now, by the word of the leader's key (hex) that we know.
    ///
    /// # Errors
    /// One sentence that says what is wrong with it.
    pub fn check(&self, own: NodeId, leader_key: &str, now: Timestamp) -> Result<(), &'static str> {
        if self.version != VERSION {
            return Err("its version is not the one this program knows");
        }
        let same_key = self.leader_key.eq_ignore_ascii_case(leader_key);
        if !same_key || !signed::verify(leader_key, CONTEXT, self, &self.signature) {
            return Err("it is not signed by the node that it names as leader");
        }
        if self.node != own {
            return Err("it is for another node");
        }
        if self.expires_at <= now {
            return Err("it has expired; ask for a new one");
        }
        Ok(())
    }
}

/// The digest under which a code is known.
pub(crate) fn digest(code: &str) -> String {
    hex::encode(Sha256::digest(code.as_bytes()))
}
