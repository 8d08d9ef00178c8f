//! What may leave a node that is in no community: by label and kind of recipient alone.

use std::sync::Arc;

use async_trait::async_trait;
use model::{CommunityId, PeerId, ShareDecision, Tlp};
use platform::peers::PeerDirectory;
use ports::PortError;
use ports::disclosure::{Candidate, Disclosed, Disclosure};

/// Own words go up to TLP:AMBER to a CERT and up to TLP:GREEN to others; what others said goes on at TLP:CLEAR.
pub(super) struct ByLabel(pub(super) Arc<dyn PeerDirectory>);

fn decide(kind: &str, name: &str, candidate: &Candidate) -> ShareDecision {
    let (most, whose) = match (&candidate.from, kind) {
        (Some(_), _) => (Tlp::Clear, "what others said"),
        (None, "cert") => (Tlp::Amber, "own intelligence"),
        (None, _) => (Tlp::Green, "own intelligence"),
    };
    let (allowed, tlp) = (candidate.tlp <= most, candidate.tlp);
    let verb = if allowed { "may" } else { "may not" };
    ShareDecision {
        allowed,
        reason: format!("{whose} goes to {name} ({kind}) up to {most}; {tlp} {verb} go"),
        policies: vec!["by-label".into()],
    }
}

#[async_trait]
impl Disclosure for ByLabel {
    async fn judge(
        &self,
        to: PeerId,
        through: Option<CommunityId>,
        objects: &[Candidate],
    ) -> Result<Vec<Disclosed>, PortError> {
        let peer = self.0.peer(to).await?;
        let judge = |candidate: &Candidate| {
            let decision = match &peer {
                Some(peer) if through.is_none() => decide(&peer.kind, &peer.name, candidate),
                _ => ShareDecision {
                    allowed: false,
                    reason: "there is no such recipient".into(),
                    policies: vec![],
                },
            };
            let object = decision.allowed.then(|| candidate.object.clone());
            Disclosed { decision, object, redactions: vec![] }
        };
        Ok(objects.iter().map(judge).collect())
    }

    async fn recipients(&self, community: CommunityId) -> Result<Vec<PeerId>, PortError> {
        Err(PortError::NotFound(format!("community {community}")))
    }

    async fn led(&self) -> Result<Vec<CommunityId>, PortError> {
        Ok(vec![])
    }

    async fn may_send(&self, _: PeerId, _: CommunityId) -> Result<bool, PortError> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_kinds_decide() {
        let table = [
            ("cert", true, Tlp::Amber, true),
            ("cert", true, Tlp::AmberStrict, false),
            ("cert", false, Tlp::Clear, true),
            ("cert", false, Tlp::Green, false),
            ("operator", true, Tlp::Green, true),
            ("operator", true, Tlp::Amber, false),
            ("other", false, Tlp::Clear, true),
            ("other", true, Tlp::Red, false),
        ];
        for (kind, own, tlp, allowed) in table {
            let id: Option<PeerId> = "01890a5d-ac96-774b-bcce-b302099a8057".parse().ok();
            let from = id.filter(|_| !own);
            let candidate = Candidate { object: serde_json::json!({}), tlp, from, through: None };
            let decision = decide(kind, "Somebody", &candidate);
            assert_eq!(decision.allowed, allowed, "{kind} {own} {tlp}: {}", decision.reason);
        }
    }
}
