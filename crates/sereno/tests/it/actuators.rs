//! Secrets, actuators and the sandbox of shell commands with the real program.

use std::io::Write;
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};

use crate::faults_kit::{Phoenix, ask, items, plain, send, until};
use crate::programs::{output, sereno};

const SECRET: &str = "open-sesame-4711";

/// A playbook of one shell command.
pub(crate) fn playbook(command: &str, value: &str) -> Value {
    let id = |kind: &str, n: u8| format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-0000000000{n:02}");
    json!({
        "type": "playbook", "spec_version": "cacao-2.0", "id": id("playbook", 1), "name": "Shell",
        "created_by": id("identity", 2),
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "playbook_variables": { "__who__": { "type": "string", "value": value },
            "__stdout__": { "type": "string", "value": "" } },
        "workflow_start": id("start", 3),
        "workflow": {
            id("start", 3): { "type": "start", "on_completion": id("action", 4) },
            id("action", 4): { "type": "action", "name": "run", "agent": id("linux", 6),
                "commands": [{ "type": "bash", "command": command }],
                "out_args": ["__stdout__"], "on_completion": id("end", 5) },
            id("end", 5): { "type": "end" },
        },
        "agent_definitions": { id("linux", 6): { "type": "linux", "name": "this machine",
            "address": { "ipv4": ["127.0.0.1"] } } },
    })
}

fn post(node: &Phoenix, token: &str, path: &str, body: &Value) -> Value {
    let url = format!("{}{path}", node.url);
    let answer = send(plain, |client| {
        client
            .request(Method::POST, url)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_string())
    });
    let answer = answer.unwrap();
    assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    answer.json()
}

#[test]
fn a_shell_command_runs_locked_in_and_secrets_never_come_out() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[playbooks.actuators.bash]\nenabled = true\n";
    let node = Phoenix::up_with(&folder.path().join("node"), "City", "operator", more);
    let data = node.data.clone();
    let mut set = sereno();
    set.args(["secret", "set", "fw", "--for", "fw.example", "--data"]).arg(&data);
    let mut child = set.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().unwrap();
    writeln!(child.stdin.take().unwrap(), "{SECRET}").unwrap();
    assert!(child.wait().unwrap().success());
    let listed = ask(&data, &["secret", "list"]);
    assert_eq!(
        (&listed["items"][0]["name"], &listed["items"][0]["hosts"][0]),
        (&json!("fw"), &json!("fw.example"))
    );
    assert!(!listed.to_string().contains(SECRET), "{listed}");

    let actuators = items(&data, &["actuator", "list"]);
    let configured = |name: &str| {
        let it = actuators.iter().find(|it| it["name"] == name);
        it.unwrap_or_else(|| panic!("{name} is not listed"))["configured"] == true
    };
    assert!(configured("bash") && configured("openc2") && !configured("ssh"));
    let tested = output(sereno().args(["actuator", "test", "bash", "--data"]).arg(&data));
    if !tested.status.success() {
        let said = String::from_utf8_lossy(&tested.stdout).into_owned();
        assert!(said.contains("landlock"), "{said}");
        eprintln!("skipped: the sandbox, because {said}");
        return;
    }
    let made = ask(&data, &["token", "new", "--role", "administrator", "--label", "test"]);
    let token = made["token"].as_str().unwrap().to_owned();
    let evil = "a'b\"c`id`$(id)\n; cat /etc/shadow";
    let it = playbook("printf '%s' __who__:value; cat /etc/shadow 2>/dev/null || true", evil);
    let stored = post(&node, &token, "/api/v1/playbooks", &it);
    let run = post(&node, &token, "/api/v1/runs", &json!({ "playbook": stored["id"] }));
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let ended = until("the run's end", || {
        let run = ask(&data, &["get", &path]);
        matches!(run["state"].as_str(), Some("succeeded" | "failed")).then_some(run)
    });
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    assert_eq!(ended["steps"][1]["outcome"]["data"]["stdout"], evil);

    let quoted = playbook("echo \"__who__:value\"", evil);
    let report = post(&node, &token, "/api/v1/playbooks/validate", &quoted);
    assert_eq!(report["valid"], true, "{report:#}");
    let missing = report["runnable"]["missing"].to_string();
    assert!(missing.contains("inside quotes") && missing.contains("stand alone"), "{missing}");

    for file in std::fs::read_dir(&data).unwrap().flatten().filter(|it| it.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} holds the secret in the clear", file.path().display());
    }
    let gone = output(sereno().args(["secret", "remove", "fw", "--data"]).arg(&data));
    assert!(gone.status.success());
    assert_eq!(ask(&data, &["secret", "list"])["items"], json!([]));
}
