//! What a run is told when it starts: the incident as external variables.

use std::collections::BTreeSet;

use model::IncidentReport;

use crate::cacao::Playbook;
use crate::cacao::variables::{Values, to_text};

/// Remote addresses handed to a run at most.
pub const MAX_REMOTES: usize = 100;

/// Names of external variables this node gives a value, each with one sentence.
pub const NAMES: [(&str, &str); 10] = [
    ("__incident__", "id of the incident"),
    ("__incident_title__", "the incident in one sentence"),
    ("__severity__", "low, medium, high or critical"),
    ("__finding_title__", "the newest finding in one sentence"),
    ("__device__", "id of the device"),
    ("__device_name__", "name of the device"),
    ("__device_mac__", "MAC address of the device"),
    ("__device_address__", "network address of the device"),
    ("__remote__", "the first remote address of the evidence"),
    ("__remotes__", "all remote addresses of the evidence, comma-separated"),
];

/// The values an incident gives; what it does not know stays without a value.
pub fn of_incident(report: &IncidentReport) -> Values {
    let mut values = Values::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            values.insert(name.to_owned(), value);
        }
    };
    set("__incident__", Some(report.incident.id.to_string()));
    set("__incident_title__", Some(report.incident.title.clone()));
    set("__severity__", Some(report.incident.severity.word().to_owned()));
    let newest = report.findings.last();
    set("__finding_title__", newest.map(|finding| finding.title.clone()));
    set("__device__", newest.map(|finding| finding.device.to_string()));
    set("__device_name__", newest.map(|finding| finding.device_name.clone()));
    set("__device_mac__", newest.and_then(|finding| finding.device_mac.clone()));
    set("__device_address__", newest.map(|finding| finding.device_address.clone()));
    let evidence = || report.findings.iter().flat_map(|finding| &finding.evidence);
    let mut seen = BTreeSet::new();
    // Parties that were never seen in training come first: they are what the finding is about.
    let remotes: Vec<String> = evidence()
        .filter(|evidence| evidence.new)
        .chain(evidence().filter(|evidence| !evidence.new))
        .filter(|evidence| seen.insert(evidence.peer))
        .take(MAX_REMOTES)
        .map(|evidence| evidence.peer.to_string())
        .collect();
    set("__remote__", remotes.first().cloned());
    set("__remotes__", Some(remotes.join(",")));
    values
}

/// The variables a run begins with: the playbook's own, and the external ones the node gives.
pub fn initial(playbook: &Playbook, given: &Values) -> Values {
    let mut values = Values::new();
    for (name, variable) in &playbook.playbook_variables {
        let external = variable.external.then(|| given.get(name)).flatten();
        if let Some(value) = external.or(variable.value.as_ref()) {
            values.insert(name.clone(), to_text(&value.clone().into()));
        }
    }
    values
}
