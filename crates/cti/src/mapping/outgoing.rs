//! An incident as a bundle for one recipient.

use std::net::IpAddr;

use model::{AttackKind, Evidence, Finding, IncidentReport, ShareId, Timestamp};
use platform::config::NodeIdentity;
use platform::peers::Peer;
use ports::Pseudonymiser;
use serde_json::{Value, json};
use stix::build::{self, Draft, Traffic};
use stix::{Object, StixId};
use uuid::Uuid;

use super::hide::{Hide, is_internal};
use super::{body, extension_id, extension_objects, identity_id, stix_time, stix_tlp};

/// Findings that travel with an incident; the rest are counted in its description.
pub(crate) const MAX_FINDINGS: usize = 20;
/// Remote parties of a finding that become objects.
pub(crate) const MAX_REMOTES: usize = 5;

/// What is needed besides the incident.
pub(crate) struct Context<'a> {
    pub(crate) node: &'a NodeIdentity,
    pub(crate) recipient: &'a Peer,
    pub(crate) share: ShareId,
    pub(crate) pseudonymiser: &'a dyn Pseudonymiser,
    /// Under which names pseudonyms of IPv4 and IPv6 addresses are made for the recipient.
    pub(crate) names: [String; 2],
    pub(crate) now: Timestamp,
}

/// The objects, and how many internal addresses were replaced in them.
pub(crate) struct Outgoing {
    pub(crate) objects: Vec<Object>,
    pub(crate) pseudonymised: usize,
}

/// Builds the objects. The same input gives the same objects, byte for byte.
pub(crate) fn objects(report: &IncidentReport, context: &Context<'_>) -> Outgoing {
    let mut writer = Writer {
        context,
        report,
        hide: Hide::new(
            context.pseudonymiser,
            context.recipient.node.to_string(),
            context.names.clone(),
        ),
        objects: vec![],
        by: identity_id(context.node.id),
    };
    writer.frame();
    let incident = writer.incident();
    let action = writer.course_of_action();
    writer.relate("related-to", &incident, &action);
    for (number, finding) in report.findings.iter().take(MAX_FINDINGS).enumerate() {
        writer.finding(number, finding, &incident, &action);
    }
    Outgoing { objects: writer.objects, pseudonymised: writer.hide.count() }
}

struct Writer<'a> {
    context: &'a Context<'a>,
    report: &'a IncidentReport,
    hide: Hide<'a>,
    objects: Vec<Object>,
    by: StixId,
}

impl Writer<'_> {
    /// An id that is the same whenever this incident goes to this recipient.
    fn id(&self, kind: &str, name: &str) -> StixId {
        let incident = self.report.incident.id;
        let recipient = self.context.recipient.node;
        let from = Uuid::new_v5(&crate::NAMESPACE, self.context.node.id.to_string().as_bytes());
        StixId::derived(kind, from, &format!("{incident}\n{recipient}\n{name}"))
    }

    /// Created with the incident, in the version of this share.
    fn put(&mut self, draft: Draft) -> String {
        let object = draft
            .modified(stix_time(self.context.now))
            .created_by(&self.by)
            .marked(stix_tlp(self.report.incident.tlp))
            .build();
        self.keep(object)
    }

    /// Adds an object once and returns its id.
    fn keep(&mut self, object: Object) -> String {
        let id = object.id_text().to_owned();
        if !self.objects.iter().any(|known| known.id_text() == id) {
            self.objects.push(object);
        }
        id
    }

    fn at(&self) -> stix::Timestamp {
        stix_time(self.report.incident.recorded_at)
    }

    fn relate(&mut self, kind: &str, from: &str, to: &str) {
        let id = self.id("relationship", &format!("{kind} {from} {to}"));
        let draft = build::relationship(&id, self.at(), kind, from, to);
        self.put(draft);
    }

    /// Marking, extension, and who sends.
    fn frame(&mut self) {
        let node = self.context.node;
        // A node id is a UUIDv7: the identity is as old as the node, in every share the same.
        let millis = model::id::TypedId::uuid(&node.id)
            .get_timestamp()
            .map_or(0, |at| at.to_unix().0.saturating_mul(1_000));
        let at = stix::Timestamp::from_unix_us(i64::try_from(millis * 1_000).unwrap_or(0));
        self.keep(stix_tlp(self.report.incident.tlp).definition());
        for object in extension_objects() {
            self.keep(object);
        }
        let id = self.by.clone();
        self.keep(build::identity(&id, at, &node.name, "organization").build());
    }

    fn incident(&mut self) -> String {
        let incident = &self.report.incident;
        let title = self.hide.text(&incident.title);
        let extension = body([
            ("incident", incident.id.to_string().into()),
            ("share", self.context.share.to_string().into()),
            ("origin", incident.origin.to_string().into()),
            ("origin_name", incident.origin_name.clone().into()),
            ("severity", incident.severity.word().into()),
            ("event_at", incident.event_at.to_string().into()),
            ("recorded_at", incident.recorded_at.to_string().into()),
        ]);
        let left_out = self.report.findings.len().saturating_sub(MAX_FINDINGS);
        let mut text = format!(
            "Severity {}. {} finding(s), first seen {}.",
            incident.severity.word(),
            self.report.findings.len(),
            incident.event_at
        );
        if left_out > 0 {
            text.push_str(&format!(" {left_out} finding(s) are not part of this bundle."));
        }
        let draft = build::incident(&self.id("incident", ""), self.at(), &title)
            .set("description", text)
            .set("labels", json!([format!("severity:{}", incident.severity.word())]))
            .extension(&extension_id(), extension);
        self.put(draft)
    }

    /// What was done about it, as the timeline has it; without, what we would do.
    fn course_of_action(&mut self) -> String {
        let done: Vec<String> = self
            .report
            .timeline
            .iter()
            .filter(|item| item.kind == "action")
            .map(|item| self.hide.text(&item.text))
            .collect();
        let name = "Block the device at the gateway until it is cleaned";
        let description =
            if done.is_empty() { "Recommended; not done yet.".to_owned() } else { done.join("\n") };
        let draft = build::course_of_action(&self.id("course-of-action", ""), self.at(), name)
            .set("description", description);
        self.put(draft)
    }

    fn finding(&mut self, number: usize, finding: &Finding, incident: &str, action: &str) {
        let hidden = self.hide.finding(finding);
        let techniques = self.behaviour(number, &hidden);
        let observed = self.observed(number, finding, &hidden);
        for technique in &techniques {
            self.relate("related-to", incident, technique);
            self.relate("mitigates", action, technique);
        }
        self.relate("related-to", incident, &observed);
        let mut sighted = techniques.first().cloned().unwrap_or_else(|| incident.to_owned());
        // What was there in training is no sign of an attack, and no recipient should block it.
        let remotes: Vec<&Evidence> =
            finding.evidence.iter().filter(|e| e.new && !is_internal(e.peer)).collect();
        for remote in remotes.into_iter().take(MAX_REMOTES) {
            let (infrastructure, indicator) = self.remote(finding, remote);
            self.relate("related-to", incident, &infrastructure);
            self.relate("based-on", &indicator, &observed);
            for technique in &techniques {
                self.relate("indicates", &indicator, technique);
                if technique.starts_with("malware--") {
                    self.relate("beacons-to", technique, &infrastructure);
                }
            }
            sighted = indicator;
        }
        let by = self.by.to_string();
        let draft = build::sighting(&self.id("sighting", &number.to_string()), self.at(), &sighted)
            .set("first_seen", stix_time(finding.first_at).to_string())
            .set("last_seen", stix_time(finding.last_at.max(finding.first_at)).to_string())
            .set("count", finding.windows.min(999_999_999))
            .set("observed_data_refs", json!([observed]))
            .set("where_sighted_refs", json!([by]));
        self.put(draft);
    }

    /// Malware for a device that calls a controller, attack patterns for the techniques; at least one.
    fn behaviour(&mut self, number: usize, finding: &Finding) -> Vec<String> {
        let mut ids = Vec::new();
        if finding.kind == AttackKind::CommandAndControl {
            let id = self.id("malware", &number.to_string());
            let draft = build::malware(&id, self.at(), "Suspected bot", false)
                .set("malware_types", json!(["bot"]))
                .set("description", finding.title.clone());
            ids.push(self.put(draft));
        }
        for technique in &finding.techniques {
            let id = self.id("attack-pattern", &technique.id);
            let url = (technique.framework != "mitre-atlas").then(|| {
                let path = technique.id.replace('.', "/");
                format!("https://attack.mitre.org/techniques/{path}")
            });
            let draft = build::attack_pattern(&id, self.at(), &technique.name).reference(
                &technique.framework,
                &technique.id,
                url.as_deref(),
            );
            ids.push(self.put(draft));
        }
        if ids.is_empty() {
            let id = self.id("attack-pattern", finding.kind.words());
            let draft = build::attack_pattern(&id, self.at(), finding.kind.words());
            ids.push(self.put(draft));
        }
        ids
    }

    /// A remote party as infrastructure with its address, and as an indicator.
    fn remote(&mut self, finding: &Finding, remote: &Evidence) -> (String, String) {
        let address = self.address(remote.peer, false);
        let port = remote.port.map_or_else(String::new, |port| format!("/{port}"));
        let name = format!("{} {}{port}", remote.peer, remote.protocol);
        let is_control = finding.kind == AttackKind::CommandAndControl;
        let kind = if is_control { "command-and-control" } else { "unknown" };
        let id = self.id("infrastructure", &remote.peer.to_string());
        let draft =
            build::infrastructure(&id, self.at(), &name).set("infrastructure_types", json!([kind]));
        let infrastructure = self.put(draft);
        self.relate("consists-of", &infrastructure, &address);
        let path = if remote.peer.is_ipv4() { "ipv4-addr:value" } else { "ipv6-addr:value" };
        let pattern = stix::pattern::equals(path, &remote.peer.to_string());
        let id = self.id("indicator", &remote.peer.to_string());
        let draft = build::indicator(&id, self.at(), &pattern, stix_time(finding.first_at))
            .set("name", format!("Traffic with {name}"))
            .set("indicator_types", json!(["anomalous-activity"]));
        (infrastructure, self.put(draft))
    }

    fn address(&mut self, address: IpAddr, is_pseudonym: bool) -> String {
        let mut draft = build::ip_addr(address).marked(stix_tlp(self.report.incident.tlp));
        if is_pseudonym {
            draft = draft.extension(&extension_id(), body([("pseudonym", Value::Bool(true))]));
        }
        self.keep(draft.build())
    }

    /// The traffic of a finding, and the finding itself in the extension.
    fn observed(&mut self, number: usize, finding: &Finding, hidden: &Finding) -> String {
        let device = finding.device_address.parse::<IpAddr>().ok();
        let device = device.map(|real| self.hide.address(real)).map(|(a, p)| self.address(a, p));
        let mut refs: Vec<String> = device.iter().cloned().collect();
        for remote in hidden.evidence.iter().take(MAX_REMOTES) {
            let is_pseudonym = !finding.evidence.iter().any(|real| real.peer == remote.peer);
            let peer = self.address(remote.peer, is_pseudonym);
            let family = if remote.peer.is_ipv4() { "ipv4" } else { "ipv6" };
            let traffic = Traffic {
                src_ref: device.clone(),
                dst_ref: Some(peer.clone()),
                dst_port: remote.port,
                protocols: vec![family.to_owned(), remote.protocol.to_lowercase()],
                start: Some(stix_time(finding.first_at)),
                end: Some(stix_time(finding.last_at.max(finding.first_at))),
                ..Traffic::default()
            };
            let tlp = stix_tlp(self.report.incident.tlp);
            refs.push(peer);
            let draft = build::network_traffic(&traffic).marked(tlp);
            refs.push(self.keep(draft.build()));
        }
        if refs.is_empty() {
            refs.push(self.by.to_string());
        }
        let packets: u64 = finding.evidence.iter().map(|e| e.packets).sum();
        // As text: a list in a finding may be empty, which STIX forbids for its own lists.
        let text = serde_json::to_string(hidden).unwrap_or_default();
        let id = self.id("observed-data", &number.to_string());
        let window = (stix_time(finding.first_at), stix_time(finding.last_at));
        let draft = build::observed_data(&id, self.at(), window, packets.max(1), &refs)
            .extension(&extension_id(), body([("finding", text.into())]));
        self.put(draft)
    }
}
