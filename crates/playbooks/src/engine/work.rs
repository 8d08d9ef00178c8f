//! From a CACAO command to what an actuator is asked, with variables filled in.

use model::Outcome;
use serde_json::{Map, Value, json};

use super::{MAX_COMMANDS_PER_STEP, MAX_OUTPUT_BYTES};
use crate::cacao::variables::{Values, bare, to_text};
use crate::cacao::{AgentTarget, Command, Playbook, Step};
pub(crate) use crate::commands::Item;
use crate::commands::{self, Asked};

/// Commands of an action, each with the target it is for, where targets matter.
fn pairs<'a>(
    playbook: &'a Playbook,
    step: &'a Step,
) -> Vec<(&'a Command, Option<&'a AgentTarget>)> {
    let mut pairs = Vec::new();
    for command in &step.commands {
        let targets: Vec<&AgentTarget> = step
            .targets
            .iter()
            .filter_map(|target| playbook.target_definitions.get(target))
            .filter(|target| !target.address.is_empty())
            .collect();
        let each = commands::of(&command.kind).is_some_and(|kind| kind.for_each_target);
        if each && !targets.is_empty() {
            pairs.extend(targets.into_iter().map(|target| (command, Some(target))));
        } else {
            pairs.push((command, None));
        }
    }
    pairs
}

/// How many things a step asks.
pub(crate) fn count(playbook: &Playbook, step: &Step) -> usize {
    pairs(playbook, step).len()
}

/// The `index`th thing a step asks.
///
/// # Errors
/// It cannot be asked; the text says why.
pub(crate) fn item(
    playbook: &Playbook,
    step: &Step,
    values: &Values,
    index: usize,
) -> Result<Item, String> {
    let pairs = pairs(playbook, step);
    if pairs.len() > MAX_COMMANDS_PER_STEP {
        return Err(format!(
            "{} commands in one step; at most {MAX_COMMANDS_PER_STEP} are carried out",
            pairs.len()
        ));
    }
    let (command, target) = *pairs.get(index).ok_or("the step has no command")?;
    let agent = step.agent.as_ref().and_then(|agent| playbook.agent_definitions.get(agent));
    let kind = commands::of(&command.kind).ok_or_else(|| commands::unknown(&command.kind))?;
    (kind.item)(&Asked { playbook, command, agent, target }, values)
}

/// Values a step sees: its own variables over the playbook's.
pub(crate) fn values_for(step: &Step, run: &Values) -> Values {
    let mut values = run.clone();
    for (name, variable) in &step.step_variables {
        if let Some(value) = &variable.value {
            values.insert(name.clone(), value.clone());
        }
    }
    values
}

/// An outcome whose data stays within [`MAX_OUTPUT_BYTES`].
pub(crate) fn bounded(outcome: Outcome) -> Outcome {
    let cut = |data: Value| {
        let size = data.to_string().len();
        if size > MAX_OUTPUT_BYTES { json!({ "trimmed": true, "size_bytes": size }) } else { data }
    };
    match outcome {
        Outcome::Done { summary, data } => {
            Outcome::Done { summary: short(summary), data: cut(data) }
        }
        Outcome::NotEnforced { reason, data } => {
            Outcome::NotEnforced { reason: short(reason), data: cut(data) }
        }
        Outcome::Failed { reason, retry } => Outcome::Failed { reason: short(reason), retry },
    }
}

fn short(text: String) -> String {
    if text.len() <= 4_000 { text } else { text.chars().take(1_000).chain("…".chars()).collect() }
}

/// The outcome of a step from those of its commands: the worst, with what each said.
pub(crate) fn combined(outcomes: &[Outcome]) -> Outcome {
    let data = merged(outcomes);
    let mut done = Vec::new();
    let mut not_enforced = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Failed { .. } => return outcome.clone(),
            Outcome::Done { summary, .. } => done.push(summary.as_str()),
            Outcome::NotEnforced { reason, .. } => not_enforced.push(reason.as_str()),
        }
    }
    if not_enforced.is_empty() {
        Outcome::Done { summary: done.join("; "), data: data.into() }
    } else {
        Outcome::NotEnforced { reason: not_enforced.join("; "), data: data.into() }
    }
}

fn merged(outcomes: &[Outcome]) -> Map<String, Value> {
    let mut all = Map::new();
    for outcome in outcomes {
        if let Outcome::Done { data: Value::Object(map), .. }
        | Outcome::NotEnforced { data: Value::Object(map), .. } = outcome
        {
            all.extend(map.clone());
        }
    }
    all
}

/// Sets the variables a step gives back: `__verdict__` takes `verdict` of the outcome's data.
pub(crate) fn take_out(step: &Step, outcomes: &[Outcome], run: &mut Values) {
    let data = merged(outcomes);
    for name in step.out_args.iter().map(|name| bare(name)) {
        let key = name.trim_start_matches("__").trim_end_matches("__");
        if let Some(value) = data.get(key)
            && !step.step_variables.contains_key(name)
        {
            run.insert(name.to_owned(), to_text(value));
        }
    }
}
