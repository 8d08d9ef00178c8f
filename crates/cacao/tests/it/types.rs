//! Every type of command, agent, target, credential, marking and signature: whole ones pass, each required property is missed.

use cacao::validate;
use serde_json::{Value, json};

use crate::kit::{abilities, block, end, playbook};

const UUID: &str = "9c0f1d2e-5b77-4bb0-8a7a-0000000000aa";
const ME: &str = "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01";
const AT: &str = "2026-11-22T00:00:00.000Z";

fn whole() -> Value {
    playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())])
}

fn command(command: Value) -> Value {
    let mut it = whole();
    let id = "action--5d1f0f0e-8a4b-4b53-9a6d-000000000000";
    it["workflow"][id]["commands"] = json!([command]);
    it
}

fn party(party: &Value) -> Value {
    let mut it = whole();
    let id = format!("{}--{UUID}", party["type"].as_str().unwrap());
    it["target_definitions"] = json!({ id: party });
    it
}

fn credential(info: &Value) -> Value {
    let mut it = whole();
    let id = format!("{}--{UUID}", info["type"].as_str().unwrap());
    it["authentication_info_definitions"] = json!({ id: info });
    it
}

fn marking(marking: &Value) -> Value {
    let mut it = whole();
    let id = format!("{}--{UUID}", marking["type"].as_str().unwrap());
    let mut marking = marking.clone();
    marking["id"] = json!(id);
    marking["created_by"] = json!(ME);
    marking["created"] = json!(AT);
    it["markings"] = json!([id.clone()]);
    it["data_marking_definitions"] = json!({ id: marking });
    it
}

fn fine(value: &Value) {
    let report = validate(value, &abilities());
    assert!(report.valid && report.warnings.is_empty(), "{report:#?}");
}

fn errors(value: &Value) -> Vec<String> {
    validate(value, &abilities()).errors
}

/// Each of these properties is missed when it is left out, and refused when it is no text.
fn needs(object: &Value, properties: &[&str], put: &dyn Fn(Value) -> Value) {
    for name in properties {
        let mut less = object.clone();
        less.as_object_mut().unwrap().remove(*name);
        let found = errors(&put(less));
        assert!(found.iter().any(|it| it.contains(name)), "{name} of {object}: {found:#?}");
        let mut other = object.clone();
        other[*name] = json!(-1.5);
        assert!(!errors(&put(other)).is_empty(), "{name} of {object}");
    }
}

#[test]
fn every_type_of_command() {
    for kind in ["manual", "bash", "caldera-cmd", "powershell", "ssh"] {
        fine(&command(json!({ "type": kind, "command": "id", "version": "1",
            "playbook_activity": "scan-system", "external_references": [{ "name": "n" }] })));
        fine(&command(json!({ "type": kind, "command_b64": "aWQ=" })));
        needs(&json!({ "type": kind, "command": "id" }), &["command"], &command);
    }
    for kind in ["elastic", "jupyter", "kestrel", "sigma", "yara"] {
        let it = json!({ "type": kind, "command_b64": "aWQ=" });
        fine(&command(it.clone()));
        needs(&it, &["command_b64"], &command);
        assert!(
            errors(&command(json!({ "type": kind, "command_b64": "%" })))[0].contains("base64")
        );
    }
    let http = json!({ "type": "http-api", "command": "POST /x HTTP/1.1",
        "headers": { "Accept": ["a", "b"] }, "content": "{}" });
    fine(&command(http.clone()));
    needs(&http, &["command"], &command);
    let openc2 = json!({ "type": "openc2-http", "command": "POST /openc2 HTTP/1.1",
        "headers": { "Accept": ["application/openc2+json;version=1.0"] }, "content_b64": "e30=" });
    fine(&command(openc2.clone()));
    needs(&openc2, &["command", "content_b64"], &command);
    for (name, value) in [("A: b", json!(["x"])), ("A", json!(["x\r\nB: c"])), ("A", json!("x"))] {
        let mut spoiled = http.clone();
        spoiled["headers"] = json!({ name: value });
        assert!(!errors(&command(spoiled)).is_empty(), "{name}");
    }
    fine(&command(json!({ "type": "x-city-lamp", "colour": 7 })));
    let strange = validate(&command(json!({ "type": "cisco" })), &abilities());
    assert!(strange.valid && strange.warnings[0].contains("command-type-ov"), "{strange:#?}");
}

#[test]
fn every_type_of_agent_and_target() {
    let location = json!({ "region": "northern-europe", "city": "Aalborg", "latitude": "57.05" });
    for kind in ["individual", "group", "organization"] {
        let it = json!({ "type": kind, "name": "Night watch", "location": location,
            "contact": { "email": { "work": "n@example.org" }, "phone": { "desk": "1" }, "contact_details": "x" } });
        fine(&party(&it));
        needs(&it, &["name"], &|it| party(&it));
        let mut spoiled = it.clone();
        spoiled["contact"]["email"] = json!(["n@example.org"]);
        assert!(!errors(&party(&spoiled)).is_empty());
    }
    fine(&party(&json!({ "type": "location", "name": "Depot", "logical": ["hall 2"] })));
    let sector = json!({ "type": "sector", "name": "S", "sector": "transportation" });
    fine(&party(&sector));
    needs(&sector, &["sector"], &|it| party(&it));
    let category = json!({ "type": "security-category", "name": "F", "category": ["firewall"] });
    fine(&party(&category));
    needs(&category, &["category"], &|it| party(&it));
    for kind in ["http-api", "linux", "net-address", "ssh"] {
        let it = json!({ "type": kind, "name": "Gate", "port": "8443", "category": ["router"],
            "address": { "dname": ["gate.example"], "ipv4": ["192.0.2.1"], "ipv6": ["2001:db8::1"],
                "l2mac": ["00:00:5e:00:53:01"], "vlan": ["7"], "url": ["https://gate.example/x"] } });
        fine(&party(&it));
        needs(&it, &["name", "address"], &|it| party(&it));
        for (name, bad) in [
            ("ipv4", "10.0.0.0/8"),
            ("ipv6", "::g"),
            ("l2mac", "0"),
            ("vlan", "4096"),
            ("url", "gate"),
            ("dname", ""),
            ("phone", "1"),
        ] {
            let mut spoiled = it.clone();
            spoiled["address"][name] = json!([bad]);
            assert!(errors(&party(&spoiled)).iter().any(|e| e.contains(name)), "{name} {bad}");
        }
        let mut spoiled = it.clone();
        spoiled["port"] = json!("70000");
        assert!(errors(&party(&spoiled))[0].contains("port"));
        spoiled["location"] = json!({ "region": "atlantis" });
        assert!(errors(&party(&spoiled)).iter().any(|e| e.contains("region")));
    }
    let mut two = whole();
    two["target_definitions"] =
        json!({ format!("ssh--{UUID}"): { "type": "linux", "name": "x", "address": {} } });
    assert!(errors(&two)[0].contains("the key must begin"));
}

#[test]
fn every_type_of_credential() {
    fine(&credential(&json!({ "type": "http-basic", "user_id": "__who__:value", "kms": true,
        "kms_key_identifier": "gate" })));
    fine(&credential(
        &json!({ "type": "user-auth", "username": "u", "password": "__who__:value" }),
    ));
    let oauth = json!({ "type": "oauth2", "oauth_header": "Bearer", "token": "__who__:value" });
    fine(&credential(&oauth));
    needs(&oauth, &["oauth_header", "token"], &|it| credential(&it));
    let clear = validate(
        &credential(&json!({ "type": "user-auth", "username": "u", "password": "geheim" })),
        &abilities(),
    );
    assert!(clear.valid && clear.warnings[0].contains("in clear"), "{clear:#?}");
    assert!(!clear.warnings[0].contains("geheim"));
    assert!(
        errors(&credential(&json!({ "type": "http-basic", "kms": true })))[0].contains("kms_key")
    );
}

#[test]
fn every_type_of_marking() {
    for level in ["TLP:RED", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:GREEN", "TLP:CLEAR"] {
        fine(&marking(&json!({ "type": "marking-tlp", "tlpv2_level": level })));
    }
    let bad = json!({ "type": "marking-tlp", "tlpv2_level": "TLP:WHITE" });
    assert!(errors(&marking(&bad))[0].contains("TLP:CLEAR"));
    let statement = json!({ "type": "marking-statement", "statement": "© City of Aalborg" });
    fine(&marking(&statement));
    needs(&statement, &["statement"], &|it| marking(&it));
    let iep = json!({ "type": "marking-iep", "name": "n", "description": "d", "tlp": "green",
        "iep_version": 2, "start_date": AT, "end_date": null, "encrypt_in_transit": "must",
        "permitted_actions": "internally-visible-actions", "affected_party_notifications": "may",
        "attribution": "must-not", "unmodified_resale": "must-not", "external_references": ["https://example.org/iep"] });
    fine(&marking(&iep));
    let all: Vec<&str> =
        iep.as_object().unwrap().keys().map(String::as_str).filter(|k| *k != "type").collect();
    needs(&iep, &all, &|it| marking(&it));
}

#[test]
fn extensions_summary_and_signatures() {
    let id = format!("extension-definition--{UUID}");
    let mut it = whole();
    it["playbook_extensions"] = json!({ id.clone(): { "a": 1 } });
    let report = validate(&it, &abilities());
    assert!(report.warnings[0].contains("extension_definitions"), "{report:#?}");
    it["extension_definitions"] = json!({ id: { "type": "extension-definition", "name": "n",
        "created_by": ME, "schema": "https://example.org/s", "version": "1.0" } });
    it["playbook_processing_summary"] = json!({ "extensions": true, "parallel_processing": false });
    fine(&it);
    it["playbook_processing_summary"]["parallel_processing"] = json!(true);
    let report = validate(&it, &abilities());
    assert!(report.warnings[0].contains("parallel_processing"), "{report:#?}");

    let signature = json!({ "type": "jss", "id": format!("jss--{UUID}"), "created": AT, "modified": AT,
        "signee": "City", "related_to": whole()["id"], "related_version": AT,
        "hash_algorithm": "sha-256", "algorithm": "Ed25519", "public_key": "AA", "value": "AA" });
    let signed = |signature: Value| {
        let mut it = whole();
        it["signatures"] = json!([signature]);
        it
    };
    fine(&signed(signature.clone()));
    needs(
        &signature,
        &[
            "type",
            "id",
            "created",
            "modified",
            "signee",
            "related_to",
            "related_version",
            "hash_algorithm",
            "algorithm",
            "public_key",
            "value",
        ],
        &signed,
    );
    let mut two = signature.clone();
    two["cert_url"] = json!("https://example.org/c");
    assert!(errors(&signed(two))[0].contains("exactly one"));
    let mut deep = signature.clone();
    for _ in 0..12 {
        let mut above = signature.clone();
        above["signature"] = deep;
        deep = above;
    }
    assert!(errors(&signed(deep))[0].contains("upon each other"));
}
