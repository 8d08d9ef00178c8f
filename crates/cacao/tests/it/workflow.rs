//! Where workflows go: every type of step, branches and loops, variables and their types.

use cacao::{Report, validate};
use serde_json::{Value, json};

use crate::kit::{abilities, block, end, manual, notify, playbook};

fn judge(value: &Value) -> Report {
    validate(value, &abilities())
}

fn error(value: &Value, word: &str) {
    let report = judge(value);
    assert!(report.errors.iter().any(|it| it.contains(word)), "{word}: {report:#?}");
}

fn fine(value: &Value) {
    let report = judge(value);
    assert!(report.valid && report.warnings.is_empty(), "{report:#?}");
}

/// The first action goes to the step under test; the ends of branches are their own.
fn with(step: Value, more: &[(&str, Value)]) -> Value {
    let mut steps = vec![("a", block(json!({ "on_completion": "@s@" }))), ("s", step)];
    steps.extend(more.iter().cloned());
    steps.extend([("e", end()), ("e1", end()), ("e2", end())]);
    playbook(&steps)
}

fn say(next: &str) -> Value {
    notify("x", json!({ "on_completion": next }))
}

#[test]
fn every_type_of_step_is_conformant_when_it_is_whole() {
    let (b, c) = (("b", say("@e1@")), ("c", say("@e2@")));
    let both = [b.clone(), c];
    fine(&with(
        json!({ "type": "parallel", "next_steps": ["@b@", "@c@"], "on_completion": "@e@" }),
        &both,
    ));
    fine(&with(
        json!({ "type": "switch-condition", "switch": "__who__:value", "on_completion": "@e@",
            "cases": { "nobody": "@b@", "default": "@c@" } }),
        &both,
    ));
    fine(&with(
        json!({ "type": "if-condition", "condition": "__who__:value = 'x'", "on_true": "@b@",
            "on_false": "@c@", "on_completion": "@e@" }),
        &both,
    ));
    let set = block(json!({ "on_completion": "@e1@", "out_args": ["__blocked__"] }));
    let mut turns = with(
        json!({ "type": "while-condition", "condition": "__blocked__:value = false",
            "on_true": "@b@", "on_completion": "@e@" }),
        &[("b", set)],
    );
    turns["workflow"]
        .as_object_mut()
        .unwrap()
        .retain(|id, step| step["name"] != json!("e2") || id.starts_with("action"));
    fine(&turns);
    let mut call = with(
        json!({ "type": "playbook-action", "playbook_id": "playbook--5d1f0f0e-8a4b-4b53-9a6d-0000000000aa",
            "playbook_version": "2026-11-22T00:00:00.000Z", "in_args": ["__who__"],
            "out_args": ["__blocked__:value"], "on_success": "@e@", "on_failure": "@e@" }),
        &[],
    );
    call["workflow"]
        .as_object_mut()
        .unwrap()
        .retain(|_, step| step["name"] != json!("e1") && step["name"] != json!("e2"));
    fine(&call);
}

#[test]
fn a_while_whose_condition_cannot_change_is_endless() {
    let turns = |condition: &str, body: Value| {
        with(
            json!({ "type": "while-condition", "condition": condition, "on_true": "@b@",
                "on_completion": "@e@" }),
            &[("b", body)],
        )
    };
    error(&turns("__blocked__:value = false", say("@e1@")), "__blocked__");
    let other = block(json!({ "on_completion": "@e1@", "out_args": ["__who__"] }));
    error(&turns("__blocked__:value = false", other.clone()), "never changes");
    let both = turns("__blocked__:value = false OR __who__:value = 'x'", other);
    assert!(judge(&both).valid, "one of two is enough: {:#?}", judge(&both));
}

#[test]
fn circles_without_an_exit_are_endless_also_through_conditions() {
    let step = json!({ "type": "if-condition", "condition": "__who__:value = 'x'", "on_true": "@b@",
        "on_completion": "@a@" });
    error(&with(step, &[("b", say("@e1@"))]), "repeats without a condition");
    let wheel = (0..40)
        .map(|n| (format!("w{n}"), say(&format!("@w{}@", (n + 1) % 40))))
        .collect::<Vec<_>>();
    let mut steps = vec![("a", block(json!({ "on_success": "@w0@", "on_failure": "@e@" })))];
    steps.extend(wheel.iter().map(|(name, step)| (name.as_str(), step.clone())));
    steps.push(("e", end()));
    error(&playbook(&steps), "endless loop");
}

#[test]
fn branches_meet_an_end_and_parallel_ones_nothing_else() {
    let fork = |b: &str, c: &str| {
        with(
            json!({ "type": "parallel", "next_steps": ["@b@", "@c@"], "on_completion": "@e@" }),
            &[("b", say(b)), ("c", say(c)), ("d", say("@e2@"))],
        )
    };
    error(&fork("@d@", "@d@"), "two branches of the parallel step");
    let mut open = fork("@e1@", "@d@");
    let steps = open["workflow"].as_object_mut().unwrap();
    for step in steps.values_mut().filter(|step| step["name"] == json!("b")) {
        step.as_object_mut().unwrap().remove("on_completion");
    }
    error(&open, "meets no end step");
    let mut one = fork("@e1@", "@d@");
    for step in one["workflow"].as_object_mut().unwrap().values_mut() {
        if step["type"] == json!("parallel") {
            step["next_steps"].as_array_mut().unwrap().pop();
        }
    }
    error(&one, "at least two steps");
}

#[test]
fn a_switch_has_a_variable_and_cases() {
    let switch = |switch: &str, cases: Value| {
        with(
            json!({ "type": "switch-condition", "switch": switch, "cases": cases, "on_completion": "@e@" }),
            &[("b", say("@e1@"))],
        )
    };
    error(&switch("__who__:value", json!({})), "at least one case");
    error(&switch("who", json!({ "x": "@b@" })), "must name a variable");
    error(&switch("__stranger__:value", json!({ "x": "@b@" })), "__stranger__");
    error(&switch("__who__", json!({ "x": 7 })), "identifier");
    let gone = json!({ "x": "action--5d1f0f0e-8a4b-4b53-9a6d-0000000000ff" });
    error(&switch("__who__", gone), "no step of this workflow");
    let report = judge(&switch("__blocked__", json!({ "maybe": "@b@", "default": "@b@" })));
    assert!(report.warnings.iter().any(|it| it.contains("never chosen")), "{report:#?}");
}

#[test]
fn values_and_arguments_are_of_their_type() {
    let whole = || playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())]);
    let mut it = whole();
    it["playbook_variables"]["__blocked__"]["value"] = json!("perhaps");
    error(&it, "is no bool");
    it["playbook_variables"]["__blocked__"] = json!({ "type": "ipv4-addr", "value": "10.0.0.256" });
    error(&it, "is no ipv4-addr");
    it["playbook_variables"]["__blocked__"]["value"] = json!("__who__:value");
    assert!(judge(&it).valid, "filled in later");

    let target = "ssh--9c0f1d2e-5b77-4bb0-8a7a-0000000000aa";
    let aimed = |kind: &str, variable: &str| {
        let step = block(json!({ "on_completion": "@e@", "targets": [target] }));
        let mut it = playbook(&[("a", step), ("e", end())]);
        it["playbook_variables"]["__who__"] = json!({ "type": variable });
        it["target_definitions"] = json!({ target: { "type": "ssh", "name": "Gate",
            "address": { kind: ["__who__:value"] }, "port": "22" } });
        it
    };
    error(&aimed("ipv4", "mac-addr"), "needs ipv4-addr or string");
    error(&aimed("url", "integer"), "needs uri or string");
    for (kind, variable) in [("ipv4", "ipv4-addr"), ("dname", "string"), ("l2mac", "mac-addr")] {
        assert!(judge(&aimed(kind, variable)).valid, "{:#?}", judge(&aimed(kind, variable)));
    }

    let asks = json!({ "type": "if-condition", "condition": "__blocked__:value = 'perhaps'",
        "on_true": "@e1@", "on_completion": "@e@" });
    let m = manual("look", json!({ "on_completion": "@c@" }));
    let report = judge(&playbook(&[("m", m), ("c", asks), ("e", end()), ("e1", end())]));
    assert!(report.warnings.iter().any(|it| it.contains("a bool")), "{report:#?}");
}

#[test]
fn encoded_commands_are_read_for_their_variables() {
    // "echo __stranger__:value"
    let commands = json!([{ "type": "bash", "command_b64": "ZWNobyBfX3N0cmFuZ2VyX186dmFsdWU=" }]);
    let agent = "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003";
    let step = crate::kit::action(agent, commands, json!({ "on_completion": "@e@" }));
    error(&playbook(&[("a", step), ("e", end())]), "__stranger__");
}
