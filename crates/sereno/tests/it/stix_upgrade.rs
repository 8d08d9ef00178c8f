//! STIX 2.0 on the command line becomes valid STIX 2.1, and what is lost is told.

use serde_json::{Value, json};

use crate::programs::{json as read, output, sereno};

const UUID: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

fn old(kind: &str, own: &Value) -> Value {
    let mut object = json!({"type": kind, "id": format!("{kind}--{UUID}"),
        "created": "2016-04-06T20:03:48Z", "modified": "2016-04-06T20:03:48.123456Z"});
    object.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    object
}

fn observed(own: &Value) -> Value {
    old(
        "observed-data",
        &json!({"first_observed": "2016-01-01T00:00:00Z", "last_observed": "2016-01-01T00:00:00Z",
            "number_observed": 1, "objects": {"0": own}}),
    )
}

#[test]
fn a_bundle_of_2_0_is_upgraded_and_losses_are_told_with_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = |name: &str, value: &Value| {
        std::fs::write(place(name), value.to_string()).unwrap();
        place(name)
    };
    let run = |arguments: &[&str]| output(sereno().arg("stix").args(arguments));
    let bundle = |objects: Value| {
        json!({"type": "bundle", "id": format!("bundle--{UUID}"), "spec_version": "2.0",
            "objects": objects})
    };
    let malware = old("malware", &json!({"name": "m", "labels": ["bot"]}));
    let address = observed(&json!({"type": "ipv4-addr", "value": "198.51.100.7"}));
    let whole = file("whole.json", &bundle(json!([malware, address])));

    // all is carried: an assumption is told and is no loss
    let out = run(&["upgrade", &whole, "-o", &place("new.json")]);
    assert_eq!(out.status.code(), Some(0));
    assert!(out.stdout.is_empty());
    assert!(String::from_utf8_lossy(&out.stderr).contains("assumed: malware--"));
    assert_eq!(run(&["validate", &place("new.json")]).status.code(), Some(0));
    let new: Value = serde_json::from_slice(&std::fs::read(place("new.json")).unwrap()).unwrap();
    assert_eq!(new["id"], json!(format!("bundle--{UUID}")));
    assert_eq!(new["objects"].as_array().map(Vec::len), Some(3));
    assert_eq!(new["objects"][0]["malware_types"], json!(["bot"]));
    assert_eq!(new["objects"][0]["created"], json!("2016-04-06T20:03:48.000Z"));
    assert_eq!(new["objects"][0]["modified"], json!("2016-04-06T20:03:48.123456Z"));

    // what 2.1 has no place for is listed with its value
    let lossy = observed(&json!({"type": "file", "name": "a", "is_encrypted": true}));
    let out = run(&["upgrade", "--json", &file("lossy.json", &bundle(json!([lossy])))]);
    let answer = read(&out);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(answer["not_carried"][0]["property"], json!("/objects/0/is_encrypted"));
    assert_eq!(answer["not_carried"][0]["value"], json!(true));
    assert_eq!(answer["bundle"]["objects"].as_array().map(Vec::len), Some(2));

    // a lone object becomes a bundle, the same each time
    let alone = file("alone.json", &address);
    let (first, again) = (run(&["upgrade", &alone]), run(&["upgrade", &alone]));
    assert_eq!((first.status.code(), &first.stdout), (Some(0), &again.stdout));
    assert_eq!(read(&first)["objects"].as_array().map(Vec::len), Some(2));

    for broken in [json!([]), json!({"a": 1}), json!({"type": "bundle"})] {
        let out = run(&["upgrade", &file("broken.json", &broken)]);
        assert_eq!(out.status.code(), Some(2), "{broken}");
        assert!(String::from_utf8_lossy(&out.stderr).contains("broken.json"), "{broken}");
    }
    assert_eq!(run(&["upgrade", &place("absent.json")]).status.code(), Some(3));
}
