//! Redaction rules over HTTP and through the store.

use model::Tlp;
use ports::disclosure::{Address, Disclosure};
use serde_json::{Value, json};

use crate::kit::{Net, indicator, own, to};

const RULES: &str = "/api/v1/sharing/redactions";

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_added_changed_paused_and_removed() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let object =
        [own(indicator(1, Tlp::Clear, json!({ "description": "at 10.0.0.1" })), Tlp::Clear)];
    let leaves = || async {
        let judged = node.room.judge(to(101), Address::Named, &object).await.unwrap().remove(0);
        judged.object.unwrap()["description"].clone()
    };
    let (status, rule) = node
        .ask("POST", RULES, &json!({ "name": "own addresses", "action": { "do": "pseudonymise" } }))
        .await;
    assert_eq!(status, 201, "{rule}");
    assert_eq!(leaves().await, "at 138.0.0.1");
    let path = format!("{RULES}/{}", rule["id"].as_str().unwrap());
    assert_eq!(node.ask("PATCH", &path, &json!({ "paused": true })).await.0, 200);
    assert_eq!(leaves().await, "at 10.0.0.1");
    let action = json!({ "do": "replace", "pattern": r"at \S+", "with": "somewhere" });
    let change = json!({ "paused": false, "action": action });
    assert_eq!(node.ask("PATCH", &path, &change).await.0, 200);
    assert_eq!(leaves().await, "somewhere");
    assert_eq!(node.ask("PATCH", &path, &json!({ "to": { "kinds": ["vendor"] } })).await.0, 200);
    assert_eq!(leaves().await, "at 10.0.0.1");
    let (_, all) = node.ask("GET", RULES, &Value::Null).await;
    assert_eq!(all["items"][0]["action"], action);
    assert_eq!(node.ask("DELETE", &path, &Value::Null).await.0, 204);
    assert_eq!(node.ask("DELETE", &path, &Value::Null).await.0, 404);
    assert_eq!(node.ask("PATCH", &path, &json!({})).await.0, 404);
    for wrong in [
        json!({ "name": "", "action": { "do": "drop" } }),
        json!({ "name": "x", "action": { "do": "burn" } }),
        json!({ "name": "x", "action": { "do": "replace", "pattern": "(", "with": "" } }),
        json!({ "name": "x", "action": { "do": "remove", "properties": ["type"] } }),
        json!({ "name": "x", "types": ["no type!"], "action": { "do": "drop" } }),
        json!({ "name": "x", "to": { "kinds": ["friend"] }, "action": { "do": "drop" } }),
    ] {
        let (status, answer) = node.ask("POST", RULES, &wrong).await;
        assert_eq!(status, 422, "{wrong}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_referred_to_in_another_batch_has_the_same_new_id() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    node.ask("POST", RULES, &json!({ "name": "own", "action": { "do": "pseudonymise" } })).await;
    let mut address =
        json!({ "type": "ipv4-addr", "spec_version": "2.1", "value": "10.0.0.1", "id": "" });
    let made = stix::id::deterministic("ipv4-addr", address.as_object().unwrap()).unwrap();
    address["id"] = json!(made.as_str());
    let relation = json!({
        "type": "relationship", "spec_version": "2.1",
        "id": "relationship--00000000-0000-4000-8000-000000000001", "relationship_type": "related-to",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "source_ref": crate::kit::stix_id("malware", 1), "target_ref": address["id"],
    });
    let relation = [own(relation, Tlp::Clear)];
    let unknown = node.room.judge(to(101), Address::Named, &relation).await.unwrap().remove(0);
    assert!(!unknown.decision.allowed && unknown.object.is_none(), "{unknown:?}");
    assert!(unknown.decision.reason.contains("not known here"));
    node.store(None, std::slice::from_ref(&address)).await;
    let alone = node.room.judge(to(101), Address::Named, &relation).await.unwrap().remove(0);
    let hidden = node
        .room
        .judge(to(101), Address::Named, &[own(address.clone(), Tlp::Clear)])
        .await
        .unwrap();
    let hidden = hidden[0].object.clone().unwrap();
    assert_eq!(hidden["value"], "138.0.0.1");
    assert_ne!(hidden["id"], address["id"]);
    assert_eq!(alone.object.unwrap()["target_ref"], hidden["id"]);
}

/// What is no STIX object is changed by the rules for texts alone, and it is told which.
#[tokio::test(flavor = "multi_thread")]
async fn other_values_are_rewritten_by_the_rules_for_texts() {
    let net = Net::new(2).await;
    let node = &net.nodes[0];
    let mut rules = Vec::new();
    for (name, types, action) in [
        ("own", json!([]), json!({ "do": "pseudonymise" })),
        (
            "cases",
            json!(["indicator"]),
            json!({ "do": "replace", "pattern": "case-[0-9]+", "with": "(case)" }),
        ),
        ("names", json!([]), json!({ "do": "remove", "properties": ["value"] })),
    ] {
        let rule = json!({ "name": name, "types": types, "action": action });
        let (status, made) = node.ask("POST", RULES, &rule).await;
        assert_eq!(status, 201, "{made}");
        rules.push(made["id"].as_str().unwrap().to_owned());
    }
    let part = json!({ "type": "ip-src", "value": "10.0.0.1", "comment": "of case-7", "Tag": [{ "name": "at 10.0.0.2" }] });
    let named = std::collections::BTreeSet::from([rules[1].clone()]);
    let asked = [(part.clone(), std::collections::BTreeSet::new()), (part, named)];
    let done = node.room.rewrite(to(101), &asked).await.unwrap();
    assert_eq!(
        (&done[0].0["value"], &done[0].0["comment"]),
        (&json!("138.0.0.1"), &json!("of case-7"))
    );
    assert_eq!(done[0].0["Tag"][0]["name"], "at 138.0.0.2");
    assert_eq!(done[0].1.iter().collect::<Vec<_>>(), [&rules[0]]);
    assert_eq!(done[1].0["comment"], "of (case)", "the rule for indicators, where it is named");
    assert!(done[1].1.contains(&rules[1]) && !done[1].1.contains(&rules[2]));
}
