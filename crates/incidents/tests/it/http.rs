use axum::http::StatusCode;
use model::Severity;
use model::event::FindingRaised;
use serde_json::{Value, json};

use crate::desk::{Desk, finding};

async fn call(
    desk: &Desk,
    allowed: bool,
    method: &str,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    platform::testing::call(desk.room.router(), allowed, method, path, &body).await
}

#[tokio::test]
async fn people_move_note_and_acknowledge_within_the_law() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let (_, list) = call(&desk, true, "GET", "/api/v1/incidents?state=open", Value::Null).await;
    let path = format!("/api/v1/incidents/{}", list["items"][0]["id"].as_str().unwrap());

    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/state"), json!({"state": "new", "reason": "x"}))
            .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, problem) = call(
        &desk,
        true,
        "POST",
        &format!("{path}/state"),
        json!({"state": "closed", "reason": " "}),
    )
    .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("reason"));
    let (status, moved) = call(
        &desk,
        true,
        "POST",
        &format!("{path}/state"),
        json!({"state": "triaged", "reason": "mine"}),
    )
    .await;
    assert_eq!((status, moved["state"].as_str()), (StatusCode::OK, Some("triaged")));
    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/notes"), json!({"text": "seen before"})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/acknowledge"), json!({"text": "ok"})).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/acknowledge"), json!({"text": "ok"})).await;
    assert_eq!(status, StatusCode::CONFLICT);

    let (_, whole) = call(&desk, true, "GET", &path, Value::Null).await;
    let kinds: Vec<&str> = whole["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["finding", "state", "note", "acknowledged"]);
}

#[tokio::test]
async fn others_may_not_and_unknown_ids_are_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    let (routes, access) = desk.room.router().into_parts();
    drop(routes);
    assert_eq!(access.len(), 5);
    for rule in access {
        let path = rule.path.replace("{id}", "0198c0de-0000-7000-8000-000000000000");
        let (status, _) = call(&desk, false, &rule.method, &path, json!({})).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{} {path}", rule.method);
    }
    let (status, _) = call(&desk, true, "GET", "/api/v1/incidents/nonsense", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
