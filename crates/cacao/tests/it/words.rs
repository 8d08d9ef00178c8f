//! Playbooks in plain words, and what changed between two of them.

use cacao::{Playbook, explain};
use serde_json::Value;

const EVERYTHING: &str = include_str!("../fixtures/everything.json");

#[test]
fn every_type_of_step_and_command_has_words() {
    let playbook = Playbook::parse(EVERYTHING).unwrap();
    let words = explain(&playbook);
    for expected in [
        "It is told: ‹given›.",
        "Both: at the same time, begin with step",
        "When all have ended, go to",
        "If: if ‹flag› is true go to step",
        "When that branch ends, go to",
        "While: as long as ‹n› is less than 3, repeat from step",
        "When it does not hold any more, go to",
        "Switch: look at ‹n› and go for '1' to step",
        "for anything else to step",
        "Call: run the playbook playbook--9c0f1d2e-5b77-4bb0-8a7a-00000000012c (version of 2026-11-22T00:00:00.000Z), and hand it ‹n›.",
        "It waits 1 millisecond before. It fails when it takes longer than 1 minute. It sets ‹flag›.",
        "ask a person (g): look",
        "hunt with Kestrel: id",
        ", on http-api, linux, net-address and ssh.",
        "x-city-lamp command: on",
        "A failure that no step takes care of goes to step",
    ] {
        assert!(words.contains(expected), "{expected}\n{words}");
    }
    assert!(!words.contains("__") && !words.contains('?'), "holes: {words}");
    let steps = playbook.workflow.len();
    assert!(words.contains(&format!("{steps:>3}. ")), "every step has its sentence: {words}");
}

#[test]
fn conditions_read_as_sentences() {
    let mut value: Value = serde_json::from_str(EVERYTHING).unwrap();
    let id = "if-condition--9c0f1d2e-5b77-4bb0-8a7a-000000000068";
    for (condition, words) in [
        (
            "__n__:value NOT IN (1, 2) OR __flag__:value = false",
            "if ‹n› is none of 1, 2 or ‹flag› is false go",
        ),
        (
            "(__n__:value > 1 OR __n__:value NOT > -1) AND EXISTS __given__:value",
            "if (‹n› is more than 1 or ‹n› is at most -1) and ‹given› has a value go",
        ),
        (
            "__v_string__:value LIKE 'a%' AND __v_ipv4_addr__:value ISSUBSET '192.0.2.0/24'",
            "if ‹v string› looks like 'a%' and ‹v ipv4 addr› lies within 192.0.2.0/24 go",
        ),
        ("__v_string__:value = '__given__:value'", "if ‹v string› is '‹given›' go"),
    ] {
        value["workflow"][id]["condition"] = condition.into();
        let text = explain(&serde_json::from_value(value.clone()).unwrap());
        assert!(text.contains(words), "{words}\n{text}");
    }
}
