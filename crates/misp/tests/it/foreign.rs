//! Bundles that did not come out of MISP.

use misp::{document, from_stix, to_stix};
use proptest::prelude::*;
use serde_json::{Value, json};
use stix::Bundle;

fn bundle(objects: Vec<Value>) -> Bundle {
    Bundle::from_value(json!({"type": "bundle", "id": "bundle--44af6c39-c09b-49c5-9de2-394224b04982", "objects": objects}))
        .unwrap()
}

fn indicator(pattern: &str) -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "id": "indicator--44af6c39-c09b-49c5-9de2-394224b04983",
        "created": "2020-10-25T16:22:00.000Z", "modified": "2020-10-25T16:22:00.000Z", "pattern_type": "stix",
        "valid_from": "2020-10-25T16:22:00Z", "pattern": pattern})
}

#[test]
fn simple_patterns_become_attributes() {
    for (pattern, expected) in [
        ("[ipv4-addr:value = '198.51.100.7']", vec![("ip-dst", "198.51.100.7")]),
        (
            "[domain-name:value = 'bad.example' OR url:value IN ('http://a.example', 'http://b.example')]",
            vec![
                ("domain", "bad.example"),
                ("url", "http://a.example"),
                ("url", "http://b.example"),
            ],
        ),
        (
            "[file:hashes.'SHA-1' = 'aa' AND file:name = 'x']",
            vec![("stix2-pattern", "[file:hashes.'SHA-1' = 'aa' AND file:name = 'x']")],
        ),
        ("[file:name = 'x' AND file:hashes.MD5 = 'aa']", vec![("filename|md5", "x|aa")]),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]",
            vec![("ip-dst|port", "198.51.100.7|443")],
        ),
        (
            "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
            vec![("stix2-pattern", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']")],
        ),
    ] {
        let found = from_stix::convert(bundle(vec![indicator(pattern)]));
        let attributes = found.events[0].attributes();
        let got: Vec<_> = attributes
            .iter()
            .map(|a| (a.text("type").unwrap(), a.text("value").unwrap()))
            .collect();
        let got: Vec<_> = got.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(got, expected, "{pattern}");
        assert_eq!(found.not_carried, [], "{pattern}");
    }
}

#[test]
fn bundles_of_misp_stix_go_back_to_the_event_they_came_from() {
    let pair = super::fixture("misp-stix-types.json.gz");
    let theirs = from_stix::convert(Bundle::from_value(pair["stix21"].clone()).unwrap());
    let given = document::from_value(pair["misp"].clone()).unwrap().events.remove(0);
    let found: std::collections::HashMap<_, _> =
        theirs.events[0].attributes().into_iter().map(|a| (a.uuid().unwrap(), a)).collect();
    let mut lost = Vec::new();
    for attribute in given.attributes() {
        let back = &found[&attribute.uuid().unwrap()];
        for name in ["type", "category", "value", "timestamp"] {
            if back.text(name) != attribute.text(name) {
                lost.push(format!("{name} {:?} {:?}", attribute.text(name), back.text(name)));
            }
        }
    }
    // misp-stix strips blanks and numbers AS; both are the same value.
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn stix_to_misp_to_stix_keeps_simple_observables_and_domain_objects() {
    let at = json!("2020-10-25T16:22:00.000Z");
    let actor = json!({"type": "threat-actor", "spec_version": "2.1", "created": at, "modified": at,
        "id": "threat-actor--44af6c39-c09b-49c5-9de2-394224b04985", "name": "Odd Bear", "aliases": ["Bear"],
        "goals": ["money"]});
    let there =
        from_stix::convert(bundle(vec![indicator("[domain-name:value = 'bad.example']"), actor]));
    let document = document::Document { events: there.events, ..document::Document::default() };
    let again = to_stix::convert(document, to_stix::Options::default()).bundle;
    let found = again.find("indicator--44af6c39-c09b-49c5-9de2-394224b04983").unwrap();
    assert_eq!(found.text("pattern"), Some("[domain-name:value = 'bad.example']"));
    let actor = again.find("threat-actor--44af6c39-c09b-49c5-9de2-394224b04985").unwrap();
    assert_eq!(
        (actor.text("name"), actor.texts("aliases").next()),
        (Some("Odd Bear"), Some("Bear"))
    );
}

fn object() -> impl Strategy<Value = Value> {
    (any::<u32>(), 0..9_usize).prop_map(|(seed, which)| {
        let kind = ["indicator", "malware", "domain-name", "file", "identity", "relationship", "x-odd", "note", "observed-data"][which];
        let text = |salt: &str| format!("u{salt}{seed:08x}z");
        let mut map = json!({"type": kind, "spec_version": "2.1", "id": format!("{kind}--{seed:08x}-0000-4000-8000-0000000000{which:02x}"),
            "created": "2020-10-25T16:22:00.123Z", "modified": "2020-10-26T16:22:00.000Z", "name": text("n"),
            "x_own": {"deep": [text("d")]}, "labels": [text("l")], "lang": text("g"),
            "external_references": [{"source_name": text("s"), "description": text("e")}]});
        match kind {
            "indicator" => {
                map["pattern"] = format!("[domain-name:value = '{}']", text("p")).into();
                map["pattern_type"] = "stix".into();
            }
            "domain-name" => map["value"] = format!("{}.example", text("v")).into(),
            "file" => map["hashes"] = json!({"MD5": text("h"), "ODD": text("o")}),
            "relationship" => map["source_ref"] = text("r").into(),
            _ => {}
        }
        map
    })
}

fn leaves(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), found))
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), found));
        }
        leaf => found.push((at.to_owned(), leaf.as_str().unwrap_or_default().to_owned())),
    }
}

proptest! {
    #[test]
    fn every_unique_leaf_is_in_the_events_or_on_the_list(objects in proptest::collection::vec(object(), 1..6)) {
        let found = from_stix::convert(bundle(objects.clone()));
        let output: String = found.events.iter().map(|event| event.to_value().to_string()).collect();
        let mut all = Vec::new();
        leaves(&json!(objects), "/objects", &mut all);
        for (at, leaf) in all.into_iter().filter(|(_, leaf)| leaf.contains('u') && leaf.ends_with('z')) {
            let listed = found.not_carried.iter().any(|entry| at == entry.place || at.starts_with(&format!("{}/", entry.place)));
            prop_assert!(listed || output.contains(&leaf), "{at} = {leaf} is lost\n{output}\n{:?}", found.not_carried);
        }
    }
}
