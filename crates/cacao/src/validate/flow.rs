//! What a schema cannot say: references, definitions, variables, times. Where the steps go is looked at in `graph`.

use model::Timestamp;
use serde_json::Value;

use super::{Findings, graph, names};
use crate::{Playbook, Step};

/// Checks a playbook whose shape is right.
pub(super) fn check(playbook: &Playbook, found: &mut Findings) {
    times(playbook, found);
    if !has_kinds(playbook, found) {
        return;
    }
    let complete = targets(playbook, found);
    definitions(playbook, found);
    extensions(playbook, found);
    summary(playbook, found);
    names::check(playbook, found);
    if complete {
        graph::check(playbook, found);
    }
}

fn times(playbook: &Playbook, found: &mut Findings) {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    if time(&playbook.modified) < time(&playbook.created) {
        found.error("/modified", "must not be earlier than created (§3.1)");
    }
    if let (Some(from), Some(until)) = (&playbook.valid_from, &playbook.valid_until)
        && time(until) <= time(from)
    {
        found.error("/valid_until", "must be later than valid_from (§3.1)");
    }
}

fn has_kinds(playbook: &Playbook, found: &mut Findings) -> bool {
    let has = |kinds: &[&str]| playbook.workflow.values().any(|s| kinds.contains(&s.kind.as_str()));
    let wanted: [(&[&str], &str); 3] = [
        (&["start"], "start step"),
        (&["action", "playbook-action"], "action or playbook-action step"),
        (&["end"], "end step"),
    ];
    let mut complete = true;
    for (kinds, words) in wanted {
        if !has(kinds) {
            complete = false;
            found.error("/workflow", format!("has no {words}; one is needed at least (§3.1)"));
        }
    }
    complete
}

/// Every reference to a step leads to one; true when they all do.
fn targets(playbook: &Playbook, found: &mut Findings) -> bool {
    let known = |id: &str| playbook.workflow.contains_key(id);
    let mut complete = true;
    let mut miss = |place: &str, id: &str, found: &mut Findings| {
        complete = false;
        found.error(place, format!("leads to {id}, which is no step of this workflow"));
    };
    if !known(&playbook.workflow_start) {
        miss("/workflow_start", &playbook.workflow_start, found);
    }
    if let Some(exception) = playbook.workflow_exception.as_deref().filter(|id| !known(id)) {
        miss("/workflow_exception", exception, found);
    }
    for (id, step) in &playbook.workflow {
        for next in step.successors().into_iter().filter(|next| !known(next)) {
            miss(&format!("/workflow/{id}"), next, found);
        }
        if step.kind == "start" && step.on_completion.is_none() {
            miss(&format!("/workflow/{id}"), "nothing (on_completion is missing)", found);
        }
    }
    complete
}

/// Agents, targets, credentials and markings that are used are defined.
fn definitions(playbook: &Playbook, found: &mut Findings) {
    for (id, step) in &playbook.workflow {
        let place = format!("/workflow/{id}");
        if let Some(agent) =
            step.agent.as_deref().filter(|agent| !playbook.agent_definitions.contains_key(*agent))
        {
            found.error(&place, format!("agent {agent} is not in agent_definitions (§3.1)"));
        }
        for target in &step.targets {
            if !playbook.target_definitions.contains_key(target) {
                found.error(&place, format!("target {target} is not in target_definitions (§3.1)"));
            }
        }
    }
    let known = &playbook.authentication_info_definitions;
    for (name, parties) in [
        ("agent_definitions", &playbook.agent_definitions),
        ("target_definitions", &playbook.target_definitions),
    ] {
        for (id, party) in parties {
            if let Some(info) =
                party.authentication_info.as_ref().filter(|i| !known.contains_key(*i))
            {
                let text = format!("{info} is not in authentication_info_definitions (§3.1)");
                found.error(&format!("/{name}/{id}"), text);
            }
        }
    }
    let marked = playbook.other.get("markings").and_then(Value::as_array);
    let defined = playbook.other.get("data_marking_definitions").and_then(Value::as_object);
    for marking in marked.into_iter().flatten().filter_map(Value::as_str) {
        if !defined.is_some_and(|defined| defined.contains_key(marking)) {
            found.warning("/markings", format!("{marking} is not in data_marking_definitions"));
        }
    }
}

/// Extensions that are used are defined, and the summary says what is there.
fn extensions(playbook: &Playbook, found: &mut Findings) {
    let defined = playbook.other.get("extension_definitions").and_then(Value::as_object);
    let mut used = |place: String, extensions: Option<&Value>| {
        for id in extensions.and_then(Value::as_object).into_iter().flat_map(|map| map.keys()) {
            if !defined.is_some_and(|defined| defined.contains_key(id)) {
                found.warning(&place, format!("{id} is not in extension_definitions (§8)"));
            }
        }
    };
    used("/playbook_extensions".into(), playbook.other.get("playbook_extensions"));
    for (id, step) in &playbook.workflow {
        used(format!("/workflow/{id}/step_extensions"), step.other.get("step_extensions"));
    }
    for (id, party) in playbook.agent_definitions.iter().chain(&playbook.target_definitions) {
        used(format!("/{id}/agent_target_extensions"), party.other.get("agent_target_extensions"));
    }
}

/// What `playbook_processing_summary` says is there, and what is there it does not deny (§3.1.3).
fn summary(playbook: &Playbook, found: &mut Findings) {
    let steps = |kind: &str| playbook.workflow.values().any(|step| step.kind == kind);
    let has = |name: &str| playbook.other.contains_key(name);
    let truth = [
        ("manual_playbook", playbook.workflow.values().any(Step::is_manual)),
        ("external_playbooks", steps("playbook-action")),
        ("parallel_processing", steps("parallel")),
        ("if_logic", steps("if-condition")),
        ("while_logic", steps("while-condition")),
        ("switch_logic", steps("switch-condition")),
        (
            "temporal_logic",
            playbook.workflow.values().any(|step| step.delay.is_some() || step.timeout.is_some()),
        ),
        ("data_markings", has("data_marking_definitions") || has("markings")),
        ("digital_signatures", has("signatures")),
        ("extensions", has("extension_definitions")),
    ];
    let said = playbook.other.get("playbook_processing_summary");
    for (name, is) in truth {
        let said = said.and_then(|summary| summary.get(name)).and_then(Value::as_bool);
        // A playbook is called manual by its author: one manual step among others does not make it one.
        let lenient = matches!(name, "manual_playbook" | "digital_signatures") && is;
        if said.is_some_and(|said| said != is && !lenient) {
            let text = format!("says {name}: {}, which is not so", !is);
            found.warning("/playbook_processing_summary", text);
        }
    }
}
