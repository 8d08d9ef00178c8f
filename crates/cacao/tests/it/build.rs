//! Small playbooks to be spoiled or run. The room's tests read this file too: one way to write a playbook down.

use serde_json::{Value, json};

/// A playbook of these steps after the start; a step is (short name, rest of the step as JSON) and
/// refers to others by short name with `@`.
pub(crate) fn playbook(steps: &[(&str, Value)]) -> Value {
    let id = |index: usize, kind: &str| format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-{index:012x}");
    let mut text = json!({
        "type": "playbook", "spec_version": "cacao-2.0",
        "id": id(0xfff, "playbook"), "name": "Test",
        "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "playbook_variables": { "__who__": { "type": "string", "value": "nobody" },
            "__blocked__": { "type": "bool", "value": "false" } },
        "workflow_start": id(0xffe, "start"),
        "workflow": { id(0xffe, "start"): { "type": "start", "on_completion": format!("@{}@", steps[0].0) } },
        "agent_definitions": {
            "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000001": { "type": "x-sereno-actuator", "name": "gateway" },
            "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000002": { "type": "x-sereno-actuator", "name": "console" },
            "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003": { "type": "individual", "name": "Guard" }
        }
    });
    let mut names = Vec::new();
    for (index, (name, step)) in steps.iter().enumerate() {
        let mut step = step.clone();
        step["name"] = json!(name);
        let key = id(index, step["type"].as_str().unwrap());
        names.push((format!("@{name}@"), key.clone()));
        text["workflow"][key] = step;
    }
    let mut json = text.to_string();
    for (name, id) in names {
        json = json.replace(&name, &id);
    }
    serde_json::from_str(&json).unwrap()
}

pub(crate) fn block(next: Value) -> Value {
    action(
        "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000001",
        json!([{ "type": "x-sereno-actuator", "command": "block", "arguments": { "address": "192.0.2.1" } }]),
        next,
    )
}

pub(crate) fn notify(title: &str, next: Value) -> Value {
    action(
        "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000002",
        json!([{ "type": "x-sereno-actuator", "command": "notify", "arguments": { "title": title } }]),
        next,
    )
}

pub(crate) fn manual(text: &str, next: Value) -> Value {
    action(
        "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003",
        json!([{ "type": "manual", "command": text }]),
        next,
    )
}

pub(crate) fn action(agent: &str, commands: Value, next: Value) -> Value {
    let mut step = json!({ "type": "action", "agent": agent, "commands": commands });
    for (name, value) in next.as_object().unwrap() {
        step[name] = value.clone();
    }
    step
}

pub(crate) fn end() -> Value {
    json!({ "type": "end" })
}
