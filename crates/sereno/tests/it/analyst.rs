//! An analyst's day with the real program: what is known fades and is sighted, reports are taken in, others are told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

fn run(data: &Path, words: &[&str]) -> Output {
    output(sereno().args(words).arg("--data").arg(data))
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Bodies that a receiver of webhooks takes.
fn receiver() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                    length = number.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).unwrap();
            if tell.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, told)
}

/// Id of the indicator that the report became.
fn indicator(data: &Path) -> String {
    let query = "value:45.9.148.7 type:indicator";
    let found = read_json(&run(data, &["intel", "search", query, "--json"]));
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

const REPORT: &str = "Night Heron called hxxp://bad-host-4711[.]top/a and 45[.]9.148[.]7.\n\
    It used CVE-2026-12345.\n";

#[test]
fn reports_come_in_values_are_judged_and_others_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("sereno.toml"), "[webhooks]\nallow_private = true\n").unwrap();
    let node = Node::start(&data);
    let (url, told) = receiver();
    let made = run(
        &data,
        &[
            "webhook",
            "add",
            &url,
            "--name",
            "soar",
            "--event",
            "object.new",
            "--event",
            "sighting",
            "--type",
            "indicator",
            "--type",
            "sighting",
            "--tlp",
            "amber",
            "--json",
        ],
    );
    assert!(read_json(&made)["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(code(&run(&data, &["webhook", "test", "soar"])), 0);
    let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(next()["type"], "test");

    let file = folder.path().join("night heron.md");
    std::fs::write(&file, REPORT).unwrap();
    let file = file.to_str().unwrap();
    let review = read_json(&run(&data, &["intel", "extract", file, "--json"]));
    let keys: Vec<&str> = review["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["key"].as_str().unwrap())
        .collect();
    assert!(keys.contains(&"ipv4:45.9.148.7") && keys.contains(&"cve:CVE-2026-12345"), "{keys:?}");
    let stored =
        run(&data, &["intel", "extract", file, "--store", "--accept", "all", "--confidence", "80"]);
    assert_eq!(code(&stored), 0, "{}", said(&stored));
    let again = run(&data, &["intel", "extract", file, "--store", "--accept", "all"]);
    assert_eq!(code(&again), 1, "the same text is stored once: {}", said(&again));
    let (one, two) = (next(), next());
    assert_eq!((&one["type"], &two["data"]["type"]), (&json!("object.new"), &json!("indicator")));

    values_are_judged(folder.path(), &data, &told);
    told_survives_the_node(node, &data, &told);
}

/// Lists excuse, sightings raise and end, parameters are chosen, the stream tells it all.
fn values_are_judged(folder: &Path, data: &Path, told: &Receiver<Value>) {
    let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
    let lookup = |value: &str| run(data, &["intel", "lookup", value]);
    assert_eq!(code(&lookup("45.9.148.7")), 0, "{}", said(&lookup("45.9.148.7")));
    assert_eq!(code(&lookup("45.9.148.8")), 1);
    let list = folder.join("list.json");
    let ours = json!({"name": "Ours", "version": 1, "type": "cidr", "list": ["45.9.148.0/24"]});
    std::fs::write(&list, ours.to_string()).unwrap();
    assert_eq!(code(&run(data, &["intel", "warninglist", "add", list.to_str().unwrap()])), 0);
    assert_eq!(code(&lookup("45.9.148.7")), 1);
    assert!(said(&lookup("45.9.148.7")).contains("well known by Ours"));
    assert_eq!(code(&run(data, &["intel", "warninglist", "remove", "Ours"])), 0);
    assert_eq!(code(&lookup("45.9.148.7")), 0);

    let found =
        read_json(&run(data, &["intel", "search", "value:45.9.148.7 type:indicator", "--json"]));
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    let seen = run(data, &["intel", "sight", &id, "--where", "the port", "--json"]);
    assert!(read_json(&seen)["score_now"].as_f64().unwrap() > 83.0, "{}", said(&seen));
    let sighting = next();
    assert_eq!(
        (&sighting["type"], &sighting["data"]["object"]["sighting_of_ref"]),
        (&json!("sighting"), &json!(id))
    );
    assert_eq!(code(&run(data, &["intel", "sight", &id, "--type", "expiration"])), 0);
    assert_eq!(code(&lookup("45.9.148.7")), 1);
    assert!(
        said(&lookup("45.9.148.7")).contains("reported as ended"),
        "{}",
        said(&lookup("45.9.148.7"))
    );

    let chosen = run(data, &["intel", "decay", "set", "address", "--lifetime-days", "5", "--json"]);
    assert_eq!(code(&chosen), 0, "{}", said(&chosen));
    let decay = said(&run(data, &["intel", "decay"]));
    assert!(decay.contains("address  5.0"), "{decay}");
    assert_eq!(code(&run(data, &["intel", "decay", "set", "address", "--lifetime-days", "0"])), 1);

    let tail = run(
        data,
        &["intel", "tail", "--after", "0", "--types", "report,sighting", "--limit", "2", "--json"],
    );
    let kinds: Vec<Value> = String::from_utf8_lossy(&tail.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["item"]["type"].clone())
        .collect();
    assert_eq!(kinds, ["report", "sighting"]);
}

/// What becomes known while a receiver is not told waits through the node's death.
fn told_survives_the_node(node: Node, data: &Path, told: &Receiver<Value>) {
    let id = &indicator(data);
    assert_eq!(code(&run(data, &["webhook", "pause", "soar"])), 0);
    assert_eq!(code(&run(data, &["intel", "sight", id, "--comment", "again"])), 0);
    node.kill();
    let gone = run(data, &["intel", "tail", "--limit", "1"]);
    assert_eq!(code(&gone), 3, "nothing becomes known without a node: {}", said(&gone));
    let node = Node::start(data);
    assert!(told.recv_timeout(Duration::from_secs(2)).is_err(), "it is paused");
    assert_eq!(code(&run(data, &["webhook", "resume", "soar"])), 0);
    let next = told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(next["data"]["object"]["description"], "Seen: again");
    streams_are_bounded(&node);
}

/// One person has so many streams open and no more.
fn streams_are_bounded(node: &Node) {
    let token = node.token("read-only");
    blocking(async {
        let client = reqwest::Client::new();
        let open = async || {
            let url = format!("{}/api/v1/knowledge/stream", node.url);
            client.get(url).bearer_auth(&token).send().await.unwrap()
        };
        let mut held = Vec::new();
        for _ in 0..4 {
            let stream = open().await;
            assert_eq!(stream.status(), 200);
            held.push(stream);
        }
        assert_eq!(open().await.status(), 429);
    });
}
