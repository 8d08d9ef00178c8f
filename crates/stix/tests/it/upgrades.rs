//! STIX 2.0 becomes valid STIX 2.1.

use serde_json::{Value, json};
use stix::validate::{self, Severity};
use stix::{Bundle, Object, upgrade};

const UUID: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

fn old(kind: &str, own: Value) -> Object {
    let mut value = json!({"type": kind, "id": format!("{kind}--{UUID}"),
        "created": "2016-04-06T20:03:48.000Z", "modified": "2016-04-06T20:03:48.123456Z"});
    value.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    Object::from_value(value).unwrap()
}

fn with_modified(object: &Object, at: &str) -> Object {
    let mut map = object.properties().clone();
    map.insert("modified".to_owned(), at.into());
    Object::from_map(map)
}

fn errors(objects: &[Object]) -> Vec<String> {
    let reports = objects.iter().flat_map(|o| validate::object(o).problems);
    let errors = reports.filter(|p| p.severity == Severity::Error);
    errors.map(|p| format!("{} {}: {}", p.object, p.property, p.message)).collect()
}

#[test]
fn labels_become_types_and_the_rest_stays() {
    let malware = old("malware", json!({"name": "m", "labels": ["bot", "mine"], "x_own": 1}));
    let up = upgrade::object(&malware);
    assert_eq!(errors(&up.objects), [""; 0]);
    let new = up.objects[0].to_value();
    assert_eq!(new["malware_types"], json!(["bot"]));
    assert_eq!(new["labels"], json!(["mine"]));
    assert_eq!(new["x_own"], json!(1));
    assert_eq!(new["modified"], json!("2016-04-06T20:03:48.123456Z"), "never cut");
    let told: Vec<&str> = up.losses.iter().map(|l| l.property.as_str()).collect();
    assert_eq!(told, ["/is_family"]);
    let coarse = with_modified(&malware, "2016-04-06T20:03:48.5Z");
    let padded = upgrade::object(&coarse).objects[0].text("modified").map(str::to_owned);
    assert_eq!(padded.as_deref(), Some("2016-04-06T20:03:48.500Z"));
    // what is 2.1 already stays
    assert_eq!(upgrade::object(&up.objects[0]).objects, up.objects);
    let indicator = old(
        "indicator",
        json!({"labels": ["benign"], "pattern": "[url:value = 'x']",
        "valid_from": "2016-01-01T00:00:00Z"}),
    );
    let up = upgrade::object(&indicator);
    assert_eq!(errors(&up.objects), [""; 0]);
    assert_eq!(up.objects[0].get("labels"), None);
    assert_eq!(up.objects[0].text("pattern_type"), Some("stix"));
}

#[test]
fn observations_give_observables() {
    let observed = old(
        "observed-data",
        json!({"first_observed": "2016-01-01T00:00:00Z",
        "last_observed": "2016-01-01T00:00:00Z", "number_observed": 1, "objects": {
        "0": {"type": "network-traffic", "src_ref": "1", "dst_ref": "9", "protocols": ["tcp"],
              "extensions": {"http-request-ext": {"request_method": "get", "request_value": "/",
                                                  "request_header": {"Host": "x"}}}},
        "1": {"type": "ipv4-addr", "value": "198.51.100.3"},
        "2": {"type": "file", "name": "a", "created": "2016-01-01T00:00:00Z",
              "is_encrypted": true, "parent_directory_ref": "3"},
        "3": {"type": "directory", "path": "/tmp", "contains_refs": ["2"]},
        "4": {"type": "process", "pid": 1, "name": "p", "binary_ref": "2"}}}),
    );
    let up = upgrade::object(&observed);
    let told: Vec<&str> = up.losses.iter().map(|l| l.property.as_str()).collect();
    assert_eq!(told, ["/objects/2/is_encrypted", "/objects/4/name", "/objects/0/dst_ref"]);
    // the dangling reference was wrong before and still is; nothing else is
    let wrong = errors(&up.objects);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("/dst_ref"));
    let by_kind = |kind: &str| up.objects.iter().find(|o| o.kind() == kind).unwrap();
    assert_eq!(by_kind("ipv4-addr").id_text(), "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    assert_eq!(by_kind("file").text("ctime"), Some("2016-01-01T00:00:00Z"));
    assert_eq!(by_kind("file").text("parent_directory_ref"), Some(by_kind("directory").id_text()));
    assert_eq!(by_kind("process").text("image_ref"), Some(by_kind("file").id_text()));
    assert_eq!(by_kind("observed-data").texts("object_refs").count(), 5);
    assert_eq!(upgrade::object(&observed), up, "the same input gives the same ids");
}

#[test]
fn equal_observables_of_a_lone_object_stand_once() {
    let address = json!({"type": "ipv4-addr", "value": "198.51.100.3"});
    let observed = old(
        "observed-data",
        json!({"first_observed": "2016-01-01T00:00:00Z",
        "last_observed": "2016-01-01T00:00:00Z", "number_observed": 1,
        "objects": {"0": address, "1": address}}),
    );
    let (bundle, losses) = upgrade::alone(&observed);
    assert_eq!((bundle.objects.len(), losses.len()), (2, 0));
    assert_eq!(bundle.objects[1].texts("object_refs").count(), 1);
}

#[test]
fn rings_of_references_end() {
    let observed = old(
        "observed-data",
        json!({"first_observed": "2016-01-01T00:00:00Z",
        "last_observed": "2016-01-01T00:00:00Z", "number_observed": 1, "objects": {
        "0": {"type": "file", "name": "a", "extensions": {"archive-ext": {"contains_refs": ["1"]}}},
        "1": {"type": "file", "name": "b", "extensions": {"archive-ext": {"contains_refs": ["0"]}}}}}),
    );
    let up = upgrade::object(&observed);
    assert_eq!(up.objects.len(), 3);
}

#[test]
fn a_bundle_of_another_converter_becomes_valid() {
    let Some(root) = crate::examples::data() else { return };
    for file in ["test_event1_stix20.json", "test_attributes_collection_stix20.json"] {
        let bytes = std::fs::read(root.join("cti/misp-stix").join(file)).unwrap();
        let bundle = Bundle::read(&bytes, stix::json::DEFAULT_LIMITS).unwrap();
        let (new, losses) = upgrade::bundle(&bundle);
        assert!(new.objects.len() >= bundle.objects.len(), "{file}: {}", new.objects.len());
        let wrong = errors(&new.objects);
        assert!(wrong.is_empty(), "{file}: {wrong:#?}");
        println!("{file}: {} objects, {} losses", new.objects.len(), losses.len());
    }
}
