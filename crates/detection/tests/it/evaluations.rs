//! Reports of evaluations kept by the node.

use std::sync::Arc;

use axum::http::StatusCode;
use detection::Config;
use ports::fake::FakeAssets;
use serde_json::{Value, json};

use crate::node::{Node, life};

const PATH: &str = "/api/v1/detection/evaluations";

fn report() -> Value {
    let spread = |least: f64| json!({ "min": least, "median": 0.99, "max": 1.0 });
    let subject = json!({
        "device": "meter", "positive": 40, "negative": 400, "unscored": 0, "silent": 0,
        "counts": { "true_positives": 30, "false_negatives": 10, "false_positives": 0, "true_negatives": 400 },
        "auc": spread(0.7), "tpr": spread(0.5), "fpr": { "min": 0.0, "median": 0.0, "max": 0.0 },
        "benign_days": 1.0, "roc": [[0.0, 0.0], [1.0, 1.0]],
        "course": [{ "start": 10.0, "score": 0.5, "attack": false }],
    });
    json!({
        "format": detection::offline::eval::FORMAT, "version": detection::offline::eval::VERSION,
        "program": "sereno test", "seeds": 10, "alpha": 0.005, "window_s": 10.0, "rules": [],
        "scenarios": [{
            "name": "<b>leak</b>", "kind": "pcap", "description": "", "source": "", "licence": "",
            "training": { "from": [], "packets": 0, "windows": [], "warnings": [] },
            "test": { "packets": 0, "labelled": true, "attacks": [], "runs": 1, "notes": [] },
            "detectors": [{ "detector": "ensemble", "about": "what ships", "seeds": 10, "subjects": [subject] }],
        }],
    })
}

#[test]
fn a_kept_report_is_there_again_after_a_restart_and_says_where_it_falls_short() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let id = life(folder.path(), async {
        let node = Node::start(folder.path(), &assets, Config::default()).await;
        let body = json!({ "name": "Autumn", "report": report() });
        let (status, kept) = send(&node, true, &body).await;
        assert_eq!(status, StatusCode::CREATED, "{kept}");
        assert_eq!(kept["scenarios"], json!(["<b>leak</b>"]));
        assert!(
            kept["shortfalls"].as_i64().unwrap() > 0,
            "a minimum TPR of one half is no goal met"
        );
        kept["id"].as_str().unwrap().to_owned()
    });
    life(folder.path(), async {
        let node = Node::start(folder.path(), &assets, Config::default()).await;
        let (_, page) = node.call("GET", PATH).await;
        assert_eq!(page["items"][0]["id"], id.as_str());
        assert_eq!(page["items"][0]["name"], "Autumn");
        let (status, whole) = node.call("GET", &format!("{PATH}/{id}")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            whole["report"]["scenarios"][0]["detectors"][0]["subjects"][0]["tpr"]["min"],
            0.5
        );
        assert!(!whole["short"].as_array().unwrap().is_empty());
        assert_eq!(node.call("GET", &format!("{PATH}/none")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(
            node.call("GET", &format!("{PATH}/none/report.html")).await.0,
            StatusCode::NOT_FOUND
        );
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_report_is_refused_and_others_may_not_keep_one() {
    let folder = tempfile::tempdir().unwrap();
    let node =
        Node::start(folder.path(), &Arc::new(FakeAssets::default()), Config::default()).await;
    assert_eq!(node.call_as("POST", PATH, false).await.0, StatusCode::FORBIDDEN);
    assert_eq!(node.call_as("GET", PATH, false).await.0, StatusCode::FORBIDDEN);
    let mut newer = report();
    newer["version"] = json!(99);
    let mut torn = report();
    torn["scenarios"] = json!("none");
    for (name, report) in [("x", json!({})), ("x", newer), ("x", torn), ("  ", report())] {
        let body = json!({ "name": name, "report": report });
        assert_eq!(send(&node, true, &body).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    assert_eq!(node.call("GET", PATH).await.1["items"], json!([]));
}

async fn send(node: &Node, allowed: bool, body: &Value) -> (StatusCode, Value) {
    platform::testing::call(node.detection.router(), allowed, "POST", PATH, body).await
}
