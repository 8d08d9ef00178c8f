//! From a CACAO command to what an actuator is asked, with variables filled in.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Outcome;
use serde_json::{Map, Value, json};

use super::{MAX_COMMANDS_PER_STEP, MAX_OUTPUT_BYTES};
use crate::actuators::http_api;
use crate::cacao::variables::{Values, bare, fill, fill_json, to_text};
use crate::cacao::{ACTUATOR, AgentTarget, Command, Playbook, Step};

/// One thing to ask of one actuator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub actuator: String,
    pub verb: String,
    pub arguments: BTreeMap<String, Value>,
    /// The arguments without secrets, for the record and the page.
    pub shown: Value,
    /// A person carries it out.
    pub manual: bool,
}

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
        if command.kind == "http-api" && !targets.is_empty() {
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
    let (command, target) = pairs.get(index).ok_or("the step has no command")?;
    let agent = step.agent.as_ref().and_then(|agent| playbook.agent_definitions.get(agent));
    match command.kind.as_str() {
        "manual" => {
            let text = text_of(command.command.as_ref(), command.command_b64.as_ref())?;
            let instruction = fill(&text, values).map_err(|cause| cause.to_string())?;
            let shown = json!({ "instruction": instruction });
            let arguments = BTreeMap::from([("instruction".to_owned(), instruction.into())]);
            let (actuator, verb) = ("manual".to_owned(), "answer".to_owned());
            Ok(Item { actuator, verb, arguments, shown, manual: true })
        }
        ACTUATOR => {
            let agent = agent.ok_or("the step has no agent")?;
            let arguments: BTreeMap<String, Value> = command
                .arguments
                .iter()
                .map(|(name, value)| Ok((name.clone(), fill_json(value, values)?)))
                .collect::<Result<_, crate::cacao::variables::FillError>>()
                .map_err(|cause| cause.to_string())?;
            Ok(Item {
                actuator: agent.name.clone(),
                verb: command.command.clone().unwrap_or_default(),
                shown: json!(arguments),
                arguments,
                manual: false,
            })
        }
        "http-api" => {
            let party = target.or(agent).ok_or("the http-api command has no target")?;
            let body = match (&command.content, &command.content_b64) {
                (None, None) => None,
                (plain, encoded) => Some(text_of(plain.as_ref(), encoded.as_ref())?),
            };
            let request = http_api::request(playbook, command, party, body.as_deref(), values)?;
            Ok(Item {
                actuator: http_api::NAME.to_owned(),
                verb: "request".to_owned(),
                shown: http_api::shown(&request),
                arguments: request,
                manual: false,
            })
        }
        other => Err(format!("commands of the type {other} are not carried out here")),
    }
}

fn text_of(plain: Option<&String>, encoded: Option<&String>) -> Result<String, String> {
    match (plain, encoded) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(encoded)) => STANDARD
            .decode(encoded)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| "the command's base64 holds no text".to_owned()),
        (None, None) => Err("the command is empty".to_owned()),
    }
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
