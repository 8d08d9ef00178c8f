//! Values that look like syntax stay values on their way outside.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::routing::any;
use serde_json::{Value, json};

use crate::room::{Room, action, end, playbook};

type Heard = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

async fn note(State(heard): State<Heard>, uri: Uri, headers: HeaderMap, body: String) {
    heard.lock().unwrap().push((uri.to_string(), headers, body));
}

/// Sends one command with `__who__` set to `evil`; gives the run and what the server heard.
async fn sent(command: Value, evil: &str) -> (Value, Vec<(String, HeaderMap, String)>) {
    let heard: Heard = Arc::default();
    let app = Router::new().fallback(any(note)).with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move { axum::serve(listener, app).await });
    let target = "http-api--9c0f1d2e-5b77-4bb0-8a7a-000000000011";
    let next = json!({ "on_completion": "@end@", "targets": [target] });
    let person = "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003";
    let mut it = playbook(&[("ask", action(person, json!([command]), next)), ("end", end())]);
    it["playbook_variables"]["__who__"]["value"] = json!(evil);
    it["target_definitions"] = json!({ target: { "type": "http-api", "name": "desk",
        "address": { "ipv4": ["127.0.0.1"] }, "port": port.to_string() } });
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    room.start(&it).await;
    let run = room.ended().await;
    room.close().await;
    let heard = heard.lock().unwrap().clone();
    (run, heard)
}

#[tokio::test]
async fn a_value_in_a_url_adds_no_word_no_segment_and_no_host() {
    let command = json!({ "type": "http-api", "command": "GET /hosts/__who__:value?q=__who__:value HTTP/1.1" });
    for (evil, encoded) in [
        ("../admin?x=1#y", "..%2Fadmin%3Fx%3D1%23y"),
        ("a b\r\nHost: evil.example", "a%20b%0D%0AHost%3A%20evil.example"),
        ("http://evil.example/", "http%3A%2F%2Fevil.example%2F"),
        ("%2e%2e/\"'`é", "%252e%252e%2F%22%27%60%C3%A9"),
    ] {
        let (run, heard) = sent(command.clone(), evil).await;
        assert_eq!(run["state"], "succeeded", "{run:#}");
        assert_eq!(heard[0].0, format!("/hosts/{encoded}?q={encoded}"));
    }
    let whole = json!({ "type": "http-api", "command": "GET __who__:value HTTP/1.1" });
    let (_, heard) = sent(whole, "http://192.0.2.1/").await;
    assert_eq!(heard[0].0, "/http%3A%2F%2F192.0.2.1%2F", "the target's host is asked");
}

#[tokio::test]
async fn a_line_break_in_a_header_is_refused() {
    let command = json!({ "type": "http-api", "command": "GET /x HTTP/1.1",
        "headers": { "X-Who": ["__who__:value"] } });
    let (run, heard) = sent(command.clone(), "a\r\nX-Admin: yes").await;
    assert_eq!(run["state"], "failed");
    let reason = run["steps"][1]["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("X-Who would hold a line break"), "{reason}");
    assert!(heard.is_empty());
    let (_, heard) = sent(command, "it's \"fine\"").await;
    assert_eq!(heard[0].1["x-who"], "it's \"fine\"");
}

#[tokio::test]
async fn a_value_in_a_body_stays_one_value() {
    let evil = "\", \"admin\": true, \"x\": \"\\";
    let command = json!({ "type": "http-api", "command": "POST /x HTTP/1.1",
        "headers": { "Content-Type": ["application/json"] },
        "content": "{\"ip\": \"__who__:value\", \"n\": 1.50}" });
    let (_, heard) = sent(command, evil).await;
    let body: Value = serde_json::from_str(&heard[0].2).unwrap();
    assert_eq!(body, json!({ "ip": evil, "n": 1.5 }));
}
