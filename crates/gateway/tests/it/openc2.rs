use axum::http::StatusCode;
use model::Outcome;
use ports::edge::{FromEdge, ToEdge, Verb};
use serde_json::{Value, json};

use crate::stand_in::{Edge, Node, done};

const PATH: &str = "/.well-known/openc2";

async fn command(node: &Node, body: Value) -> (StatusCode, Value) {
    platform::testing::call(node.room.router(), true, "POST", PATH, &body).await
}

/// Answers the next order as told and gives it.
async fn answer(edge: &mut Edge, outcome: Outcome) -> ports::edge::Order {
    let Some(ToEdge::Order(order)) = edge.hear().await else { panic!("no order") };
    edge.say(&FromEdge::OrderDone { key: order.key.clone(), outcome }).await;
    order
}

fn deny(args: Value) -> Value {
    json!({"action": "deny", "target": {"ipv4_connection": {"protocol": "tcp", "dst_addr": "198.2.3.4", "dst_port": 80}}, "args": args})
}

#[tokio::test]
async fn a_tool_denies_gets_its_rule_number_and_deletes_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open_with(folder.path(), std::sync::Arc::default(), 5_000).await;
    let (_, none) = command(&node, deny(json!({}))).await;
    assert_eq!(none["status"], 500, "no gateway: {none}");
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let asked = deny(json!({"duration": 60_000, "slpf": {"insert_rule": 1234}}));
    let ((status, said), order) =
        tokio::join!(command(&node, asked.clone()), answer(&mut edge, done()));
    assert_eq!(status, StatusCode::OK);
    assert_eq!(said, json!({"status": 200, "results": {"slpf": {"rule_number": 1234}}}));
    assert_eq!(order.verb, Verb::Block { timeout_s: 60 });
    let flow = order.flow.unwrap();
    assert_eq!(
        (flow.remote.unwrap().to_string(), flow.remote_port, flow.protocol),
        ("198.2.3.4".into(), Some(80), Some(6))
    );
    let (_, again) = command(&node, asked).await;
    assert_eq!(
        (&again["status"], again["status_text"].as_str()),
        (&json!(501), Some("Rule number currently in use"))
    );
    let delete = json!({"action": "delete", "target": {"slpf:rule_number": 1234}});
    let ((_, said), undo) = tokio::join!(command(&node, delete), answer(&mut edge, done()));
    assert_eq!(said["status"], 200);
    assert_eq!(undo.verb, Verb::Undo { order: order.key });
    let (_, said) =
        command(&node, json!({"action": "delete", "target": {"slpf:rule_number": 9}})).await;
    assert_eq!(said["status"], 404);
}

#[tokio::test]
async fn what_the_gateway_refused_or_could_not_enforce_is_not_a_success() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open_with(folder.path(), std::sync::Arc::default(), 5_000).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    for (outcome, expected) in [
        (Outcome::Failed { reason: "refused: 198.2.3.4 is the node".into(), retry: false }, 403),
        (Outcome::NotEnforced { reason: "dry run".into(), data: Value::Null }, 500),
    ] {
        let ((status, said), _) =
            tokio::join!(command(&node, deny(json!({}))), answer(&mut edge, outcome));
        assert_eq!((status, &said["status"]), (StatusCode::OK, &json!(expected)), "{said}");
    }
    let (_, said) = command(&node, json!({"action": "deny", "target": {"ipv4_net": "192.0.2.0/24"}, "actuator": {"slpf": {"hostname": "nobody"}}})).await;
    assert_eq!(said["status"], 404);
    let ((status, said), _) = tokio::join!(
        command(&node, deny(json!({"response_requested": "none"}))),
        answer(&mut edge, done())
    );
    assert_eq!((status, said), (StatusCode::NO_CONTENT, Value::Null));
}

#[tokio::test]
async fn features_and_messages_of_version_1_1() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let (_, said) = command(
        &node,
        json!({"action": "query", "target": {"features": ["versions", "profiles", "pairs"]}}),
    )
    .await;
    assert_eq!(
        (&said["results"]["versions"], &said["results"]["profiles"]),
        (&json!(["1.0"]), &json!(["slpf"]))
    );
    assert_eq!(said["results"]["pairs"]["delete"], json!(["slpf:rule_number"]));
    let (_, said) = command(&node, json!({"action": "query", "target": {"features": []}})).await;
    assert_eq!(said, json!({"status": 200}));
    let message = json!({"headers": {"request_id": "d1ac0489-ed51-4345-9175-f3078f30afe5"},
        "body": {"openc2": {"request": {"action": "query", "target": {"features": []}}}}});
    let (_, said) = command(&node, message).await;
    assert_eq!(said["headers"]["request_id"], "d1ac0489-ed51-4345-9175-f3078f30afe5");
    assert_eq!(said["body"]["openc2"]["response"]["status"], 200);
    let (status, said) = command(&node, Value::Null).await;
    assert_eq!((status, &said["status"]), (StatusCode::BAD_REQUEST, &json!(400)), "no JSON at all");
}

#[tokio::test]
async fn a_message_that_comes_twice_makes_one_rule_and_its_id_is_not_for_another_command() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open_with(folder.path(), std::sync::Arc::default(), 5_000).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let message = |request: Value| {
        json!({"headers": {"request_id": "d1ac0489-ed51-4345-9175-f3078f30afe5"},
            "body": {"openc2": {"request": request}}})
    };
    let asked = message(deny(json!({"duration": 60_000})));
    let ((_, first), _) = tokio::join!(command(&node, asked.clone()), answer(&mut edge, done()));
    let rule = |said: &Value| said["body"]["openc2"]["response"]["results"]["slpf"].clone();
    assert!(rule(&first)["rule_number"].is_i64(), "{first}");
    let (_, second) = command(&node, asked).await;
    assert_eq!(rule(&second), rule(&first), "{second}");
    let other = message(json!({"action": "deny", "target": {"ipv4_net": "192.0.2.0/24"}}));
    let (_, refused) = command(&node, other).await;
    assert_eq!(refused["body"]["openc2"]["response"]["status"], 400, "{refused}");
    let heard = tokio::time::timeout(std::time::Duration::from_millis(100), edge.hear()).await;
    assert!(heard.is_err(), "the gateway hears of one rule: {heard:?}");
}
