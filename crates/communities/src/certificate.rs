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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ed25519_dalek::{Signer as _, SigningKey};
    use model::id::TypedId;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    struct Key(SigningKey);

    impl Signer for Key {
        fn public_key(&self) -> [u8; 32] {
            self.0.verifying_key().to_bytes()
        }
        fn sign(&self, message: &[u8]) -> [u8; 64] {
            self.0.sign(message).to_bytes()
        }
    }

    const AT: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn certificate() -> (Certificate, String) {
        let key = Key(SigningKey::from_bytes(&[1; 32]));
        let draft = Certificate {
            version: 0,
            community: CommunityId::mint(AT, [1; 10]),
            node: NodeId::mint(AT, [2; 10]),
            key: "a1".repeat(32),
            role: Role::Reader,
            serial: 7,
            not_before: AT,
            not_after: AT.plus_secs(100),
            leader: NodeId::mint(AT, [3; 10]),
            leader_key: String::new(),
            signature: String::new(),
        };
        let signed = Certificate::sign(&key, draft);
        let key = signed.leader_key.clone();
        (signed, key)
    }

    #[test]
    fn a_certificate_holds_from_its_beginning_to_its_end() {
        let (certificate, key) = certificate();
        let at = |seconds| verify(&certificate, &key, AT.plus_secs(seconds));
        assert_eq!(at(0), Ok(()));
        assert_eq!(at(99), Ok(()));
        assert_eq!(at(-1), Err(CertificateError::Early));
        assert_eq!(at(100), Err(CertificateError::Expired));
        let other = "11".repeat(32);
        assert_eq!(verify(&certificate, &other, AT), Err(CertificateError::Signature));
    }

    /// Another value of the same form.
    fn altered(value: &Value, by: u8) -> Value {
        match value {
            Value::Number(number) => json!(number.as_i64().unwrap() + 1 + i64::from(by)),
            Value::String(text) => match text.as_str() {
                "reader" => json!("contributor"),
                text => {
                    // A digit that stands in every id, key, time and signature, made another.
                    let digits: Vec<usize> = text
                        .match_indices(|c: char| c.is_ascii_digit())
                        .map(|(at, _)| at)
                        .collect();
                    let at = digits[usize::from(by) % digits.len()];
                    let digit = (text.as_bytes()[at] - b'0' + 1) % 10;
                    json!(format!("{}{digit}{}", &text[..at], &text[at + 1..]))
                }
            },
            other => other.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_of_a_certificate_can_be_altered(which in 0..11_usize, by in any::<u8>()) {
            let (certificate, key) = certificate();
            let mut value = serde_json::to_value(&certificate).unwrap();
            let name = value.as_object().unwrap().keys().nth(which).unwrap().clone();
            let new = altered(&value[&name], by);
            prop_assume!(new != value[&name]);
            value[&name] = new;
            if let Ok(forged) = serde_json::from_value::<Certificate>(value) {
                prop_assert!(verify(&forged, &key, AT).is_err(), "{}", name);
                prop_assert!(forged != certificate);
            }
        }
    }
}
