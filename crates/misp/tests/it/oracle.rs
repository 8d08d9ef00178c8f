//! What misp-stix 2026.10.12 made of the same events.

use std::collections::BTreeMap;

use misp::{document, to_stix};
use serde_json::{Map, Value};

/// Objects by their id, ids of relationships (which misp-stix draws at random) replaced by their ends, times in one
/// spelling, lists of references in order.
fn comparable(objects: &Value, at_of_conversion: bool) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for object in objects.as_array().unwrap() {
        let mut map: Map<String, Value> = object.as_object().unwrap().clone();
        let text =
            |name: &str| map.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key = if text("type") == "relationship" {
            format!("{} {} {}", text("source_ref"), text("relationship_type"), text("target_ref"))
        } else {
            text("id")
        };
        if text("type") == "relationship" {
            map.remove("id");
        }
        for name in
            ["created", "modified", "valid_from", "first_observed", "last_observed", "published"]
        {
            if at_of_conversion {
                map.remove(name);
            } else if let Some(value) = map.get_mut(name) {
                let plain = value.as_str().unwrap().replace(".000Z", "Z");
                *value = plain.into();
            }
        }
        if let Some(Value::Array(refs)) = map.get_mut("object_refs") {
            refs.retain(|id| !id.as_str().unwrap().starts_with("relationship--"));
            refs.sort_by_key(ToString::to_string);
        }
        if let Some(Value::Array(parts)) = map.get_mut("x_misp_attributes") {
            parts.iter_mut().for_each(Value::sort_all_objects);
        }
        let mut value = Value::Object(map);
        value.sort_all_objects();
        found.insert(key, value);
    }
    found
}

fn ours(misp: &Value) -> Value {
    let document = document::from_value(misp.clone()).unwrap();
    let converted = to_stix::convert(document, to_stix::Options { keep_other: false });
    converted.bundle.to_value()["objects"].clone()
}

/// Equal but for the comment of a `vulnerability` or `campaign`, which misp-stix drops.
fn agree(own: &Value, theirs: &Value) -> bool {
    let mut own = own.clone();
    let dropped = matches!(own["type"].as_str(), Some("vulnerability" | "campaign"));
    if dropped && theirs.get("description").is_none() {
        own.as_object_mut().unwrap().remove("description");
    }
    own == *theirs
}

/// The differences, a line each.
fn differences(ours: &BTreeMap<String, Value>, theirs: &BTreeMap<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, value) in theirs {
        match ours.get(key) {
            None => lines.push(format!("missing {key}")),
            Some(own) if !agree(own, value) => lines.push(format!("ours {own}\n  theirs {value}")),
            Some(_) => {}
        }
    }
    lines.extend(
        ours.keys().filter(|key| !theirs.contains_key(*key)).map(|key| format!("more {key}")),
    );
    lines
}

/// Types whose value in the fixture breaks a MUST rule as misp-stix writes it: a hive that is cut short (STIX 2.1
/// §6.17), a path that is no URL (§6.15). Here the one is written out, the other carried as an attribute of MISP's own.
const MENDED: [&str; 2] = ["regkey", "uri"];

/// The objects that were not made of an attribute of these types, and no references to those.
fn without(objects: &Value, misp: &Value, kinds: &[&str]) -> Value {
    let attributes = misp["Event"]["Attribute"].as_array().unwrap();
    let of_kind = attributes.iter().filter(|a| kinds.contains(&a["type"].as_str().unwrap()));
    let uuids: Vec<&str> = of_kind.map(|a| a["uuid"].as_str().unwrap()).collect();
    assert_eq!(uuids.len(), 2 * kinds.len(), "with and without to_ids");
    let is_of = |id: &Value| uuids.iter().any(|uuid| id.as_str().unwrap().ends_with(uuid));
    let mut kept: Vec<Value> = objects.as_array().unwrap().clone();
    kept.retain(|object| {
        !["id", "source_ref"].iter().any(|name| object.get(*name).is_some_and(is_of))
    });
    for object in &mut kept {
        if let Some(Value::Array(refs)) = object.get_mut("object_refs") {
            refs.retain(|id| !is_of(id));
        }
    }
    kept.into()
}

#[test]
fn every_attribute_type_becomes_what_misp_stix_makes_of_it() {
    let pair = super::fixture("misp-stix-types.json.gz");
    let lines = differences(
        &comparable(&without(&ours(&pair["misp"]), &pair["misp"], &MENDED), false),
        &comparable(&without(&pair["stix21"]["objects"], &pair["misp"], &MENDED), false),
    );
    assert!(lines.is_empty(), "{} differences\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn a_file_object_becomes_what_misp_stix_makes_of_it() {
    let pair = super::fixture("misp-stix-file.json.gz");
    let lines = differences(
        &comparable(&ours(&pair["misp"]), false),
        &comparable(&pair["stix21"]["objects"], false),
    );
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// The pairs in which something becomes another type of STIX than with misp-stix: objects of these templates stay
/// `x-misp-object` here, whole. In `event_with_regkey_attribute` the hive is written out (STIX 2.1 §6.17); misp-stix
/// leaves `HKLM`. In `event_with_tlp2_tags` the observables carry the markings of their attribute; misp-stix leaves the
/// value itself unmarked.
const OTHERWISE: [&str; 16] = [
    "event_with_custom_objects",
    "event_with_email_object",
    "event_with_email_with_display_names_object",
    "event_with_file_and_pe_objects",
    "event_with_hashlookup_object",
    "event_with_http_request_object",
    "event_with_image_object",
    "event_with_network_socket_object",
    "event_with_patterning_language_objects",
    "event_with_pe_objects",
    "event_with_process_object",
    "event_with_process_object_v2",
    "event_with_registry_key_and_values_objects",
    "event_with_regkey_attribute",
    "event_with_script_objects",
    "event_with_tlp2_tags",
];

#[test]
fn the_generated_pairs_agree() {
    let pairs = super::fixture("misp-stix-pairs.json.gz");
    let (mut same, mut other) = (0, Vec::new());
    for pair in pairs.as_array().unwrap() {
        let name = pair["name"].as_str().unwrap();
        // Records without a time get that of the conversion from misp-stix.
        let untimed = pair["stix21"].to_string().contains("\"2026-");
        let lines = differences(
            &comparable(&ours(&pair["misp"]), untimed),
            &comparable(&pair["stix21"]["objects"], untimed),
        );
        if lines.is_empty() {
            same += 1;
        } else {
            other.push(name.to_owned());
            if std::env::var_os("SHOW").is_some() {
                println!("{name}\n{}", lines.join("\n"));
            }
        }
    }
    println!("{same} of 64 pairs agree");
    other.sort();
    assert_eq!(other, OTHERWISE);
}
