//! Certificates of membership: the leader's signed word that a node belongs to a community.

use model::{CommunityId, NodeId, Timestamp};
use ports::Signer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::signed;

/// The version of the form.
const VERSION: u32 = 1;
const CONTEXT: &str = "sereno community membership v1\n";

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Gets what is shared and may share.
    Contributor,
    /// Gets what is shared.
    Reader,
}

impl Role {
    /// The word of the API and the database.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Contributor => "contributor",
            Self::Reader => "reader",
        }
    }

    /// The role a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Contributor, Self::Reader].into_iter().find(|role| role.word() == word)
    }
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MembershipCertificate)]
pub struct Certificate {
    /// Of this form.
    pub version: u32,
    /// The community.
    #[schema(value_type = String)]
    pub community: CommunityId,
    /// The member's node.
    #[schema(value_type = String)]
    pub node: NodeId,
    /// The member's Ed25519 key, hex.
    pub key: String,
    /// What the member may do.
    pub role: Role,
    /// Rises with each certificate of the community; revoked by this number.
    pub serial: i64,
    /// Holds from here.
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    /// Holds until here.
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    /// The leader's node.
    #[schema(value_type = String)]
    pub leader: NodeId,
    /// The leader's Ed25519 key, hex.
    pub leader_key: String,
    /// The leader's signature, hex.
    pub signature: String,
}

/// Why a certificate does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A form this program does not know.
    #[error("the certificate has a version this program does not know")]
    Version,
    /// Somebody else signed it, or it was altered.
    #[error("the certificate is not signed by the community's leader")]
    Signature,
    /// It does not hold yet.
    #[error("the certificate does not hold yet")]
    Early,
    /// It held.
    #[error("the certificate has expired")]
    Expired,
}

impl Certificate {
    /// Signs a certificate; `draft` is one without signature.
    pub(crate) fn sign(signer: &dyn Signer, draft: Self) -> Self {
        let mut signed = Self { version: VERSION, ..draft };
        signed.leader_key = hex::encode(signer.public_key());
        signed.signature = signed::sign(signer, CONTEXT, &signed);
        signed
    }
}

/// Whether a certificate holds now by the word of the leader with this key (hex). Whether its serial was revoked is
/// for the reader of the list to say.
///
/// # Errors
/// Why it does not.
pub fn verify(
    certificate: &Certificate,
    leader_key: &str,
    now: Timestamp,
) -> Result<(), CertificateError> {
    if certificate.version != VERSION {
        return Err(CertificateError::Version);
    }
    let same_key = certificate.leader_key.eq_ignore_ascii_case(leader_key);
    if !same_key || !signed::verify(leader_key, CONTEXT, certificate, &certificate.signature) {
        return Err(CertificateError::Signature);
    }
    if now < certificate.not_before {
        return Err(CertificateError::Early);
    }
    if now >= certificate.not_after {
        return Err(CertificateError::Expired);
    }
    Ok(())
}
