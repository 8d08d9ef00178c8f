//! The playbooks that come with the program: conformant, without a warning, told without holes.

use cacao::{Playbook, explain, validate};
use serde_json::Value;

use crate::kit::{abilities, shipped};

#[test]
fn shipped_playbooks_are_valid_and_told_without_holes() {
    let all = shipped();
    assert!(all.len() > 8);
    for value in &all {
        let name = value["name"].as_str().unwrap();
        let report = validate(value, &abilities());
        assert!(report.valid && report.warnings.is_empty(), "{name}: {report:#?}");
        let playbook: Playbook = serde_json::from_value(value.clone()).unwrap();
        let words = explain(&playbook);
        // Names of variables stand in questions to people, and nowhere else.
        let holes = ["(no text)", " ?", "ask nobody", "go to the end"];
        assert!(!holes.iter().any(|hole| words.contains(hole)), "{name}: {words}");
        let steps = playbook.workflow.len();
        assert!(words.contains(&format!("{steps:>3}. ")), "{name}: {words}");
        assert!(value["description"].as_str().unwrap().len() > 100, "{name}");
    }
}

/// Whatever is blocked is lifted or ends by itself, and somebody is told, also when a step fails.
#[test]
fn shipped_playbooks_end_their_blocks_and_tell_of_failures() {
    for value in &shipped() {
        let name = value["name"].as_str().unwrap();
        let steps: Vec<&Value> = value["workflow"].as_object().unwrap().values().collect();
        let commands =
            || steps.iter().flat_map(|step| step["commands"].as_array().into_iter().flatten());
        for block in commands().filter(|command| command["command"] == "block") {
            let seconds = block["arguments"]["timeout_s"].as_u64().unwrap();
            assert!((60..=86_400).contains(&seconds), "{name}: {block}");
        }
        if name == "Contain and tell" {
            continue;
        }
        assert!(commands().any(|command| command["command"] == "release"), "{name} lifts");
        let exception = value["workflow_exception"].as_str().unwrap();
        assert_eq!(value["workflow"][exception]["commands"][0]["command"], "notify", "{name}");
    }
}
