#![allow(clippy::unwrap_used)]
use std::collections::HashSet;
use std::str::FromStr;

use cedar_policy::PolicySet;

use super::{Question, Rulebook, entity, flag, number, schema, text};

const SCHEMA: &str = "entity Who { name: String }; entity Thing { rank: Long, own: Bool };
action share appliesTo { principal: [Who], resource: [Thing] };";

fn book(policies: &str) -> Rulebook {
    Rulebook::new(schema(SCHEMA).unwrap(), PolicySet::from_str(policies).unwrap())
}

fn question(rank: i64) -> Result<Question, String> {
    Ok(Question {
        action: "share",
        principal: entity("Who", "w", vec![("name", text("Ann"))], HashSet::new())?,
        resource: entity(
            "Thing",
            "t",
            vec![("rank", number(rank)), ("own", flag(true))],
            HashSet::new(),
        )?,
        around: vec![],
    })
}

const TWO: &str =
    "@reason(\"it is low\") permit (principal, action, resource) when { resource.rank < 3 };
@reason(\"zero is bad\") forbid (principal, action, resource) when { resource.rank == 0 };";

#[test]
fn a_forbid_beats_a_permit_and_silence_denies() {
    let book = book(TWO);
    let yes = book.ask(question(2), String::new);
    assert!(yes.allowed);
    assert_eq!(yes.reason, "allowed because it is low");
    assert_eq!(yes.policies, ["policy0"]);
    let no = book.ask(question(0), String::new);
    assert!(!no.allowed);
    assert_eq!(no.reason, "denied because zero is bad");
    let unsaid = book.ask(question(7), || "speaks of seven".to_owned());
    assert!(!unsaid.allowed && unsaid.policies.is_empty());
    assert_eq!(unsaid.reason, "denied because no policy speaks of seven");
}

#[test]
fn what_cannot_be_decided_is_denied() {
    let all = book("permit (principal, action, resource);");
    let misfit = Ok(Question { action: "burn", ..question(1).unwrap() });
    let incomplete = Ok(Question {
        resource: entity("Thing", "t", vec![("rank", number(1))], HashSet::new()).unwrap(),
        ..question(1).unwrap()
    });
    for wrong in [misfit, incomplete, Err("no such thing".to_owned())] {
        let denied = all.ask(wrong, String::new);
        assert!(!denied.allowed);
        assert!(denied.reason.starts_with("denied because the question could not be decided"));
    }
    assert!(all.ask(question(1), String::new).allowed);
    // A policy that fails while it is evaluated denies, though another one permits.
    let failing = book(
        "permit (principal, action, resource);
         permit (principal, action, resource) when { resource.missing == 1 };",
    );
    assert!(!failing.ask(question(1), String::new).allowed);
}
