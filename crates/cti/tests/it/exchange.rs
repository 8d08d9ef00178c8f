//! Two nodes: an incident goes over, the answer comes back; and what a crash or an absence does.

use std::sync::Arc;

use model::event::{IncidentAcknowledged, IncidentReceived, ShareMoved};
use model::{ShareState, Tlp};
use ports::Exchange;
use serde_json::Value;

use crate::support::{Node, Setup, acquaint, client, id, pair, report, until};

async fn shown(node: &Node, share: model::ShareId) -> Value {
    let url = node.url(&format!("/api/v1/shares/{share}"));
    client("analyst").get(url).send().await.unwrap().json().await.unwrap()
}

async fn reaches(node: &Node, share: model::ShareId, state: &str) -> Value {
    until(|| async {
        let share = shown(node, share).await;
        (share["state"] == state).then_some(share)
    })
    .await
}

async fn acknowledge(cert: &Node) {
    let fact = cert.facts("cti.incident_received").await.remove(0);
    let received = fact.read::<IncidentReceived>().unwrap().unwrap();
    let said = IncidentAcknowledged {
        incident: received.incident.id,
        origin: received.incident.origin,
        by: "Carla".into(),
        text: "We look into it".into(),
        at: cert.platform.now(),
        tlp: None,
    };
    let written: Result<i64, platform::db::DbError> = cert
        .platform
        .db
        .write(move |tx| Box::pin(async move { tx.publish("Carla", &said).await }))
        .await;
    written.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_goes_over_and_the_answer_comes_back() {
    let (operator, cert) = pair(Setup::new(1, "operator"), Setup::new(2, "cert")).await;
    let report = report(9, Tlp::Amber);
    operator.hold(&report);
    let peer = cert.as_peer(true).id;
    let share = operator.cti.share(id(9), peer, "ann", "key").await.unwrap();
    assert_eq!(operator.cti.share(id(9), peer, "ann", "key").await.unwrap(), share);
    let delivered = reaches(&operator, share, "delivered").await;
    assert_eq!(delivered["receipt"]["verified"], true);
    assert_eq!(delivered["attempts"], 1);

    println!("decided {}, delivered {}", delivered["decided_at"], delivered["delivered_at"]);
    let facts = cert.facts("cti.incident_received").await;
    assert_eq!(facts.len(), 1);
    println!("fact at the recipient {}", facts[0].recorded_at);
    let received = facts[0].read::<IncidentReceived>().unwrap().unwrap();
    assert_eq!(received.incident.id, report.incident.id);
    assert_eq!(received.incident.origin, operator.platform.node.id);
    assert_eq!(received.incident.received_share, Some(share));
    assert_eq!(received.incident.severity, report.incident.severity);
    assert_eq!(received.incident.tlp, Tlp::Amber);
    assert_eq!(received.incident.event_at, report.incident.event_at);
    assert_eq!(received.incident.title, "Camera at 192.168.100.112 is infected");
    assert_eq!(received.findings.len(), 1);
    assert_eq!(received.findings[0].why, report.findings[0].why);
    assert_eq!(received.findings[0].device_address, "192.168.100.112");

    acknowledge(&cert).await;
    let answered = reaches(&operator, share, "acknowledged").await;
    assert_eq!(answered["answer"]["by"], "Carla");
    assert_eq!(answered["answer"]["text"], "We look into it");
    println!("answered {}, read {}", answered["answer"]["at"], answered["acknowledged_at"]);
    let moved: Vec<ShareState> = operator
        .facts("cti.share_moved")
        .await
        .iter()
        .map(|fact| fact.read::<ShareMoved>().unwrap().unwrap().state)
        .collect();
    assert_eq!(moved, [ShareState::Delivered, ShareState::Acknowledged]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_cert_gets_it_later_and_once() {
    let (operator, cert) = pair(Setup::new(1, "operator"), Setup::new(2, "cert")).await;
    operator.hold(&report(9, Tlp::Amber));
    let peer = cert.as_peer(true).id;
    let (folder, peers, incidents, address) = cert.kill().await;
    let share = operator.cti.share(id(9), peer, "ann", "key").await.unwrap();
    let waiting = until(|| async {
        let share = shown(&operator, share).await;
        (share["attempts"].as_i64().unwrap() >= 2).then_some(share)
    })
    .await;
    assert_eq!(waiting["state"], "queued");
    assert!(waiting["last_error"].as_str().unwrap().contains("refused"), "{waiting}");

    // the sender dies as well while it waits, and goes on
    let (own_folder, own_peers, own_incidents, _) = operator.kill().await;
    let operator = Setup::new(1, "operator")
        .start_in(own_folder, own_peers, own_incidents, "127.0.0.1:0")
        .await;
    let cert = Setup::new(2, "cert").start_in(folder, peers, incidents, &address.to_string()).await;
    acquaint(&operator, &cert);
    reaches(&operator, share, "delivered").await;
    assert_eq!(cert.facts("cti.incident_received").await.len(), 1);
    acknowledge(&cert).await;
    reaches(&operator, share, "acknowledged").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_of_another_key_is_no_receipt() {
    let (operator, cert) = pair(Setup::new(1, "operator"), Setup::new(2, "cert")).await;
    operator.hold(&report(9, Tlp::Amber));
    let good = cert.as_peer(true);
    let mut wrong = good.clone();
    wrong.signing_key = hex::encode(operator.platform.signer.public_key());
    *operator.peers.list.lock().unwrap() = vec![wrong];
    let share = operator.cti.share(id(9), good.id, "ann", "key").await.unwrap();
    let waiting = until(|| async {
        let share = shown(&operator, share).await;
        (share["attempts"].as_i64().unwrap() >= 2).then_some(share)
    })
    .await;
    assert_eq!(waiting["state"], "queued");
    assert!(waiting["last_error"].as_str().unwrap().contains("receipt"));
    // sent several times, opened once; the right key ends the wait
    *operator.peers.list.lock().unwrap() = vec![good];
    reaches(&operator, share, "delivered").await;
    assert_eq!(cert.facts("cti.incident_received").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_envelope_is_refused_and_said_so() {
    let (operator, cert) = pair(Setup::new(1, "operator"), Setup::new(2, "cert")).await;
    operator.hold(&report(9, Tlp::Amber));
    // the recipient knows another key for us: nothing of ours fits
    let mut stranger = operator.as_peer(false);
    stranger.signing_key = "11".repeat(32);
    *cert.peers.list.lock().unwrap() = vec![stranger];
    let share = operator.cti.share(id(9), cert.as_peer(true).id, "ann", "key").await.unwrap();
    let refused = reaches(&operator, share, "refused").await;
    assert!(refused["last_error"].as_str().unwrap().contains("signature"), "{refused}");
    assert!(cert.facts("cti.incident_received").await.is_empty());
    let moved = operator.facts("cti.share_moved").await;
    assert_eq!(moved[0].read::<ShareMoved>().unwrap().unwrap().state, ShareState::Refused);
    let _ = Arc::strong_count(&cert.peers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_version_renews_and_pseudonyms_indicate_nobody() {
    let (operator, cert) = pair(Setup::new(1, "operator"), Setup::new(2, "cert")).await;
    let mut report = report(9, Tlp::Amber);
    operator.hold(&report);
    let peer = cert.as_peer(true).id;
    let first = operator.cti.share(id(9), peer, "ann", "first").await.unwrap();
    reaches(&operator, first, "delivered").await;
    report.incident.title = "Two cameras are infected".into();
    operator.hold(&report);
    let second = operator.cti.share(id(9), peer, "ann", "second").await.unwrap();
    reaches(&operator, second, "delivered").await;
    let facts = cert.facts("cti.incident_received").await;
    assert_eq!(facts.len(), 2);
    let received = facts[1].read::<IncidentReceived>().unwrap().unwrap();
    assert_eq!(received.incident.title, "Two cameras are infected");
    assert_eq!(received.incident.received_share, Some(second));
    let named: Vec<String> = received.indicators.iter().map(|e| e.peer.to_string()).collect();
    assert_eq!(named, ["203.0.113.66", "198.51.100.53"]);
    let health = operator.cti.health().await;
    assert!(health.iter().all(|part| part.state == platform::health::Health::Ok), "{health:?}");
}
