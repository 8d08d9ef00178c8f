//! `sereno playbook run` and its kin, beside a running node; SOARCA's interface with a token.

use std::path::Path;

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

fn playbook() -> Value {
    let agent = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000002";
    let id = |kind: &str, number: u32| format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-{number:012x}");
    let (start, tell, ask, end) = (id("start", 1), id("action", 2), id("action", 3), id("end", 4));
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": "Tell and ask",
        "id": id("playbook", 9), "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "playbook_variables": { "__who__": { "type": "string", "value": "nobody", "external": true } },
        "workflow_start": start,
        "workflow": {
            start: { "type": "start", "on_completion": tell },
            tell: { "type": "action", "name": "Tell", "agent": agent, "on_success": ask,
                "commands": [{ "type": "x-sereno-actuator", "command": "notify",
                    "arguments": { "title": "Look at __who__:value" } }] },
            ask: { "type": "action", "name": "Ask", "agent": agent, "on_success": end,
                "commands": [{ "type": "manual", "command": "Look at __who__:value" }] },
            end: { "type": "end" }
        },
        "agent_definitions": { agent: { "type": "x-sereno-actuator", "name": "console" } } })
}

fn run(data: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let (verb, rest) = arguments.split_first().unwrap();
    let done = output(sereno().args(["playbook", verb, "--json", "--data"]).arg(data).args(rest));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let value = serde_json::from_slice(&done.stdout).unwrap_or(Value::Null);
    (done.status.code().unwrap(), value, said)
}

#[test]
fn runs_are_rehearsed_started_held_answered_and_tried_again_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let node = Node::start(&data);
    let file = folder.path().join("tell.json");
    std::fs::write(&file, playbook().to_string()).unwrap();
    let file = file.display().to_string();

    let (code, rehearsal, said) = run(&data, &["run", "--dry-run", "--var", "who=guard", &file]);
    assert_eq!((code, &rehearsal["rehearsal"]), (0, &json!(true)), "{said}");
    let summary = rehearsal["steps"][1]["outcome"]["summary"].as_str().unwrap();
    assert!(summary.contains("would notify") && summary.contains("guard"), "{summary}");

    let (code, begun, said) = run(&data, &["run", "--var", "who=guard", &file]);
    assert_eq!(code, 0, "{said}");
    let id = begun["id"].as_str().unwrap();
    let (_, held, _) = run(&data, &["pause", id]);
    assert_eq!(held["state"], "paused");
    let (_, on, _) = run(&data, &["resume", id]);
    assert!(matches!(on["state"].as_str(), Some("running" | "waiting")), "{on}");
    let mut shown = Value::Null;
    for _ in 0..200 {
        shown = run(&data, &["show", id]).1;
        if shown["state"] == "waiting" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let ask = shown["steps"].as_array().unwrap().iter().find(|it| it["name"] == "Ask").unwrap();
    let number = ask["position"].to_string();
    let (code, _, said) = run(&data, &["settle", id, &number, "done"]);
    assert_eq!(code, 1, "it was not interrupted: {said}");
    let (code, _, said) = run(&data, &["answer", id, &number, "decline", "--text", "not now"]);
    assert_eq!(code, 0, "{said}");
    let (_, ended, _) = run(&data, &["show", id]);
    assert_eq!(ended["state"], "failed", "{ended:#}");
    let (code, again, said) = run(&data, &["retry", id]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(again["steps"][0]["name"], "Ask", "from where it failed");
    let again = again["id"].as_str().unwrap();
    let (code, _, said) = run(&data, &["cancel", again]);
    assert_eq!(code, 0, "{said}");
    let (_, all, _) = run(&data, &["runs"]);
    assert_eq!(all["items"].as_array().unwrap().len(), 3);

    let (code, _, said) = run(&data, &["run", "--var", "other=x", &file]);
    assert_eq!(code, 1);
    assert!(said.contains("__other__"), "{said}");
    let (code, _, _) = run(&data, &["run", "--var", "broken", &file]);
    assert_eq!(code, 2);
    let mut changed = playbook();
    changed["name"] = json!("Changed without a new version");
    std::fs::write(&file, changed.to_string()).unwrap();
    let (code, _, said) = run(&data, &["run", &file]);
    assert_eq!(code, 3);
    assert!(said.contains("modified"), "{said}");
    drop(node);
}

#[test]
fn soarcas_interface_takes_tokens_and_knows_rights() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let node = Node::start(&data);
    let call = |token: Option<&str>, method: &str, path: &str, body: Value| {
        let mut request = reqwest::Client::new()
            .request(method.parse().unwrap(), format!("{}/soarca{path}", node.url))
            .header("content-type", "application/json")
            .body(body.to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        blocking(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let bytes = answer.bytes().await.unwrap();
            (status, serde_json::from_slice::<Value>(&bytes).unwrap_or(Value::Null))
        })
    };
    let (admin, reader) = (node.token("administrator"), node.token("read-only"));
    let (status, error) = call(None, "GET", "/status", Value::Null);
    assert_eq!((status, error["status"].as_u64()), (401, Some(401)), "{error}");
    let (status, _) = call(Some(&reader), "GET", "/status", Value::Null);
    assert_eq!(status, 200);
    let (status, error) = call(Some(&reader), "POST", "/trigger/playbook", playbook());
    assert_eq!((status, error["status"].as_u64()), (403, Some(403)), "{error}");
    let (status, begun) = call(Some(&admin), "POST", "/trigger/playbook", playbook());
    assert_eq!(status, 200, "{begun}");
    let execution = begun["execution_id"].as_str().unwrap().to_owned();
    let mut waiting = Value::Null;
    for _ in 0..200 {
        waiting = call(Some(&reader), "GET", "/manual", Value::Null).1;
        if waiting.as_array().is_some_and(|list| !list.is_empty()) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let answer = json!({ "type": "manual-step-response", "execution_id": execution,
        "step_id": waiting[0]["step_id"], "response_status": "success", "response_out_args": {} });
    let (status, _) = call(Some(&reader), "POST", "/manual/continue", answer.clone());
    assert_eq!(status, 403);
    let (status, error) = call(Some(&admin), "POST", "/manual/continue", answer);
    assert_eq!(status, 200, "{error}");
    let (_, report) = call(Some(&reader), "GET", &format!("/reporter/{execution}"), Value::Null);
    assert_eq!(report["status"], "successfully_executed", "{report:#}");
    let listed = output(sereno().args(["playbook", "list", "--json", "--data"]).arg(&data));
    assert!(read_json(&listed).to_string().contains("Tell and ask"));
}
