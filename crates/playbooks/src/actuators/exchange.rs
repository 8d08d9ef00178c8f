//! Actuator `exchange`: tells other organisations, as far as the sharing policy allows.

use std::sync::Arc;

use async_trait::async_trait;
use model::{IncidentId, Outcome};
use platform::peers::PeerDirectory;
use ports::{Actuator, ActuatorCommand, Exchange, PortError, SharePreview};
use serde_json::{Value, json};

/// Recipients of one command.
pub const MAX_RECIPIENTS: usize = 50;

/// Shares incidents.
pub struct Sharing {
    /// Decides, signs, delivers.
    pub exchange: Arc<dyn Exchange>,
    /// Knows what kind of organisation a peer is.
    pub peers: Arc<dyn PeerDirectory>,
}

#[async_trait]
impl Actuator for Sharing {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("share", "shares an incident (incident, peers: a kind such as cert, a name, or all)")]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "share" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let text = |name: &str| {
            command.arguments.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default()
        };
        let incident: IncidentId = match text("incident") {
            "" => command.incident.ok_or_else(|| {
                PortError::Invalid("name the incident to share in 'incident'".into())
            })?,
            id => id
                .parse()
                .map_err(|_| PortError::Invalid(format!("'{id}' is no id of an incident")))?,
        };
        let wanted = if text("peers").is_empty() { "cert" } else { text("peers") };
        let recipients = self.recipients(incident, wanted).await?;
        if recipients.is_empty() {
            return Ok(Outcome::NotEnforced {
                reason: format!(
                    "this node is connected to no organisation of the kind or name '{wanted}'; \
                     connect one with `sereno peer invite`"
                ),
                data: Value::Null,
            });
        }
        let (mut told, mut denied, mut shares) = (Vec::new(), Vec::new(), Vec::new());
        for peer in recipients {
            // A denied share is asked for as well: the decision and its reason are recorded.
            let key = format!("{}/{}", command.key, peer.peer);
            let actor = format!("playbook run {}", command.run);
            let share = self.exchange.share(incident, peer.peer, &actor, &key).await?;
            shares.push(json!({ "share": share, "peer": peer.peer, "peer_name": peer.peer_name,
                "allowed": peer.decision.allowed, "reason": peer.decision.reason }));
            let said = format!("{} ({})", peer.peer_name, peer.decision.reason);
            if peer.decision.allowed { told.push(said) } else { denied.push(said) }
        }
        let data = json!({ "incident": incident, "shares": shares });
        if told.is_empty() {
            let reason = format!("the sharing policy denies it: {}", denied.join("; "));
            return Ok(Outcome::NotEnforced { reason, data });
        }
        let mut summary = format!("on its way to {}", told.join("; "));
        if !denied.is_empty() {
            summary.push_str(&format!("; denied: {}", denied.join("; ")));
        }
        Ok(Outcome::Done { summary, data })
    }
}

impl Sharing {
    async fn recipients(
        &self,
        incident: IncidentId,
        wanted: &str,
    ) -> Result<Vec<SharePreview>, PortError> {
        let known = self.peers.peers().await?;
        let fits = |preview: &SharePreview| {
            let kind = known.iter().find(|peer| peer.id == preview.peer).map(|p| p.kind.as_str());
            wanted == "all"
                || kind == Some(wanted)
                || preview.peer_name == wanted
                || preview.peer.to_string() == wanted
        };
        let mut previews = self.exchange.preview(incident).await?;
        previews.retain(fits);
        if previews.len() > MAX_RECIPIENTS {
            return Err(PortError::Invalid(format!(
                "{} recipients; one command tells at most {MAX_RECIPIENTS}",
                previews.len()
            )));
        }
        Ok(previews)
    }
}
