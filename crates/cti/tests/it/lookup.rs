//! Lookups over HTTP.

use ports::{Clock, IntelLookup};
use serde_json::{Value, json};

use crate::support::{Setup, TAXII, client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_and_unknown_are_both_answers() {
    let node = Setup::new(1, "operator").start().await;
    let began = platform::system::SystemClock.now().plus_secs(-600);
    let later = |minutes: i64| began.plus_secs(60 * minutes).to_millis_text();
    let http = client("administrator");
    let ask = async |value: &str| -> Value {
        let url = node.url(&format!("/api/v1/intel/lookup?value={value}"));
        http.get(url).send().await.unwrap().json().await.unwrap()
    };
    let known = ask("77.90.185.20").await;
    assert_eq!((&known["known"], &known["sources"][0]["name"]), (&true.into(), &"ipsum".into()));
    assert_eq!(known["sources"][0]["score"], 10.0);
    let unknown = ask("192.0.2.1").await;
    assert_eq!(unknown["known"], false);
    assert_eq!(unknown["summary"], "unknown to 2 sources, 14,217 values");
    let refused = http.get(node.url("/api/v1/intel/lookup?value=")).send().await.unwrap();
    assert_eq!(refused.status(), 422);

    // an indicator that comes in is found; once revoked it is not
    let mut indicator = json!({"type": "indicator", "spec_version": "2.1",
        "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": later(-1), "modified": later(-1),
        "pattern": "[ipv4-addr:value = '192.0.2.1' OR domain-name:value = 'C2.example']",
        "pattern_type": "stix", "valid_from": later(-1), "confidence": 80});
    let post = async |object: &Value| {
        let url = node.url("/taxii2/sereno/collections/inbox/objects/");
        let body = json!({ "objects": [object] }).to_string();
        let answer = http.post(url).header("content-type", TAXII).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    };
    post(&indicator).await;
    assert_eq!(ask("192.0.2.1").await["sources"][0]["score"], 80.0);
    // what nobody stood by for months has faded: the answer says so, and playbooks do not act upon it
    let old = json!("2020-02-01T00:00:00.000Z");
    let mut faded = indicator.clone();
    faded["id"] = json!("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd40");
    faded["pattern"] = json!("[domain-name:value = 'old.example']");
    for name in ["created", "modified", "valid_from"] {
        faded[name] = old.clone();
    }
    post(&faded).await;
    let answer = ask("old.example").await;
    assert_eq!(
        (&answer["known"], &answer["sources"][0]["standing"]),
        (&false.into(), &"faded".into())
    );
    assert!(answer["summary"].as_str().unwrap().starts_with("known until 2020-0"), "{answer}");
    assert_eq!(ask("c2.example").await["known"], true);
    indicator["modified"] = json!(later(1));
    indicator["revoked"] = json!(true);
    post(&indicator).await;
    assert_eq!(ask("192.0.2.1").await["known"], false);
    // the older version that comes again does not bring it back
    indicator["modified"] = json!(later(0));
    indicator["revoked"] = json!(false);
    post(&indicator).await;
    assert_eq!(ask("192.0.2.1").await["known"], false);
    let sources: Value =
        http.get(node.url("/api/v1/intel/sources")).send().await.unwrap().json().await.unwrap();
    assert_eq!(sources[0]["values"], 14_217);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_nodes_own_work_meets_is_a_fact_once_and_tells_no_secret() {
    let node = Setup::new(1, "operator").start().await;
    let met = async |value: &str| node.cti.lookup(value).await.unwrap().known;
    assert!(met("77.90.185.20").await && met("77.90.185.20").await);
    assert!(!met("192.0.2.1").await);
    // what only those may read who see red is met too, and no fact says so
    let began = platform::system::SystemClock.now().plus_secs(-600).to_millis_text();
    let secret = json!({"type": "indicator", "spec_version": "2.1",
        "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "created": began, "modified": began,
        "pattern": "[ipv4-addr:value = '192.0.2.9']", "pattern_type": "stix", "valid_from": began,
        "object_marking_refs": [stix::Tlp::Red.id()]});
    let body = json!({ "objects": [secret] }).to_string();
    let url = node.url("/taxii2/sereno/collections/inbox/objects/");
    let posted =
        client("administrator").post(url).header("content-type", TAXII).body(body).send().await;
    assert_eq!(posted.unwrap().status(), 202);
    assert!(met("192.0.2.9").await);
    let facts = node.facts("cti.intel_hit").await;
    let told: Vec<&str> = facts.iter().map(|fact| fact.subject.as_str()).collect();
    assert_eq!(told, ["77.90.185.20"]);
}

/// Steps of runs are read under every role: playbooks act upon AMBER, and what they write down does not name it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_playbooks_write_down_names_nothing_above_green() {
    let node = Setup::new(1, "operator").start().await;
    let now = platform::system::SystemClock.now().plus_secs(-600).to_millis_text();
    let indicator = |number: u32, tlp: stix::Tlp| {
        json!({"type": "indicator", "spec_version": "2.1",
            "id": format!("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3c{number:03}"),
            "created": now, "modified": now, "valid_from": now, "pattern_type": "stix", "confidence": 80,
            "pattern": format!("[ipv4-addr:value = '192.0.2.{number}']"),
            "object_marking_refs": [tlp.id()]})
    };
    let http = client("administrator");
    let url = node.url("/taxii2/sereno/collections/inbox/objects/");
    let objects = [indicator(7, stix::Tlp::Amber), indicator(8, stix::Tlp::Green)];
    let body = json!({ "objects": objects }).to_string();
    let answer = http.post(url).header("content-type", TAXII).body(body).send().await.unwrap();
    assert_eq!(answer.status(), 202);

    let amber = node.cti.lookup("192.0.2.7").await.unwrap();
    assert!(amber.known && amber.sources.is_empty(), "{amber:?}");
    assert!(!amber.summary.contains("indicator--"), "{amber:?}");
    let green = node.cti.lookup("192.0.2.8").await.unwrap();
    assert!(green.known && green.summary.contains("indicator--"), "{green:?}");
    assert_eq!(green.sources.len(), 1);
}

/// An indicator on an endpoint is found by its host, and counts when the port is the one that it asks for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_more_than_the_value_is_shown_and_does_not_count_alone() {
    let node = Setup::new(1, "operator").start().await;
    let now = platform::system::SystemClock.now().plus_secs(-600).to_millis_text();
    let indicator = |number: u32, pattern: &str| {
        json!({"type": "indicator", "spec_version": "2.1", "pattern": pattern, "pattern_type": "stix",
            "id": format!("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3c{number:03}"),
            "created": now, "modified": now, "valid_from": now, "confidence": 80})
    };
    let http = client("administrator");
    let url = node.url("/taxii2/sereno/collections/inbox/objects/");
    let objects = [
        indicator(
            1,
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.7' AND network-traffic:dst_port = 443]",
        ),
        indicator(2, "[domain-name:value = 'a.example'] AND [ipv4-addr:value = '192.0.2.8']"),
    ];
    let body = json!({ "objects": objects }).to_string();
    let answer = http.post(url).header("content-type", TAXII).body(body).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let ask = async |value: &str| -> Value {
        let url = node.url(&format!("/api/v1/intel/lookup?value={value}"));
        http.get(url).send().await.unwrap().json().await.unwrap()
    };
    let host = ask("192.0.2.7").await;
    assert_eq!(host["known"], false, "{host}");
    assert_eq!(host["sources"][0]["standing"], "needs-more");
    assert_eq!(host["sources"][0]["needs"], "network-traffic:dst_port = 443");
    let summary = host["summary"].as_str().unwrap();
    assert!(summary.ends_with("which also needs network-traffic:dst_port = 443"), "{summary}");
    assert!(!node.cti.lookup("192.0.2.7").await.unwrap().known, "no playbook acts upon half of it");
    let whole = ask("192.0.2.7:443").await;
    assert_eq!((&whole["known"], &whole["value"]), (&true.into(), &"192.0.2.7".into()), "{whole}");
    assert_eq!(ask("192.0.2.7:80").await["known"], false);
    let other = ask("A.example").await;
    assert_eq!(other["sources"][0]["needs"], "[ipv4-addr:value = '192.0.2.8']", "{other}");
}
