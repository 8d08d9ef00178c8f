//! What a schema cannot say: references, reachability, endings, variables, times.

use std::collections::{BTreeSet, HashSet};

use model::Timestamp;
use serde_json::Value;

use super::Findings;
use crate::condition::Condition;
use crate::variables::{bare, references};
use crate::{Playbook, Step};

/// Checks a playbook whose shape is right.
pub(super) fn check(playbook: &Playbook, found: &mut Findings) {
    times(playbook, found);
    if !has_kinds(playbook, found) {
        return;
    }
    let complete = targets(playbook, found);
    definitions(playbook, found);
    for (id, step) in &playbook.workflow {
        variables(playbook, id, step, found);
    }
    if complete {
        endings(playbook, found);
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
    let parties = playbook.agent_definitions.iter().chain(&playbook.target_definitions);
    for (id, party) in parties {
        if let Some(info) = &party.authentication_info
            && !playbook.authentication_info_definitions.contains_key(info)
        {
            let text = format!("{info} is not in authentication_info_definitions (§3.1)");
            found.error(&format!("/agent_definitions/{id}"), text);
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

fn variables(playbook: &Playbook, id: &str, step: &Step, found: &mut Findings) {
    let place = format!("/workflow/{id}");
    let defined = |name: &str| {
        step.step_variables.contains_key(name) || playbook.playbook_variables.contains_key(name)
    };
    let mut used: BTreeSet<String> = BTreeSet::new();
    for command in &step.commands {
        let text = serde_json::to_string(command).unwrap_or_default();
        used.extend(references(&text).into_iter().map(str::to_owned));
    }
    for name in &step.targets {
        if let Some(target) = playbook.target_definitions.get(name) {
            let text = serde_json::to_string(target).unwrap_or_default();
            used.extend(references(&text).into_iter().map(str::to_owned));
        }
    }
    if let Some(condition) = &step.condition {
        match Condition::parse(condition) {
            Ok(condition) => used.extend(condition.variables().into_iter().map(str::to_owned)),
            // Conformant conditions may use more of STIX than this node reads: ability says so.
            Err(_) => used.extend(references(condition).into_iter().map(str::to_owned)),
        }
    }
    used.extend(step.in_args.iter().chain(&step.out_args).map(|name| bare(name).to_owned()));
    for name in used.iter().filter(|name| !defined(name)) {
        let text = format!("variable {name} is defined neither for the step nor for the playbook");
        found.error(&place, text);
    }
    for name in &step.out_args {
        let variable = step.step_variables.get(bare(name));
        let variable = variable.or_else(|| playbook.playbook_variables.get(bare(name)));
        if variable.is_some_and(|variable| variable.constant) {
            found.error(&place, format!("out_args sets {name}, which is constant (§10.18)"));
        }
    }
}

/// Nothing is unreachable, and from everything reachable an end can be reached.
fn endings(playbook: &Playbook, found: &mut Findings) {
    let mut reachable: HashSet<&str> = HashSet::new();
    let mut todo = vec![playbook.workflow_start.as_str()];
    todo.extend(playbook.workflow_exception.as_deref());
    while let Some(id) = todo.pop() {
        if reachable.insert(id)
            && let Some(step) = playbook.workflow.get(id)
        {
            todo.extend(step.successors());
        }
    }
    for id in playbook.workflow.keys().filter(|id| !reachable.contains(id.as_str())) {
        found.warning(&format!("/workflow/{id}"), "no step leads to it");
    }
    let mut ending: HashSet<&str> = HashSet::new();
    loop {
        let before = ending.len();
        for (id, step) in &playbook.workflow {
            let next = step.successors();
            if next.is_empty() || next.iter().any(|id| ending.contains(id)) {
                ending.insert(id);
            }
        }
        if ending.len() == before {
            break;
        }
    }
    for id in reachable.iter().filter(|id| !ending.contains(*id)) {
        found.error(
            &format!("/workflow/{id}"),
            "no end step can be reached from here: an endless loop",
        );
    }
    loops(playbook, &reachable, &ending, found);
}

/// A circle of steps that always follow each other never asks whether to go on.
fn loops(
    playbook: &Playbook,
    reachable: &HashSet<&str>,
    ending: &HashSet<&str>,
    found: &mut Findings,
) {
    let mut told: HashSet<&str> = HashSet::new();
    let success = |id: &str| -> Option<&str> {
        let step = playbook.workflow.get(id)?;
        (!step.kind.ends_with("-condition"))
            .then(|| step.on_completion.as_deref().or(step.on_success.as_deref()))?
    };
    for start in reachable.iter().filter(|id| ending.contains(*id)) {
        let mut at = *start;
        for _ in 0..playbook.workflow.len() {
            let Some(next) = success(at) else { break };
            if next == *start {
                if told.insert(next) {
                    let text = "repeats without a condition that could end it";
                    found.error(&format!("/workflow/{next}"), text);
                }
                break;
            }
            at = next;
        }
    }
}
