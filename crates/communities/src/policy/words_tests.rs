#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use cedar_policy::Policy;

use super::*;

fn check(text: &str, expect: &str) {
    let names = HashMap::from([("c1".to_owned(), "Energy".to_owned())]);
    let policy = Policy::parse(None, text).unwrap();
    assert_eq!(Words { names: &names }.policy(&policy.to_json().unwrap()), expect, "{text}");
}

/// A policy with this effect and these conditions.
fn when(effect: &str, conditions: &str, expect: &str) {
    let text = format!("{effect} (principal, action == Action::\"share\", resource) {conditions};");
    check(&text, expect);
}

#[test]
fn policies_are_said_in_words() {
    when("permit", "", "All objects may go to any organisation.");
    when("forbid", "", "All objects may not go to any organisation.");
    when(
        "permit",
        "when { resource.type == \"indicator\" && resource.tlp_rank <= 1 && principal.kind == \"cert\" && \
         principal.country == \"PT\" } unless { resource.labels.contains(\"internal\") }",
        "Objects of type indicator and marked TLP:GREEN or freer may go to organisations of kind cert and in country \
         PT, unless the object is labelled 'internal'.",
    );
    when(
        "permit",
        "when { [\"indicator\", \"malware\", \"tool\"].contains(resource.type) }",
        "Objects of type indicator, malware or tool may go to any organisation.",
    );
    when(
        "forbid",
        "when { resource.received && resource.confidence < 50 }",
        "Objects that others said first and of confidence below 50, or unknown may not go to any organisation.",
    );
    when(
        "permit",
        "when { !resource.received && principal.communities.contains(\"c1\") }",
        "Objects first said here may go to organisations in community 'Energy'.",
    );
    when(
        "forbid",
        "when { resource.origin == \"feed\" && resource.source == \"Paid list\" }",
        "Objects first said by a feed and first said by the source Paid list may not go to any organisation.",
    );
    when(
        "forbid",
        "when { [\"misp\", \"taxii\"].contains(resource.origin) }",
        "Objects first said by a MISP server or a TAXII server or client may not go to any organisation.",
    );
    when(
        "permit",
        "when { resource.to_community == \"c1\" && \"cert\" == principal.kind }",
        "Objects shared with community 'Energy' may go to organisations of kind cert.",
    );
    when(
        "forbid",
        "when { principal.kind == \"vendor\" || principal.kind == \"other\" }",
        "All objects may not go to organisations (of kind vendor or of kind other).",
    );
    when(
        "forbid",
        "when { resource.tlp_rank > 1 || principal.country != \"PT\" }",
        "All objects may not go to any organisation, when the object is marked TLP:AMBER or stricter or the recipient \
         is not in country PT.",
    );
    when(
        "forbid",
        "when { (resource.received && principal.sector == \"energy\") || resource.pap_rank >= 2 }",
        "All objects may not go to any organisation, when (others said the object first and the recipient is of \
         sector energy) or the object is marked PAP:AMBER or stricter.",
    );
    when(
        "permit",
        "unless { principal.communities.isEmpty() || !resource.onward } unless { resource.tlp == \"TLP:RED\" }",
        "All objects may go to any organisation, unless the recipient is without a community in common or the community \
         it came through does not let it go elsewhere, or unless the object is marked TLP:RED.",
    );
    check(
        "permit (principal == Organisation::\"c1\", action, resource is Object);",
        "All objects may go to organisations with the name 'Energy'.",
    );
}

#[test]
fn what_has_no_words_is_said_to_have_none() {
    for odd in [
        "principal.name like \"Nat*\"",
        "if resource.received then true else false",
        "resource.tlp_rank + 1 > 2",
        "resource.tlp_rank > 7",
        "principal in Organisation::\"x\"",
    ] {
        let expect = format!("All objects may go to any organisation, when {NO_WORDS}.");
        when("permit", &format!("when {{ {odd} }}"), &expect);
        when("permit", &format!("when {{ !({odd}) }}"), &expect);
    }
}

#[test]
fn the_built_in_policies_all_have_words() {
    let text = include_str!("../../policies/sharing.cedar");
    let set: cedar_policy::PolicySet = text.parse().unwrap();
    let names = HashMap::new();
    let mut said: Vec<String> = set
        .policies()
        .map(|policy| Words { names: &names }.policy(&policy.to_json().unwrap()))
        .collect();
    said.sort();
    assert!(said.iter().all(|words| !words.contains(NO_WORDS)), "{said:#?}");
    assert!(said.contains(&"Objects marked PAP:RED may not go to any organisation.".to_owned()));
    assert!(said.iter().any(|words| words
        == "Objects marked TLP:GREEN or stricter and marked TLP:AMBER+STRICT or freer may not go to any organisation, \
            unless the recipient is of kind cert or the recipient is with a community in common."));
}
