//! When playbooks start by themselves.

use std::sync::Arc;

use model::event::IncidentChanged;
use model::{IncidentState, Severity};
use ports::IntelAnswer;
use serde_json::{Value, json};

use crate::room::{Room, World, cert, opened, report, steps};

#[tokio::test]
async fn an_incident_is_looked_up_blocked_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    world.certs.lock().unwrap().push(cert(true));
    let known = IntelAnswer {
        value: "203.0.113.5".into(),
        known: true,
        summary: "on 7 block lists".into(),
        sources: vec![],
    };
    world.intel.lock().unwrap().insert(known.value.clone(), known);
    let room = Room::open(folder.path(), &world).await;
    room.publish(&opened(1, Severity::High)).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(run["incident"], report(1, Severity::High).incident.id.to_string());
    assert_eq!(run["variables"]["__remotes__"], "203.0.113.5,203.0.113.1", "the new one first");
    assert_eq!(run["variables"]["__verdict__"], "known");
    let names: Vec<String> = steps(&run)
        .into_iter()
        .filter(|(_, state)| state == "done")
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "An incident was opened",
            "Look the remote addresses up",
            "Is one of them known to be bad?",
            "Note: known to be bad",
            "Looked up",
            "Block the device at the gateway",
            "Tell the CERT",
            "Tell the people at the console",
            "Contained and told",
        ]
    );
    assert_eq!(world.verbs(), ["block", "share"]);
    let block = &run["steps"][5];
    let arguments =
        json!({ "mac": "02:00:00:00:00:07", "address": "192.168.1.7", "timeout_s": 3600 });
    assert_eq!(block["arguments"], arguments);
    assert_eq!(block["actuator"], "gateway");
    let (_, notices) = room.call("GET", "/api/v1/notices", Value::Null).await;
    let notices = notices["items"].as_array().unwrap();
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[1]["title"], "Tram signal talks to an address known to be bad");
    let sentences: Vec<String> =
        room.facts("playbooks.step_finished").await.into_iter().map(|fact| fact.sentence).collect();
    assert!(
        sentences[0].contains("1 of 2 values known: 203.0.113.5: on 7 block lists"),
        "{sentences:?}"
    );
    assert!(sentences.iter().any(|s| s.starts_with("Tell the CERT: on its way to CERT")));
    room.close().await;
}

#[tokio::test]
async fn unknown_is_an_answer_and_without_a_cert_nothing_is_pretended() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    room.publish(&opened(1, Severity::High)).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["note"], "1 step not enforced here");
    assert_eq!(run["variables"]["__verdict__"], "unknown");
    assert!(steps(&run).contains(&("Note: unknown is an answer".into(), "done".into())));
    assert!(steps(&run).contains(&("Tell the CERT".into(), "not_enforced".into())));

    world.certs.lock().unwrap().push(cert(false));
    room.publish(&opened(2, Severity::High)).await;
    while room.runs().await.len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let run = room.ended().await;
    let tell = run["steps"].as_array().unwrap().iter().find(|s| s["name"] == "Tell the CERT");
    let reason = tell.unwrap()["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("denies"), "{reason}");
    room.close().await;
}

#[tokio::test]
async fn one_run_per_incident_only_for_own_and_severe_ones() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    room.publish(&opened(1, Severity::Medium)).await;
    let mut received = opened(2, Severity::Critical);
    received.received = true;
    room.publish(&received).await;
    room.publish(&opened(3, Severity::High)).await;
    room.publish(&opened(3, Severity::High)).await;
    room.ended().await;
    // The fact comes again after a restart, as from an incident that was opened again.
    room.close().await;
    let room = Room::open(folder.path(), &world).await;
    room.publish(&opened(3, Severity::High)).await;
    room.publish(&opened(4, Severity::Critical)).await;
    while room.runs().await.len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    room.ended().await;
    let incidents: Vec<Value> =
        room.runs().await.iter().map(|run| run["incident"].clone()).collect();
    let id = |number| json!(report(number, Severity::High).incident.id.to_string());
    assert_eq!(incidents, [id(4), id(3)]);
    room.close().await;
}

#[tokio::test]
async fn an_incident_that_becomes_severe_starts_it_too_but_a_note_never_does() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let changed = |number: u8, severity: Severity, state: IncidentState| {
        let mut incident = report(number, severity).incident;
        incident.state = state;
        IncidentChanged { incident, change: "test".into() }
    };
    for number in 1..=4 {
        let whole = report(number, Severity::High);
        world.incidents.0.lock().unwrap().insert(whole.incident.id, whole);
    }
    let room = Room::open(folder.path(), &world).await;
    // Never heard of before: perhaps opened before this room knew it.
    room.publish(&changed(1, Severity::High, IncidentState::New)).await;
    room.publish(&changed(1, Severity::High, IncidentState::Triaged)).await;
    // Closed by the time it rises.
    room.publish(&opened(2, Severity::Medium)).await;
    room.publish(&changed(2, Severity::High, IncidentState::Closed)).await;
    // Rises.
    room.publish(&opened(3, Severity::Medium)).await;
    room.publish(&changed(3, Severity::High, IncidentState::New)).await;
    room.publish(&changed(3, Severity::Critical, IncidentState::New)).await;
    room.publish(&opened(4, Severity::High)).await;
    while room.runs().await.len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let incidents: Vec<Value> =
        room.runs().await.iter().map(|run| run["incident"].clone()).collect();
    let id = |number| json!(report(number, Severity::High).incident.id.to_string());
    assert_eq!(incidents, [id(4), id(3)]);
    room.close().await;
}
