//! What of an incident would go to a peer: built, judged for it by name, and closed in itself.

use std::collections::{BTreeMap, HashSet};

use model::{IncidentReport, ShareDecision, ShareId};
use platform::peers::Peer;
use ports::disclosure::{Address, Candidate, Disclosed, Recipient, Said};
use serde_json::{Map, Value};
use stix::Object;

use crate::error::CtiError;
use crate::mapping::outgoing::{self, Context};
use crate::room::Cti;
use crate::store::received;

/// What would go.
pub(crate) struct Outlet {
    /// The answer about the incident itself: without it nothing goes.
    pub(crate) decision: ShareDecision,
    /// The objects in the form in which they go; none when the incident stays.
    pub(crate) objects: Vec<Value>,
    /// Internal addresses that are replaced.
    pub(crate) pseudonymised: i64,
    /// Objects that stay.
    pub(crate) left_out: i64,
    /// Objects that go changed by rules of redaction.
    pub(crate) redacted: i64,
    /// Why objects stay, with how many each.
    pub(crate) reasons: BTreeMap<String, i64>,
}

/// Builds and judges.
pub(crate) async fn open(
    cti: &Cti,
    report: &IncidentReport,
    peer: &Peer,
    share: ShareId,
) -> Result<Outlet, CtiError> {
    let disclosure = &cti.deps().disclosure;
    let to = Recipient::Peer(peer.id);
    let names = disclosure.pseudonym_names(to).await?;
    let context = Context {
        node: &cti.platform().node,
        recipient: peer,
        share,
        pseudonymiser: cti.deps().pseudonymiser.as_ref(),
        names,
        now: cti.platform().now(),
    };
    let outgoing = outgoing::objects(report, &context);
    let from = brought_by(cti, report).await?;
    let candidates: Vec<Candidate> =
        outgoing.objects.iter().map(|object| candidate(object, report, from)).collect();
    let answers = disclosure.judge(to, Address::Named, &candidates).await?;
    Ok(sorted(&outgoing.objects, answers, count(outgoing.pseudonymised)))
}

/// Who brought the incident; `None` when it was opened here.
async fn brought_by(cti: &Cti, report: &IncidentReport) -> Result<Option<Recipient>, CtiError> {
    let mut sql = cti.platform().db.read().await?;
    let received = received::get(&mut sql, report.incident.id).await?;
    if received.is_none() && report.incident.received_share.is_none() {
        return Ok(None);
    }
    let peer = received.and_then(|row| row.sender_peer?.parse().ok());
    Ok(Some(peer.map_or(Recipient::Unnamed, Recipient::Peer)))
}

/// What names the words of the exchange and who sends carries no label of its own; the rest has that of the incident.
fn candidate(object: &Object, report: &IncidentReport, from: Option<Recipient>) -> Candidate {
    let frames = ["marking-definition", "extension-definition", "identity"];
    let (tlp, from) = match frames.contains(&object.kind()) {
        true => (model::Tlp::Clear, None),
        false => (report.incident.tlp, from),
    };
    let said = from.map_or(Said::Own, Said::of_bringer);
    let (object, source) = (object.to_value(), String::new());
    Candidate { object, tlp, from, through: None, said, source }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn sorted(objects: &[Object], answers: Vec<Disclosed>, pseudonymised: i64) -> Outlet {
    let core = objects.iter().position(|object| object.kind() == "incident");
    let core = core.and_then(|at| answers.get(at));
    let mut decision = core.map_or_else(
        || ShareDecision {
            allowed: false,
            reason: "denied because the incident was not judged".into(),
            policies: vec![],
        },
        |answer| answer.decision.clone(),
    );
    decision.allowed &= core.is_some_and(|answer| answer.object.is_some());
    let mut outlet = Outlet {
        decision,
        objects: vec![],
        pseudonymised,
        left_out: 0,
        redacted: 0,
        reasons: BTreeMap::new(),
    };
    if !outlet.decision.allowed {
        return outlet;
    }
    let all = answers.len();
    let mut going = Vec::with_capacity(all);
    for answer in answers {
        match answer.object {
            Some(Value::Object(object)) if answer.decision.allowed => {
                outlet.redacted += i64::from(!answer.redactions.is_empty());
                going.push(object);
            }
            _ => *outlet.reasons.entry(answer.decision.reason).or_default() += 1,
        }
    }
    let (going, dangling) = closed(going);
    if dangling > 0 {
        outlet.reasons.insert("they refer to what stays".into(), count(dangling));
    }
    outlet.objects = going.into_iter().map(Value::Object).collect();
    outlet.left_out = count(all - outlet.objects.len());
    outlet
}

/// Without references that lead nowhere: from lists and from who made it they are taken out, an object that needs one
/// stays; and how many do.
fn closed(mut going: Vec<Map<String, Value>>) -> (Vec<Map<String, Value>>, usize) {
    let before = going.len();
    loop {
        let held: HashSet<String> = going
            .iter()
            .filter_map(|object| object.get("id").and_then(Value::as_str).map(str::to_owned))
            .collect();
        let count = going.len();
        going.retain_mut(|object| keeps(object, &held));
        if going.len() == count {
            return (going, before - count);
        }
    }
}

fn keeps(object: &mut Map<String, Value>, held: &HashSet<String>) -> bool {
    let leads = |value: &Value| value.as_str().is_some_and(|id| held.contains(id));
    let mut empty = Vec::new();
    for (name, value) in object.iter_mut() {
        match value {
            // Markings of TLP are the same everywhere.
            Value::Array(_) if name == "object_marking_refs" => {}
            Value::Array(items) if name.ends_with("_refs") => {
                items.retain(leads);
                if items.is_empty() {
                    empty.push(name.clone());
                }
            }
            Value::String(_) if name == "created_by_ref" && !leads(value) => {
                empty.push(name.clone());
            }
            Value::String(_) if name.ends_with("_ref") && !leads(value) => return false,
            _ => {}
        }
    }
    for name in empty {
        object.shift_remove(&name);
        // Observed data is nothing without what was observed.
        if name == "object_refs" {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn maps(objects: Value) -> Vec<Map<String, Value>> {
        objects.as_array().unwrap().iter().map(|one| one.as_object().unwrap().clone()).collect()
    }

    #[test]
    fn nothing_leads_nowhere() {
        let (going, left) = closed(maps(json!([
            { "id": "identity--a" },
            { "id": "incident--a", "created_by_ref": "identity--gone", "object_marking_refs": ["marking-definition--x"] },
            { "id": "relationship--a", "source_ref": "incident--a", "target_ref": "indicator--gone" },
            { "id": "relationship--b", "source_ref": "incident--a", "target_ref": "observed-data--b" },
            { "id": "relationship--c", "source_ref": "incident--a", "target_ref": "identity--a" },
            { "id": "observed-data--a", "object_refs": ["identity--a", "ipv4-addr--gone"] },
            { "id": "observed-data--b", "object_refs": ["ipv4-addr--gone"] },
            { "id": "sighting--a", "sighting_of_ref": "incident--a", "where_sighted_refs": ["identity--gone"] },
        ])));
        let left_ids: Vec<&str> = going.iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(
            left_ids,
            ["identity--a", "incident--a", "relationship--c", "observed-data--a", "sighting--a"]
        );
        assert_eq!(left, 3);
        assert!(
            going[1].get("created_by_ref").is_none()
                && going[1].contains_key("object_marking_refs")
        );
        assert_eq!(going[3]["object_refs"], json!(["identity--a"]));
        assert!(going[4].get("where_sighted_refs").is_none());
    }
}
