//! What happens by itself and what waits for people: levels, proposals, limits, what is never touched, the stop.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use model::Severity;
use serde_json::{Value, json};

use crate::room::{Room, World, block, end, manual, opened, playbook, report};

const POLICY: &str = "/api/v1/automation";

async fn policy(room: &Room, change: impl FnOnce(&mut Value)) {
    let (_, mut policy) = room.call("GET", POLICY, Value::Null).await;
    change(&mut policy);
    let (status, said) = room.call("PUT", POLICY, policy).await;
    assert_eq!(status, StatusCode::OK, "{said}");
}

/// A room whose one playbook of its own blocks when an incident is opened.
async fn blocking(folder: &std::path::Path, world: &Arc<World>) -> Room {
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    let room = Room::open_with(folder, world, config).await;
    let text = playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())]);
    let id = room.store(&text).await;
    room.trigger(&id, json!({ "on": "incidents.opened", "min_severity": "low" })).await;
    room
}

async fn proposals(room: &Room, state: &str) -> Vec<Value> {
    let path = format!("/api/v1/proposals?state={state}");
    let (_, list) = room.call("GET", &path, Value::Null).await;
    list["items"].as_array().unwrap().clone()
}

async fn proposed(room: &Room) -> Value {
    loop {
        if let Some(one) = proposals(room, "open").await.first() {
            return one.clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn answer_path(proposal: &Value) -> String {
    format!("/api/v1/proposals/{}/answer", proposal["id"].as_str().unwrap())
}

#[tokio::test]
async fn on_a_critical_asset_people_are_asked_and_their_yes_starts_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    *world.criticality.lock().unwrap() = Some(Severity::Critical);
    let room = blocking(folder.path(), &world).await;
    room.publish(&opened(1, Severity::High)).await;
    let one = proposed(&room).await;
    assert_eq!(one["level"], "ask");
    assert!(one["reasons"][0].as_str().unwrap().contains("critical"), "{one}");
    assert!(room.runs().await.is_empty() && world.verbs().is_empty(), "nothing has happened");
    let (_, notices) = room.call("GET", "/api/v1/notices", Value::Null).await;
    assert_eq!(notices["items"][0]["title"], "Start it? 'Test'");
    // The same fact again, and after a restart: no second proposal.
    room.publish(&opened(1, Severity::High)).await;
    room.close().await;
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    let room = Room::open_with(folder.path(), &world, config).await;
    let (status, said) =
        room.call("POST", &answer_path(&one), json!({ "accept": true, "comment": "go" })).await;
    assert_eq!((status, said["state"].as_str()), (StatusCode::OK, Some("accepted")), "{said}");
    let run = room.ended().await;
    assert_eq!((&run["id"], run["state"].as_str()), (&said["run"], Some("succeeded")));
    assert!(run["trigger"].as_str().unwrap().ends_with("accepted by local administrator"));
    let (status, _) = room.call("POST", &answer_path(&one), json!({ "accept": true })).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is answered once");
    assert_eq!(world.verbs(), ["block"]);
    assert_eq!(room.runs().await.len(), 1);
    let sentences: Vec<String> =
        [room.facts("playbooks.proposed").await, room.facts("playbooks.proposal_decided").await]
            .concat()
            .into_iter()
            .map(|fact| fact.sentence)
            .collect();
    assert_eq!(sentences.len(), 2, "{sentences:?}");
    assert!(sentences[1].contains("accepted by local administrator: go"), "{sentences:?}");
    room.close().await;
}

#[tokio::test]
async fn a_no_ends_it_and_two_persons_are_two() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    *world.criticality.lock().unwrap() = Some(Severity::Critical);
    let room = blocking(folder.path(), &world).await;
    policy(&room, |policy| policy["two_persons_from"] = json!("critical")).await;
    room.publish(&opened(1, Severity::High)).await;
    let one = proposed(&room).await;
    assert_eq!(one["persons"], 2);
    let yes = json!({ "accept": true });
    let (_, said) = room.call("POST", &answer_path(&one), yes.clone()).await;
    assert_eq!((said["state"].as_str(), &said["run"]), (Some("open"), &Value::Null));
    let (status, said) = room.call("POST", &answer_path(&one), yes).await;
    assert_eq!(status, StatusCode::CONFLICT, "the same person twice: {said}");
    let (_, said) = room.call("POST", &answer_path(&one), json!({ "accept": false })).await;
    assert_eq!(said["state"], "declined");
    assert!(room.runs().await.is_empty() && world.verbs().is_empty());
    room.close().await;
}

#[tokio::test]
async fn nobody_in_time_is_told_once_more_and_then_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = blocking(folder.path(), &world).await;
    policy(&room, |policy| {
        policy["levels"]["medium"] = json!("ask");
        policy["escalate_after_s"] = json!(1);
        policy["expire_after_s"] = json!(2);
    })
    .await;
    room.publish(&opened(1, Severity::High)).await;
    let one = proposed(&room).await;
    while proposals(&room, "expired").await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (_, notices) = room.call("GET", "/api/v1/notices", Value::Null).await;
    assert_eq!(notices["items"][0]["title"], "Nobody has answered: start 'Test'?");
    let (status, _) = room.call("POST", &answer_path(&one), json!({ "accept": true })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(world.verbs().is_empty());
    room.close().await;
}

#[tokio::test]
async fn a_limit_holds_over_runs_and_restarts_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = blocking(folder.path(), &world).await;
    policy(&room, |policy| policy["limits"][0]["at_most"] = json!(2)).await;
    for number in 1..=2 {
        room.publish(&opened(number, Severity::High)).await;
        while world.verbs().len() < usize::from(number) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    room.close().await;
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    let room = Room::open_with(folder.path(), &world, config).await;
    room.publish(&opened(3, Severity::High)).await;
    let failed = room.run_in(&["failed"]).await;
    let reason = failed["steps"][1]["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("the limit 'blocks' is reached: 2 in 3600 seconds"), "{reason}");
    assert_eq!(world.verbs().len(), 2);
    room.close().await;
}

#[tokio::test]
async fn what_is_never_touched_is_not_even_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = blocking(folder.path(), &world).await;
    let line = json!([{ "what": "192.0.2.0/24", "reason": "the pumps" }]);
    policy(&room, |policy| policy["never"] = line).await;
    let text = playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())]);
    let id = room.store(&text).await;
    let (_, planned) =
        room.call("POST", "/api/v1/runs", json!({ "playbook": id, "dry_run": true })).await;
    let planned = room.ended_of(&planned).await;
    assert!(planned.to_string().contains("would be refused"), "a rehearsal says so: {planned:#}");
    let (_, run) = room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
    let run = room.ended_of(&run).await;
    let reason = run["steps"][1]["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("192.0.2.0/24 is never touched: the pumps"), "{reason}");
    assert!(world.verbs().is_empty());
    room.close().await;
}

#[tokio::test]
async fn the_stop_holds_what_began_by_itself_and_lets_people_work() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    world.slow_ms.lock().unwrap().push_back(200);
    let room = blocking(folder.path(), &world).await;
    room.publish(&opened(1, Severity::High)).await;
    while world.verbs().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (status, said) = room
        .call("POST", &format!("{POLICY}/stop"), json!({ "reason": "works at the quay" }))
        .await;
    assert_eq!(status, StatusCode::OK, "{said}");
    assert_eq!(said["stopped"]["reason"], "works at the quay");
    assert_eq!(room.runs().await[0]["state"], "paused");
    room.publish(&opened(2, Severity::High)).await;
    let one = proposed(&room).await;
    assert!(one["reasons"].to_string().contains("stopped what happens by itself"), "{one}");
    // What people start goes on: by a yes, which a second stop does not hold, and by hand.
    let (_, said) = room.call("POST", &answer_path(&one), json!({ "accept": true })).await;
    let stop = json!({ "reason": "still works" });
    let (status, _) = room.call("POST", &format!("{POLICY}/stop"), stop).await;
    assert_eq!(status, StatusCode::OK);
    let run = room.ended_of(&json!({ "id": said["run"] })).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let text =
        playbook(&[("ask", manual("Look", json!({ "on_completion": "@end@" }))), ("end", end())]);
    let mut text = text;
    text["id"] = json!("playbook--5d1f0f0e-8a4b-4b53-9a6d-0000000000aa");
    room.start(&text).await;
    room.run_in(&["waiting"]).await;
    let (status, _) = room.call("POST", &format!("{POLICY}/resume"), Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = room.call("POST", &format!("{POLICY}/resume"), Value::Null).await;
    assert_eq!(status, StatusCode::CONFLICT);
    room.close().await;
}

#[tokio::test]
async fn candidates_come_by_worth_with_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = blocking(folder.path(), &world).await;
    let mut gentle =
        playbook(&[("ask", manual("Look", json!({ "on_completion": "@end@" }))), ("end", end())]);
    gentle["id"] = json!("playbook--5d1f0f0e-8a4b-4b53-9a6d-0000000000bb");
    gentle["name"] = json!("Look first");
    let id = room.store(&gentle).await;
    let kinds = json!({ "on": "incidents.opened", "min_severity": "critical",
        "kinds": ["command_and_control"] });
    room.trigger(&id, kinds).await;
    let incident = report(1, Severity::High);
    world.incidents.0.lock().unwrap().insert(incident.incident.id, incident.clone());
    let path = format!("/api/v1/incidents/{}/responses", incident.incident.id);
    let (status, list) = room.call("GET", &path, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    let names: Vec<&str> =
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Look first", "Test"], "{list:#}");
    // A trigger on findings says as much of what it is meant for.
    let mut third = gentle.clone();
    third["id"] = json!("playbook--5d1f0f0e-8a4b-4b53-9a6d-0000000000cc");
    third["name"] = json!("On findings");
    let third = room.store(&third).await;
    let of = async || {
        let (_, list) = room.call("GET", &path, Value::Null).await;
        let one = list.as_array().unwrap().iter().find(|one| one["playbook"] == third).cloned();
        one.unwrap()["value"].as_f64().unwrap()
    };
    assert_eq!(of().await, 0.046_875, "¾ × ⅛ × ½: nobody has said");
    let on =
        json!({ "on": "findings.raised", "min_severity": "low", "kinds": ["command_and_control"] });
    room.trigger(&third, on).await;
    assert_eq!(of().await, 0.375);
    // ¾ × 1 × ½, and ¾ × ½ × ½ − ½ × 1 × ½.
    assert_eq!(list[0]["value"], 0.375);
    assert_eq!(list[1]["value"], -0.0625);
    // The one starts from critical on, the other always.
    assert_eq!((&list[0]["level"], list[1]["level"].as_str()), (&Value::Null, Some("act")));
    assert_eq!(list[0]["level_reasons"][0], "its trigger does not match this incident");
    let (status, _) = room
        .call(
            "GET",
            "/api/v1/incidents/0198c0de-0000-7000-8000-000000000000/responses",
            Value::Null,
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
