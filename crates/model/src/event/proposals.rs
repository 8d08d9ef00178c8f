//! Facts about runs that wait for people to say yes.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::{IncidentId, ProposalId, Tlp};

/// A playbook would have started by itself, and waits for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProposalMade {
    /// The proposal.
    pub proposal: ProposalId,
    /// The playbook's name.
    pub playbook: String,
    /// The incident it answers.
    pub incident: Option<IncidentId>,
    /// `ask` or `recommend`.
    pub level: String,
    /// Why it does not start by itself.
    pub reason: String,
    /// The label of what it was proposed for, where that is the word of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    ProposalMade,
    "playbooks.proposed",
    |it| it.proposal.to_string(),
    match it.level.as_str() {
        "ask" => format!("Playbook '{}' waits for a yes: {}", it.playbook, it.reason),
        _ => format!("Playbook '{}' is recommended: {}", it.playbook, it.reason),
    },
    at None,
    tlp it.tlp
);

/// People answered a proposal, or nobody did in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProposalDecided {
    /// The proposal.
    pub proposal: ProposalId,
    /// The playbook's name.
    pub playbook: String,
    /// The incident it answers.
    pub incident: Option<IncidentId>,
    /// `accepted`, `declined` or `expired`.
    pub state: String,
    /// Who.
    pub by: String,
    /// What was said about it.
    pub comment: String,
    /// The label of what it was proposed for, where that is the word of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    ProposalDecided,
    "playbooks.proposal_decided",
    |it| it.proposal.to_string(),
    match it.comment.as_str() {
        "" => format!("Proposal to start '{}' {} by {}", it.playbook, it.state, it.by),
        comment => {
            format!("Proposal to start '{}' {} by {}: {comment}", it.playbook, it.state, it.by)
        }
    },
    at None,
    tlp it.tlp
);

/// What happens by itself was changed, stopped or let go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutomationChanged {
    /// `changed`, `stopped` or `resumed`.
    pub what: String,
    /// Who.
    pub by: String,
    /// One sentence.
    pub detail: String,
}
payload!(
    AutomationChanged,
    "playbooks.automation_changed",
    |it| it.what.clone(),
    format!("Automation {} by {}: {}", it.what, it.by, it.detail)
);
