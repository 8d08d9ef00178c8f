//! Playbooks act on the incident that they answer: once for each key, and on no other.

use std::collections::BTreeMap;

use model::event::{FindingRaised, IncidentAcknowledged, Payload};
use model::{IncidentId, IncidentState, Outcome, RunId, Severity};
use ports::{Actuator, ActuatorCommand, PortError};
use serde_json::{Value, json};

use crate::cases::received;
use crate::desk::{Desk, finding};

fn command(key: &str, verb: &str, incident: IncidentId, arguments: &Value) -> ActuatorCommand {
    ActuatorCommand {
        key: key.into(),
        verb: verb.into(),
        arguments: serde_json::from_value(arguments.clone()).unwrap(),
        run: "01890a5d-ac96-774b-bcce-b302099a8057".parse::<RunId>().unwrap(),
        incident: Some(incident),
    }
}

#[tokio::test]
async fn a_received_incident_is_acknowledged_once_and_its_sender_answered() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&received(1_800_000_000, "From elsewhere")).await;
    let id = desk.all().await[0].incident.id;
    let asked = command("r/1/0", "acknowledge", id, &json!({ "text": "taken up at night" }));
    for _ in 0..2 {
        let outcome = desk.room.perform(&asked).await.unwrap();
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }
    let answers = desk.facts(IncidentAcknowledged::KIND).await;
    assert_eq!(answers.len(), 1, "one answer to the sender");
    let answer = answers[0].read::<IncidentAcknowledged>().unwrap().unwrap();
    assert_eq!((answer.incident, answer.text.as_str()), (id, "taken up at night"));
    let by = desk.all().await[0].incident.acknowledged_by.clone().unwrap();
    assert!(by.starts_with("playbook run "), "{by}");
    desk.close().await;
}

#[tokio::test]
async fn a_command_asked_again_after_a_crash_writes_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let id = desk.all().await[0].incident.id;
    let note = command("r/1/0", "note", id, &json!({ "text": "the valve is shut" }));
    let moved = command("r/2/0", "move", id, &json!({ "state": "triaged", "reason": "looked at" }));
    for asked in [&note, &moved, &note] {
        assert!(matches!(desk.room.perform(asked).await, Ok(Outcome::Done { .. })));
    }
    // Somebody moves it on; the old command, asked again, must not move it back.
    let on = command("r/3/0", "move", id, &json!({ "state": "contained", "reason": "blocked" }));
    desk.room.perform(&on).await.unwrap();
    desk.room.perform(&moved).await.unwrap();
    let report = &desk.all().await[0];
    assert_eq!(report.incident.state, IncidentState::Contained);
    let notes = report.timeline.iter().filter(|line| line.text == "the valve is shut").count();
    assert_eq!(notes, 1);
    desk.close().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let id = desk.all().await[0].incident.id;
    for (verb, arguments, word) in [
        ("close", json!({}), "no verb 'close'"),
        ("note", json!({ "text": "  " }), "text must have 1 to"),
        ("note", json!({ "text": "x".repeat(5_000) }), "it has 5000"),
        ("move", json!({ "state": "gone", "reason": "r" }), "state must be one of new"),
        ("move", json!({ "state": "closed" }), "reason must have"),
    ] {
        let refused = desk.room.perform(&command("k", verb, id, &arguments)).await;
        let Err(PortError::Invalid(why)) = refused else { panic!("{verb}: {refused:?}") };
        assert!(why.contains(word), "{why}");
    }
    let none = ActuatorCommand {
        incident: None,
        arguments: BTreeMap::from([("text".to_owned(), json!("x"))]),
        ..command("k", "note", id, &json!({}))
    };
    assert!(matches!(desk.room.perform(&none).await, Err(PortError::Invalid(_))));
    let back = command("k", "move", id, &json!({ "state": "new", "reason": "r" }));
    let outcome = desk.room.perform(&back).await.unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "it is new already: {outcome:?}");
    let closed = command("k2", "move", id, &json!({ "state": "closed", "reason": "r" }));
    desk.room.perform(&closed).await.unwrap();
    let outcome = desk.room.perform(&back).await.unwrap();
    assert!(matches!(outcome, Outcome::Failed { retry: false, .. }), "{outcome:?}");
    desk.close().await;
}
