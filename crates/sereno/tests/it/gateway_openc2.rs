//! The playbook actuator `openc2` commands a real consumer: this node's own, with a real gateway behind it.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::faults_kit::{ask, plain, send, until};
use crate::gateway::{dropped, show, speak};
use crate::programs::{Node, sereno};

/// Asks what the consumer can do, and makes a rule; or deletes one.
fn playbook(url: &str, deletes: bool) -> Value {
    let place = if deletes { 2 } else { 1 };
    let id =
        |kind: &str, number: u32| format!("{kind}--6c1f0f0e-8a4b-4b53-9a{place:02x}-{number:012x}");
    let agent = id("x-sereno-actuator", 7);
    let step = |name: &str, next: String, verb: &str, more: Value| {
        let mut arguments = json!({ "url": url, "secret": "consumer" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "action", "name": name, "agent": agent, "on_success": next,
            "commands": [{ "type": "x-sereno-actuator", "command": verb, "arguments": arguments }] })
    };
    let mut workflow = json!({
        id("start", 1): { "type": "start", "on_completion": id("action", 2) },
        id("end", 4): { "type": "end" } });
    let connection = json!({ "target": { "ipv4_connection":
        { "protocol": "udp", "dst_addr": "10.0.0.2", "dst_port": 9 } }, "timeout_s": 60 });
    if deletes {
        let number = json!({ "rule_number": "__rule__:value" });
        workflow[id("action", 2)] = step("Delete", id("end", 4), "delete", number);
    } else {
        let features = json!({ "features": ["profiles", "pairs"] });
        workflow[id("action", 2)] = step("Query", id("action", 3), "query", features);
        workflow[id("action", 3)] = step("Deny", id("end", 4), "deny", connection);
    }
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": "Command a packet filter",
        "id": id("playbook", 9), "created_by": id("identity", 8),
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "playbook_variables": { "__rule__": { "type": "string", "value": "0", "external": true } },
        "workflow_start": id("start", 1), "workflow": workflow,
        "agent_definitions": { agent: { "type": "x-sereno-actuator", "name": "openc2" } } })
}

/// Calls the API with a token.
struct Caller<'n> {
    node: &'n Node,
    token: String,
}

impl Caller<'_> {
    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.node.url);
        let answer = send(plain, |client| {
            let asked = client.post(url).bearer_auth(&self.token);
            asked.header("content-type", "application/json").body(body.to_string())
        });
        let answer = answer.unwrap();
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        answer.json()
    }

    /// The run at its end.
    fn run(&self, playbook: &Value, variables: &Value) -> Value {
        let stored = self.post("/api/v1/playbooks", playbook);
        let asked = json!({ "playbook": stored["id"], "variables": variables });
        let run = self.post("/api/v1/runs", &asked);
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        until("the run's end", || {
            let run = ask(&self.node.data, &["get", &path]);
            matches!(run["state"].as_str(), Some("succeeded" | "failed")).then_some(run)
        })
    }
}

fn step<'r>(run: &'r Value, name: &str) -> &'r Value {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{name}: {run:#}"))
}

fn in_force(data: &Path) -> usize {
    show(data)["standing"].as_array().map_or(0, Vec::len)
}

/// Ten words are spoken, and all of them dropped.
fn is_dropped(data: &Path) {
    let before = dropped(&show(data));
    speak();
    until("the rule drops", || (dropped(&show(data)) >= before + 10).then_some(()));
}

/// Query and deny; the rule deleted by a playbook; and once more, taken back as a step.
pub(crate) fn by_a_playbook(node: &Node) {
    let data = node.data.as_path();
    let mut set = sereno();
    set.args(["secret", "set", "consumer", "--for", "127.0.0.1", "--data"]).arg(data);
    let mut child = set.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", node.token("operator")).unwrap();
    assert!(child.wait().unwrap().success());
    let caller = Caller { node, token: node.token("administrator") };

    let denied = caller.run(&playbook(&node.url, false), &json!({}));
    assert_eq!(denied["state"], "succeeded", "{denied:#}");
    let pairs = &step(&denied, "Query")["outcome"]["data"]["results"]["pairs"];
    assert_eq!(pairs["delete"], json!(["slpf:rule_number"]), "{denied:#}");
    is_dropped(data);
    let number = &step(&denied, "Deny")["outcome"]["data"]["rule_number"];
    let number = number.as_i64().unwrap().to_string();
    let deleted = caller.run(&playbook(&node.url, true), &json!({ "__rule__": number }));
    assert_eq!(deleted["state"], "succeeded", "{deleted:#}");
    assert_eq!(in_force(data), 0, "the rule is gone");

    let denied = caller.run(&playbook(&node.url, false), &json!({}));
    is_dropped(data);
    let position = &step(&denied, "Deny")["position"];
    let path = format!("/api/v1/runs/{}/steps/{position}/undo", denied["id"].as_str().unwrap());
    let back = caller.post(&path, &json!({}));
    assert_eq!(back["items"][0]["state"], "undone", "{back:#}");
    assert_eq!(in_force(data), 0, "what was taken back is gone");
}
