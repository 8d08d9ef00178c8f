//! One node pulls from another over TAXII and is killed in the middle, again and again; and pushes back.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

const MEDIA: &str = "application/taxii+json;version=2.1";
const OBJECTS: usize = 3_000;
/// Objects of an envelope.
const BATCH: usize = 500;

pub(crate) fn indicator(n: usize) -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--{n:08x}-0000-4000-8000-000000000000"),
        "created": "2026-11-30T00:00:00.000Z", "modified": "2026-11-30T00:00:00.000Z",
        "indicator_types": ["malicious-activity"], "pattern_type": "stix",
        "pattern": format!("[domain-name:value = 'n{n}.example.net']"), "valid_from": "2026-11-30T00:00:00Z"})
}

/// A data folder whose node may fetch from this machine.
pub(crate) fn private_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sereno.toml"), "[feedhub]\nallow_private = true\n").unwrap();
    folder
}

/// A command beside the node of a folder, with its JSON answer.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Value {
    read_json(&output(sereno().args(arguments).arg("--json").arg("--data").arg(folder)))
}

/// A file with a secret.
pub(crate) fn secret(folder: &Path, text: &str) -> String {
    let file = folder.join("secret.txt");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn send(url: &str, token: &str, objects: &[Value]) {
    blocking(async {
        let sent = reqwest::Client::new()
            .post(format!("{url}objects/"))
            .bearer_auth(token)
            .header("accept", MEDIA)
            .header("content-type", MEDIA)
            .body(json!({"objects": objects}).to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 202);
    });
}

/// A collection on the node with a token that may read and write it.
fn collection(folder: &Path, title: &str) -> (String, String) {
    let made = run(folder, &["taxii", "collection", "new", "--title", title]);
    let id = made["id"].as_str().unwrap().to_owned();
    let rights = format!("{id}:read,write");
    let token = run(folder, &["token", "new", "--role", "taxii", "--collection", &rights]);
    (id, token["token"].as_str().unwrap().to_owned())
}

/// Ids of indicators as the store exports them.
fn held(folder: &Path) -> Vec<String> {
    let exported = run(folder, &["intel", "export", "type:indicator"]);
    let objects = exported["objects"].as_array().into_iter().flatten();
    let ids = objects.map(|object| object["id"].as_str().unwrap().to_owned());
    ids.filter(|id| id.starts_with("indicator--")).collect()
}

#[test]
fn a_pull_that_is_killed_loses_and_repeats_nothing() {
    let (there, here) = (tempfile::tempdir().unwrap(), private_folder());
    let server = Node::start(there.path());
    let (id, token) = collection(there.path(), "pulled");
    let url = format!("{}/taxii2/sereno/collections/{id}/", server.url);
    let objects: Vec<Value> = (0..OBJECTS).map(indicator).collect();
    for batch in objects.chunks(BATCH) {
        send(&url, &token, batch);
    }
    let secret = secret(here.path(), &token);
    let mut node = Node::start(here.path());
    let with = |words: String| {
        let words = format!("{words} --auth bearer --secret-file {secret}");
        run(here.path(), &words.split_whitespace().collect::<Vec<_>>())
    };
    let offer = with(format!("feed discover {}/taxii2/", server.url));
    let offered = offer["collections"].as_array().unwrap();
    assert!(offered.iter().any(|one| one["url"] == url), "{offer}");
    let added = with(format!(
        "feed add there --form taxii --url {url} --format {{\"page\":4}} --tlp green"
    ));
    assert_eq!(added["name"], "there", "{added}");
    let mut middles = 0;
    for kill in 0..5_u64 {
        // The first fetch and every one after a start go on by themselves.
        let mut asked = sereno();
        asked.args(["feed", "run", "there", "--data"]).arg(here.path());
        let mut asked = asked
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + 60 * kill));
        node.kill();
        let _ = asked.wait();
        node = Node::start(here.path());
        let known = held(here.path()).len();
        middles += usize::from(known > 0 && known < OBJECTS);
        eprintln!("kill {kill}: {known} there");
    }
    let done = run(here.path(), &["feed", "run", "there"]);
    assert_eq!(done["state"], "fine", "{done}");
    let ids = held(here.path());
    let distinct: HashSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (OBJECTS, OBJECTS));
    eprintln!("{middles} of 5 kills in the middle");
    assert!(middles > 0, "no kill fell into the pull");
    // The secret is nowhere to be seen.
    let shown = run(here.path(), &["feed", "list"]);
    assert!(!shown.to_string().contains(&token));
    let settled = run(here.path(), &["feed", "run", "there"]);
    assert_eq!(settled["counts"]["new"], 0, "{settled}");
    drop(node);
}

#[test]
fn what_is_pushed_arrives_once_and_nothing_above_the_label() {
    let (there, here) = (tempfile::tempdir().unwrap(), private_folder());
    let server = Node::start(there.path());
    let (id, token) = collection(there.path(), "pushed to");
    let url = format!("{}/taxii2/sereno/collections/{id}/", server.url);
    let node = Node::start(here.path());
    let (own, own_token) = collection(here.path(), "ours");
    let own_url = format!("{}/taxii2/sereno/collections/{own}/", node.url);
    let marked = |n: usize, id: &str| {
        let mut object = indicator(n);
        object["object_marking_refs"] = json!([id]);
        object
    };
    const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
    const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    let mut objects: Vec<Value> = (0..450).map(|n| marked(n, CLEAR)).collect();
    objects.push(marked(1_000, RED));
    objects.push(indicator(1_001));
    for batch in objects.chunks(BATCH) {
        send(&own_url, &own_token, batch);
    }
    let secret = secret(here.path(), &token);
    let made = run(
        here.path(),
        &[
            "feed",
            "push",
            "add",
            "out",
            "--to",
            &url,
            "--collection",
            &format!("sereno/{own}"),
            "--auth",
            "bearer",
            "--secret-file",
            &secret,
        ],
    );
    assert_eq!(made["highest"], "TLP:GREEN", "{made}");
    let done = run(here.path(), &["feed", "push", "run", "out"]);
    // What is not marked is TLP:AMBER here and stays.
    assert_eq!(
        (&done["sent"], &done["withheld"], &done["failed"]),
        (&json!(450), &json!(2), &json!(0)),
        "{done}"
    );
    assert_eq!(held(there.path()).len(), 450);
    let again = run(here.path(), &["feed", "push", "run", "out"]);
    assert_eq!(again["sent"], 450, "{again}");
    assert!(!run(here.path(), &["feed", "push", "list"]).to_string().contains(&token));
}

#[test]
fn a_push_that_is_killed_arrives_whole() {
    const SENT: usize = 2_000;
    let (there, here) = (tempfile::tempdir().unwrap(), private_folder());
    let server = Node::start(there.path());
    let (id, token) = collection(there.path(), "pushed to");
    let url = format!("{}/taxii2/sereno/collections/{id}/", server.url);
    let mut node = Node::start(here.path());
    let clear = json!(["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]);
    let marked = (0..SENT).map(|n| {
        let mut object = indicator(n);
        object["object_marking_refs"] = clear.clone();
        object
    });
    let file = here.path().join("bundle.json");
    std::fs::write(&file, Value::Array(marked.collect()).to_string()).unwrap();
    run(here.path(), &["intel", "import", file.to_str().unwrap(), "--label", "ours"]);
    let secret = secret(here.path(), &token);
    let words = format!(
        "feed push add out --to {url} --type indicator --auth bearer --secret-file {secret}"
    );
    run(here.path(), &words.split_whitespace().collect::<Vec<_>>());
    // It goes out by itself from the moment it is added, and after every start.
    for kill in 0..3_u64 {
        std::thread::sleep(Duration::from_millis(20 + 40 * kill));
        node.kill();
        eprintln!("kill {kill}: {} there", held(there.path()).len());
        node = Node::start(here.path());
    }
    let done = run(here.path(), &["feed", "push", "run", "out"]);
    assert_eq!((&done["sent"], &done["failed"]), (&json!(SENT), &json!(0)), "{done}");
    assert_eq!(held(there.path()).len(), SENT);
    drop(node);
}
