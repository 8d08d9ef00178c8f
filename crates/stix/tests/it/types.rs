//! Every type of the standard: a smallest valid object, and one rule broken at a time.

use serde_json::{Value, json};
use stix::Object;
use stix::validate::{self, Severity};

const UUID: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

fn id(kind: &str) -> String {
    format!("{kind}--{UUID}")
}

fn sdo(kind: &str, own: Value) -> Value {
    let mut object = json!({"type": kind, "spec_version": "2.1", "id": id(kind),
        "created": "2016-04-06T20:03:48.000Z", "modified": "2016-04-06T20:03:48.000Z"});
    object.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    object
}

fn sco(kind: &str, own: Value) -> Value {
    let mut object = json!({"type": kind, "id": id(kind)});
    object.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    object
}

fn errors(value: &Value) -> Vec<String> {
    let report = validate::object(&Object::from_value(value.clone()).unwrap());
    let errors = report.problems.into_iter().filter(|p| p.severity == Severity::Error);
    errors.map(|p| p.property).collect()
}

/// `patch` is merged into a valid object (`null` removes) and breaks exactly `expect`.
fn breaks(base: &Value, patch: Value, expect: &str) {
    let mut value = base.clone();
    let map = value.as_object_mut().unwrap();
    for (name, change) in patch.as_object().unwrap() {
        if change.is_null() {
            map.shift_remove(name);
        } else {
            map.insert(name.clone(), change.clone());
        }
    }
    assert_eq!(errors(&value), [expect], "{}: {patch}", base["type"]);
}

fn valid(base: &Value) {
    assert!(errors(base).is_empty(), "{base}: {:?}", errors(base));
}

#[test]
fn locations() {
    let base = sdo("location", json!({"country": "BE"}));
    valid(&base);
    valid(&sdo("location", json!({"latitude": 48, "longitude": 11.5, "precision": 10.0})));
    breaks(&base, json!({"country": null}), "");
    breaks(&base, json!({"latitude": 1.0}), "/longitude");
    breaks(&base, json!({"precision": 1.0}), "/precision");
    breaks(&base, json!({"latitude": 90.5, "longitude": 1}), "/latitude");
    breaks(&base, json!({"latitude": 1, "longitude": -180.5}), "/longitude");
}

#[test]
fn domain_objects() {
    let analysis = sdo("malware-analysis", json!({"product": "x", "result": "benign"}));
    valid(&analysis);
    breaks(&analysis, json!({"result": null}), "/result");
    breaks(&analysis, json!({"analysis_sco_refs": [id("malware")]}), "/analysis_sco_refs/0");
    breaks(&analysis, json!({"sample_ref": id("url")}), "/sample_ref");
    let campaign = sdo("campaign", json!({"name": "c", "first_seen": "2020-01-01T00:00:00Z"}));
    valid(&campaign);
    breaks(&campaign, json!({"last_seen": "2019-01-01T00:00:00Z"}), "/last_seen");
    let observed = sdo(
        "observed-data",
        json!({"first_observed": "2016-01-01T00:00:00Z",
        "last_observed": "2016-01-01T00:00:00Z", "number_observed": 1,
        "object_refs": [id("file"), id("relationship")]}),
    );
    valid(&observed);
    breaks(&observed, json!({"object_refs": [id("relationship")]}), "/object_refs");
    breaks(&observed, json!({"object_refs": [id("file"), id("malware")]}), "/object_refs/1");
    breaks(&observed, json!({"objects": {"0": {"type": "url", "value": "http://x"}}}), "/objects");
    breaks(&observed, json!({"number_observed": 1_000_000_000}), "/number_observed");
    let sighting = sdo("sighting", json!({"sighting_of_ref": id("indicator")}));
    valid(&sighting);
    breaks(&sighting, json!({"sighting_of_ref": id("file")}), "/sighting_of_ref");
    let relationship = sdo(
        "relationship",
        json!({"relationship_type": "uses",
        "source_ref": id("campaign"), "target_ref": id("tool"),
        "start_time": "2020-01-01T00:00:00Z"}),
    );
    valid(&relationship);
    breaks(&relationship, json!({"stop_time": "2020-01-01T00:00:00Z"}), "/stop_time");
    breaks(&relationship, json!({"target_ref": id("extension-definition")}), "/target_ref");
    let opinion = sdo("opinion", json!({"opinion": "agree", "object_refs": [id("note")]}));
    valid(&opinion);
    breaks(&opinion, json!({"opinion": "yes"}), "/opinion");
}

#[test]
fn the_deprecated_container_is_judged_by_its_keys() {
    let observed = |objects: Value| {
        sdo(
            "observed-data",
            json!({"first_observed": "2016-01-01T00:00:00Z",
            "last_observed": "2016-01-01T00:00:00Z", "number_observed": 1, "objects": objects}),
        )
    };
    valid(&observed(json!({"0": {"type": "ipv4-addr", "value": "198.51.100.3"},
        "1": {"type": "network-traffic", "src_ref": "0", "protocols": ["tcp"]}})));
    let dangling = observed(json!({"1": {"type": "network-traffic", "src_ref": "0",
        "protocols": ["tcp"]}}));
    assert_eq!(errors(&dangling), ["/objects/1/src_ref"]);
    let wrong = observed(json!({"0": {"type": "file", "name": "a"},
        "1": {"type": "network-traffic", "src_ref": "0", "protocols": ["tcp"]}}));
    assert_eq!(errors(&wrong), ["/objects/1/src_ref"]);
    assert_eq!(errors(&observed(json!({"0": {"type": "malware"}}))), ["/objects/0/type"]);
}

#[test]
fn references_to_the_outside() {
    let with = |kind: &str, reference: Value| {
        sdo(kind, json!({"name": "n", "external_references": [reference]}))
    };
    valid(&with("vulnerability", json!({"source_name": "cve", "external_id": "CVE-2021-44228"})));
    let wrong = json!({"source_name": "cve", "external_id": "2021-44228"});
    let at = "/external_references/0/external_id";
    assert_eq!(errors(&with("vulnerability", wrong.clone())), [at]);
    valid(&with("tool", wrong));
    let capec = json!({"source_name": "capec", "external_id": "163"});
    assert_eq!(errors(&with("attack-pattern", capec)), [at]);
    // a form of URL is no MUST here (§2.5)
    valid(&with("tool", json!({"source_name": "s", "url": "not a url"})));
}

#[test]
fn markings_and_languages() {
    let base = sdo("identity", json!({"name": "n", "labels": ["a"]}));
    let marked =
        |selector: &str| json!({"granular_markings": [{"lang": "en-US", "selectors": [selector]}]});
    let mut good = base.clone();
    good.as_object_mut().unwrap().extend(marked("labels.[0]").as_object().unwrap().clone());
    valid(&good);
    for selector in ["labels.[1]", "labels.0", "description", "name.x", "", "labels[0]"] {
        breaks(&base, marked(selector), "/granular_markings/0/selectors/0");
    }
    let statement = json!({"type": "marking-definition", "spec_version": "2.1",
        "id": id("marking-definition"), "created": "2016-04-06T20:03:48.000Z",
        "definition_type": "statement", "definition": {"statement": "mine"}});
    valid(&statement);
    breaks(&statement, json!({"definition": {"a": "b"}}), "/definition/statement");
    breaks(
        &statement,
        json!({"object_marking_refs": [id("marking-definition")]}),
        "/object_marking_refs",
    );
    let content = sdo(
        "language-content",
        json!({"object_ref": id("campaign"),
        "contents": {"de": {"name": "Feldzug", "labels": ["a", "b"]}}}),
    );
    valid(&content);
    breaks(&content, json!({"contents": {"1german": {"name": "x"}}}), "/contents/1german");
    breaks(&content, json!({"object_ref": id("bundle")}), "/object_ref");
}

#[test]
fn types_of_somebody_else() {
    valid(&sdo("x-machine", json!({"x_size": {"a": [1]}})));
    let key = id("extension-definition");
    let observable = sco(
        "x-valve",
        json!({"state": "open",
        "extensions": {key.clone(): {"extension_type": "new-sco"}}}),
    );
    valid(&observable);
    breaks(
        &observable,
        json!({"extensions": {key: {"extension_type": "new-sdo"}},
        "spec_version": "2.1", "created": "2016-04-06T20:03:48.000Z"}),
        "/modified",
    );
    breaks(&sdo("x-machine", json!({})), json!({"x_null": {"a": [null]}}), "/x_null/a/0");
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn smallest_observables_and_their_rules() {
    for (kind, own, patch, expect) in [
        ("artifact", json!({"payload_bin": "aGk="}), json!({"payload_bin": "aGk"}), "/payload_bin"),
        (
            "artifact",
            json!({"payload_bin": "aGk="}),
            json!({"decryption_key": "k"}),
            "/decryption_key",
        ),
        (
            "artifact",
            json!({"payload_bin": "aGk="}),
            json!({"encryption_algorithm": "rot13"}),
            "/encryption_algorithm",
        ),
        (
            "artifact",
            json!({"url": "http://x.example/a", "hashes": {"MD5": "66e2ea40dc71d5ba701574ea215a81f1"}}),
            json!({"hashes": null}),
            "/hashes",
        ),
        ("autonomous-system", json!({"number": 1}), json!({"number": "1"}), "/number"),
        ("directory", json!({"path": "/a"}), json!({"path_enc": "klingon"}), "/path_enc"),
        (
            "directory",
            json!({"path": "/a"}),
            json!({"contains_refs": [id("url")]}),
            "/contains_refs/0",
        ),
        (
            "domain-name",
            json!({"value": "xn--bcher-kva.example"}),
            json!({"value": "a b"}),
            "/value",
        ),
        ("domain-name", json!({"value": "bücher.example"}), json!({"value": "a..b"}), "/value"),
        (
            "email-addr",
            json!({"value": "a@b.example"}),
            json!({"value": "A <a@b.example>"}),
            "/value",
        ),
        (
            "email-message",
            json!({"is_multipart": false, "body": "x"}),
            json!({"is_multipart": true}),
            "/body",
        ),
        (
            "email-message",
            json!({"is_multipart": true, "body_multipart": [{"body": "x"}]}),
            json!({"body_multipart": [{"content_type": "a/b"}]}),
            "/body_multipart/0",
        ),
        (
            "email-message",
            json!({"is_multipart": false}),
            json!({"from_ref": id("url")}),
            "/from_ref",
        ),
        ("file", json!({"name": "a"}), json!({"size": -1}), "/size"),
        ("file", json!({"name": "a"}), json!({"magic_number_hex": "abc"}), "/magic_number_hex"),
        (
            "ipv6-addr",
            json!({"value": "2001:db8::/32"}),
            json!({"value": "2001:db8::/129"}),
            "/value",
        ),
        ("mutex", json!({"name": "m"}), json!({"name": null}), "/name"),
        (
            "network-traffic",
            json!({"protocols": ["tcp"], "src_ref": id("ipv4-addr")}),
            json!({"is_active": true, "end": "2020-01-01T00:00:00Z"}),
            "/end",
        ),
        (
            "network-traffic",
            json!({"protocols": ["tcp"], "src_ref": id("ipv4-addr")}),
            json!({"ipfix": {"a": [1]}}),
            "/ipfix/a",
        ),
        ("process", json!({"pid": 1}), json!({"pid": null}), ""),
        (
            "process",
            json!({"pid": 1}),
            json!({"environment_variables": {"A": 1}}),
            "/environment_variables/A",
        ),
        (
            "software",
            json!({"name": "s", "cpe": "cpe:2.3:a:b:c:1:*:*:*:*:*:*:*"}),
            json!({"cpe": "cpe:/a:b:c"}),
            "/cpe",
        ),
        (
            "software",
            json!({"name": "s", "languages": ["en"]}),
            json!({"languages": ["e"]}),
            "/languages/0",
        ),
        (
            "url",
            json!({"value": "https://example.com/a?b#c"}),
            json!({"value": "example"}),
            "/value",
        ),
        ("user-account", json!({"user_id": "1"}), json!({"user_id": null}), ""),
        (
            "windows-registry-key",
            json!({"key": "HKEY_LOCAL_MACHINE\\A"}),
            json!({"key": "HKLM\\A"}),
            "/key",
        ),
        (
            "windows-registry-key",
            json!({"values": [{"name": ""}]}),
            json!({"values": [{"data_type": "REG_X"}]}),
            "/values/0/data_type",
        ),
        ("x509-certificate", json!({"serial_number": "1"}), json!({"serial_number": null}), ""),
    ] {
        let base = sco(kind, own);
        valid(&base);
        breaks(&base, patch, expect);
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn predefined_extensions() {
    let hex = json!({"icmp_type_hex": "08", "icmp_code_hex": "00"});
    for (kind, own, name, good, bad, at) in [
        (
            "file",
            json!({"name": "a"}),
            "archive-ext",
            json!({"contains_refs": [id("file")]}),
            json!({"comment": "c"}),
            "/contains_refs",
        ),
        ("file", json!({"name": "a"}), "ntfs-ext", json!({"sid": "1"}), json!({"x_other": 1}), ""),
        (
            "file",
            json!({"name": "a"}),
            "pdf-ext",
            json!({"version": "1.7"}),
            json!({"is_optimized": "no"}),
            "/is_optimized",
        ),
        (
            "file",
            json!({"name": "a"}),
            "raster-image-ext",
            json!({"exif_tags": {"Make": "N", "XResolution": 4928}}),
            json!({"exif_tags": {"Make": [1]}}),
            "/exif_tags/Make",
        ),
        (
            "file",
            json!({"name": "a"}),
            "windows-pebinary-ext",
            json!({"pe_type": "exe", "machine_hex": "014c"}),
            json!({"pe_type": "exe"}),
            "",
        ),
        (
            "file",
            json!({"name": "a"}),
            "windows-pebinary-ext",
            json!({"pe_type": "dll", "time_date_stamp": "2016-01-22T12:31:12Z"}),
            json!({"pe_type": "dll", "time_date_stamp": "2016-01-22T12:31:12.5Z"}),
            "/time_date_stamp",
        ),
        (
            "network-traffic",
            json!({"protocols": ["tcp"], "src_ref": id("ipv4-addr")}),
            "http-request-ext",
            json!({"request_method": "get", "request_value": "/", "request_header": {"Host": ["x"]}}),
            json!({"request_method": "get", "request_value": "/", "request_header": {"Host": "x"}}),
            "/request_header/Host",
        ),
        (
            "network-traffic",
            json!({"protocols": ["icmp"], "src_ref": id("ipv4-addr")}),
            "icmp-ext",
            hex,
            json!({"icmp_type_hex": "08"}),
            "/icmp_code_hex",
        ),
        (
            "network-traffic",
            json!({"protocols": ["tcp"], "src_ref": id("ipv4-addr")}),
            "socket-ext",
            json!({"address_family": "AF_INET"}),
            json!({"address_family": "PF_INET"}),
            "/address_family",
        ),
        (
            "network-traffic",
            json!({"protocols": ["tcp"], "src_ref": id("ipv4-addr")}),
            "tcp-ext",
            json!({"src_flags_hex": "00000002"}),
            json!({"src_flags_hex": "2"}),
            "/src_flags_hex",
        ),
        (
            "process",
            json!({"pid": 1}),
            "windows-process-ext",
            json!({"integrity_level": "low"}),
            json!({"integrity_level": "none"}),
            "/integrity_level",
        ),
        (
            "process",
            json!({"pid": 1}),
            "windows-service-ext",
            json!({"service_name": "s"}),
            json!({"start_type": "later"}),
            "/start_type",
        ),
        (
            "user-account",
            json!({"user_id": "1"}),
            "unix-account-ext",
            json!({"gid": 1}),
            json!({"gid": "1"}),
            "/gid",
        ),
    ] {
        let mut base = sco(kind, own);
        base["extensions"] = json!({ name: good });
        valid(&base);
        breaks(&base, json!({"extensions": { name: bad }}), &format!("/extensions/{name}{at}"));
    }
}

#[test]
fn ids_of_observables() {
    // §2.9: without a contributing property the UUID must have version 4; version 5 is advice
    let process = json!({"type": "process", "pid": 1,
        "id": "process--28bb3599-77cd-5a82-a950-b5bc3caf07c4"});
    assert_eq!(errors(&process), ["/id"]);
    valid(&sco("ipv4-addr", json!({"value": "198.51.100.3"})));
    for uuid in [
        "8e2e2d2b-17d4-7cbf-938f-98ee46b3cd3f",
        "8e2e2d2b-17d4-4cbf-c38f-98ee46b3cd3f",
        "8e2e2d2b17d44cbf938f98ee46b3cd3f",
    ] {
        let mut mutex = sco("mutex", json!({"name": "m"}));
        mutex["id"] = json!(format!("mutex--{uuid}"));
        assert_eq!(errors(&mutex), ["/id"], "{uuid}");
    }
}
