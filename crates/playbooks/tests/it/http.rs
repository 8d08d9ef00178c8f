//! Endpoints: shapes, refusals, rights.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::room::{Room, World, block, end, playbook};

fn simple() -> Value {
    playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())])
}

#[tokio::test]
async fn playbooks_are_stored_by_version_and_refused_with_every_error() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let (_, list) = room.call("GET", "/api/v1/playbooks", Value::Null).await;
    let shipped = &list["items"][0];
    assert_eq!(
        (shipped["name"].as_str(), shipped["steps"].as_i64()),
        (Some("Contain and tell"), Some(10))
    );
    assert!(shipped["trigger"].as_str().unwrap().contains("severity high or worse"));

    let (status, stored) = room.call("POST", "/api/v1/playbooks", simple()).await;
    assert_eq!(status, StatusCode::CREATED, "{stored}");
    let (status, _) = room.call("POST", "/api/v1/playbooks", simple()).await;
    assert_eq!(status, StatusCode::OK, "the same version again");
    let mut newer = simple();
    newer["modified"] = json!("2026-11-23T00:00:00.000Z");
    newer["name"] = json!("Newer");
    let (status, answer) = room.call("POST", "/api/v1/playbooks", newer).await;
    assert_eq!((status, answer["name"].as_str()), (StatusCode::OK, Some("Newer")));
    assert_eq!(answer["id"], stored["id"]);
    let (status, problem) = room.call("POST", "/api/v1/playbooks", simple()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");

    let mut bad = simple();
    bad.as_object_mut().unwrap().remove("created_by");
    bad["workflow"]["action--5d1f0f0e-8a4b-4b53-9a6d-000000000000"]["agent"] = json!(7);
    let (status, problem) = room.call("POST", "/api/v1/playbooks", bad.clone()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
    let (status, report) = room.call("POST", "/api/v1/playbooks/validate", bad).await;
    assert_eq!((status, &report["valid"]), (StatusCode::OK, &json!(false)));

    let path = format!("/api/v1/playbooks/{}", stored["id"].as_str().unwrap());
    let (_, detail) = room.call("GET", &path, Value::Null).await;
    assert_eq!(detail["playbook"]["name"], "Newer");
    assert!(detail["in_words"].as_str().unwrap().contains("ask gateway to block"));
    let wanted = json!({ "on": "incidents.opened", "min_severity": "low", "kinds": ["scan"] });
    let made = room.trigger(stored["id"].as_str().unwrap(), wanted).await;
    assert!(made["words"].as_str().unwrap().contains("scan"), "{made}");
    let (_, detail) = room.call("GET", &path, Value::Null).await;
    assert_eq!((&detail["trigger"], &detail["triggers"][0]["id"]), (&made["words"], &made["id"]));
    room.close().await;
}

#[tokio::test]
async fn what_cannot_run_here_is_not_started_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let mut shell = simple();
    shell["workflow"]["action--5d1f0f0e-8a4b-4b53-9a6d-000000000000"]["commands"][0] =
        json!({ "type": "bash", "command": "id" });
    let id = room.store(&shell).await;
    let (status, problem) = room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["errors"][0].as_str().unwrap().contains("bash"), "{problem}");

    let mut revoked = simple();
    revoked["id"] = json!("playbook--5d1f0f0e-8a4b-4b53-9a6d-000000000abc");
    revoked["revoked"] = json!(true);
    let id = room.store(&revoked).await;
    let (status, problem) = room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["errors"][0].as_str().unwrap().contains("revoked"), "{problem}");
    assert!(room.runs().await.is_empty());
    room.close().await;
}

#[tokio::test]
async fn what_does_not_exist_is_404_and_without_the_right_it_is_403() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let nobody = "018f0000-0000-7000-8000-000000000000";
    let run = format!("/api/v1/runs/{nobody}");
    let calls = [
        ("GET", format!("/api/v1/playbooks/{nobody}"), Value::Null),
        ("GET", "/api/v1/playbooks/no-id".into(), Value::Null),
        ("GET", run.clone(), Value::Null),
        ("POST", "/api/v1/runs".into(), json!({ "playbook": nobody })),
        ("POST", format!("{run}/cancel"), Value::Null),
        ("POST", format!("{run}/pause"), Value::Null),
        ("POST", format!("{run}/resume"), Value::Null),
        ("POST", format!("{run}/retry"), json!({})),
        ("POST", format!("{run}/steps/x/settle"), json!({ "answer": "done" })),
        ("POST", format!("{run}/steps/x/answer"), json!({ "approve": true })),
        ("GET", format!("/api/v1/playbooks/{nobody}/triggers"), Value::Null),
        ("POST", format!("/api/v1/playbooks/{nobody}/triggers"), json!({ "on": "webhook" })),
        (
            "PUT",
            format!("/api/v1/playbooks/{nobody}/triggers/{nobody}"),
            json!({ "on": "webhook" }),
        ),
        ("DELETE", format!("/api/v1/playbooks/{nobody}/triggers/{nobody}"), Value::Null),
        ("POST", format!("/api/v1/playbooks/{nobody}/triggers/{nobody}/rotate"), Value::Null),
        ("POST", format!("/api/v1/playbooks/{nobody}/triggers/{nobody}/revoke"), Value::Null),
    ];
    for (method, path, body) in calls {
        let (status, _) = room.call(method, &path, body.clone()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
        let (status, _) = room.call_as(false, method, &path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    for path in ["/api/v1/playbooks", "/api/v1/runs", "/api/v1/notices"] {
        let (status, _) = room.call_as(false, "GET", path, Value::Null).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    let (status, _) = room.call("GET", "/api/v1/runs?incident=x", Value::Null).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    room.close().await;
}

#[tokio::test]
async fn lists_go_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let id = room.store(&simple()).await;
    for _ in 0..5 {
        room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/runs?limit=2{cursor}");
        let (_, page) = room.call("GET", &path, Value::Null).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|run| run["id"].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let all: Vec<Value> = room.runs().await.iter().map(|run| run["id"].clone()).collect();
    assert_eq!(seen, all);
    assert_eq!(seen.len(), 5);
    let components = room.room.health().await;
    assert!(components[0].cause.contains("10 playbooks"), "{components:?}");
    room.close().await;
}
