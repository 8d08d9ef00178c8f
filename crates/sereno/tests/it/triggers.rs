//! Playbooks that start by themselves, on a real node: by a call of a webhook and by a finding of a replayed capture, once
//! each although the node is killed in between.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::faults_kit::{Edge, Phoenix, ask, items, plain, send, until};
use crate::programs::{output, sereno};

/// A playbook that tells the console what it was told.
fn playbook(number: u32, variable: &str) -> Value {
    let agent = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000002";
    let id = |kind: &str, part: u32| {
        format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-{:012x}", number * 16 + part)
    };
    let (start, tell, end) = (id("start", 1), id("action", 2), id("end", 3));
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": format!("Tell {number}"),
        "id": id("playbook", 9), "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "playbook_variables": { variable: { "type": "string", "external": true } },
        "workflow_start": start,
        "workflow": {
            start: { "type": "start", "on_completion": tell },
            tell: { "type": "action", "name": "Tell", "agent": agent, "on_completion": end,
                "commands": [{ "type": "x-sereno-actuator", "command": "notify",
                    "arguments": { "title": format!("told {variable}:value") } }] },
            end: { "type": "end" }
        },
        "agent_definitions": { agent: { "type": "x-sereno-actuator", "name": "console" } } })
}

fn store(folder: &Path, data: &Path, it: &Value) -> String {
    let file: PathBuf = folder.join("playbook.json");
    std::fs::write(&file, it.to_string()).unwrap();
    let stored = ask(data, &["playbook", "add", file.to_str().unwrap()]);
    stored["id"].as_str().unwrap_or_else(|| panic!("{stored}")).to_owned()
}

fn runs_of(data: &Path, playbook: &str) -> Vec<Value> {
    let mut runs = items(data, &["playbook", "runs"]);
    runs.retain(|run| run["playbook"] == playbook);
    runs
}

#[test]
fn a_called_webhook_starts_one_run_although_the_node_dies() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Phoenix::up(&folder.path().join("node"), "Water works", "operator");
    let data = node.data.clone();
    let id = store(folder.path(), &data, &playbook(1, "__who__"));
    let made =
        ask(&data, &["playbook", "trigger", "add", &id, "--webhook", "--field", "/alarm/who=who"]);
    let text = |value: &Value, name: &str| {
        value[name].as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
    };
    let (hook, secret, trigger) = (text(&made, "hook"), text(&made, "secret"), text(&made, "id"));
    let url = node.url.clone();
    let call = |secret: &str, name: &str| {
        let request = |client: &reqwest::Client| {
            client
                .post(format!("{url}{hook}"))
                .header("webhook-secret", secret)
                .header("webhook-id", name)
                .header("content-type", "application/json")
                .body(r#"{"alarm": {"who": "$(reboot); `id`"}, "more": true}"#)
        };
        send(plain, request)
    };
    let first = call(&secret, "alarm-1").unwrap();
    assert_eq!(first.status, 202, "{first:?}");
    let run = text(&first.json(), "run");
    assert_eq!(first.json()["ignored"], 1, "{first:?}");
    node.fall();
    node.rise();
    let again = call(&secret, "alarm-1").unwrap();
    assert_eq!((&again.json()["run"], &again.json()["repeated"]), (&json!(run), &json!(true)));
    let ended = until("the run to end", || {
        let run = ask(&data, &["playbook", "show", &run]);
        (!run["ended_at"].is_null()).then_some(run)
    });
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    assert_eq!(ended["variables"]["__who__"], "$(reboot); `id`", "{ended:#}");
    assert_eq!(runs_of(&data, &id).len(), 1);
    // Another secret, and then a closed hook: both are told the same.
    let wrong = call("whsec_AAAA", "alarm-2").unwrap();
    ask(&data, &["playbook", "trigger", "revoke", &id, &trigger]);
    let closed = call(&secret, "alarm-2").unwrap();
    assert_eq!((wrong.status, &wrong.text), (401, &closed.text));
    assert_eq!(closed.status, 401);
    let rotated = ask(&data, &["playbook", "trigger", "rotate", &id, &trigger]);
    assert_eq!(call(&text(&rotated, "secret"), "alarm-2").unwrap().status, 202);
    let hooks = items(&data, &["playbook", "hooks"]);
    assert_eq!((hooks.len(), &hooks[0]["started"]), (1, &json!(2)), "{hooks:#?}");
    // Nothing of a secret stays on the disk in clear.
    let kept = std::fs::read(data.join("sereno.db")).unwrap_or_default();
    assert!(!kept.windows(secret.len()).any(|part| part == secret.as_bytes()));
}

#[test]
fn a_finding_of_a_replay_starts_one_run_for_its_device_although_the_node_dies() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Phoenix::up(&folder.path().join("node"), "Water works", "operator");
    let data = node.data.clone();
    let id = store(folder.path(), &data, &playbook(2, "__finding__"));
    let on = ["playbook", "trigger", "add", &id, "--finding", "low", "--cooldown", "86400"];
    ask(&data, &on);
    let scheduled =
        ask(&data, &["playbook", "trigger", "add", &id, "--at", "03:30", "--days", "sat"]);
    assert!(scheduled["next_at"].is_string(), "{scheduled}");
    let edge = Edge::feed(&data);
    until("a finding", || items(&data, &["findings"]).pop());
    node.fall();
    node.rise();
    let run = until("a run", || runs_of(&data, &id).pop());
    assert_eq!(run["incident"], Value::Null, "{run}");
    let why = run["trigger"].as_str().unwrap();
    assert!(why.contains("when a finding of severity low or worse is raised"), "{why}");
    let run = ask(&data, &["playbook", "show", run["id"].as_str().unwrap()]);
    let findings = items(&data, &["findings"]);
    let named = &run["variables"]["__finding__"];
    assert!(findings.iter().any(|finding| finding["id"] == *named), "{named}: {findings:#?}");
    drop(edge);
    // One device is watched: its further findings are held back.
    assert_eq!(runs_of(&data, &id).len(), 1);
    let listed = output(sereno().args(["playbook", "triggers", &id, "--data"]).arg(&data));
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("when a finding") && listed.contains("at 03:30 on Saturday"),
        "{listed}"
    );
}

#[test]
fn what_a_caller_sends_reaches_a_shell_as_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[playbooks.actuators.bash]\nenabled = true\n";
    let node = Phoenix::up_with(&folder.path().join("node"), "Water works", "operator", more);
    let data = node.data.clone();
    let tested = output(sereno().args(["actuator", "test", "bash", "--data"]).arg(&data));
    if !tested.status.success() {
        eprintln!("not tested: the sandbox, because {}", String::from_utf8_lossy(&tested.stdout));
        return;
    }
    let mut it = crate::actuators::playbook("printf '%s' __who__:value", "");
    it["playbook_variables"]["__who__"] = json!({ "type": "string", "external": true });
    let id = store(folder.path(), &data, &it);
    let made = ask(&data, &["playbook", "trigger", "add", &id, "--webhook", "--field", "who=who"]);
    let evil = "a'b\"c`id`$(id)\n; echo more; __stdout__:value";
    let url = format!("{}{}", node.url, made["hook"].as_str().unwrap());
    let answer = send(plain, |client| {
        client
            .post(url)
            .header("webhook-secret", made["secret"].as_str().unwrap())
            .body(json!({ "who": evil }).to_string())
    });
    let answer = answer.unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    let run = answer.json()["run"].as_str().unwrap().to_owned();
    let ended = until("the run to end", || {
        let run = ask(&data, &["playbook", "show", &run]);
        (!run["ended_at"].is_null()).then_some(run)
    });
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    assert_eq!(ended["steps"][1]["outcome"]["data"]["stdout"], evil);
}
