//! `kill -9` of a node while playbooks act on a server outside: no effect twice, none lost, every
//! run ends.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

/// Kills in an ordinary run; `SERENO_PLAYBOOK_KILLS` raises it (`make test-long` asks for 200).
const KILLS: u32 = 5;
/// Runs begun between two kills.
const RUNS_PER_KILL: usize = 4;
/// What every run does outside, once each.
const EFFECTS: [&str; 9] = ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"];

/// A small generator, so that a failing run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// A server that does a key once and remembers all.
#[derive(Default)]
struct Outside {
    /// What a key did: the path.
    done: Mutex<BTreeMap<String, String>>,
    asked: Mutex<u64>,
}

impl Outside {
    fn start() -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let outside: Arc<Self> = Arc::default();
        let own = Arc::clone(&outside);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = Arc::clone(&own);
                std::thread::spawn(move || own.serve(&stream));
            }
        });
        (outside, port)
    }

    fn serve(&self, stream: &TcpStream) {
        let mut lines = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            let (mut key, mut size) = (String::new(), 0_usize);
            loop {
                let mut header = String::new();
                if lines.read_line(&mut header).unwrap_or(0) == 0 {
                    return;
                }
                let Some((name, value)) = header.trim().split_once(':') else { break };
                match name.to_ascii_lowercase().as_str() {
                    "idempotency-key" => value.trim().clone_into(&mut key),
                    "content-length" => size = value.trim().parse().unwrap_or(0),
                    _ => {}
                }
            }
            let mut body = vec![0; size];
            if lines.read_exact(&mut body).is_err() {
                return;
            }
            let turn = {
                let mut asked = self.asked.lock().unwrap();
                *asked += 1;
                *asked
            };
            // Before the effect, and after it: a kill falls on either side.
            std::thread::sleep(Duration::from_millis(turn * 7 % 30));
            self.done.lock().unwrap().entry(key).or_insert(path);
            std::thread::sleep(Duration::from_millis(turn * 11 % 30));
            let mut out = stream;
            if out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_err() {
                return;
            }
        }
    }
}

fn playbook(port: u16) -> Value {
    let id = |kind: &str, number: usize| format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-{number:012x}");
    let target = "http-api--1c3900b4-f86b-430d-b415-12312b9e31f4";
    let agent = "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003";
    let mut workflow = serde_json::Map::new();
    for (index, name) in EFFECTS.iter().enumerate() {
        let next = if name.ends_with('3') { id("end", index) } else { id("action", index + 1) };
        workflow.insert(id("end", index), json!({ "type": "end" }));
        workflow.insert(
            id("action", index),
            json!({ "type": "action", "name": name, "agent": agent, "targets": [target],
                "on_success": next,
                "commands": [{ "type": "http-api", "command": format!("PUT /do/{name} HTTP/1.1") }] }),
        );
    }
    for (index, name) in EFFECTS.iter().enumerate() {
        if !name.ends_with('3') {
            workflow.remove(&id("end", index));
        }
    }
    let branches = [id("action", 0), id("action", 3)];
    workflow.insert(
        id("parallel", 90),
        json!({ "type": "parallel", "next_steps": branches, "on_success": id("action", 6) }),
    );
    let start = json!({ "type": "start", "on_completion": id("parallel", 90) });
    workflow.insert(id("start", 91), start);
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": "Kills",
        "id": "playbook--5d1f0f0e-8a4b-4b53-9a6d-00000000aaaa",
        "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "workflow_start": id("start", 91), "workflow": workflow,
        "agent_definitions": { agent: { "type": "individual", "name": "Nobody" } },
        "target_definitions": { target: { "type": "http-api", "name": "outside",
            "address": { "url": [format!("http://127.0.0.1:{port}")] } } } })
}

fn start_run(node: &Node, token: &str, playbook: &str) {
    blocking(async {
        let body = json!({ "playbook": playbook }).to_string();
        let sent = reqwest::Client::new()
            .post(format!("{}/api/v1/runs", node.url))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 201, "{}", sent.text().await.unwrap());
    });
}

fn runs(node: &Node) -> Vec<Value> {
    let listed = output(
        sereno().args(["playbook", "runs", "--json", "--limit", "500", "--data"]).arg(&node.data),
    );
    read_json(&listed)["items"].as_array().unwrap().clone()
}

#[test]
fn playbooks_survive_kills_without_an_effect_twice_or_lost() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = number("SERENO_PLAYBOOK_KILLS").unwrap_or(u64::from(KILLS));
    let seed = number("SERENO_KILL_SEED").unwrap_or(20_261_130);
    eprintln!("{kills} kills, SERENO_KILL_SEED={seed}");
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let (outside, port) = Outside::start();
    let file = folder.path().join("kills.json");
    std::fs::write(&file, playbook(port).to_string()).unwrap();

    let mut node = Node::start(&data);
    let token = node.token("administrator");
    let added =
        output(sereno().args(["playbook", "add", "--json", "--data"]).arg(&data).arg(&file));
    let id = read_json(&added)["id"].as_str().unwrap().to_owned();
    let mut begun = 0;
    for _ in 0..kills {
        for _ in 0..RUNS_PER_KILL {
            start_run(&node, &token, &id);
            begun += 1;
        }
        std::thread::sleep(Duration::from_millis(dice.roll(400)));
        node.kill();
        node = Node::start(&data);
    }
    let deadline = Instant::now() + Duration::from_secs(120);
    let open =
        |run: &Value| matches!(run["state"].as_str(), Some("running" | "waiting" | "paused"));
    while runs(&node).iter().any(open) {
        assert!(Instant::now() < deadline, "runs do not end: {:#?}", runs(&node));
        std::thread::sleep(Duration::from_millis(100));
    }
    let ended = runs(&node);
    let newest = ended.len().min(begun);
    assert!(ended.iter().all(|run| run["state"] == "succeeded"), "{ended:#?}");
    assert!(newest == begun || begun > 500, "{} of {begun} runs are there", ended.len());

    let done = outside.done.lock().unwrap().clone();
    let mut by_run: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, path) in &done {
        by_run.entry(key.split('/').next().unwrap()).or_default().push(path);
    }
    assert_eq!(by_run.len(), begun, "runs without any effect");
    let whole: BTreeSet<String> = EFFECTS.iter().map(|name| format!("/do/{name}")).collect();
    for (run, paths) in &by_run {
        let once: BTreeSet<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(paths.len(), EFFECTS.len(), "an effect twice or lost in {run}: {paths:?}");
        assert_eq!(once, whole, "{run}");
    }
    let asked = *outside.asked.lock().unwrap();
    eprintln!(
        "figure: {kills} kills, {begun} runs, {} effects, asked {asked} times: none twice, none lost",
        done.len()
    );
}
