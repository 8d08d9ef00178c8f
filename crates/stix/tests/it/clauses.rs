//! Rules found by going through the standard clause by clause (`docs/stix-clauses.md`).

use serde_json::{Value, json};
use stix::Object;
use stix::validate::{self, Severity};

fn id(kind: &str) -> String {
    format!("{kind}--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
}

fn domain(kind: &str, own: Value) -> Value {
    let mut object = json!({"type": kind, "spec_version": "2.1", "id": id(kind), "name": "n",
        "created": "2016-04-06T20:03:48.000Z", "modified": "2016-04-06T20:03:48.000Z"});
    object.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    object
}

fn observable(kind: &str, own: Value) -> Value {
    let mut object = json!({"type": kind, "id": id(kind)});
    object.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    object
}

fn found(value: &Value, severity: Severity) -> Vec<(String, String)> {
    let report = validate::value(value);
    let problems = report.problems.into_iter().filter(|p| p.severity == severity);
    problems.map(|p| (p.clause.replace("STIX 2.1 ", ""), p.property)).collect()
}

/// Breaks exactly this clause at this place.
fn breaks(value: &Value, clause: &str, property: &str) {
    let expect = (clause.to_owned(), property.to_owned());
    assert_eq!(found(value, Severity::Error), [expect], "{value}");
}

fn valid(value: &Value) {
    assert_eq!(found(value, Severity::Error), [], "{value}");
}

fn warns(value: &Value, clause: &str, property: &str) {
    valid(value);
    let expect = (clause.to_owned(), property.to_owned());
    let warnings = found(value, Severity::Warning);
    assert!(warnings.contains(&expect), "{value}: {warnings:?}");
}

#[test]
fn extensions_are_named_by_a_definition_or_end_in_ext() {
    let with = |key: &str, body: Value| domain("identity", json!({"extensions": {key: body}}));
    warns(&with("x-example-ext", json!({"abc": 1})), "§11.3", "/extensions/x-example-ext");
    breaks(&with("x-example", json!({"abc": 1})), "§11.3.1", "/extensions/x-example");
    breaks(&with("-ext", json!({"abc": 1})), "§11.3.1", "/extensions/-ext");
    let other = json!({"extension_type": "other"});
    breaks(&with("x-example-ext", other), "§3.2", "/extensions/x-example-ext/extension_type");
    breaks(&with("x-example-ext", json!({"Ab": 1})), "§11.3.1", "/extensions/x-example-ext/Ab");
    let key = id("extension-definition");
    let body = json!({"extension_type": "property-extension", "inner": {"A b": 1}});
    valid(&with(&key, body));
    let body = json!({"extension_type": "property-extension", "rank-2": 1});
    breaks(&with(&key, body), "§7.3.2", &format!("/extensions/{key}/rank-2"));
}

#[test]
fn dictionaries_with_fixed_properties_take_well_named_ones_more() {
    let with =
        |body: Value| observable("file", json!({"name": "a", "extensions": {"ntfs-ext": body}}));
    warns(&with(json!({"sid": "1", "x_own": 1})), "§11.1", "/extensions/ntfs-ext/x_own");
    breaks(&with(json!({"sid": "1", "x-own": 1})), "§11.1", "/extensions/ntfs-ext/x-own");
}

#[test]
fn tags_of_exif_are_spelled_as_exif_does() {
    let with = |name: &str| {
        observable(
            "file",
            json!({"name": "a", "extensions": {"raster-image-ext": {"exif_tags": {name: 1}}}}),
        )
    };
    valid(&with("XResolution"));
    let at = "/extensions/raster-image-ext/exif_tags/xResolution";
    breaks(&with("xResolution"), "§6.7.5", at);
}

#[test]
fn references_to_the_outside_name_listed_hashes_and_the_true_source() {
    let with =
        |kind: &str, reference: Value| domain(kind, json!({"external_references": [reference]}));
    let hashed = |name: &str| json!({"source_name": "s", "url": "https://a.example/", "hashes": {name: "0".repeat(64)}});
    valid(&with("identity", hashed("SHA-256")));
    breaks(&with("identity", hashed("x_own")), "§2.5.1", "/external_references/0/hashes/x_own");
    // elsewhere the vocabulary is open
    valid(&observable("file", json!({"hashes": {"x_own": "0"}})));
    let cve = json!({"source_name": "nvd", "external_id": "CVE-2021-44228"});
    let at = "/external_references/0/source_name";
    breaks(&with("vulnerability", cve.clone()), "§4.19", at);
    warns(&with("tool", cve), "§4.19", at);
    let capec = json!({"source_name": "mitre", "external_id": "CAPEC-163"});
    breaks(&with("attack-pattern", capec), "§4.1", at);
    valid(&with("attack-pattern", json!({"source_name": "mitre", "external_id": "T1566"})));
}

#[test]
fn languages_begin_with_a_registered_one() {
    for lang in
        ["en", "EN-us", "deu", "zh-Hant-TW", "x-own", "i-klingon", "qaa", "sl-rozaj-biske", "in"]
    {
        valid(&domain("identity", json!({"lang": lang})));
    }
    for lang in ["english", "text", "xx", "e", "en_US", "", "en-", "german-de"] {
        breaks(&domain("identity", json!({"lang": lang})), "§3.2", "/lang");
    }
}

#[test]
fn a_key_or_a_certificate_needs_a_property_of_its_own_beside_extensions() {
    let extensions = json!({"extensions": {"x-own-ext": {"abc": 1}}});
    breaks(&observable("windows-registry-key", extensions.clone()), "§6.17", "");
    breaks(&observable("x509-certificate", extensions.clone()), "§6.18", "");
    valid(&observable("user-account", extensions.clone()));
    valid(&observable("process", extensions));
}

#[test]
fn an_extension_of_a_protocol_should_go_with_its_name() {
    let with = |protocols: Value| {
        observable(
            "network-traffic",
            json!({"dst_ref": id("ipv4-addr"), "protocols": protocols,
            "extensions": {"tcp-ext": {"src_flags_hex": "02"}}}),
        )
    };
    warns(&with(json!(["ipv4"])), "§6.12", "/protocols");
    assert!(
        found(&with(json!(["ipv4", "tcp"])), Severity::Warning)
            .iter()
            .all(|(_, at)| at != "/protocols")
    );
}

#[test]
fn what_no_translation_is_made_of_is_passed_over() {
    let of = |value: Value| {
        let mut object = domain(
            "language-content",
            json!({"object_ref": id("tool"),
            "contents": {"de": {"confidence": value}}}),
        );
        object.as_object_mut().unwrap().shift_remove("name");
        object
    };
    warns(&of(json!(0.5)), "§7.1", "/contents/de/confidence");
    breaks(&of(Value::Null), "§2", "/contents/de/confidence");
}

#[test]
fn a_label_of_tlp_is_the_standards_with_its_name() {
    let mut label = Object::to_value(
        &stix::marking::tlp_1_definition(
            "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        )
        .unwrap(),
    );
    valid(&label);
    label.as_object_mut().unwrap().shift_remove("name");
    breaks(&label, "§7.2.1.4", "/name");
}

#[test]
fn any_value_is_judged_as_what_it_should_be() {
    for odd in [json!(7), json!([]), json!(null), json!("x")] {
        breaks(&odd, "§3", "");
    }
    let tool = domain("tool", json!({}));
    let bundle = |objects: Value| json!({"type": "bundle", "id": id("bundle"), "objects": objects});
    valid(&bundle(json!([tool])));
    breaks(&bundle(json!([])), "§8", "/objects");
    breaks(&bundle(json!({})), "§8", "/objects");
    breaks(&bundle(json!([tool, 7])), "§8", "");
    breaks(&json!({"type": "bundle", "objects": [tool]}), "§8", "/id");
    let inner = json!({"type": "bundle", "id": id("bundle")});
    breaks(&bundle(json!([tool, inner])), "§8.1", "/type");
}

#[test]
fn patterns_begin_at_names_that_objects_can_have() {
    let with = |pattern: &str| {
        domain(
            "indicator",
            json!({"pattern_type": "stix", "pattern": pattern,
            "valid_from": "2016-04-06T20:03:48Z"}),
        )
    };
    valid(&with("[x-usb-device:usbdrive.serial_number = '1' OR ipv4-addr:id = 'x']"));
    valid(&with("[file:hashes.MD5 = '66e2ea40dc71d5ba701574ea215a81f1']"));
    breaks(&with("[ab:name = '1']"), "§9.7", "/pattern");
    breaks(&with("[file:name = 'a'] FOLLOWEDBY [file:'no-name' = '1']"), "§9.7", "/pattern");
    breaks(&with("[file:na = '1']"), "§9.7", "/pattern");
    // other languages are not ours to read
    let mut snort = with("[ab:name = '1']");
    snort["pattern_type"] = json!("snort");
    valid(&snort);
}
