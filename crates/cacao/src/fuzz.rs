//! Entry point of the fuzz target `cacao`; its corpus is replayed by `tests/it`.

use serde_json::Value;

use crate::condition::Condition;
use crate::course_of_action::{from_stix, to_stix};
use crate::signature::{Trust, verify};
use crate::variables::{Values, fill, references};
use crate::{Abilities, Playbook, difference, explain, validate_bytes};

/// A playbook, a signature, a bundle or a condition: nothing may panic, what is read goes out as it came in, what is valid can be told and
/// shared, and a document does not differ from itself.
pub fn playbook(bytes: &[u8]) {
    let report = validate_bytes(bytes, &Abilities::default());
    assert_eq!(report.valid, report.errors.is_empty(), "valid means that there is no error");
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    condition(text);
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    assert!(difference(&value, &value).is_empty(), "a document is what it is");
    let at = model::Timestamp::from_micros(1_764_460_800_000_000);
    let verdict = verify(&value, &Trust::default(), at);
    assert!(!verdict.valid || !verdict.signatures.is_empty(), "who signed?");
    let _ = from_stix(&value);
    let Ok(playbook) = serde_json::from_value::<Playbook>(value) else {
        assert!(!report.valid, "what is valid can be read");
        return;
    };
    let once = serde_json::to_value(&playbook).unwrap_or_default();
    let again: Option<Playbook> = serde_json::from_value(once).ok();
    assert_eq!(again.as_ref(), Some(&playbook), "what goes out reads back");
    let _ = explain(&playbook);
    for step in playbook.workflow.values() {
        let _ = step.typed();
        let _ = step.commands.iter().map(crate::Command::typed).count();
    }
    if report.valid {
        let bundle = to_stix(text);
        let back = bundle.as_ref().ok().map(from_stix);
        assert_eq!(back, Some(Ok(vec![text.to_owned()])), "what is valid can be shared");
    }
}

fn condition(text: &str) {
    let values: Values = references(text)
        .into_iter()
        .map(|name| (name.to_owned(), "10.0.0.1".to_owned()))
        .chain([("__a__".to_owned(), "7".to_owned())])
        .collect();
    let _ = fill(text, &values);
    if let Ok(condition) = Condition::parse(text) {
        let printed = condition.comparison().to_string();
        let again = Condition::parse(&printed);
        let again = again.map(|it| it.comparison().clone());
        assert_eq!(again.as_ref(), Ok(condition.comparison()), "what is printed reads back");
        let _ = condition.holds(&values);
        let _ = condition.doubts();
    }
}
