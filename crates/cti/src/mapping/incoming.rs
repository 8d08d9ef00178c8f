//! Received STIX as an incident of ours. What the extension of a node of ours says is used within its
//! bounds; without it the plain STIX properties speak.

use std::collections::HashSet;
use std::net::IpAddr;

use model::id::TypedId;
use model::{
    Evidence, Finding, Incident, IncidentId, IncidentState, NodeId, PeerId, Severity, ShareId,
    Timestamp,
};
use serde_json::{Map, Value};
use stix::{Object, pattern};
use uuid::Uuid;

use super::{EXTENSION, model_tlp};

/// Incidents taken of one envelope; more are stored as objects but open nothing.
pub(crate) const MAX_INCIDENTS: usize = 20;
/// Findings and indicators taken with an incident.
pub(crate) const MAX_FINDINGS: usize = 100;
/// Characters of a title.
const MAX_TITLE_CHARS: usize = 300;
/// Bytes of a finding's text.
const MAX_FINDING_BYTES: usize = 64 * 1024;

/// Who sent an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sender {
    /// Node id of a peer, else the caller's id.
    pub(crate) id: String,
    pub(crate) node: Option<NodeId>,
    pub(crate) peer: Option<PeerId>,
    pub(crate) name: String,
}

/// An incident read from an envelope.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Incoming {
    /// Id of the STIX incident.
    pub(crate) object: String,
    /// Its version, microseconds UTC.
    pub(crate) version_us: i64,
    pub(crate) incident: Incident,
    pub(crate) findings: Vec<Finding>,
    /// Remote parties named.
    pub(crate) indicators: Vec<Evidence>,
}

/// The incidents among `objects`. Our own coming back to us is not received.
pub(crate) fn read(
    objects: &[&Object],
    sender: &Sender,
    own: NodeId,
    now: Timestamp,
) -> Vec<Incoming> {
    let incidents: Vec<&Object> = objects
        .iter()
        .copied()
        .filter(|object| object.kind() == "incident")
        .filter(|object| field::<NodeId>(object, "origin") != Some(own))
        .take(MAX_INCIDENTS)
        .collect();
    // Findings carry no reference to their incident; an envelope of ours holds one incident.
    let findings = if incidents.len() == 1 { findings(objects, now) } else { vec![] };
    let pseudonyms = pseudonyms(objects);
    incidents
        .into_iter()
        .map(|object| {
            let mut indicators: Vec<Evidence> =
                findings.iter().flat_map(|finding| finding.evidence.clone()).collect();
            // A pseudonym looks like an address of somebody else: nobody should look it up or block it.
            indicators.retain(|evidence| !pseudonyms.contains(&evidence.peer));
            if indicators.is_empty() {
                indicators = addresses(objects);
            }
            indicators.truncate(MAX_FINDINGS);
            let incident = incident(object, sender, findings.len(), now);
            let version_us = object.version().map_or(0, stix::Timestamp::unix_us);
            let object = object.id_text().to_owned();
            Incoming { object, version_us, incident, findings: findings.clone(), indicators }
        })
        .collect()
}

fn extension(object: &Object) -> Option<&Map<String, Value>> {
    object.extension(EXTENSION)
}

fn word<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    extension(object)?.get(name)?.as_str()
}

fn field<T: std::str::FromStr>(object: &Object, name: &str) -> Option<T> {
    word(object, name)?.parse().ok()
}

fn clip(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(MAX_TITLE_CHARS).collect()
}

fn incident(object: &Object, sender: &Sender, findings: usize, now: Timestamp) -> Incident {
    // A peer speaks for itself only: its certificate says who it is, not what it writes.
    let origin = sender.node.unwrap_or_else(|| NodeId::from_uuid(named(&sender.id)));
    let id =
        field(object, "incident").unwrap_or_else(|| IncidentId::from_uuid(named(object.id_text())));
    let created = object.created().map(|at| Timestamp::from_micros(at.unix_us()));
    let tlp = stix::Tlp::of(object).map_or(model::Tlp::Amber, model_tlp);
    let origin_name = match sender.node {
        Some(_) => sender.name.clone(),
        None => word(object, "origin_name").map_or_else(|| sender.name.clone(), clip),
    };
    Incident {
        id,
        title: clip(object.text("name").unwrap_or("Incident without a name")),
        state: IncidentState::New,
        severity: field(object, "severity").unwrap_or(Severity::Medium),
        tlp,
        origin,
        origin_name,
        findings: findings as u64,
        // Always present: it is what tells a received incident from one of our own.
        received_share: field::<ShareId>(object, "share")
            .or_else(|| Some(ShareId::from_uuid(named(object.id_text())))),
        acknowledged_by: None,
        event_at: field(object, "event_at").or(created).unwrap_or(now),
        recorded_at: now,
        updated_at: now,
    }
}

/// An id for what carries none of ours: the same for the same name.
fn named(name: &str) -> Uuid {
    Uuid::new_v5(&crate::NAMESPACE, name.as_bytes())
}

fn findings(objects: &[&Object], now: Timestamp) -> Vec<Finding> {
    objects
        .iter()
        .filter(|object| object.kind() == "observed-data")
        .filter_map(|object| word(object, "finding"))
        .filter(|text| text.len() <= MAX_FINDING_BYTES)
        .filter_map(|text| serde_json::from_str::<Finding>(text).ok())
        .map(|mut finding| {
            finding.title = clip(&finding.title);
            finding.recorded_at = now;
            finding
        })
        .take(MAX_FINDINGS)
        .collect()
}

/// Addresses that the sender marked as not the real ones.
fn pseudonyms(objects: &[&Object]) -> HashSet<IpAddr> {
    objects
        .iter()
        .filter(|object| matches!(object.kind(), "ipv4-addr" | "ipv6-addr"))
        .filter(|object| {
            extension(object).and_then(|body| body.get("pseudonym")) == Some(&Value::Bool(true))
        })
        .filter_map(|object| object.text("value")?.parse().ok())
        .collect()
}

/// Addresses that simple indicators name.
fn addresses(objects: &[&Object]) -> Vec<Evidence> {
    objects
        .iter()
        .filter(|object| object.kind() == "indicator")
        .filter_map(|object| object.text("pattern"))
        .filter_map(pattern::simple_values)
        .flatten()
        .filter_map(|simple| simple.value.parse::<IpAddr>().ok())
        .map(|peer| Evidence { peer, protocol: "ip".into(), port: None, packets: 0, new: true })
        .take(MAX_FINDINGS)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sender() -> Sender {
        let node = NodeId::from_uuid(named("peer"));
        Sender { id: node.to_string(), node: Some(node), peer: None, name: "Peer".into() }
    }

    fn own() -> NodeId {
        NodeId::from_uuid(named("us"))
    }

    fn incident(extension: Value) -> Object {
        Object::from_value(json!({"type": "incident", "name": "Foreign \u{7} name",
            "id": "incident--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00.000Z",
            "object_marking_refs": [stix::Tlp::Red.id()], "extensions": { EXTENSION: extension }}))
        .unwrap()
    }

    #[test]
    fn plain_stix_of_others_is_understood() {
        let foreign = incident(json!({}));
        let indicator = Object::from_value(json!({"type": "indicator",
            "pattern": "[ipv4-addr:value = '203.0.113.9'] OR [domain-name:value = 'x.example']"}))
        .unwrap();
        let now = Timestamp::from_secs(1_800_000_000);
        let read = read(&[&foreign, &indicator], &sender(), own(), now);
        let [one] = read.as_slice() else { unreachable!("{read:?}") };
        assert_eq!(one.incident.title, "Foreign   name");
        assert_eq!((one.incident.tlp, one.incident.severity), (model::Tlp::Red, Severity::Medium));
        assert_eq!(one.incident.event_at.to_millis_text(), "2026-01-01T00:00:00.000Z");
        assert!(one.incident.received_share.is_some());
        assert_eq!(one.indicators.len(), 1);
        assert_eq!(one.indicators[0].peer.to_string(), "203.0.113.9");
    }

    #[test]
    fn a_peer_cannot_speak_for_another_nor_send_us_our_own() {
        let claims = |origin: NodeId| {
            incident(json!({"origin": origin.to_string(), "origin_name": "Somebody else"}))
        };
        let now = Timestamp::from_secs(1);
        let other = claims(NodeId::from_uuid(named("another")));
        let read_one = read(&[&other], &sender(), own(), now).remove(0).incident;
        assert_eq!(Some(read_one.origin), sender().node);
        assert_eq!(read_one.origin_name, "Peer");
        assert!(read(&[&claims(own())], &sender(), own(), now).is_empty());
    }

    proptest! {
        #[test]
        fn any_extension_is_bounded(name in ".{0,600}", word in ".{0,40}", number: i64) {
            let mut hostile = incident(json!({"incident": word, "share": number, "origin": word,
                "severity": word, "event_at": word, "finding": word})).into_map();
            hostile.insert("name".into(), name.into());
            let hostile = Object::from_map(hostile);
            let read = read(&[&hostile], &sender(), own(), Timestamp::from_secs(1));
            prop_assert_eq!(read.len(), 1);
            prop_assert!(read[0].incident.title.chars().count() <= MAX_TITLE_CHARS);
        }
    }
}
