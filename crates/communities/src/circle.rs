//! Communities and their members, and who counts as one now.

use std::collections::BTreeSet;

use model::{CommunityId, NodeId, PeerId, Timestamp, Tlp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::certificate::{Certificate, Role, verify};
use crate::handover::Handover;
use crate::lead::Lead;

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ }) => {
        impl $name {
            /// The word of the API and the database.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// What a word names.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|known| known.word() == word)
            }
        }
    };
}

/// Who may share with a community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Contribute {
    /// The leader and every contributor.
    Members,
    /// The leader alone.
    Leader,
}
words!(Contribute { Members = "members", Leader = "leader" });

/// Who is told who the members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Roster {
    /// Every member.
    Members,
    /// The leader alone: members know of the leader and themselves.
    Leader,
}
words!(Roster { Members = "members", Leader = "leader" });

/// Where a community, or a member of one, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MembershipState)]
pub enum State {
    /// We asked to join; the leader has not answered.
    Joining,
    /// We asked to join; the leader said no.
    Refused,
    /// It counts.
    Active,
    /// The member left.
    Left,
    /// The leader put the member out.
    Expelled,
    /// The leader ended the community.
    Dissolved,
}
words!(State {
    Joining = "joining",
    Refused = "refused",
    Active = "active",
    Left = "left",
    Expelled = "expelled",
    Dissolved = "dissolved"
});

/// A community as it is known here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Circle {
    pub(crate) id: CommunityId,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Nothing marked above it is shared through the community.
    pub(crate) max_tlp: Tlp,
    pub(crate) contribute: Contribute,
    pub(crate) roster: Roster,
    /// Whether what came through it may go elsewhere as far as its label allows.
    pub(crate) onward: bool,
    pub(crate) leader_node: NodeId,
    pub(crate) leader_name: String,
    pub(crate) leader_key: String,
    /// Our id of the leader; `None` where this node leads.
    pub(crate) leader_peer: Option<PeerId>,
    /// What we may do; `None` where this node leads.
    pub(crate) own_role: Option<Role>,
    pub(crate) own_certificate: Option<Certificate>,
    /// Digest of the invitation we asked to join by and have no answer to; else empty.
    pub(crate) asked: String,
    /// Why the leader did not let us in the last time we asked; else empty.
    pub(crate) refusal: String,
    /// Hand-overs of the leadership so far, the first first.
    pub(crate) chain: Vec<Handover>,
    /// A hand-over on its way: made here, or to us.
    pub(crate) offer: Option<Lead>,
    pub(crate) state: State,
    pub(crate) version: i64,
    pub(crate) serial: i64,
    pub(crate) updated_us: i64,
}

impl Circle {
    /// Whether this node leads it.
    pub(crate) const fn led(&self) -> bool {
        self.leader_peer.is_none()
    }

    /// Whether we belong to it now: as its leader, or by a certificate that holds.
    pub(crate) fn holds(&self, own: NodeId, now: Timestamp) -> bool {
        self.state == State::Active
            && (self.led()
                || self.own_certificate.as_ref().is_some_and(|certificate| {
                    certificate.node == own
                        && certificate.community == self.id
                        && verify(certificate, &self.leader_key, now).is_ok()
                }))
    }

    /// Whether this node may share through it.
    pub(crate) fn may_share(&self) -> bool {
        self.led()
            || (self.own_role == Some(Role::Contributor) && self.contribute == Contribute::Members)
    }
}

/// A member.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) node: NodeId,
    /// Our id of it, where we exchange with it.
    pub(crate) peer: Option<PeerId>,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) state: State,
    pub(crate) certificate: Certificate,
    /// Digest of the invitation it came in by; known to the leader alone.
    pub(crate) invitation: String,
}

impl Member {
    /// Whether it counts now: not put out, with a certificate of this community's leader for it that holds.
    pub(crate) fn holds(&self, circle: &Circle, revoked: &BTreeSet<i64>, now: Timestamp) -> bool {
        self.state == State::Active
            && self.certificate.node == self.node
            && self.certificate.community == circle.id
            && self.certificate.role == self.role
            && !revoked.contains(&self.certificate.serial)
            && verify(&self.certificate, &circle.leader_key, now).is_ok()
    }
}
