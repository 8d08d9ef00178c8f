//! One broken rule at a time: each is found at its place, and nothing else is.

use serde_json::{Value, json};
use stix::validate::{self, Severity};
use stix::{Object, Tlp};

const UUID: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

fn id(kind: &str) -> String {
    format!("{kind}--{UUID}")
}

fn valid(kind: &str) -> Value {
    let mut object = json!({
        "type": kind, "spec_version": "2.1", "id": id(kind),
        "created": "2016-04-06T20:03:48.000Z", "modified": "2016-04-06T20:03:48.000Z"
    });
    let own = match kind {
        "indicator" => json!({"pattern": "[ipv4-addr:value = '1.2.3.4']", "pattern_type": "stix",
            "valid_from": "2016-01-01T00:00:00Z"}),
        "malware" => json!({"is_family": false}),
        "note" => json!({"content": "x", "object_refs": [id("incident")]}),
        "observed-data" => json!({"first_observed": "2016-01-01T00:00:00Z",
            "last_observed": "2016-01-01T00:00:00Z", "number_observed": 1,
            "object_refs": [id("file")]}),
        "relationship" => json!({"relationship_type": "uses", "source_ref": id("malware"),
            "target_ref": id("tool")}),
        "sighting" => json!({"sighting_of_ref": id("indicator")}),
        "extension-definition" => json!({"created_by_ref": id("identity"), "name": "n",
            "schema": "s", "version": "1", "extension_types": ["property-extension"]}),
        _ => json!({"name": "n"}),
    };
    object.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    object
}

fn observable(kind: &str, own: Value) -> Value {
    let mut object = json!({"type": kind, "id": id(kind)});
    object.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    object
}

fn problems(value: Value, severity: Severity) -> Vec<String> {
    let report = validate::object(&Object::from_value(value).unwrap());
    report.problems.into_iter().filter(|p| p.severity == severity).map(|p| p.property).collect()
}

/// `value` with one property changed (`null` removes it) breaks exactly the rule at `expect`.
fn check(mut value: Value, name: &str, change: Value, expect: &str) {
    let map = value.as_object_mut().unwrap();
    if change.is_null() {
        map.shift_remove(name);
    } else {
        map.insert(name.to_owned(), change.clone());
    }
    assert_eq!(problems(value, Severity::Error), [expect], "{name}: {change}");
}

#[test]
fn untouched_objects_are_valid() {
    for kind in [
        "identity",
        "indicator",
        "malware",
        "note",
        "observed-data",
        "relationship",
        "sighting",
        "incident",
        "infrastructure",
        "attack-pattern",
        "course-of-action",
        "extension-definition",
    ] {
        assert!(problems(valid(kind), Severity::Error).is_empty(), "{kind}");
    }
}

#[test]
fn common_properties() {
    let base = || valid("identity");
    check(base(), "id", json!("identity--1"), "/id");
    check(base(), "id", json!(id("malware")), "/id");
    check(base(), "spec_version", Value::Null, "/spec_version");
    check(base(), "spec_version", json!("3.0"), "/spec_version");
    check(base(), "created", Value::Null, "/created");
    check(base(), "created", json!("2016-04-06"), "/created");
    check(base(), "created", json!("2016-04-06T20:03:48Z"), "/created");
    check(base(), "created", json!("2016-04-06T20:03:48.00Z"), "/created");
    check(base(), "spec_version", json!("2.0"), "/spec_version");
    check(base(), "lang", json!("not a language"), "/lang");
    check(base(), "severity", json!("high"), "/severity");
    check(base(), "1st_name", json!("a"), "/1st_name");
    check(base(), "x_empty", json!([]), "/x_empty");
    check(base(), "modified", json!("2016-04-06T20:03:47.999Z"), "/modified");
    check(base(), "created_by_ref", json!(id("malware")), "/created_by_ref");
    check(base(), "revoked", json!("yes"), "/revoked");
    check(base(), "labels", json!([]), "/labels");
    check(base(), "labels", json!(["a", 1]), "/labels/1");
    check(base(), "confidence", json!(101), "/confidence");
    check(base(), "external_references", json!([{"source_name": "x"}]), "/external_references/0");
    check(base(), "object_marking_refs", json!([id("identity")]), "/object_marking_refs/0");
    check(base(), "granular_markings", json!([{"selectors": ["name"]}]), "/granular_markings/0");
    check(base(), "X-Custom", json!(1), "/X-Custom");
    check(base(), "description", json!(7), "/description");
    check(base(), "extensions", json!({"x": {"extension_type": "new-sdo"}}), "/extensions/x");
    let key = id("extension-definition");
    check(
        base(),
        "extensions",
        json!({ &key: {"abc": 1} }),
        &format!("/extensions/{key}/extension_type"),
    );
}

#[test]
fn what_the_standard_forbids_in_passing() {
    check(valid("identity"), "defanged", json!(true), "/defanged");
    check(valid("relationship"), "defanged", json!(false), "/defanged");
    check(valid("identity"), "phone_number", json!("1"), "/phone_number");
    let hashed = || observable("file", json!({"hashes": {"MD5": "0".repeat(32)}}));
    check(hashed(), "name_enc", json!("windows-1252"), "/name");
    check(hashed(), "magic_number_hex", json!("4D5"), "/magic_number_hex");
    let upper = observable("file", json!({"name": "a", "magic_number_hex": "4D5A"}));
    assert!(problems(upper.clone(), Severity::Error).is_empty());
    assert_eq!(problems(upper, Severity::Warning), ["/magic_number_hex", "/id"]);
}

/// Nothing but the missing times tells that this is an observable, and that is a guess.
#[test]
fn an_undeclared_type_without_times_is_an_observable() {
    let valve = observable("x-valve", json!({"tag": "V-101"}));
    assert!(problems(valve.clone(), Severity::Error).is_empty());
    assert_eq!(problems(valve.clone(), Severity::Warning), ["/type"]);
    let valve = Object::from_value(valve).unwrap();
    assert!(validate::object(&valve).problems[0].message.contains("taken for a cyber observable"));
    assert!(!stix::upgrade::is_2_0(&valve));
    let key = id("extension-definition");
    let declared =
        observable("x-valve", json!({"extensions": {key: {"extension_type": "new-sdo"}}}));
    assert_eq!(problems(declared, Severity::Error), ["/spec_version", "/created", "/modified"]);
}

/// As the library `stix2` writes them.
#[test]
fn times_may_be_finer_than_milliseconds() {
    let mut fine = valid("identity");
    fine["created"] = json!("2016-04-06T20:03:48.000001Z");
    fine["modified"] = json!("2016-04-06T20:03:48.0000010001Z");
    assert!(problems(fine.clone(), Severity::Error).is_empty());
    // and are compared as fine as they are
    fine["created"] = json!("2016-04-06T20:03:48.0000010002Z");
    assert_eq!(problems(fine, Severity::Error), ["/modified"]);
    let mut translated = valid("language-content");
    translated["object_ref"] = json!(id("identity"));
    translated["contents"] = json!({"de": {"name": "n"}});
    translated.as_object_mut().unwrap().shift_remove("name");
    translated["object_modified"] = json!("2016-04-06T20:03:48Z");
    assert!(problems(translated, Severity::Error).is_empty());
}

#[test]
fn rules_of_types() {
    check(valid("indicator"), "pattern", json!("alert tcp"), "/pattern");
    check(valid("indicator"), "valid_until", json!("2016-01-01T00:00:00Z"), "/valid_until");
    check(valid("malware"), "is_family", json!(true), "/name");
    check(valid("note"), "object_refs", Value::Null, "/object_refs");
    check(valid("observed-data"), "number_observed", json!(0), "/number_observed");
    check(valid("observed-data"), "last_observed", json!("2015-01-01T00:00:00Z"), "/last_observed");
    check(valid("observed-data"), "object_refs", Value::Null, "/object_refs");
    check(valid("relationship"), "source_ref", json!(id("relationship")), "/source_ref");
    check(valid("relationship"), "target_ref", json!(Tlp::Red.id()), "/target_ref");
    check(valid("relationship"), "relationship_type", json!("Uses It"), "/relationship_type");
    check(valid("sighting"), "count", json!(-1), "/count");
    check(valid("sighting"), "where_sighted_refs", json!([id("malware")]), "/where_sighted_refs/0");
    check(valid("extension-definition"), "extension_types", json!(["x"]), "/extension_types/0");
    check(valid("extension-definition"), "created_by_ref", Value::Null, "/created_by_ref");
    check(valid("x-unknown-type"), "created", Value::Null, "/created");
}

#[test]
fn rules_of_observables() {
    let ip = |value: &str| observable("ipv4-addr", json!({ "value": value }));
    assert!(problems(ip("198.51.100.0/24"), Severity::Error).is_empty());
    check(ip("198.51.100.3"), "value", json!("198.51.100.300"), "/value");
    check(ip("198.51.100.3"), "value", json!("198.51.100.3/33"), "/value");
    check(observable("ipv6-addr", json!({"value": "::1"})), "value", json!("1.2.3.4"), "/value");
    let mac = observable("mac-addr", json!({"value": "d2:fb:49:24:37:18"}));
    check(mac, "value", json!("D2:FB:49:24:37:18"), "/value");
    let file = || observable("file", json!({"name": "a"}));
    check(file(), "hashes", json!({"MD5": "12"}), "/hashes/MD5");
    check(file(), "name", Value::Null, "/hashes");
    let traffic =
        || observable("network-traffic", json!({"protocols": ["tcp"], "src_ref": id("ipv4-addr")}));
    check(traffic(), "src_ref", Value::Null, "/src_ref");
    check(traffic(), "dst_port", json!(65_536), "/dst_port");
    check(traffic(), "protocols", json!([]), "/protocols");
    check(traffic(), "dst_ref", json!(id("file")), "/dst_ref");
}

#[test]
fn markings_with_fixed_ids_cannot_be_forged() {
    let mut green = Tlp::Red.definition().to_value();
    green["id"] = json!(id("marking-definition"));
    assert_eq!(problems(green, Severity::Error).len(), 1);
    let mut relabelled = Tlp::Red.definition().to_value();
    let extension = relabelled["extensions"].as_object_mut().unwrap();
    extension.values_mut().next().unwrap()["tlp_2_0"] = json!("clear");
    assert_eq!(problems(relabelled, Severity::Error).len(), 1);
    let statement = json!({"type": "marking-definition", "spec_version": "2.1",
        "id": id("marking-definition"), "created": "2016-04-06T20:03:48.000Z"});
    assert_eq!(problems(statement, Severity::Error), ["/definition_type", "/definition"]);
}

#[test]
fn what_is_only_unusual_is_a_warning() {
    let mut odd = valid("identity");
    odd["identity_class"] = json!("robot");
    odd["x_custom"] = json!(1);
    assert!(problems(odd.clone(), Severity::Error).is_empty());
    assert_eq!(problems(odd, Severity::Warning), ["/identity_class", "/x_custom"]);
    // a version 5 id that is not the one of the content
    let forged = json!({"type": "ipv4-addr", "value": "198.51.100.3",
        "id": "ipv4-addr--757b1725-9903-54f5-a855-1240691d7659"});
    assert_eq!(problems(forged, Severity::Warning), ["/id"]);
}

#[test]
fn reports_are_bounded() {
    let labels: Vec<Value> = (0..5_000).map(Value::from).collect();
    let mut noisy = valid("identity");
    noisy["labels"] = labels.into();
    let report = validate::object(&Object::from_value(noisy).unwrap());
    assert_eq!(report.problems.len(), validate::MAX_PROBLEMS);
    assert_eq!(report.left_out, 4_000);
    assert!(!report.is_valid());
}

/// A report is as small as its number of problems, whatever names the sender chose.
#[test]
fn names_in_reports_are_cut() {
    let long = "n".repeat(400_000);
    let bytes = |value: Value| {
        let report = validate::object(&Object::from_value(value).unwrap());
        assert_eq!(report.problems.len(), validate::MAX_PROBLEMS);
        let size = |p: &validate::Problem| p.object.len() + p.property.len() + p.message.len();
        report.problems.iter().map(size).sum::<usize>()
    };
    let nulls = vec![Value::Null; 2_000];
    let mut named = valid("identity");
    named[&long] = nulls.clone().into();
    assert!(bytes(named) < 1_000_000);
    // many names one inside the other, and signs that the pointer writes longer
    let mut deep = Value::from(nulls);
    for _ in 0..50 {
        deep = json!({ "~/".repeat(100): deep });
    }
    let mut nested = valid("identity");
    nested["x_deep"] = deep;
    assert!(bytes(nested) < 1_000_000);
    // the type of what a reference of the deprecated container names, and the name of a hash
    let mut held = valid("observed-data");
    held.as_object_mut().unwrap().shift_remove("object_refs");
    held["objects"] = json!({"0": {"type": &long}, "1": {"type": "email-message",
        "is_multipart": false, "to_refs": vec!["0"; 2_000]}});
    assert!(bytes(held) < 1_000_000);
    let hashes: serde_json::Map<String, Value> =
        (0..1_000).map(|n| (format!("{n} {}", "h".repeat(4_000)), json!("0"))).collect();
    assert!(bytes(observable("file", json!({"name": "n", "hashes": hashes}))) < 1_000_000);
}
