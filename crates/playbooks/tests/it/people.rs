//! Manual steps, cancelling, rights.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::room::{Room, World, block, end, manual, notify, playbook, steps};

const ASK: &str = "action--5d1f0f0e-8a4b-4b53-9a6d-000000000000";

fn asking(timeout_ms: i64) -> Value {
    let next = json!({ "on_success": "@block@", "on_failure": "@tell@", "timeout": timeout_ms });
    playbook(&[
        ("ask", manual("May __who__:value be blocked?", next)),
        ("block", block(json!({ "on_completion": "@end@" }))),
        ("tell", notify("nothing was done", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ])
}

#[tokio::test]
async fn a_run_waits_for_a_person_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let run = room.start(&asking(60_000)).await;
    let waiting = room.run_in(&["waiting"]).await;
    assert_eq!(waiting["steps"][1]["arguments"]["instruction"], "May nobody be blocked?");
    room.close().await;

    let room = Room::open(folder.path(), &world).await;
    let path = format!("/api/v1/runs/{}/steps", run["id"].as_str().unwrap());
    let end = "end--5d1f0f0e-8a4b-4b53-9a6d-000000000003";
    let yes = json!({ "approve": true, "text": "go ahead" });
    let (status, _) = room.call("POST", &format!("{path}/{end}/answer"), yes.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT, "another step is asked");
    let answer = format!("{path}/{ASK}/answer");
    let (status, _) = room.call("POST", &answer, yes.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = room.call("POST", &answer, yes).await;
    assert_eq!(status, StatusCode::CONFLICT, "an answer is given once");
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let summary = &run["steps"][1]["outcome"]["summary"];
    assert_eq!(*summary, "approved by local administrator: go ahead");
    assert_eq!(world.verbs(), ["block"]);
    room.close().await;
}

#[tokio::test]
async fn no_and_silence_are_failures_the_playbook_takes_care_of() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let run = room.start(&asking(60_000)).await;
    room.run_in(&["waiting"]).await;
    let path = format!("/api/v1/runs/{}/steps/{ASK}/answer", run["id"].as_str().unwrap());
    room.call("POST", &path, json!({ "approve": false, "text": "not now" })).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["steps"][1]["outcome"]["reason"], "declined by local administrator: not now");
    assert_eq!(steps(&run)[2].0, "tell");

    let mut silent = asking(200);
    silent["id"] = json!("playbook--5d1f0f0e-8a4b-4b53-9a6d-000000000abc");
    room.start(&silent).await;
    let run = room.ended().await;
    assert!(run["steps"][1]["outcome"]["reason"].as_str().unwrap().contains("nobody answered"));
    assert!(world.verbs().is_empty());
    room.close().await;
}

#[tokio::test]
async fn a_cancelled_run_goes_no_further_but_tells_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let run = room.start(&asking(60_000)).await;
    room.run_in(&["waiting"]).await;
    let cancel = format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap());
    let (status, run) = room.call("POST", &cancel, Value::Null).await;
    assert_eq!((status, run["state"].as_str()), (StatusCode::OK, Some("cancelled")));
    assert_eq!(run["steps"][1]["state"], "skipped");
    let (status, _) = room.call("POST", &cancel, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "twice is once");
    assert_eq!(room.facts("playbooks.run_finished").await.len(), 1);

    // While a command is carried out: the node dies, and nobody knows what came of it.
    world.mute.store(true, Ordering::SeqCst);
    let mut blocking =
        playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())]);
    blocking["id"] = json!("playbook--5d1f0f0e-8a4b-4b53-9a6d-000000000abc");
    let run = room.start(&blocking).await;
    while world.verbs().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let cancel = format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap());
    room.call("POST", &cancel, Value::Null).await;
    room.close().await;
    world.mute.store(false, Ordering::SeqCst);
    let room = Room::open(folder.path(), &world).await;
    loop {
        let run = room.ended().await;
        if run["steps"][1]["state"] == "failed" {
            assert!(run["steps"][1]["outcome"]["reason"].as_str().unwrap().contains("cancelled"));
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.asked.lock().unwrap().len(), 1, "a cancelled run asks nothing again");
    room.close().await;
}
