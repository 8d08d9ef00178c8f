//! Facts about incidents. Those about incidents of others repeat their words and are bound by their label.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::{Evidence, Finding, Incident, IncidentId, IncidentReport, NodeId, Timestamp, Tlp};

/// An incident was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentOpened {
    /// The incident with its findings.
    pub report: IncidentReport,
    /// True when another node shared it with us.
    pub received: bool,
}
payload!(
    IncidentOpened,
    "incidents.opened",
    |it| it.report.incident.id.to_string(),
    format!("Incident opened: {}", it.report.incident.title),
    at Some(it.report.incident.event_at),
    tlp it.report.incident.bound()
);

/// An incident changed state, gained a finding, or was acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentChanged {
    /// The incident as it stands.
    pub incident: Incident,
    /// What changed, one sentence.
    pub change: String,
}
payload!(
    IncidentChanged,
    "incidents.changed",
    |it| it.incident.id.to_string(),
    format!("{}: {}", it.incident.title, it.change),
    at None,
    tlp it.incident.bound()
);

/// A person here acknowledged an incident another node shared with us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentAcknowledged {
    /// The incident.
    pub incident: IncidentId,
    /// The node that opened it (`origin`).
    pub origin: NodeId,
    /// The person.
    pub by: String,
    /// What they answered.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// The label it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    IncidentAcknowledged,
    "incidents.acknowledged",
    |it| it.incident.to_string(),
    format!("{} acknowledged the incident: {}", it.by, it.text),
    at None,
    tlp it.tlp
);

/// Another node shared an incident with us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentReceived {
    /// The incident as received (its id, title, severity, tlp, origin).
    pub incident: Incident,
    /// Findings rebuilt from what was received.
    pub findings: Vec<Finding>,
    /// The sender's name.
    pub peer_name: String,
    /// Remote addresses named by the sender.
    pub indicators: Vec<Evidence>,
    /// STIX objects received.
    pub objects: u64,
}
payload!(
    IncidentReceived,
    "cti.incident_received",
    |it| it.incident.id.to_string(),
    format!("{} shared an incident with us: {}", it.peer_name, it.incident.title),
    at Some(it.incident.event_at),
    tlp Some(it.incident.tlp)
);
