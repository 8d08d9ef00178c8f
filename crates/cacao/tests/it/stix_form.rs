//! Playbooks as STIX courses of action, and back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cacao::course_of_action::{EXTENSION, StixError, from_stix, to_stix};
use serde_json::{Value, json};

const EVERYTHING: &str = include_str!("../fixtures/everything.json");

#[test]
fn a_playbook_goes_to_stix_and_comes_back_letter_by_letter() {
    let bundle = to_stix(EVERYTHING).unwrap();
    assert_eq!(from_stix(&bundle).unwrap(), [EVERYTHING]);
    let action = bundle["objects"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&action["type"], &action["name"]),
        (&json!("course-of-action"), &json!("Everything"))
    );
    assert_eq!(
        action["object_marking_refs"][0],
        "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
    );
    let extension = &action["extensions"][EXTENSION];
    assert_eq!(extension["extension_type"], "property-extension");
    assert_eq!(extension["playbook_severity"], 70);
    let bytes = bundle.to_string();
    let read = stix::Bundle::read(bytes.as_bytes(), stix::json::Limits::default()).unwrap();
    let report = stix::validate::bundle(&read);
    assert!(report.first_error().is_none(), "{report:?}");
    // Another version is another version of the same object.
    let mut newer: Value = serde_json::from_str(EVERYTHING).unwrap();
    newer["modified"] = json!("2026-12-01T00:00:00.000Z");
    let newer = to_stix(&newer.to_string()).unwrap();
    assert_eq!(newer["objects"][2]["id"], action["id"]);
    assert_ne!(newer["objects"][2]["modified"], action["modified"]);
}

#[test]
fn what_others_wrote_is_read_and_what_is_damaged_is_named() {
    let object = |extension: Value| json!({ "type": "course-of-action", "id": "course-of-action--x", "extensions": { EXTENSION: extension } });
    let old =
        json!({ "playbook_standard": "cacao", "playbook_base64": STANDARD.encode(EVERYTHING) });
    assert_eq!(from_stix(&object(old)).unwrap(), [EVERYTHING]);
    assert_eq!(from_stix(&object(json!({ "playbook": EVERYTHING }))).unwrap(), [EVERYTHING]);
    for nothing in [json!({}), json!({ "playbook_standard": "BPMN", "playbook_bin": "AA==" })] {
        assert_eq!(from_stix(&object(nothing)), Err(StixError::Nothing));
    }
    assert_eq!(from_stix(&json!({ "type": "indicator" })), Err(StixError::Nothing));
    assert_eq!(from_stix(&json!([1])), Err(StixError::Nothing));
    let other =
        json!({ "playbook_id": "playbook--1", "playbook_bin": STANDARD.encode(EVERYTHING) });
    for (wrong, word) in [
        (json!({ "playbook_bin": "%" }), "base64"),
        (json!({ "playbook_bin": "/w==" }), "UTF-8"),
        (json!({ "playbook_bin": STANDARD.encode("{}") }), "no playbook"),
        (json!({ "playbook_bin": "A".repeat(3 << 20) }), "at most"),
        (other, "is said to be playbook--1"),
    ] {
        let error = from_stix(&object(wrong)).unwrap_err().to_string();
        assert!(error.contains("course-of-action--x") && error.contains(word), "{error}");
    }
    assert!(matches!(to_stix("{}"), Err(StixError::NoPlaybook(_))));
}
