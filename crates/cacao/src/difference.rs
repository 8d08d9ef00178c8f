//! What changed between two playbooks: place by place, with the names people know steps by.

use serde::Serialize;
use serde_json::Value;

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// A step is new.
    StepAdded,
    /// A step is gone.
    StepRemoved,
    /// A step goes on to another one, or its branches do.
    FlowChanged,
    /// A step asks another question.
    ConditionChanged,
    /// A step does something else: a command, its arguments, their order.
    CommandChanged,
    /// It is done by somebody else, or on something else.
    PartyChanged,
    /// How long a step waits or may take.
    TimingChanged,
    /// A variable is there, gone or another one, or a step takes or sets others.
    VariableChanged,
    /// Credentials.
    CredentialChanged,
    /// Who may see it.
    MarkingChanged,
    /// Signatures.
    SignatureChanged,
    /// Names, descriptions, times, labels and the like: nothing that is done changes.
    TextChanged,
}

impl Meaning {
    fn words(self) -> &'static str {
        match self {
            Self::StepAdded => "new step",
            Self::StepRemoved => "step removed",
            Self::FlowChanged => "goes on differently",
            Self::ConditionChanged => "asks differently",
            Self::CommandChanged => "does something else",
            Self::PartyChanged => "other agent or target",
            Self::TimingChanged => "other times",
            Self::VariableChanged => "other variables",
            Self::CredentialChanged => "other credentials",
            Self::MarkingChanged => "other markings",
            Self::SignatureChanged => "other signatures",
            Self::TextChanged => "described differently",
        }
    }

    fn of(place: &str, added: bool, removed: bool) -> Self {
        let parts: Vec<&str> = place.split('/').skip(1).collect();
        match parts.as_slice() {
            ["workflow", _] if added => Self::StepAdded,
            ["workflow", _] if removed => Self::StepRemoved,
            ["workflow", _, rest @ ..] => Self::of_step(rest.first().copied().unwrap_or_default()),
            ["workflow_start" | "workflow_exception", ..] => Self::FlowChanged,
            ["playbook_variables", ..] => Self::VariableChanged,
            ["agent_definitions" | "target_definitions", ..] => Self::PartyChanged,
            ["authentication_info_definitions", ..] => Self::CredentialChanged,
            ["data_marking_definitions" | "markings", ..] => Self::MarkingChanged,
            ["signatures", ..] => Self::SignatureChanged,
            _ => Self::TextChanged,
        }
    }

    fn of_step(property: &str) -> Self {
        match property {
            "on_completion" | "on_success" | "on_failure" | "on_true" | "on_false"
            | "next_steps" | "cases" => Self::FlowChanged,
            "condition" | "switch" => Self::ConditionChanged,
            "type" | "commands" | "playbook_id" | "playbook_version" => Self::CommandChanged,
            "agent" | "targets" => Self::PartyChanged,
            "delay" | "timeout" => Self::TimingChanged,
            "in_args" | "out_args" | "step_variables" => Self::VariableChanged,
            _ => Self::TextChanged,
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What it means.
    pub meaning: Meaning,
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

impl Change {
    /// In one line, such as `does something else: Block (/workflow/…/commands/0/command)`.
    pub fn words(&self) -> String {
        let step = self.step.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
        format!("{}{step} ({})", self.meaning.words(), self.place)
    }
}

/// Every change from one playbook to another, in the order of their places. Lists are compared as wholes, because their order has
/// a meaning; only as many commands as before are compared one by one.
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
    } else if let (Some(Value::Array(old)), Some(Value::Array(new))) = (before, after)
        && old.len() == new.len()
        && place.ends_with("/commands")
    {
        for (number, (old, new)) in old.iter().zip(new).enumerate() {
            walk(format!("{place}/{number}"), Some(old), Some(new), changes);
        }
    } else if before != after {
        let meaning = Meaning::of(&place, before.is_none(), after.is_none());
        let (before, after) = (before.cloned(), after.cloned());
        changes.push(Change { meaning, place, step: None, before, after });
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

    #[test]
    fn a_change_says_what_it_means() {
        let before = json!({"name": "a", "workflow": {
            "action--1": {"type": "action", "name": "Look", "delay": 1, "agent": "a", "commands": [{"command": "a"}, {"command": "b"}],
                "on_completion": "end--1", "out_args": ["__a__"]},
            "end--1": {"type": "end"}, "if--1": {"condition": "x"}}, "signatures": [1], "markings": ["m"]});
        let mut after = before.clone();
        let step = &mut after["workflow"]["action--1"];
        step["commands"][1]["command"] = json!("c");
        step["on_completion"] = json!("end--2");
        step["agent"] = json!("b");
        step["delay"] = json!(2);
        step["out_args"] = json!([]);
        after["workflow"]["end--2"] = json!({"type": "end"});
        after["workflow"]["if--1"]["condition"] = json!("y");
        after["workflow"].as_object_mut().unwrap().remove("end--1");
        after["name"] = json!("b");
        after["signatures"] = json!([]);
        after["markings"] = json!(["n"]);
        let changes = difference(&before, &after);
        let mut said: Vec<String> = changes.iter().map(Change::words).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "asks differently (/workflow/if--1/condition)",
                "described differently (/name)",
                "does something else: Look (/workflow/action--1/commands/1/command)",
                "goes on differently: Look (/workflow/action--1/on_completion)",
                "new step: end (/workflow/end--2)",
                "other agent or target: Look (/workflow/action--1/agent)",
                "other markings (/markings)",
                "other signatures (/signatures)",
                "other times: Look (/workflow/action--1/delay)",
                "other variables: Look (/workflow/action--1/out_args)",
                "step removed: end (/workflow/end--1)",
            ]
        );
        let shorter = json!({"workflow": {"action--1": {"commands": [{"command": "a"}]}}});
        let all = difference(&before, &shorter);
        assert!(all.iter().any(|change| change.place == "/workflow/action--1/commands"));
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
