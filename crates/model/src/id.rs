//! Typed identifiers: UUIDv7 in wrappers, so that a run is never mistaken for an incident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

/// Implemented by every typed identifier; minted from a time and ten random bytes.
pub trait TypedId: Sized {
    /// Wraps a UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID inside.
    fn uuid(&self) -> Uuid;
    /// A UUIDv7 (RFC 9562 §5.7) from a wall time and ten random bytes.
    fn mint(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl TypedId for $name {
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(&self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.hyphenated().fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }
    )+};
}

typed_id! {
    /// One installation of Sereno: one organisation, one data folder.
    NodeId;
    /// A probe or gateway at the edge.
    EdgeId;
    /// A protected thing, stable across changes of address.
    DeviceId;
    /// A judgement of a detector about a device.
    FindingId;
    /// Findings that belong together.
    IncidentId;
    /// A stored playbook.
    PlaybookId;
    /// One execution of a playbook.
    RunId;
    /// One reason for a playbook to start by itself.
    TriggerId;
    /// A run that waits for people to say yes.
    ProposalId;
    /// One command to one actuator.
    ActionId;
    /// One decision to hand an object to one recipient.
    ShareId;
    /// Another node we exchange with.
    PeerId;
    /// One fact on the bus.
    EventId;
    /// A person with an account.
    UserId;
    /// An API token.
    TokenId;
    /// A client certificate of this node's authority.
    CertificateId;
    /// A background job.
    JobId;
    /// A detector's trained model.
    ModelId;
    /// Findings of one device, peer and technique near in time.
    GroupId;
    /// A person's word that something is normal for a device.
    SuppressionId;
    /// Organisations that trust each other with some of what they know.
    CommunityId;
    /// An organisation that has no node of its own.
    OrganisationId;
    /// One message from node to node.
    LetterId;
    /// A page of the console as somebody keeps it.
    ViewId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_text() {
        let early = FindingId::mint(Timestamp::from_micros(1_000_000), [0xff; 10]);
        let late = FindingId::mint(Timestamp::from_micros(2_000_000), [0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string().parse::<FindingId>().ok(), Some(early));
        assert_eq!(early.uuid().get_version_num(), 7);
    }
}
