use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::stand_in::{Edge, MAC, Node};

async fn call(
    node: &Node,
    allowed: bool,
    method: &str,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    platform::testing::call(node.room.router(), allowed, method, path, &body).await
}

#[tokio::test]
async fn orders_by_hand_name_what_is_wrong_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let path = "/api/v1/gateways/gw/orders";
    let block = json!({"verb": "block", "mac": MAC, "timeout_s": 60});
    let (status, _) = call(&node, true, "POST", path, block.clone()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_edge, _) = Edge::welcome(folder.path(), 1).await;
    let (status, order) = call(&node, true, "POST", path, block).await;
    assert_eq!((status, order["state"].as_str()), (StatusCode::ACCEPTED, Some("waiting")));
    for (body, word) in [
        (json!({"verb": "melt", "mac": MAC}), "melt"),
        (json!({"verb": "block"}), "MAC or an address"),
        (json!({"verb": "block", "mac": MAC, "timeout_s": 0}), "max_block_s"),
        (json!({"verb": "rate_limit", "mac": MAC}), "packets_s"),
        (json!({"verb": "redirect", "mac": MAC, "to": ["10.0.0.0/8"]}), "one address"),
        (json!({"verb": "undo"}), "key of the order"),
        (json!({"verb": "block", "mac": MAC, "why": "x".repeat(401)}), "400 bytes"),
    ] {
        let (status, problem) = call(&node, true, "POST", path, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    let (status, problem) =
        call(&node, true, "POST", "/api/v1/gateways/gw/replay", json!({"control": "pause"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "live traffic cannot be paused: {problem}");
    let (_, list) = call(&node, true, "GET", "/api/v1/gateways", Value::Null).await;
    assert_eq!(list["items"][0]["connected"], true);
}

#[tokio::test]
async fn others_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let (_, access) = node.room.router().into_parts();
    assert_eq!(access.len(), 12);
    for rule in access {
        let path = rule.path.replace("{name}", "gw").replace("{device}", MAC);
        let (status, _) = call(&node, false, &rule.method, &path, json!({})).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{} {path}", rule.method);
    }
}
