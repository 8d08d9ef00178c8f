//! Relationships (STIX 2.1 §5.1) and which of them the standard describes (appendix B).

use super::checks::in_order;
use super::path::{Sink, clip};
use super::rules;
use crate::id;
use crate::object::Object;

/// What infrastructure may consist of beside other infrastructure and observed data: every
/// observable.
const ANY_OBSERVABLE: &str = "*";

const WHO_WHERE: &[&str] = &["identity", "location", "vulnerability"];
const MEANS: &[&str] = &["attack-pattern", "infrastructure", "malware", "tool"];
const NETWORK: &[&str] = &["infrastructure", "ipv4-addr", "ipv6-addr", "domain-name", "url"];

/// Targets that the standard describes for a source and a relationship type.
fn targets(source: &str, kind: &str) -> &'static [&'static str] {
    match (source, kind) {
        ("attack-pattern", "targets")
        | ("campaign" | "intrusion-set" | "threat-actor", "targets") => WHO_WHERE,
        ("attack-pattern", "uses") => &["malware", "tool"],
        ("attack-pattern" | "infrastructure" | "tool", "delivers") => &["malware"],
        ("campaign", "attributed-to") => &["intrusion-set", "threat-actor"],
        ("campaign" | "intrusion-set" | "threat-actor", "compromises") => &["infrastructure"],
        ("campaign" | "intrusion-set" | "malware", "originates-from") => &["location"],
        ("campaign" | "intrusion-set" | "threat-actor" | "malware", "uses") => MEANS,
        ("course-of-action", "investigates") => &["indicator"],
        ("course-of-action", "mitigates") => {
            &["attack-pattern", "indicator", "malware", "tool", "vulnerability"]
        }
        ("course-of-action", "remediates") => &["malware", "vulnerability"],
        ("identity" | "threat-actor" | "infrastructure", "located-at") => &["location"],
        ("indicator", "indicates") => &[
            "attack-pattern",
            "campaign",
            "infrastructure",
            "intrusion-set",
            "malware",
            "threat-actor",
            "tool",
        ],
        ("indicator", "based-on") => &["observed-data"],
        ("infrastructure", "communicates-with") => NETWORK,
        ("infrastructure", "consists-of") => &["infrastructure", "observed-data", ANY_OBSERVABLE],
        ("infrastructure", "controls") => &["infrastructure", "malware"],
        ("infrastructure" | "tool", "has") => &["vulnerability"],
        ("infrastructure", "hosts") => &["tool", "malware"],
        ("infrastructure" | "tool", "uses") => &["infrastructure"],
        ("intrusion-set", "attributed-to") => &["threat-actor"],
        ("intrusion-set" | "threat-actor", "hosts" | "owns") => &["infrastructure"],
        ("malware", "authored-by") => &["threat-actor", "intrusion-set"],
        ("malware", "beacons-to" | "exfiltrates-to") => &["infrastructure"],
        ("malware", "communicates-with") => &["ipv4-addr", "ipv6-addr", "domain-name", "url"],
        ("malware", "controls" | "variant-of") => &["malware"],
        ("malware", "downloads" | "drops") => &["malware", "file", "tool"],
        ("malware", "exploits") => &["vulnerability"],
        ("malware", "targets") => &["identity", "infrastructure", "location", "vulnerability"],
        (
            "malware-analysis",
            "characterizes"
            | "analysis-of"
            | "av-analysis-of"
            | "static-analysis-of"
            | "dynamic-analysis-of",
        ) => &["malware"],
        ("threat-actor", "attributed-to" | "impersonates") => &["identity"],
        ("tool", "drops") => &["malware"],
        ("tool", "targets") => &["identity", "infrastructure", "location", "vulnerability"],
        ("domain-name", "resolves-to") => &["domain-name", "ipv4-addr", "ipv6-addr"],
        ("ipv4-addr" | "ipv6-addr", "resolves-to") => &["mac-addr"],
        ("ipv4-addr" | "ipv6-addr", "belongs-to") => &["autonomous-system"],
        _ => &[],
    }
}

/// Whether appendix B describes this relationship. What joins a type of somebody else is theirs.
fn is_described(source: &str, kind: &str, target: &str) -> bool {
    if rules::find(source).is_none() || rules::find(target).is_none() || kind == "related-to" {
        return true;
    }
    match kind {
        "derived-from" | "duplicate-of" => source == target,
        _ => targets(source, kind).iter().any(|known| {
            *known == target || (*known == ANY_OBSERVABLE && id::is_cyber_observable(target))
        }),
    }
}

pub(super) fn relationship(object: &Object, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §5.1";
    in_order(object, "start_time", "stop_time", false, CLAUSE, sink);
    let ends = (object.text("source_ref"), object.text("target_ref"));
    let (Some(kind), (Some(source), Some(target))) = (object.text("relationship_type"), ends)
    else {
        return;
    };
    let (Ok(source), Ok(target)) = (id::check(source), id::check(target)) else { return };
    if !is_described(source, kind, target) {
        let kind = clip(kind);
        let message = format!("the standard describes no `{kind}` from {source} to {target}");
        sink.warn_at("relationship_type", CLAUSE, message);
    }
}
