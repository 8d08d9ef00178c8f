//! What a run is told when it starts: the incident as external variables.

use std::collections::BTreeSet;

use model::event::IntelHit;
use model::{Evidence, Finding, IncidentReport, Timestamp};

use crate::cacao::Playbook;
use crate::cacao::variables::{Values, to_text};
use crate::store::triggers::Gathered;

/// Remote addresses handed to a run at most.
pub const MAX_REMOTES: usize = 100;

/// Names of external variables this node gives a value, each with one sentence.
pub const NAMES: [(&str, &str); 18] = [
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
    ("__finding__", "id of the finding"),
    ("__intel_objects__", "ids of the STIX objects that became known, comma-separated"),
    ("__intel_names__", "their names, one a line"),
    ("__intel_values__", "values that they name, comma-separated"),
    ("__intel_count__", "how many became known, those beyond the list included"),
    ("__intel_value__", "the value that is known to intelligence"),
    ("__intel_summary__", "who says what of it, in one sentence"),
    ("__scheduled_at__", "the moment of the schedule, UTC"),
];

/// The values an incident gives; what it does not know stays without a value.
pub fn of_incident(report: &IncidentReport) -> Values {
    let newest = report.findings.last();
    let mut values = newest.map(of_finding).unwrap_or_default();
    // The run is about the incident: it names findings by their titles.
    values.remove("__finding__");
    set(&mut values, "__incident__", Some(report.incident.id.to_string()));
    set(&mut values, "__incident_title__", Some(report.incident.title.clone()));
    set(&mut values, "__severity__", Some(report.incident.severity.word().to_owned()));
    remotes(&mut values, report.findings.iter().flat_map(|finding| &finding.evidence).collect());
    values
}

/// The values a finding gives.
pub fn of_finding(finding: &Finding) -> Values {
    let mut values = Values::new();
    set(&mut values, "__finding__", Some(finding.id.to_string()));
    set(&mut values, "__finding_title__", Some(finding.title.clone()));
    set(&mut values, "__severity__", Some(finding.severity.word().to_owned()));
    set(&mut values, "__device__", Some(finding.device.to_string()));
    set(&mut values, "__device_name__", Some(finding.device_name.clone()));
    set(&mut values, "__device_mac__", finding.device_mac.clone());
    set(&mut values, "__device_address__", Some(finding.device_address.clone()));
    remotes(&mut values, finding.evidence.iter().collect());
    values
}

/// The values that intelligence which became known gives.
pub(crate) fn of_news(news: &Gathered) -> Values {
    let mut values = Values::new();
    let ids: Vec<&str> = news.objects.iter().map(|(id, _)| id.as_str()).collect();
    let names: Vec<&str> = news.objects.iter().map(|(_, name)| name.as_str()).collect();
    set(&mut values, "__intel_objects__", Some(ids.join(",")));
    set(&mut values, "__intel_names__", Some(names.join("\n")));
    set(&mut values, "__intel_values__", Some(news.values.join(",")));
    let all = i64::try_from(ids.len()).unwrap_or(i64::MAX).saturating_add(news.more);
    set(&mut values, "__intel_count__", Some(all.to_string()));
    values
}

/// The values that a value known to intelligence gives.
pub(crate) fn of_hit(hit: &IntelHit) -> Values {
    let mut values = Values::new();
    set(&mut values, "__intel_value__", Some(hit.value.clone()));
    set(&mut values, "__intel_summary__", Some(hit.summary.clone()));
    values
}

/// The values that a moment of a schedule gives.
pub(crate) fn of_moment(at: Timestamp) -> Values {
    Values::from([("__scheduled_at__".to_owned(), at.to_string())])
}

/// Sets what is known.
fn set(values: &mut Values, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        values.insert(name.to_owned(), value);
    }
}

/// Remote addresses of the evidence, each once.
fn remotes(values: &mut Values, evidence: Vec<&Evidence>) {
    let mut seen = BTreeSet::new();
    // Parties that were never seen in training come first: they are what the finding is about.
    let remotes: Vec<String> = evidence
        .iter()
        .filter(|evidence| evidence.new)
        .chain(evidence.iter().filter(|evidence| !evidence.new))
        .filter(|evidence| seen.insert(evidence.peer))
        .take(MAX_REMOTES)
        .map(|evidence| evidence.peer.to_string())
        .collect();
    set(values, "__remote__", remotes.first().cloned());
    set(values, "__remotes__", Some(remotes.join(",")));
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
