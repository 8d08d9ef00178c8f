//! Interrupted commands, pauses, tries again, rehearsals.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use model::Outcome;
use serde_json::{Value, json};

use crate::room::{Room, World, block, end, manual, notify, playbook, steps};

fn simple() -> Value {
    playbook(&[
        ("block", block(json!({ "on_success": "@tell@" }))),
        ("tell", notify("told", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ])
}

async fn until_asked(world: &World) {
    while world.verbs().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A run whose command was interrupted by the node's death, where asking again is no option.
async fn interrupted(folder: &std::path::Path, world: &Arc<World>) -> (Room, Value) {
    world.ask_person.store(true, Ordering::SeqCst);
    world.mute.store(true, Ordering::SeqCst);
    let room = Room::open(folder, world).await;
    room.start(&simple()).await;
    until_asked(world).await;
    room.close().await;
    world.mute.store(false, Ordering::SeqCst);
    let room = Room::open(folder, world).await;
    let run = room.run_in(&["waiting"]).await;
    (room, run)
}

#[tokio::test]
async fn what_must_not_be_asked_twice_is_asked_of_a_person() {
    for (answer, state, asks) in
        [("done", "succeeded", 1), ("not_done", "succeeded", 2), ("give_up", "failed", 1)]
    {
        let folder = tempfile::tempdir().unwrap();
        let world: Arc<World> = Arc::default();
        let (room, run) = interrupted(folder.path(), &world).await;
        assert_eq!(run["steps"][1]["state"], "unsure", "{run:#}");
        let (_, notices) = room.call("GET", "/api/v1/notices", Value::Null).await;
        let title = notices["items"][0]["title"].as_str().unwrap();
        assert!(title.starts_with("Was this done? 'block'"), "{title}");
        let path = format!("/api/v1/runs/{}/steps/2/settle", run["id"].as_str().unwrap());
        let (status, _) = room.call("POST", &path, json!({ "answer": "perhaps" })).await;
        assert!(status.is_client_error(), "{status}");
        let (status, now) = room.call("POST", &path, json!({ "answer": answer })).await;
        assert_eq!(status, StatusCode::OK, "{now}");
        let run = room.ended().await;
        assert_eq!(run["state"], state, "{answer}: {run:#}");
        let asked = world.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), asks, "{answer}: {asked:?}");
        assert!(asked.iter().all(|ask| *ask == asked[0]), "the same key: {asked:?}");
        let (status, _) = room.call("POST", &path, json!({ "answer": answer })).await;
        assert_eq!(status, StatusCode::CONFLICT, "it is said once");
        room.close().await;
    }
}

#[tokio::test]
async fn a_held_run_begins_nothing_until_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    world.slow_ms.lock().unwrap().push_back(300);
    let room = Room::open(folder.path(), &world).await;
    let run = room.start(&simple()).await;
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    until_asked(&world).await;
    let (status, held) = room.call("POST", &format!("{path}/pause"), Value::Null).await;
    assert_eq!((status, held["state"].as_str()), (StatusCode::OK, Some("paused")));
    loop {
        let (_, run) = room.call("GET", &path, Value::Null).await;
        if run["steps"][1]["state"] == "done" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    room.close().await;

    let room = Room::open(folder.path(), &world).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (_, run) = room.call("GET", &path, Value::Null).await;
    assert_eq!(run["state"], "paused", "across a restart: {run:#}");
    assert_eq!(run["path"].as_array().unwrap().len(), 2, "nothing new began");
    let (status, _) = room.call("POST", &format!("{path}/resume"), Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(room.ended().await["state"], "succeeded");
    assert_eq!(world.asked.lock().unwrap().len(), 1);
    for verb in ["pause", "resume"] {
        let (status, _) = room.call("POST", &format!("{path}/{verb}"), Value::Null).await;
        assert_eq!(status, StatusCode::CONFLICT, "{verb} after the end");
    }
    room.close().await;
}

#[tokio::test]
async fn a_held_run_that_waits_gets_the_time_back() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let it = playbook(&[
        ("ask", manual("Look", json!({ "on_success": "@end@", "timeout": 60_000 }))),
        ("end", end()),
    ]);
    let run = room.start(&it).await;
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let deadline = |run: &Value| {
        run["steps"][1]["deadline_at"].as_str().unwrap().parse::<model::Timestamp>().unwrap()
    };
    let before = deadline(&run);
    let (_, held) = room.call("POST", &format!("{path}/pause"), Value::Null).await;
    assert_eq!(held["state"], "paused");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (_, run) = room.call("POST", &format!("{path}/resume"), Value::Null).await;
    assert_eq!(run["state"], "waiting");
    assert!(deadline(&run).micros_since(before) >= 200_000, "{run:#}");
    room.close().await;
}

#[tokio::test]
async fn a_failed_run_is_tried_again_from_where_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let failed = Outcome::Failed { reason: "no such device".into(), retry: false };
    let fine = Outcome::Done { summary: "fine".into(), data: json!({ "blocked": "first" }) };
    world.script.lock().unwrap().extend([Ok(fine), Ok(failed)]);
    let room = Room::open(folder.path(), &world).await;
    let it = playbook(&[
        ("one", block(json!({ "on_success": "@if@", "out_args": ["__blocked__"] }))),
        (
            "if",
            json!({ "type": "if-condition", "condition": "__who__:value = 'nobody'",
                "on_true": "@two@", "on_false": "@back@", "on_success": "@tell@" }),
        ),
        ("two", block(json!({ "on_success": "@back@" }))),
        ("back", end()),
        ("tell", notify("told", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let first = room.start(&it).await;
    let path = format!("/api/v1/runs/{}", first["id"].as_str().unwrap());
    let old = room.ended().await;
    assert_eq!(old["state"], "failed");
    let wrong = json!({ "step": "action--5d1f0f0e-8a4b-4b53-9a6d-00000000beef" });
    let (status, _) = room.call("POST", &format!("{path}/retry"), wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, again) = room.call("POST", &format!("{path}/retry"), json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{again}");
    assert_eq!(again["retry_of"], first["id"]);
    let run = room.ended().await;
    assert_eq!(
        (run["id"].clone(), run["state"].as_str()),
        (again["id"].clone(), Some("succeeded"))
    );
    let names: Vec<String> =
        steps(&run).into_iter().filter(|(_, s)| s == "done").map(|(n, _)| n).collect();
    assert_eq!(names, ["two", "back", "tell", "end"], "what went well is not done again");
    assert_eq!(run["variables"]["__blocked__"], "first", "variables as they stood");
    let (_, unchanged) = room.call("GET", &path, Value::Null).await;
    assert_eq!(unchanged["state"], "failed");
    room.close().await;
}

#[tokio::test]
async fn a_rehearsal_touches_nothing_and_says_what_would_be_done() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let it = playbook(&[
        (
            "block",
            block(json!({ "on_completion": "@if@", "out_args": ["__blocked__"], "delay": 60_000 })),
        ),
        (
            "if",
            json!({ "type": "if-condition", "condition": "__blocked__:value = 'true'",
                "on_true": "@yes@", "on_false": "@no@", "on_completion": "@ask@" }),
        ),
        ("yes", notify("yes", json!({ "on_completion": "@back@" }))),
        ("no", notify("no", json!({ "on_completion": "@back@" }))),
        ("back", end()),
        ("ask", manual("Look at __who__:value", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let id = room.store(&it).await;
    let body = json!({ "playbook": id, "dry_run": true });
    let (status, run) = room.call("POST", "/api/v1/runs", body).await;
    assert_eq!((status, &run["rehearsal"]), (StatusCode::CREATED, &json!(true)));
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(run["rehearsal"], true);
    assert!(run["trigger"].as_str().unwrap().starts_with("rehearsed by"), "{}", run["trigger"]);
    assert!(world.asked.lock().unwrap().is_empty(), "the outside was asked");
    let said = |name: &str| {
        let all = run["steps"].as_array().unwrap();
        let step = all.iter().find(|step| step["name"] == name).unwrap();
        step["outcome"]["summary"].as_str().unwrap_or_default().to_owned()
    };
    assert!(
        said("block").starts_with("gateway would block with address 192.0.2.1"),
        "{}",
        said("block")
    );
    assert_eq!(said("if"), "assumed: every one of 2 answers");
    assert!(said("yes").contains("would notify") && said("no").contains("would notify"));
    assert_eq!(said("ask"), "a person would be asked: Look at nobody");
    for kind in ["run_started", "step_finished", "run_finished"] {
        assert!(room.facts(&format!("playbooks.{kind}")).await.is_empty(), "{kind}");
    }
    let (_, notices) = room.call("GET", "/api/v1/notices", Value::Null).await;
    assert!(notices["items"].as_array().unwrap().is_empty(), "{notices}");
    room.close().await;
}
