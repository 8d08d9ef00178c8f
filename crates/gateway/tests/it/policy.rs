use axum::http::StatusCode;
use ports::WindowBatch;
use ports::edge::{FailMode, FromEdge, Mode, ToEdge};
use serde_json::{Value, json};

use crate::stand_in::{Edge, MAC, Node};

async fn call(node: &Node, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    platform::testing::call(node.room.router(), true, method, path, &body).await
}

#[tokio::test]
async fn a_policy_is_kept_sent_and_sent_again_and_its_history_says_who() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let path = "/api/v1/gateways/gw/policy";
    let change = json!({"mode": "dry_run", "fail": "closed", "protect": ["10.0.0.2"]});
    let (status, _) = call(&node, "PUT", path, change.clone()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let (status, set) = call(&node, "PUT", path, change).await;
    assert_eq!((status, &set["version"], &set["taken"]), (StatusCode::OK, &json!(1), &Value::Null));
    let Some(ToEdge::Policy(policy)) = edge.hear().await else { panic!("no policy") };
    assert_eq!((policy.mode, policy.fail, policy.version), (Mode::DryRun, FailMode::Closed, 1));
    edge.say(&FromEdge::PolicyTaken { version: 1, problem: None }).await;
    edge.count(1, 0, false).await;
    let detail = loop {
        let (_, detail) = call(&node, "GET", "/api/v1/gateways/gw", Value::Null).await;
        if detail["policy"]["taken"] == 1 && detail["totals"]["seen"]["packets"] == 1 {
            break detail;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert_eq!(detail["policy"]["protect"], json!(["10.0.0.2"]));
    // A gateway that comes back hears it before anything else.
    drop(edge);
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    assert_eq!(edge.hear().await, Some(ToEdge::Policy(policy)));
    // One that cannot take it says why.
    call(&node, "PUT", path, json!({"mode": "enforce"})).await;
    edge.say(&FromEdge::PolicyTaken { version: 2, problem: Some("nft refused".into()) }).await;
    while call(&node, "GET", "/api/v1/gateways/gw", Value::Null).await.1["policy"]["problem"]
        != "nft refused"
    {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let (_, history) = call(&node, "GET", "/api/v1/gateways/gw/policy/history", Value::Null).await;
    assert_eq!(history["items"][0]["change"], "mode enforce");
    assert_eq!(history["items"].as_array().unwrap().len(), 2);
    for wrong in [json!({}), json!({"mode": "melt"}), json!({"colour": 1})] {
        let (status, _) = call(&node, "PUT", path, wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

/// A window of the device in which it spoke to two services, one of them in vain.
fn windows(seq: u64) -> FromEdge {
    let metrics = vec![0; analytics::metrics::COUNTS];
    let record = json!({
        "version": analytics::record::RECORD_VERSION, "device": "10.0.0.7", "mac": MAC, "start_us": 0, "end_us": 10_000_000,
        "counts": metrics, "overflow_packets": 0,
        "keys": [["192.0.2.1", 6, 443, 10, 5, 0], ["192.0.2.9", 6, 23, 3, 0, 3]],
    });
    FromEdge::Windows(WindowBatch {
        edge: "gw".into(),
        epoch: 1,
        seq,
        complete_to: model::Timestamp::from_secs(1),
        records: json!([record]),
        devices: Value::Null,
        operations: Value::Null,
    })
}

#[tokio::test]
async fn an_allow_list_is_learned_edited_frozen_and_sent() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let path = format!("/api/v1/gateways/gw/allow/{MAC}");
    let (status, _) = call(&node, "PUT", &path, json!({"state": "learning", "learn_s": 600})).await;
    assert_eq!(status, StatusCode::OK);
    let Some(ToEdge::Policy(policy)) = edge.hear().await else { panic!("no policy") };
    assert!(policy.allow.is_empty(), "what is still learned is not enforced");
    for seq in 0..2 {
        edge.say(&windows(seq)).await;
        assert!(matches!(edge.hear().await, Some(ToEdge::Ack { .. })));
    }
    let (_, lists) = call(&node, "GET", "/api/v1/gateways/gw/allow", Value::Null).await;
    let entries = lists["items"][0]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "the attempt in vain teaches nothing: {entries:?}");
    assert_eq!(
        (&entries[0]["peer"], &entries[0]["port"], &entries[0]["packets"]),
        (&json!("192.0.2.1"), &json!(443), &json!(20))
    );
    let body = json!({"state": "frozen", "add": [{"peer": "10.0.0.0/24", "protocol": 17, "port": 53}],
        "remove": [{"peer": "192.0.2.1", "protocol": 6, "port": 443, "local_port": null}]});
    call(&node, "PUT", &path, body).await;
    let Some(ToEdge::Policy(policy)) = edge.hear().await else { panic!("no policy") };
    assert_eq!(policy.allow[0].device, MAC);
    assert_eq!(policy.allow[0].entries.len(), 1);
    assert_eq!(policy.allow[0].entries[0].peer.to_string(), "10.0.0.0/24");
    for wrong in [
        json!({"state": "melting"}),
        json!({"state": "learning", "learn_s": 0}),
        json!({"state": "frozen", "add": [{"peer": "10.0.0.1", "port": 5}]}),
        json!({"state": "frozen", "add": [{"peer": "10.0.0.1/99"}]}),
    ] {
        let (status, _) = call(&node, "PUT", &path, wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (status, _) =
        call(&node, "PUT", "/api/v1/gateways/gw/allow/x%20y", json!({"state": "off"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_makers_file_becomes_a_list_and_says_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path()).await;
    let (mut edge, _) = Edge::welcome(folder.path(), 1).await;
    let path = format!("/api/v1/gateways/gw/allow/{MAC}/mud");
    let ace = |name: &str, host: &str| {
        json!({"name": name, "matches": {"ipv4": {"ietf-acldns:dst-dnsname": host, "protocol": 6},
        "tcp": {"destination-port": {"operator": "eq", "port": 443}}}, "actions": {"forwarding": "accept"}})
    };
    let mud = json!({"ietf-mud:mud": {"mud-version": 1, "mud-url": "https://m.example/x", "systeminfo": "lamp",
        "from-device-policy": {"access-lists": {"access-list": [{"name": "fr"}]}}},
        "ietf-access-control-list:acls": {"acl": [{"name": "fr", "aces": {"ace": [ace("a", "known.example"), ace("b", "unknown.example")]}}]}});
    let body = json!({"mud": mud, "names": {"known.example": ["192.0.2.5"]}, "freeze": true});
    let (status, taken) = call(&node, "POST", &path, body).await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    assert!(taken["left_out"][0].as_str().unwrap().contains("unknown.example"));
    let Some(ToEdge::Policy(policy)) = edge.hear().await else { panic!("no policy") };
    assert_eq!(policy.allow[0].entries[0].peer.to_string(), "192.0.2.5");
    let (status, problem) = call(&node, "POST", &path, json!({"mud": {}})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("RFC 8520"));
}
