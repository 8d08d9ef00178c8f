//! What playbooks can command here: `intel lookup` and `exchange share`.

use async_trait::async_trait;
use model::{Outcome, PeerId, ShareState};
use platform::peers::Peer;
use ports::{Actuator, ActuatorCommand, IntelLookup, PortError};
use serde_json::{Value, json};

use crate::exchange;
use crate::room::Cti;

/// Values looked up by one command.
const MAX_VALUES: usize = 50;

fn argument<'a>(command: &'a ActuatorCommand, name: &str) -> Option<&'a str> {
    command.arguments.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Looks values up in the intelligence store.
pub(crate) struct Intel(pub(crate) Cti);

#[async_trait]
impl Actuator for Intel {
    fn name(&self) -> &'static str {
        "intel"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("lookup", "looks up `value`, one or several with commas between; unknown is an answer")]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "lookup" {
            return Err(PortError::Invalid(format!("intel knows no '{}'", command.verb)));
        }
        let Some(value) = argument(command, "value") else {
            return Err(PortError::Invalid("intel lookup needs the argument `value`".into()));
        };
        let mut answers = Vec::new();
        for value in value.split(',').map(str::trim).filter(|v| !v.is_empty()).take(MAX_VALUES) {
            answers.push(self.0.lookup(value).await?);
        }
        let summary = answers.iter().map(|a| format!("{}: {}", a.value, a.summary));
        let known = answers.iter().any(|answer| answer.known);
        Ok(Outcome::Done {
            summary: summary.collect::<Vec<_>>().join("; "),
            data: json!({ "known": known, "answers": answers }),
        })
    }
}

/// Shares an incident with peers.
pub(crate) struct ExchangeActuator(pub(crate) Cti);

#[async_trait]
impl Actuator for ExchangeActuator {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "share",
            "shares the run's incident with `peer`: an id, a name, or a kind such as `cert`",
        )]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "share" {
            return Err(PortError::Invalid(format!("exchange knows no '{}'", command.verb)));
        }
        let Some(incident) = command.incident else {
            return Err(PortError::Invalid("exchange share needs a run with an incident".into()));
        };
        let wanted = argument(command, "peer").unwrap_or("cert");
        let peers = self.matching(wanted).await?;
        if peers.is_empty() {
            let reason = format!("no peer is called '{wanted}' or is of that kind");
            return Ok(Outcome::Failed { reason, retry: false });
        }
        let actor = format!("playbook:{}", command.run);
        let mut lines = Vec::new();
        let mut denied = Vec::new();
        let mut data = Vec::new();
        for peer in peers {
            let key = format!("{}/{}", command.key, peer.id);
            let share = exchange::prepare(&self.0, incident, peer.id, &actor, &key).await?;
            let reason = &share.decision.reason;
            match share.state {
                ShareState::Denied => denied.push(format!("{}: {reason}", peer.name)),
                _ => lines.push(format!(
                    "queued for {} ({} objects): {reason}",
                    peer.name, share.objects
                )),
            }
            data.push(json!({ "share": share.id, "peer": peer.id, "peer_name": peer.name,
                "decision": share.decision, "state": share.state }));
        }
        if lines.is_empty() {
            let reason = format!("the sharing policy says no ({})", denied.join("; "));
            return Ok(Outcome::Failed { reason, retry: false });
        }
        lines.extend(denied.into_iter().map(|line| format!("denied for {line}")));
        Ok(Outcome::Done { summary: lines.join("; "), data: json!({ "shares": data }) })
    }
}

impl ExchangeActuator {
    async fn matching(&self, wanted: &str) -> Result<Vec<Peer>, PortError> {
        let peers = self.0.deps().peers.peers().await?;
        let id = wanted.parse::<PeerId>().ok();
        let fits = |peer: &Peer| {
            Some(peer.id) == id || peer.name.eq_ignore_ascii_case(wanted) || peer.kind == wanted
        };
        Ok(peers.into_iter().filter(|peer| peer.url.is_some() && fits(peer)).collect())
    }
}
