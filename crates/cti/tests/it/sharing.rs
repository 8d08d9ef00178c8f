//! What a share consists of.

use model::Tlp;
use ports::Exchange;
use serde_json::Value;
use stix::{Bundle, validate};

use crate::support::{Setup, client, id, pair, report};

async fn bundle_of(tlp: Tlp) -> (Bundle, String) {
    let (operator, cert) = pair(Setup::new(1, "operator"), Setup::new(2, "cert")).await;
    operator.hold(&report(9, tlp));
    let peer = cert.as_peer(true).id;
    let share = operator.cti.share(id(9), peer, "ann", "k").await.unwrap();
    let text = client("analyst")
        .get(operator.url(&format!("/api/v1/shares/{share}")))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    (Bundle::from_value(value["bundle"].clone()).unwrap(), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_is_valid_stix_of_every_kind_the_loop_needs() {
    let (bundle, _) = bundle_of(Tlp::Amber).await;
    let problems = validate::bundle(&bundle);
    // derived ids (version 5) are allowed and advised against; an extension may be described;
    // the port a client happened to use is not part of the finding
    let allowed = ["/id", "/description", "/src_port"];
    let others: Vec<_> =
        problems.problems.iter().filter(|p| !allowed.contains(&p.property.as_str())).collect();
    assert!(problems.is_valid() && others.is_empty(), "{others:#?}");
    for kind in [
        "marking-definition",
        "extension-definition",
        "identity",
        "incident",
        "malware",
        "attack-pattern",
        "infrastructure",
        "indicator",
        "observed-data",
        "network-traffic",
        "ipv4-addr",
        "sighting",
        "course-of-action",
        "relationship",
    ] {
        assert!(bundle.of_kind(kind).next().is_some(), "no {kind}");
    }
    // every reference leads somewhere within the bundle
    for object in &bundle.objects {
        for (place, target) in stix::object::references(object) {
            assert!(bundle.find(&target).is_some(), "{} {place} -> {target}", object.id_text());
        }
    }
    let own =
        |kind: &str| !matches!(kind, "marking-definition" | "extension-definition" | "identity");
    for object in bundle.objects.iter().filter(|object| own(object.kind())) {
        assert_eq!(stix::Tlp::of(object), Some(stix::Tlp::Amber), "{}", object.id_text());
    }
    // what was there in training, and what is internal, is indicated to nobody
    let indicators: Vec<_> =
        bundle.of_kind("indicator").map(|object| object.text("pattern").unwrap()).collect();
    assert_eq!(indicators, ["[ipv4-addr:value = '203.0.113.66']"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn internal_addresses_do_not_leave() {
    let (bundle, _) = bundle_of(Tlp::Green).await;
    let text = bundle.to_json();
    for secret in ["192.168.100.113", "192.168.100.1\"", "b8:27:eb:7d:6b:a6"] {
        assert!(!text.contains(secret), "{secret} left the house");
    }
    assert!(text.contains("192.168.100.112") && text.contains("203.0.113.66"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_share_leaves_nothing_but_the_decision() {
    let refusing = Setup {
        rule: |_, _, _| Err("denied because of a test".into()),
        ..Setup::new(1, "operator")
    };
    let (operator, cert) = pair(refusing, Setup::new(2, "cert")).await;
    operator.hold(&report(9, Tlp::Red));
    let peer = cert.as_peer(true).id;
    let share = operator.cti.share(id(9), peer, "ann", "k").await.unwrap();
    assert_eq!(operator.cti.share(id(9), peer, "ann", "k").await.unwrap(), share);
    let preview = operator.cti.preview(id(9)).await.unwrap();
    assert!(!preview[0].decision.allowed && preview[0].objects == 0);
    let url = operator.url(&format!("/api/v1/shares/{share}"));
    let shown: Value = client("analyst").get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["state"], "denied");
    assert_eq!(shown["bundle"], Value::Null);
    assert!(shown["history"][0]["text"].as_str().unwrap().contains("denied"));
    assert_eq!(operator.facts("cti.share_decided").await.len(), 1);
}

/// Indicators stay, what is said in sentences is changed; what goes is closed in itself and the preview counts the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_object_of_a_share_is_judged_by_name() {
    let rule: ports::fake::DisclosureRule = |to, address, candidate| {
        assert_eq!(address, ports::disclosure::Address::Named);
        assert!(matches!(to, ports::disclosure::Recipient::Peer(_)));
        assert!(candidate.from.is_none(), "it was opened here");
        let mut object = candidate.object.clone();
        match object["type"].as_str() {
            Some("indicator") => return Err("denied because indicators stay".into()),
            Some("incident") => object["name"] = "(redacted)".into(),
            _ => {}
        }
        Ok(object)
    };
    let judging = Setup { rule, ..Setup::new(1, "operator") };
    let (operator, cert) = pair(judging, Setup::new(2, "cert")).await;
    operator.hold(&report(9, Tlp::Amber));
    let preview = operator.cti.preview(id(9)).await.unwrap().remove(0);
    let share = operator.cti.share(id(9), cert.as_peer(true).id, "ann", "k").await.unwrap();
    let url = operator.url(&format!("/api/v1/shares/{share}"));
    let shown: Value = client("analyst").get(url).send().await.unwrap().json().await.unwrap();
    let bundle = Bundle::from_value(shown["bundle"].clone()).unwrap();
    assert!(bundle.of_kind("indicator").next().is_none());
    assert_eq!(bundle.of_kind("incident").next().unwrap().text("name"), Some("(redacted)"));
    // the sighting of the indicator and its relations go with it
    assert!(bundle.of_kind("sighting").next().is_none());
    for object in &bundle.objects {
        for (place, target) in stix::object::references(object) {
            assert!(bundle.find(&target).is_some(), "{} {place} -> {target}", object.id_text());
        }
    }
    assert!(validate::bundle(&bundle).is_valid());
    let left_out = shown["left_out"].as_i64().unwrap();
    assert!(left_out > 1, "{shown}");
    assert_eq!(shown["objects"].as_i64().unwrap(), bundle.objects.len() as i64);
    assert_eq!(
        (preview.left_out as i64, preview.objects as i64),
        (left_out, bundle.objects.len() as i64)
    );
    let history = shown["history"].to_string();
    assert!(history.contains("1 object(s) left out: denied because indicators stay"), "{history}");
    assert!(history.contains("they refer to what stays"), "{history}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sharing_by_hand_is_listed_and_happens_once_per_key() {
    let (operator, cert) = pair(Setup::new(1, "operator"), Setup::new(2, "cert")).await;
    let http = client("analyst");
    let peer = cert.as_peer(true).id;
    for number in 1..=3 {
        let report = report(number, Tlp::Green);
        operator.hold(&report);
        let url = operator.url(&format!("/api/v1/incidents/{}/shares", report.incident.id));
        for _ in 0..2 {
            let answer = http
                .post(&url)
                .header("idempotency-key", format!("k{number}"))
                .json(&serde_json::json!({ "peer": peer }))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 201);
        }
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let url = operator.url(&format!("/api/v1/shares?limit=2{cursor}"));
        let page: Value = http.get(url).send().await.unwrap().json().await.unwrap();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["incident"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expect: Vec<String> =
        (1..=3).rev().map(|n| report(n, Tlp::Green).incident.id.to_string()).collect();
    assert_eq!(seen, expect, "newest first, each once");
    let url = operator.url(&format!("/api/v1/shares?incident={}", expect[1]));
    let one: Value = http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let missing = http.get(operator.url("/api/v1/shares/nonsense")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}
