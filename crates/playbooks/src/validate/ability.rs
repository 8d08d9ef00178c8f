//! What this node carries out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ports::Actuator;

use crate::cacao::{ACTUATOR, Command, Playbook, Step};
use crate::condition::Condition;
use crate::context;

/// Types of steps the engine runs.
const STEP_KINDS: [&str; 4] = ["start", "end", "action", "if-condition"];

/// Actuators with their verbs, and variables handed to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    verbs: BTreeMap<String, BTreeSet<String>>,
}

impl Abilities {
    /// What a node with all its rooms carries out: for `sereno playbook validate` without a node.
    pub fn standard() -> Self {
        let verbs = [
            ("console", &["notify"] as &[&str]),
            ("exchange", &["share"]),
            ("gateway", &["block", "release"]),
            ("intel", &["lookup"]),
        ];
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self { verbs: verbs.map(|(name, words)| (name.to_owned(), set(words))).into() }
    }

    /// What these actuators carry out.
    pub fn of(actuators: &[Arc<dyn Actuator>]) -> Self {
        let verbs = actuators.iter().map(|actuator| {
            let verbs = actuator.verbs().iter().map(|(verb, _)| (*verb).to_owned()).collect();
            (actuator.name().to_owned(), verbs)
        });
        Self { verbs: verbs.collect() }
    }

    /// What is missing to run a playbook, one sentence each.
    pub(super) fn missing(&self, playbook: &Playbook) -> Vec<String> {
        let mut missing = Vec::new();
        for (id, step) in &playbook.workflow {
            let name = format!("step '{}' ({id})", step.title());
            if !STEP_KINDS.contains(&step.kind.as_str()) {
                missing.push(format!("{name}: steps of the type {} are not run here", step.kind));
            }
            if let Some(Err(cause)) = step.condition.as_deref().map(Condition::parse) {
                missing.push(format!("{name}: {cause}"));
            }
            for command in &step.commands {
                if let Some(what) = self.lacks(playbook, step, command) {
                    missing.push(format!("{name}: {what}"));
                }
            }
        }
        for (name, variable) in &playbook.playbook_variables {
            if variable.external
                && variable.value.is_none()
                && !context::NAMES.iter().any(|(known, _)| known == name)
            {
                missing.push(format!("nothing here gives the external variable {name} a value"));
            }
        }
        missing
    }

    fn lacks(&self, playbook: &Playbook, step: &Step, command: &Command) -> Option<String> {
        match command.kind.as_str() {
            "manual" => None,
            "http-api" => {
                let parties =
                    step.targets.iter().filter_map(|t| playbook.target_definitions.get(t));
                let agent = step.agent.as_ref().and_then(|a| playbook.agent_definitions.get(a));
                let addressed = parties.chain(agent).any(|party| !party.address.is_empty());
                (!addressed)
                    .then(|| "the http-api command has no target with an address".to_owned())
            }
            ACTUATOR => {
                let agent = step.agent.as_ref().and_then(|a| playbook.agent_definitions.get(a))?;
                if agent.kind != ACTUATOR {
                    return Some(format!("its agent must be of the type {ACTUATOR}"));
                }
                let verb = command.command.as_deref().unwrap_or_default();
                match self.verbs.get(&agent.name) {
                    None => Some(format!("there is no actuator '{}' here", agent.name)),
                    Some(verbs) if !verbs.contains(verb) => {
                        let known: Vec<&str> = verbs.iter().map(String::as_str).collect();
                        let known = known.join(", ");
                        Some(format!("actuator '{}' knows {known}, not '{verb}'", agent.name))
                    }
                    Some(_) => None,
                }
            }
            other => Some(format!("commands of the type {other} are not carried out here")),
        }
    }
}
