//! An import that people follow goes on where it was after `kill -9`, and is nobody else's to see.

use std::time::Duration;

use serde_json::{Value, json};

use crate::programs::{Node, blocking};

/// Enough that a kill falls into the middle of it.
const OBJECTS: u64 = 30_000;

fn bundle() -> String {
    let at = "2026-11-30T00:00:00.000Z";
    let one = |n: u64| {
        json!({"type": "malware", "spec_version": "2.1", "id": format!("malware--00000000-0000-4000-8000-{n:012}"),
            "created": at, "modified": at, "is_family": false, "name": format!("m {n}")})
    };
    let mut objects: Vec<Value> = (0..OBJECTS).map(one).collect();
    objects.push(json!({"type": "malware", "id": "malware--x"}));
    json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": objects})
        .to_string()
}

async fn get(node: &Node, token: &str, path: &str) -> (u16, Value) {
    let url = format!("{}/api/v1/intel/{path}", node.url);
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[test]
fn an_import_survives_the_death_of_its_node() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let (token, other) = (node.token("analyst"), node.token("analyst"));
    let path = blocking(async {
        let url = format!("{}/api/v1/intel/imports?label=case&name=b.json", node.url);
        let request = reqwest::Client::new().post(url).bearer_auth(&token).body(bundle());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 202);
        let begun: Value = answer.json().await.unwrap();
        let path = format!("imports/{}", begun["id"].as_str().unwrap());
        // nobody else's
        assert_eq!(get(&node, &other, &path).await.0, 404);
        assert_eq!(get(&node, &other, &format!("{path}/problems")).await.0, 404);
        assert_eq!(get(&node, &other, "imports").await.1["items"], json!([]));
        while get(&node, &token, &path).await.1["new"].as_u64().unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        path
    });
    node.kill();
    let node = Node::start(folder.path());
    blocking(async {
        let mut state = get(&node, &token, &path).await.1;
        while state["ended_at"].is_null() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            state = get(&node, &token, &path).await.1;
        }
        let counts = ["objects", "settled", "new", "same", "refused"].map(|name| &state[name]);
        let all = json!(OBJECTS + 1);
        let wanted = [&all, &all, &json!(OBJECTS), &json!(0), &json!(1)];
        assert_eq!(counts, wanted, "each once: {state}");
        assert_eq!(state["state"], "done");
        let (_, problems) = get(&node, &token, &format!("{path}/problems")).await;
        assert_eq!(problems["items"][0]["index"], json!(OBJECTS), "{problems}");
        let left = std::fs::read_dir(folder.path().join("imports")).unwrap().count();
        assert_eq!(left, 0, "the file is not kept");
    });
}
