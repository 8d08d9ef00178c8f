//! What a schema cannot say.

use cacao::{Report, validate, validate_bytes};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kit::{abilities, block, end, manual, notify, playbook};

fn judge(value: &Value) -> Report {
    validate(value, &abilities())
}

fn refused(value: &Value, word: &str) {
    let report = judge(value);
    assert!(!report.valid && !report.runnable.ok, "{report:#?}");
    assert!(report.errors.iter().any(|error| error.contains(word)), "{word}: {report:#?}");
}

#[test]
fn a_good_playbook_is_good() {
    let report = judge(&playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())]));
    assert!(report.valid && report.runnable.ok && report.warnings.is_empty(), "{report:#?}");
}

#[test]
fn missing_steps_agents_targets_and_variables_are_named() {
    let mut gone = playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())]);
    let id = "end--5d1f0f0e-8a4b-4b53-9a6d-0000000000ff";
    gone["workflow"]["action--5d1f0f0e-8a4b-4b53-9a6d-000000000000"]["on_completion"] = json!(id);
    refused(&gone, "no step of this workflow");
    refused(&gone, id);

    let mut agent = playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())]);
    agent.as_object_mut().unwrap().remove("agent_definitions");
    refused(&agent, "agent_definitions");

    let target = "individual--9c0f1d2e-5b77-4bb0-8a7a-0000000000aa";
    let step = block(json!({ "on_completion": "@e@", "targets": [target] }));
    refused(&playbook(&[("a", step), ("e", end())]), "target_definitions");

    let step = notify("hello __stranger__:value", json!({ "on_completion": "@e@" }));
    refused(&playbook(&[("a", step), ("e", end())]), "__stranger__");
    let step = block(json!({ "on_completion": "@e@", "out_args": ["__stranger__"] }));
    refused(&playbook(&[("a", step), ("e", end())]), "__stranger__");
}

#[test]
fn a_constant_is_not_set() {
    let step = block(json!({ "on_completion": "@e@", "out_args": ["__who__"] }));
    let mut it = playbook(&[("a", step), ("e", end())]);
    it["playbook_variables"]["__who__"]["constant"] = json!(true);
    refused(&it, "constant");
}

#[test]
fn loops_without_end_or_condition_are_refused_and_idle_steps_are_warned_of() {
    let a = block(json!({ "on_completion": "@b@" }));
    let b = notify("again", json!({ "on_completion": "@a@" }));
    refused(&playbook(&[("a", a), ("b", b), ("e", end())]), "endless loop");

    // It could only be left by a failure.
    let a = block(json!({ "on_success": "@b@", "on_failure": "@e@" }));
    let b = notify("again", json!({ "on_completion": "@a@" }));
    refused(&playbook(&[("a", a), ("b", b), ("e", end())]), "without a condition");

    let a = block(json!({ "on_completion": "@c@" }));
    let c = json!({ "type": "if-condition", "condition": "__who__:value = 'x'",
        "on_true": "@e@", "on_false": "@a@" });
    let asked = judge(&playbook(&[("a", a), ("c", c), ("e", end())]));
    assert!(asked.valid && asked.warnings[0].contains("both inside"), "{asked:#?}");

    let a = block(json!({ "on_completion": "@e@" }));
    let idle = notify("never", json!({ "on_completion": "@e@" }));
    let report = judge(&playbook(&[("a", a), ("idle", idle), ("e", end())]));
    assert!(report.valid && report.warnings[0].contains("no step leads to it"), "{report:#?}");
}

#[test]
fn times_must_make_sense() {
    let mut it = playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())]);
    it["modified"] = json!("2020-01-01T00:00:00.000Z");
    refused(&it, "earlier than created");
    it["modified"] = json!("2026-13-01T00:00:00.000Z");
    refused(&it, "must be a time");
}

#[test]
fn conformant_is_not_runnable() {
    let commands = json!([{ "type": "bash", "command": "id" }]);
    let agent = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000001";
    let shell = crate::kit::action(agent, commands, json!({ "on_completion": "@e@" }));
    let report = judge(&playbook(&[("a", shell), ("e", end())]));
    assert!(report.valid && !report.runnable.ok, "{report:#?}");
    assert!(report.runnable.missing[0].contains("bash"), "{report:#?}");

    let mut verb = playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())]);
    verb["workflow"]["action--5d1f0f0e-8a4b-4b53-9a6d-000000000000"]["commands"][0]["command"] =
        json!("explode");
    let report = judge(&verb);
    assert!(report.valid && report.runnable.missing[0].contains("explode"), "{report:#?}");
}

#[test]
fn a_condition_is_a_comparison_expression_of_stix() {
    let asks = |condition: &str| {
        let c = json!({ "type": "if-condition", "condition": condition,
            "on_true": "@e@", "on_completion": "@e@" });
        let m = manual("look", json!({ "on_completion": "@c@" }));
        playbook(&[("m", m), ("c", c), ("e", end())])
    };
    let report = judge(&asks("__who__:value ISSUBSET '10.0.0.0/8' OR EXISTS __blocked__:value"));
    assert!(report.valid && report.runnable.ok, "{report:#?}");
    refused(&asks("__who__:value ISSUBSET 'nowhere'"), "no IP address");
    refused(&asks("__who__:value === 'x'"), "column");
    refused(&asks("[__who__:value = 'x']"), "expected");
    refused(&asks("__who__:value = '__stranger__:value'"), "__stranger__");
    let doubted = judge(&asks("__who__:value > '9'"));
    assert!(doubted.valid && doubted.warnings[0].contains("without quotes"), "{doubted:#?}");
}

#[test]
fn what_is_no_playbook_is_refused_in_words() {
    for bytes in [&b""[..], b"[]", b"7", b"{}", b"\xff\xfe", b"{\"type\":\"bundle\"}"] {
        let report = validate_bytes(bytes, &abilities());
        assert!(!report.valid && !report.errors.is_empty());
    }
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let report = validate_bytes(deep.as_bytes(), &abilities());
    assert!(report.errors[0].contains("recursion limit"), "{report:#?}");
    let long = vec![b' '; 2 << 20];
    assert!(validate_bytes(&long, &abilities()).errors[0].contains("at most"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z_:-]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_anywhere_is_judged_without_a_panic(value in any_json(), pick in any::<prop::sample::Index>()) {
        let whole = playbook(&[("a", block(json!({ "on_completion": "@e@" }))), ("e", end())]);
        let keys: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
        let mut mutant = whole;
        mutant[pick.get(&keys)] = value;
        let report = judge(&mutant);
        prop_assert_eq!(report.valid, report.errors.is_empty());
    }
}
