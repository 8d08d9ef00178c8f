//! The model: nothing is lost, and every part is seen as what it is.

use cacao::typed::{CommandType, Credential, PartyType, Secret, StepType};
use cacao::{Playbook, validate_bytes};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::kit::abilities;

const EVERYTHING: &str = include_str!("../fixtures/everything.json");

fn everything() -> Value {
    serde_json::from_str(EVERYTHING).unwrap()
}

/// Without what says the default, which is the same as saying nothing.
fn said(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(key, value)| {
                    let default = ["revoked", "constant", "external"].contains(&key.as_str());
                    !(default && **value == json!(false)
                        || key.as_str() == "value" && value.is_null())
                })
                .map(|(key, value)| (key.clone(), said(value)))
                .collect(),
        ),
        Value::Array(items) => items.iter().map(said).collect(),
        other => other.clone(),
    }
}

fn through(value: &Value) -> Value {
    serde_json::to_value(Playbook::parse(&value.to_string()).unwrap()).unwrap()
}

#[test]
fn a_playbook_of_everything_comes_out_as_it_went_in() {
    let before = everything();
    assert_eq!(said(&through(&before)), said(&before));
    // What is signed is the document, not the model of it: also after it went through, the same bytes are signed.
    let canonical = |value: &Value| stix::jcs::to_string(&said(value));
    assert_eq!(canonical(&through(&before)), canonical(&before));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every object of the document.
fn objects<'a>(value: &'a mut Value, out: &mut Vec<&'a mut Map<String, Value>>) {
    match value {
        Value::Object(map) => {
            // One object cannot be lent whole and in parts: the deepest ones are taken.
            if map.values().any(|inner| inner.is_object()) {
                map.values_mut().for_each(|inner| objects(inner, out));
            } else {
                out.push(map);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| objects(inner, out)),
        _ => {}
    }
}

proptest! {
    // Each case judges the largest document there is.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever others add to whichever object is kept.
    #[test]
    fn what_is_not_known_is_kept(strange in any_json(), pick in any::<prop::sample::Index>()) {
        let mut before = everything();
        before["x_outside"] = strange.clone();
        before["workflow"]["start--9c0f1d2e-5b77-4bb0-8a7a-000000000064"]["x_step"] = strange.clone();
        let mut all = Vec::new();
        objects(&mut before, &mut all);
        let chosen = pick.index(all.len());
        all[chosen].insert("x_deep".to_owned(), strange);
        let report = validate_bytes(before.to_string().as_bytes(), &abilities());
        prop_assume!(report.valid);
        prop_assert_eq!(said(&through(&before)), said(&before));
    }
}

#[test]
fn steps_commands_parties_and_credentials_are_seen_as_what_they_are() {
    let playbook = Playbook::parse(EVERYTHING).unwrap();
    let strange =
        playbook.workflow.values().filter(|step| matches!(step.typed(), StepType::Other(_)));
    assert_eq!(strange.count(), 0);
    let of =
        |kind: &str| playbook.workflow.values().find(|step| step.kind == kind).unwrap().typed();
    assert!(
        matches!(of("switch-condition"), StepType::Switch { variable: "__n__", cases } if cases.len() == 2)
    );
    assert!(matches!(of("while-condition"), StepType::While { condition: "__n__:value < 3", .. }));
    assert!(matches!(of("playbook-action"), StepType::PlaybookAction { version: Some(_), .. }));
    let action = playbook.workflow.values().find(|step| step.commands.len() > 5).unwrap();
    let commands: Vec<CommandType> =
        action.commands.iter().map(|command| command.typed()).collect();
    assert!(commands.contains(&CommandType::Shell { shell: "bash", text: "id".into() }));
    assert!(commands.contains(&CommandType::Tool { tool: "yara", text: "id".into() }), "decoded");
    assert!(commands.contains(&CommandType::OpenC2 {
        start_line: "POST /x HTTP/1.1".into(),
        content: "{}".into()
    }));
    assert!(commands.contains(&CommandType::Other("x-city-lamp".into())));
    let parties = playbook.agent_definitions.values().chain(playbook.target_definitions.values());
    let parties: Vec<PartyType<'_>> = parties.map(|party| party.typed()).collect();
    assert!(parties.contains(&PartyType::Sector("transportation")));
    assert!(parties.iter().any(|party| matches!(party,
        PartyType::Addressed { kind: "ssh", addresses, port: Some("8443"), .. } if addresses.len() == 6)));
    assert!(!parties.iter().any(|party| matches!(party, PartyType::Other(_))));
    let mut kept = everything();
    let id = "http-basic--9c0f1d2e-5b77-4bb0-8a7a-000000000014";
    kept["authentication_info_definitions"][id]["kms"] = json!(true);
    let kept: Playbook = serde_json::from_value(kept).unwrap();
    let user = Some("u");
    assert!(kept.credential(id) == Some(Credential::HttpBasic { user, secret: Secret::Kept("k") }));
    let here = playbook.credential("oauth2--9c0f1d2e-5b77-4bb0-8a7a-000000000015");
    assert!(
        here == Some(Credential::OAuth2 {
            header: "Bearer",
            secret: Secret::Here("__given__:value")
        })
    );
}
