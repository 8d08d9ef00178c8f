//! Properties of steps that only some types have.

use serde_json::Value;

use crate::cacao::Step;

/// Branches of a parallel step (§4.7).
pub(crate) fn next_steps(step: &Step) -> Vec<&str> {
    let steps = step.other.get("next_steps").and_then(Value::as_array);
    steps.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What a switch asks (§4.10).
pub(crate) fn switch(step: &Step) -> Option<&str> {
    step.other.get("switch").and_then(Value::as_str)
}

/// Cases of a switch with where they lead.
pub(crate) fn cases(step: &Step) -> Vec<(&str, &str)> {
    let cases = step.other.get("cases").and_then(Value::as_object);
    cases
        .into_iter()
        .flatten()
        .filter_map(|(case, to)| Some((case.as_str(), to.as_str()?)))
        .collect()
}

/// The playbook that a playbook-action calls (§4.6).
pub(crate) fn called(step: &Step) -> Option<&str> {
    let id = step.other.get("playbook_id").and_then(Value::as_str);
    id.filter(|_| step.kind == "playbook-action")
}

/// The version of it that is called: its `modified`.
pub(crate) fn called_version(step: &Step) -> Option<&str> {
    step.other.get("playbook_version").and_then(Value::as_str)
}

/// Where the token goes after the step, if all went well.
pub(crate) fn after(step: &Step) -> Option<&String> {
    step.on_completion.as_ref().or(step.on_success.as_ref())
}
