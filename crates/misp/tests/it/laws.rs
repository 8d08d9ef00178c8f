//! Laws of the mapping.

use std::collections::HashSet;

use misp::{document, from_stix, to_stix};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Every leaf with its pointer.
fn leaves(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
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
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        leaf => found.push((at.to_owned(), leaf.clone())),
    }
}

/// A text that stands nowhere else: the law looks for it in the output.
fn unique(seed: u32, salt: &str) -> String {
    format!("u{salt}{seed:08x}z")
}

fn uuid(seed: u32, salt: u8) -> String {
    format!("{seed:08x}-0000-4000-8000-0000000000{salt:02x}")
}

/// A value of a type that holds a unique text or number.
fn value_of(kind: &str, seed: u32) -> String {
    let host = format!("{}.example", unique(seed, "h"));
    match kind {
        "ip-src" | "ip-dst" => {
            std::net::Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(seed)).to_string()
        }
        "ip-dst|port" => format!("{}|8443", value_of("ip-dst", seed)),
        "domain|ip" => format!("{host}|{}", value_of("ip-dst", seed)),
        "hostname|port" => format!("{host}|443"),
        "md5" => format!("{seed:032x}"),
        "filename|sha1" => format!("{}.exe|{seed:040x}", unique(seed, "n")),
        "AS" => format!("AS{seed}"),
        "mac-address" => format!(
            "00:00:{:02x}:{:02x}:{:02x}:{:02x}",
            seed >> 24,
            seed >> 16 & 255,
            seed >> 8 & 255,
            seed & 255
        ),
        "regkey|value" => format!("HKLM\\{host}|it's {host}"),
        "boolean" => "1".to_owned(),
        _ => unique(seed, "v"),
    }
}

const KINDS: &[&str] = &[
    "ip-src",
    "ip-dst",
    "ip-dst|port",
    "domain|ip",
    "hostname|port",
    "md5",
    "filename|sha1",
    "AS",
    "mac-address",
    "regkey|value",
    "domain",
    "url",
    "email-src",
    "email-dst",
    "email-subject",
    "email-x-mailer",
    "email-attachment",
    "filename",
    "mutex",
    "vulnerability",
    "campaign-name",
    "yara",
    "text",
    "btc",
    "user-agent",
    "port",
    "regkey",
    "github-username",
    "attachment",
];

fn attribute() -> impl Strategy<Value = Value> {
    (any::<u32>(), 0..KINDS.len(), any::<u16>(), 1_u32..2_000_000_000).prop_map(|(seed, kind, bits, at)| {
        let kind = KINDS[kind];
        let mut map = json!({"uuid": uuid(seed, 1), "type": kind, "value": value_of(kind, seed),
            "timestamp": at.to_string(), "category": unique(seed, "c")});
        let mut put = |bit: u16, name: &str, value: Value| {
            if bits & 1 << bit != 0 {
                map[name] = value;
            }
        };
        put(0, "to_ids", (bits & 512 == 0).into());
        put(1, "comment", unique(seed, "m").into());
        put(2, "distribution", unique(seed, "d").into());
        put(3, "x-odd", json!({"deep": [unique(seed, "x"), {"er": 7}]}));
        put(4, "Tag", json!([{"name": unique(seed, "t"), "colour": unique(seed, "k")}, {"name": "tlp:amber"}]));
        put(5, "first_seen", "2020-10-25T16:22:00.000000+00:00".into());
        put(6, "Sighting", json!([{"uuid": uuid(seed, 2), "type": "0", "date_sighting": at.to_string(),
            "source": unique(seed, "s"), "Organisation": {"uuid": uuid(seed, 3), "name": unique(seed, "o")}}]));
        put(7, "data", "UEsDBAoACQ==".into());
        put(8, "Galaxy", json!([{"uuid": uuid(seed, 4), "type": "threat-actor", "name": unique(seed, "g"),
            "description": unique(seed, "e"), "GalaxyCluster": [{"uuid": uuid(seed, 5), "type": "threat-actor",
            "value": unique(seed, "a"), "meta": {"refs": [unique(seed, "r")], "odd key": unique(seed, "q")}}]}]));
        map
    })
}

fn object() -> impl Strategy<Value = Value> {
    (any::<u32>(), 0..5_usize, any::<bool>()).prop_map(|(seed, which, refers)| {
        let (name, relation, value) = [
            ("asn", "asn", seed.to_string()),
            // no address every other time
            ("url", "url", match seed % 2 {
                0 => format!("http://{}.example/", unique(seed, "u")),
                _ => unique(seed, "u"),
            }),
            ("bank-account", "account", unique(seed, "b")),
            // no identifier every other time
            ("vulnerability", "id", match seed % 2 {
                0 => format!("CVE-2020-{seed:04}"),
                _ => unique(seed, "i"),
            }),
            ("file", "md5", format!("{seed:032x}")),
        ][which]
            .clone();
        let mut map = json!({"uuid": uuid(seed, 6), "name": name, "meta-category": "misc", "timestamp": "1603642920",
            "template_uuid": unique(seed, "l"), "Attribute": [
                {"uuid": uuid(seed, 7), "type": "text", "object_relation": relation, "value": value, "to_ids": false},
                {"uuid": uuid(seed, 8), "type": "text", "object_relation": "other", "value": unique(seed, "w"),
                 "comment": unique(seed, "y")}]});
        if refers {
            map["ObjectReference"] = json!([{"uuid": uuid(seed, 9), "referenced_uuid": uuid(seed, 6),
                "relationship_type": unique(seed, "f"), "comment": unique(seed, "j")},
                {"uuid": uuid(seed, 10), "referenced_uuid": uuid(seed, 99), "relationship_type": unique(seed, "p")}]);
        }
        map
    })
}

fn event() -> impl Strategy<Value = Value> {
    let attributes = proptest::collection::vec(attribute(), 0..5);
    let objects = proptest::collection::vec(object(), 0..3);
    (any::<u32>(), any::<bool>(), attributes, objects).prop_filter_map("ids twice", |(seed, published, attributes, objects)| {
        let event = json!({"Event": {"uuid": uuid(seed, 20), "info": unique(seed, "info"), "timestamp": "1603642920",
            "date": "2020-10-24", "published": published, "threat_level_id": unique(seed, "h"),
            "Orgc": {"uuid": uuid(seed, 21), "name": unique(seed, "org"), "id": unique(seed, "oid")},
            "Attribute": attributes, "Object": objects, "Tag": [{"name": unique(seed, "tag")}],
            "EventReport": [{"uuid": uuid(seed, 22), "name": unique(seed, "rn"), "content": unique(seed, "rc"),
                "timestamp": "1603642921", "distribution": unique(seed, "rd")}]}});
        let mut all = Vec::new();
        leaves(&event, "", &mut all);
        let uuids: Vec<_> = all.iter().filter(|(at, _)| at.ends_with("/uuid")).map(|(_, v)| v.to_string()).collect();
        let distinct: HashSet<_> = uuids.iter().collect();
        (distinct.len() == uuids.len()).then_some(event)
    })
}

/// Whether a leaf is in the output: its text stands in it, or, for times, truth values and numbers of formats, what they
/// become there.
fn stands(at: &str, leaf: &Value, output: &str) -> bool {
    let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
    let quoted = serde_json::to_string(&text).unwrap();
    let inner = quoted.trim_matches('"');
    let name = at.rsplit('/').next().unwrap_or_default();
    match name {
        // Judged by the round trip, which compares them.
        "timestamp" | "date_sighting" | "to_ids" | "published" | "first_seen" | "date" => true,
        "value" if text.starts_with("AS") => output.contains(&text[2..]),
        "value" if text.contains('|') => inner.split('|').all(|part| output.contains(part)),
        "name" if text == "tlp:amber" => output.contains("marking-definition--f88d31f6"),
        "object_relation" | "type" if text == "md5" => output.contains("\"MD5\""),
        "type" if text == "0" => output.contains("\"sighting\""),
        _ => output.contains(inner),
    }
}

/// Fields in one spelling: what MISP writes as number, truth value or text; times as instants; order of lists by UUID.
fn settled(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut out = Map::new();
            for (name, value) in map {
                let value = settled(value);
                if value.is_null() || value == json!("") || value == json!([]) || value == json!({})
                {
                    continue;
                }
                out.insert(name.clone(), value);
            }
            out.sort_keys();
            Value::Object(out)
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(settled).collect();
            items.sort_by_key(|item| {
                item.get("uuid").or(item.get("name")).unwrap_or(item).to_string()
            });
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// Whether everything of `input` is in `output`, at its place.
fn within(input: &Value, output: &Value, at: &str) -> Result<(), String> {
    match (input, output) {
        (Value::Object(a), Value::Object(b)) => a.iter().try_for_each(|(name, value)| {
            within(value, b.get(name).unwrap_or(&Value::Null), &format!("{at}/{name}"))
        }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .try_for_each(|(i, (a, b))| within(a, b, &format!("{at}/{i}"))),
        (a, b) if a == b => Ok(()),
        (a, b) => Err(format!("{at}: {a} became {b}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_leaf_is_in_the_output_or_on_the_list(event in event(), keep_other in any::<bool>()) {
        let document = document::from_value(event.clone()).unwrap();
        let converted = to_stix::convert(document, to_stix::Options { keep_other });
        let output = converted.bundle.to_json();
        let mut all = Vec::new();
        leaves(&event["Event"], "/events/0", &mut all);
        for (at, leaf) in all {
            let listed = converted.not_carried.iter().any(|entry| at == entry.place || at.starts_with(&format!("{}/", entry.place)));
            prop_assert!(listed || stands(&at, &leaf, &output), "{at} = {leaf} is lost\n{output}");
        }
    }

    #[test]
    fn to_stix_and_back_restores_the_event(event in event()) {
        let there = to_stix::convert(document::from_value(event.clone()).unwrap(), to_stix::Options::default());
        let report = stix::validate::bundle(&there.bundle);
        prop_assert!(report.is_valid(), "{:?}", report.problems);
        let back = from_stix::convert(there.bundle);
        prop_assert_eq!(back.events.len(), 1);
        let mut input = settled(&event["Event"]);
        // A reference to what is not there is on the list.
        for object in input["Object"].as_array_mut().into_iter().flatten() {
            let lost = object["ObjectReference"].as_array().is_some();
            if lost {
                prop_assert!(there.not_carried.iter().any(|entry| entry.why == misp::Why::Dangling));
                object["ObjectReference"].as_array_mut().unwrap().retain(|r| !r["uuid"].as_str().unwrap().ends_with("0a"));
            }
        }
        let output = settled(&Value::from(back.events[0].clone()));
        if let Err(lost) = within(&input, &output, "") {
            prop_assert!(false, "{lost}\n{:?}", back.not_carried);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_output(event in event()) {
        let convert = || to_stix::convert(document::from_value(event.clone()).unwrap(), to_stix::Options::default());
        prop_assert_eq!(convert(), convert());
    }
}

/// UUIDs of versions that STIX does not take, and texts that are none, give ids that it takes; the same ones every time.
#[test]
fn what_is_no_uuid_of_stix_gives_an_id_all_the_same() {
    let seven = "0192a6ef-17d6-7cba-8405-b10b2f045daf";
    for wrong in ["a6ef17d6-91cb-a405-b10b-2f045daf874c", seven, "no uuid", ""] {
        let event = json!({"Event": {"uuid": wrong, "info": "i", "date": "2026-01-01", "Attribute": [
            {"uuid": wrong, "type": "ip-dst", "value": "198.51.100.7", "to_ids": true},
            {"uuid": wrong, "type": "domain", "value": "a.example", "to_ids": true}],
            "Object": [{"uuid": wrong, "name": "url", "Attribute": [
                {"uuid": wrong, "type": "url", "object_relation": "url", "value": "https://a.example/"}]}]}});
        let convert = || {
            let document = document::from_value(event.clone()).unwrap();
            to_stix::convert(document, to_stix::Options::default()).bundle
        };
        let bundle = convert();
        let report = stix::validate::bundle(&bundle);
        assert!(report.is_valid(), "{wrong}: {:?}", report.problems);
        let again = stix::Bundle::from_value(bundle.to_value()).unwrap();
        assert_eq!(again, convert());
        let ids: HashSet<&str> = bundle.objects.iter().map(stix::Object::id_text).collect();
        assert_eq!(ids.len(), bundle.objects.len(), "{wrong}: an id stands twice");
    }
}
