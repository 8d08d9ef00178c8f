//! What stands between this node and others: the communities both are in now, by certificates that hold.

use std::collections::BTreeSet;

use model::{CommunityId, PeerId};
use platform::db::DbError;
use platform::peers::Peer;
use sqlx::AnyConnection;

use crate::certificate::Role;
use crate::circle::{Circle, Contribute, Member};
use crate::room::Communities;
use crate::store::{circles, members};

impl Communities {
    /// The members of a community that count now.
    pub(crate) async fn valid_members(
        &self,
        sql: &mut AnyConnection,
        circle: &Circle,
    ) -> Result<Vec<Member>, DbError> {
        let now = self.platform().now();
        if !circle.holds(self.platform().node.id, now) {
            return Ok(vec![]);
        }
        let revoked = members::revoked(sql, circle.id, now.as_micros()).await?;
        let known = members::all(sql, circle.id).await?;
        Ok(known.into_iter().filter(|member| member.holds(circle, &revoked, now)).collect())
    }

    /// The communities that we and the peer are both in now.
    pub(crate) async fn shared_with(
        &self,
        sql: &mut AnyConnection,
        peer: &Peer,
    ) -> Result<BTreeSet<CommunityId>, DbError> {
        let (own, now) = (self.platform().node.id, self.platform().now());
        let mut shared = BTreeSet::new();
        for circle in circles::all(sql).await? {
            if !circle.holds(own, now) {
                continue;
            }
            let leads = circle.leader_peer == Some(peer.id)
                && circle.leader_key.eq_ignore_ascii_case(&peer.signing_key);
            if leads || self.membership(sql, &circle, peer).await?.is_some() {
                shared.insert(circle.id);
            }
        }
        Ok(shared)
    }

    /// What a peer may do in a community whose leader it is not; `None` when it is no member now.
    pub(crate) async fn membership(
        &self,
        sql: &mut AnyConnection,
        circle: &Circle,
        peer: &Peer,
    ) -> Result<Option<Role>, DbError> {
        let now = self.platform().now();
        let Some(member) = members::get(sql, circle.id, peer.node).await? else { return Ok(None) };
        let revoked = members::revoked(sql, circle.id, now.as_micros()).await?;
        let same_key = member.certificate.key.eq_ignore_ascii_case(&peer.signing_key);
        let holds = same_key && member.holds(circle, &revoked, now);
        Ok(holds.then_some(member.role))
    }

    /// The peers that get what is shared with a community.
    pub(crate) async fn recipients_of(
        &self,
        sql: &mut AnyConnection,
        circle: &Circle,
        peers: &[Peer],
    ) -> Result<Vec<PeerId>, DbError> {
        let (own, now) = (self.platform().node.id, self.platform().now());
        if !circle.holds(own, now) {
            return Ok(vec![]);
        }
        if let Some(leader) = circle.leader_peer {
            let known = peers.iter().any(|peer| {
                peer.id == leader && circle.leader_key.eq_ignore_ascii_case(&peer.signing_key)
            });
            return Ok(if known { vec![leader] } else { vec![] });
        }
        let valid = self.valid_members(sql, circle).await?;
        let of = |member: &Member| {
            peers.iter().find(|peer| {
                peer.node == member.node
                    && member.certificate.key.eq_ignore_ascii_case(&peer.signing_key)
            })
        };
        Ok(valid.iter().filter_map(of).map(|peer| peer.id).collect())
    }

    /// Whether a peer may send through a community.
    pub(crate) async fn sends(
        &self,
        sql: &mut AnyConnection,
        circle: &Circle,
        from: &Peer,
    ) -> Result<bool, DbError> {
        if !circle.holds(self.platform().node.id, self.platform().now()) {
            return Ok(false);
        }
        if let Some(leader) = circle.leader_peer {
            let same_key = circle.leader_key.eq_ignore_ascii_case(&from.signing_key);
            return Ok(leader == from.id && same_key);
        }
        let role = self.membership(sql, circle, from).await?;
        Ok(role == Some(Role::Contributor) && circle.contribute == Contribute::Members)
    }
}
