//! `kill -9` while objects arrive over TAXII: what was acknowledged is there afterwards, once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

const MEDIA: &str = "application/taxii+json;version=2.1";
/// Objects of an envelope.
const BATCH: usize = 50;

/// A collection on a node, as a writer with a token sees it.
struct Collection {
    url: String,
    token: String,
}

impl Collection {
    fn send(&self, objects: &[Value]) -> Option<Value> {
        blocking(async {
            let sent = reqwest::Client::new()
                .post(format!("{}objects/", self.url))
                .bearer_auth(&self.token)
                .header("accept", MEDIA)
                .header("content-type", MEDIA)
                .body(json!({"objects": objects}).to_string())
                .send()
                .await
                .ok()?;
            assert_eq!(sent.status(), 202, "a running node takes what is valid");
            serde_json::from_slice(&sent.bytes().await.ok()?).ok()
        })
    }

    fn page(&self, next: Option<&str>) -> Value {
        blocking(async {
            let next = next.map_or_else(String::new, |next| format!("&next={next}"));
            let request = reqwest::Client::new()
                .get(format!("{}manifest/?limit=1000{next}", self.url))
                .bearer_auth(&self.token)
                .header("accept", MEDIA);
            let answer = request.send().await.unwrap();
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
        })
    }

    /// All ids, page by page, and that they come in strictly increasing order.
    fn ids(&self) -> Vec<String> {
        let (mut ids, mut next, mut last) = (Vec::new(), None, String::new());
        loop {
            let page = self.page(next.as_deref());
            for record in page["objects"].as_array().into_iter().flatten() {
                let added = record["date_added"].as_str().unwrap().to_owned();
                assert!(last < added, "{last} is not before {added}");
                last = added;
                ids.push(record["id"].as_str().unwrap().to_owned());
            }
            if page["more"] != json!(true) {
                return ids;
            }
            next = Some(page["next"].as_str().unwrap().to_owned());
        }
    }
}

fn indicator(id: &str) -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--{id}"),
        "created": "2026-11-30T00:00:00.000Z", "modified": "2026-11-30T00:00:00.000Z",
        "indicator_types": ["malicious-activity"], "pattern_type": "stix",
        "pattern": format!("[domain-name:value = '{id}.example']"), "valid_from": "2026-11-30T00:00:00Z"})
}

/// A UUID of version 4, another for each number.
fn id(number: u64) -> String {
    format!("{:08x}-{:04x}-4000-8000-000000000000", number >> 16, number & 0xffff)
}

/// Sends until the node is gone; every id that the node said it stored.
fn write_until_killed(collection: &Collection, from: u64, acknowledged: &Mutex<HashSet<String>>) {
    for batch in 0.. {
        let seed = from + batch * BATCH as u64;
        let objects: Vec<Value> = (seed..seed + BATCH as u64).map(|n| indicator(&id(n))).collect();
        let Some(status) = collection.send(&objects) else { return };
        assert_eq!(status["failure_count"], 0, "{status}");
        let stored = status["successes"].as_array().into_iter().flatten();
        let stored = stored.map(|success| success["id"].as_str().unwrap().to_owned());
        acknowledged.lock().unwrap_or_else(PoisonError::into_inner).extend(stored);
    }
}

#[test]
fn what_was_acknowledged_survives_kills() {
    let kills = std::env::var("SERENO_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path());
    let run = |arguments: &[&str]| {
        read_json(&output(sereno().args(arguments).arg("--json").arg("--data").arg(folder.path())))
    };
    let made = run(&["taxii", "collection", "new", "--title", "killed"]);
    let name = made["id"].as_str().unwrap().to_owned();
    let rights = format!("{name}:read,write");
    let token = run(&["token", "new", "--role", "taxii", "--collection", &rights]);
    let token = token["token"].as_str().unwrap().to_owned();
    let collection = |node: &Node| Collection {
        url: format!("{}/taxii2/sereno/collections/{name}/", node.url),
        token: token.clone(),
    };

    let acknowledged = Mutex::new(HashSet::new());
    for kill in 0..kills {
        let there = collection(&node);
        let before = acknowledged.lock().unwrap().len();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 0..2_u64 {
                let (there, acknowledged, done) = (&there, &acknowledged, &done);
                scope.spawn(move || {
                    write_until_killed(there, (kill * 2 + writer) << 28, acknowledged);
                    done.store(true, Ordering::Relaxed);
                });
            }
            // Between envelopes and in their middle; not before the node took anything in.
            while acknowledged.lock().unwrap().len() == before && !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(2));
            }
            std::thread::sleep(Duration::from_millis(80 + 37 * kill));
            node.kill();
        });
        node = Node::start(folder.path());
    }

    let acknowledged = acknowledged.into_inner().unwrap();
    let there = collection(&node).ids();
    let distinct: HashSet<&String> = there.iter().collect();
    eprintln!("{kills} kills, {} acknowledged, {} there", acknowledged.len(), there.len());
    assert_eq!(distinct.len(), there.len(), "an object is there twice");
    let lost = acknowledged.iter().filter(|id| !distinct.contains(id)).count();
    assert_eq!(lost, 0, "{lost} of {} acknowledged objects are gone", acknowledged.len());
    assert_eq!(there.len() % BATCH, 0, "half an envelope was stored");
}
