//! Orders reach their agent once and come back with their report.

use std::collections::BTreeMap;

use model::event::{Payload, RecoveryEnded};
use model::id::TypedId;
use model::{Outcome, RunId, Timestamp};
use ports::checkpoint::{CheckpointOrder, Reply};
use ports::{Actuator, ActuatorCommand, PortError};
use recovery::Config;
use serde_json::json;

use crate::room::{Agent, Ground, report};

fn command(key: &str, verb: &str, arguments: serde_json::Value) -> ActuatorCommand {
    let arguments: BTreeMap<String, serde_json::Value> =
        arguments.as_object().unwrap().clone().into_iter().collect();
    ActuatorCommand {
        key: key.into(),
        verb: verb.into(),
        arguments,
        run: RunId::mint(Timestamp::from_secs(1), [1; 10]),
        incident: Some(report().incident.id),
    }
}

#[tokio::test]
async fn a_restore_takes_its_evidence_from_the_incident_and_comes_back_with_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let ground =
        Ground::open(folder.path(), Config { margin_s: Some(90), ..Config::default() }).await;
    let agent = Agent::default();
    let _listening = agent.listen(folder.path());
    let incident = ground.contain().await;
    let body = json!({ "infected_at": "2026-09-21T14:12:20Z" });
    let (status, learned) = ground.call("PUT", &format!("/delays/{incident}"), body).await;
    assert_eq!((status, learned["delay_s"].as_i64()), (200, Some(40)), "{learned}");

    let body = json!({ "verb": "restore_before", "service": "telemetry", "incident": incident, "key": "k1" });
    let (status, answer) = ground.call("POST", "/orders", body.clone()).await;
    assert_eq!(status, 202, "{answer}");
    let over = ground.until("/orders/k1", |order| order["state"] == "done").await;
    assert_eq!(over["report"]["chance_infected"], 0.25);
    assert_eq!(over["agent"], "harbour");
    // The same key again acts no more.
    let (_, again) = ground.call("POST", "/orders", body).await;
    assert_eq!(again["state"], "done");
    assert_eq!(agent.effects.lock().unwrap().get("k1"), Some(&1));
    let asked = agent.asked.lock().unwrap().clone();
    let restore = asked.iter().find(|order| order.verb() == "restore_before").unwrap();
    let CheckpointOrder::RestoreBefore { evidence_at, margin_s, known_delays_s, .. } = restore
    else {
        panic!("{restore:?}");
    };
    // Packet time of a live source is the clock's: twenty seconds before it was recorded.
    assert_eq!(*evidence_at, Timestamp::from_secs(1_790_000_000 - 20));
    assert_eq!((*margin_s, known_delays_s.as_slice()), (Some(90), &[40][..]));
    let facts = ground.facts(RecoveryEnded::KIND).await;
    assert_eq!(facts.len(), 1);
    let ended = facts[0].read::<RecoveryEnded>().unwrap().unwrap();
    assert_eq!(ended.incident, Some(incident));
    assert!(matches!(ended.outcome, Outcome::Done { .. }));
    ground.close().await;
}

#[tokio::test]
async fn playbooks_get_done_failed_with_offers_or_not_enforced() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config::default()).await;
    let agent = Agent::default();
    let room = ground.room.clone();
    let at =
        json!({ "service": "telemetry", "evidence_at": "2026-01-01T00:00:00Z", "margin_s": "30" });
    // Nobody is there yet.
    let nobody = room.perform(&command("p0", "restore_before", at.clone())).await.unwrap();
    assert!(matches!(nobody, Outcome::NotEnforced { .. }), "{nobody:?}");
    let _listening = agent.listen(folder.path());
    let done = room.perform(&command("p1", "restore_before", at.clone())).await.unwrap();
    let Outcome::Done { summary, data } = done else { panic!("{done:?}") };
    assert!(summary.starts_with("telemetry runs again"));
    assert_eq!(data["downtime_s"], 2.5);
    *agent.fails.lock().unwrap() = Some(Reply::Failed {
        reason: "no checkpoint is older".into(),
        offers: vec!["oldest: checkpoint 3".into()],
    });
    let failed = room.perform(&command("p2", "restore_before", at)).await.unwrap();
    let Outcome::Failed { reason, retry: false } = failed else { panic!("{failed:?}") };
    assert!(reason.contains("offered instead: oldest: checkpoint 3"), "{reason}");
    let listed = room.perform(&command("p3", "list", json!({}))).await.unwrap();
    assert!(matches!(listed, Outcome::Done { summary, .. } if summary.starts_with("1 services")));
    for (verb, arguments) in [
        ("erase", json!({ "service": "telemetry" })),
        ("take", json!({})),
        (
            "restore_before",
            json!({ "service": "telemetry", "margin_s": -1, "evidence_at": "2026-01-01T00:00:00Z" }),
        ),
        ("restore_before", json!({ "service": "telemetry", "evidence_at": "yesterday" })),
    ] {
        let refused = room.perform(&command("bad", verb, arguments)).await;
        assert!(matches!(refused, Err(PortError::Invalid(_))), "{verb}: {refused:?}");
    }
    ground.close().await;
}

#[tokio::test]
async fn an_order_survives_its_node_and_waits_for_its_agent() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config::default()).await;
    let agent = Agent::default();
    let body =
        json!({ "verb": "restart", "service": "telemetry", "agent": "harbour", "key": "k2" });
    let (status, _) = ground.call("POST", "/orders", body).await;
    assert_eq!(status, 202);
    ground.until("/orders/k2", |order| order["detail"].as_str().unwrap().contains("away")).await;
    ground.close().await;
    let ground = Ground::open(folder.path(), Config::default()).await;
    let _listening = agent.listen(folder.path());
    ground.until("/orders/k2", |order| order["state"] == "done").await;
    assert_eq!(agent.effects.lock().unwrap().get("k2"), Some(&1));
    ground.close().await;
}

#[tokio::test]
async fn an_agent_that_never_comes_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config { give_up_s: 1, ..Config::default() }).await;
    let body = json!({ "verb": "take", "service": "telemetry", "agent": "harbour", "key": "k3" });
    ground.call("POST", "/orders", body).await;
    let over = ground.until("/orders/k3", |order| order["state"] == "failed").await;
    assert!(over["detail"].as_str().unwrap().contains("recovery.give_up_s"), "{over}");
    ground.close().await;
}

#[tokio::test]
async fn what_no_agent_was_given_is_withdrawn_and_what_was_done_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config::default()).await;
    let (agent, room) = (Agent::default(), ground.room.clone());
    assert!(room.undoes("restart") && !room.undoes("list"));
    let restart =
        |key: &str| command(key, "restart", json!({ "service": "telemetry", "agent": "harbour" }));
    let never = room.undo(&restart("p0")).await.unwrap();
    assert!(matches!(never, Some(Outcome::Done { .. })), "nothing was ordered: {never:?}");
    let body =
        json!({ "verb": "restart", "service": "telemetry", "agent": "harbour", "key": "p1" });
    ground.call("POST", "/orders", body).await;
    ground.until("/orders/p1", |order| order["detail"].as_str().unwrap().contains("away")).await;
    let Some(Outcome::NotEnforced { reason, .. }) = room.undo(&restart("p1")).await.unwrap() else {
        panic!("the agent is away: that it never heard of it cannot be promised");
    };
    assert!(reason.contains("withdrawn") && reason.contains("not known"), "{reason}");
    // The agent comes: it gets the next order, and never the one that was withdrawn.
    let _listening = agent.listen(folder.path());
    let done = room.perform(&restart("p2")).await.unwrap();
    assert!(matches!(done, Outcome::Done { .. }), "{done:?}");
    assert_eq!(agent.effects.lock().unwrap().keys().collect::<Vec<_>>(), ["p2"]);
    let stays = room.undo(&restart("p2")).await.unwrap();
    assert!(
        matches!(&stays, Some(Outcome::NotEnforced { reason, .. }) if reason.contains("stays")),
        "{stays:?}"
    );
    ground.close().await;
}
