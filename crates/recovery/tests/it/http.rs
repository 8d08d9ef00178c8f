//! What cannot be is refused with the limit and the remedy; nobody without the right comes in.

use recovery::Config;
use serde_json::{Value, json};

use crate::room::Ground;

#[tokio::test]
async fn bad_requests_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config::default()).await;
    let incident = "0198c0de-0000-7000-8000-000000000000";
    for (method, path, body, status) in [
        ("POST", "/orders", json!({ "verb": "erase", "service": "x" }), 422),
        ("POST", "/orders", json!({ "verb": "take", "service": "x" }), 404),
        ("POST", "/orders", json!({ "verb": "restore_before", "service": "x", "agent": "a" }), 422),
        (
            "POST",
            "/orders",
            json!({ "verb": "take", "service": "x", "agent": "a", "key": "k".repeat(300) }),
            422,
        ),
        ("POST", "/orders", json!({ "verb": "take", "service": "x", "incident": incident }), 404),
        (
            "POST",
            "/orders",
            json!({ "verb": "restore_before", "service": "x", "margin_s": 4_000_000_000_u32 }),
            422,
        ),
        ("GET", "/orders/nothing", Value::Null, 404),
        ("GET", "/orders?cursor=bm90aGluZw", Value::Null, 400),
        (
            "POST",
            "/checks",
            json!({ "target": "here", "check": { "kind": "tcp", "address": "10.0.0.1:1" } }),
            422,
        ),
        (
            "POST",
            "/checks",
            json!({ "target": "10.0.0.1", "check": { "kind": "tcp", "address": "10.0.0.1:0" } }),
            422,
        ),
        (
            "POST",
            "/checks",
            json!({ "target": "10.0.0.1", "check": { "kind": "http", "url": "file:///etc/passwd" } }),
            422,
        ),
        (
            "POST",
            "/checks",
            json!({ "target": "10.0.0.1", "check": { "kind": "modbus", "address": "10.0.0.1:502", "register": 1, "min": 9, "max": 8 } }),
            422,
        ),
        ("DELETE", "/checks/nothing", Value::Null, 404),
        ("POST", &format!("/cases/{incident}"), json!({ "action": "stop" }), 404),
        (
            "PUT",
            &format!("/delays/{incident}"),
            json!({ "infected_at": "2026-01-01T00:00:00Z" }),
            404,
        ),
        ("PUT", "/delays/nonsense", json!({ "infected_at": "2026-01-01T00:00:00Z" }), 404),
    ] {
        let (found, answer) = ground.call(method, path, body).await;
        assert_eq!(found, status, "{method} {path}: {answer}");
        assert!(answer["detail"].as_str().is_some_and(|text| text.len() > 10), "{answer}");
    }
    ground.close().await;
}

#[tokio::test]
async fn a_device_has_so_many_checks_and_they_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config::default()).await;
    let body =
        json!({ "target": "10.0.0.1", "check": { "kind": "tcp", "address": "10.0.0.1:80" } });
    for _ in 0..16 {
        assert_eq!(ground.call("POST", "/checks", body.clone()).await.0, 201);
    }
    let (status, answer) = ground.call("POST", "/checks", body.clone()).await;
    assert_eq!(status, 409, "{answer}");
    let (_, list) = ground.call("GET", "/checks", Value::Null).await;
    let id = list["items"][0]["id"].as_str().unwrap();
    assert_eq!(ground.call("DELETE", &format!("/checks/{id}"), Value::Null).await.0, 204);
    assert_eq!(ground.call("POST", "/checks", body).await.0, 201);
    ground.close().await;
}

#[tokio::test]
async fn nobody_without_the_right_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::open(folder.path(), Config::default()).await;
    let (routes, access) = ground.room.router().into_parts();
    drop(routes);
    assert_eq!(access.len(), 10);
    for rule in access {
        let path = rule.path.replace("{id}", "x").replace("{key}", "x").replace("{incident}", "x");
        let (status, _) =
            platform::testing::call(ground.room.router(), false, &rule.method, &path, &json!({}))
                .await;
        assert_eq!(status.as_u16(), 403, "{} {path}", rule.method);
    }
    ground.close().await;
}
