//! What changed between two playbooks: place by place, with the names people know steps by.

use serde::Serialize;
use serde_json::Value;

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// JSON pointer (RFC 6901) of the place.
    pub place: String,
    /// The step it lies in, by name, where it lies in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What was there; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there now; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Every change from one playbook to another, in the order of their places. Lists are compared as wholes: in a playbook
/// their order has a meaning.
pub fn difference(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    walk(String::new(), Some(before), Some(after), &mut changes);
    changes.sort_by(|a, b| a.place.cmp(&b.place));
    for change in &mut changes {
        change.step = step_name(&change.place, after).or_else(|| step_name(&change.place, before));
    }
    changes
}

fn walk(place: String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) {
        let added = new.keys().filter(|name| !old.contains_key(*name));
        for name in old.keys().chain(added) {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            walk(format!("{place}/{escaped}"), old.get(name), new.get(name), changes);
        }
    } else if before != after {
        changes.push(Change { place, step: None, before: before.cloned(), after: after.cloned() });
    }
}

fn step_name(place: &str, playbook: &Value) -> Option<String> {
    let id = place.strip_prefix("/workflow/")?.split('/').next()?;
    let step = playbook.get("workflow")?.get(id)?;
    let name = step.get("name").or_else(|| step.get("type"))?;
    name.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_name_place_and_step() {
        let before = json!({"name": "a", "revoked": false,
            "workflow": {"action--1": {"type": "action", "name": "Look", "targets": ["x", "y"]}, "end--1": {"type": "end"}}});
        let after = json!({"name": "b", "x/y": 1,
            "workflow": {"action--1": {"type": "action", "name": "Look", "targets": ["y", "x"]}, "end--2": {"type": "end"}}});
        let changes = difference(&before, &after);
        let short: Vec<(&str, Option<&str>, bool, bool)> = changes
            .iter()
            .map(|c| (c.place.as_str(), c.step.as_deref(), c.before.is_some(), c.after.is_some()))
            .collect();
        assert_eq!(
            short,
            [
                ("/name", None, true, true),
                ("/revoked", None, true, false),
                ("/workflow/action--1/targets", Some("Look"), true, true),
                ("/workflow/end--1", Some("end"), true, false),
                ("/workflow/end--2", Some("end"), false, true),
                ("/x~1y", None, false, true),
            ]
        );
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c/~]", inner, 0..3)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// Writing every change into the first document makes the second.
        #[test]
        fn the_changes_lead_from_one_to_the_other(before in document(), after in document()) {
            let mut made = before.clone();
            for change in difference(&before, &after) {
                let Some((parent, name)) = change.place.rsplit_once('/') else {
                    made = change.after.unwrap_or_default();
                    continue;
                };
                let name = name.replace("~1", "/").replace("~0", "~");
                let members = made.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
                match change.after {
                    Some(value) => members.insert(name, value),
                    None => members.shift_remove(&name),
                };
            }
            prop_assert_eq!(made, after);
        }
    }
}
