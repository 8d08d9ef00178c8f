//! Small playbooks to spoil, the published ones, and what a node carries out.

use std::path::{Path, PathBuf};

use cacao::Abilities;
use serde_json::{Value, json};

/// A file or folder of the test data that does not come with the program.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(path);
    path.exists().then_some(path)
}

/// The playbooks that come with the program.
pub(crate) fn shipped() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/playbooks");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
        .collect()
}

/// Abilities to judge by: an engine of all steps with a few actuators.
pub(crate) fn abilities() -> Abilities {
    Abilities::default()
        .with_steps(["start", "end", "action", "playbook-action", "parallel", "if-condition"])
        .with_steps(["while-condition", "switch-condition"])
        .with_commands(["manual", "http-api"])
        .with_actuator("console", ["notify"])
        .with_actuator("gateway", ["block", "release"])
}

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
