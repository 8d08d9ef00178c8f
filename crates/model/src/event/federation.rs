//! Facts about what nodes hand each other.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::ShareId;

/// A letter of a peer was refused because it cannot be what it says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterRefused {
    /// The peer it came from.
    pub peer_name: String,
    /// Why.
    pub reason: String,
}
payload!(
    LetterRefused,
    "federation.letter_refused",
    |it| it.peer_name.clone(),
    format!("A letter of {} was refused: {}", it.peer_name, it.reason)
);

/// It was decided to hand objects on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectsShared {
    /// The share.
    pub share: ShareId,
    /// Recipients and objects that go, counted together.
    pub queued: u64,
    /// Recipients and objects that stay, counted together.
    pub withheld: u64,
    /// How many recipients get at least one object.
    pub recipients: u64,
}
payload!(
    ObjectsShared,
    "federation.objects_shared",
    |it| it.share.to_string(),
    format!(
        "Intelligence shared with {} recipient(s): {} on their way, {} withheld",
        it.recipients, it.queued, it.withheld
    )
);

/// A peer handed us objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectsReceived {
    /// The peer.
    pub peer_name: String,
    /// Objects that are known now.
    pub kept: u64,
    /// Versions kept beside what their author says.
    pub beside: u64,
    /// Objects that were refused.
    pub refused: u64,
}
payload!(
    ObjectsReceived,
    "federation.objects_received",
    |it| it.peer_name.clone(),
    format!(
        "{} shared intelligence with us: {} kept, {} beside another's word, {} refused",
        it.peer_name, it.kept, it.beside, it.refused
    )
);

/// Objects that were handed on are taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectsRetracted {
    /// The retraction.
    pub retraction: String,
    /// Whose word it is; `None` is this node's own.
    pub peer_name: Option<String>,
    /// Objects.
    pub objects: u64,
    /// Recipients that are told.
    pub recipients: u64,
}
payload!(
    ObjectsRetracted,
    "federation.objects_retracted",
    |it| it.retraction.clone(),
    format!(
        "{} object(s) retracted by {}, {} recipient(s) are told",
        it.objects,
        it.peer_name.as_deref().unwrap_or("this node"),
        it.recipients
    )
);

/// Something about communities, sharing policies or redaction was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommunityNoted {
    /// `community_made`, `member_expelled`, `sharing_policy_changed` …
    pub what: String,
    /// Who did it.
    pub who: String,
    /// Detail in one sentence; ids, no names.
    pub detail: String,
}
payload!(
    CommunityNoted,
    "communities.noted",
    |it| it.who.clone(),
    format!("{}: {} ({})", it.who, it.what.replace('_', " "), it.detail)
);
