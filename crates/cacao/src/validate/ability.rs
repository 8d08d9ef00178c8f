//! What this node carries out.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ACTUATOR, Command, Playbook, Step};

/// A look at one command of a step: what is missing to carry it out.
pub type CommandCheck = fn(&Playbook, &Step, &Command) -> Option<String>;

/// The engine's own check; two of them are not told apart.
#[derive(Clone, Copy, Default)]
struct Checked(Option<CommandCheck>);

impl PartialEq for Checked {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_some() == other.0.is_some()
    }
}

impl Eq for Checked {}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", if self.0.is_some() { "checked" } else { "unchecked" })
    }
}

/// What an engine carries out: types of steps and commands, actuators with their verbs, and the variables it hands to a run.
/// Empty at first: whoever carries out says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    steps: BTreeSet<String>,
    commands: BTreeSet<String>,
    verbs: BTreeMap<String, BTreeSet<String>>,
    given: BTreeSet<String>,
    absent: BTreeMap<String, String>,
    check: Checked,
}

impl Abilities {
    /// Types of steps that are run.
    #[must_use]
    pub fn with_steps<'a>(mut self, kinds: impl IntoIterator<Item = &'a str>) -> Self {
        self.steps.extend(kinds.into_iter().map(str::to_owned));
        self
    }

    /// Types of commands that are carried out, those of actuators left out.
    #[must_use]
    pub fn with_commands<'a>(mut self, kinds: impl IntoIterator<Item = &'a str>) -> Self {
        self.commands.extend(kinds.into_iter().map(str::to_owned));
        self
    }

    /// An actuator with its verbs.
    #[must_use]
    pub fn with_actuator<'a>(
        mut self,
        name: &str,
        verbs: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let verbs = verbs.into_iter().map(str::to_owned);
        self.verbs.entry(name.to_owned()).or_default().extend(verbs);
        self
    }

    /// An actuator or type of commands that is known and not there, with how to have it.
    #[must_use]
    pub fn without(mut self, name: &str, remedy: &str) -> Self {
        self.absent.insert(name.to_owned(), remedy.to_owned());
        self
    }

    /// What the engine checks of each command besides its type.
    #[must_use]
    pub const fn with_check(mut self, check: CommandCheck) -> Self {
        self.check = Checked(Some(check));
        self
    }

    /// External variables that get a value when a run starts.
    #[must_use]
    pub fn with_given<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.given.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// What is missing to run a playbook, one sentence each.
    pub(super) fn missing(&self, playbook: &Playbook) -> Vec<String> {
        let mut missing = Vec::new();
        for (id, step) in &playbook.workflow {
            let name = format!("step '{}' ({id})", step.title());
            if !self.steps.contains(&step.kind) {
                missing.push(format!("{name}: steps of the type {} are not run here", step.kind));
            }
            for command in &step.commands {
                let own = |check: CommandCheck| check(playbook, step, command);
                let what = self.lacks(playbook, step, command);
                if let Some(what) = what.or_else(|| self.check.0.and_then(own)) {
                    missing.push(format!("{name}: {what}"));
                }
            }
        }
        for (name, variable) in &playbook.playbook_variables {
            if variable.external && variable.value.is_none() && !self.given.contains(name) {
                missing.push(format!("nothing here gives the external variable {name} a value"));
            }
        }
        missing
    }

    fn lacks(&self, playbook: &Playbook, step: &Step, command: &Command) -> Option<String> {
        match command.kind.as_str() {
            ACTUATOR => self.lacks_verb(playbook, step, command),
            other if !self.commands.contains(other) => {
                let remedy = self.remedy(other);
                Some(format!("commands of the type {other} are not carried out here{remedy}"))
            }
            "http-api" => {
                let parties =
                    step.targets.iter().filter_map(|t| playbook.target_definitions.get(t));
                let agent = step.agent.as_ref().and_then(|a| playbook.agent_definitions.get(a));
                let addressed = parties.chain(agent).any(|party| !party.address.is_empty());
                (!addressed)
                    .then(|| "the http-api command has no target with an address".to_owned())
            }
            _ => None,
        }
    }

    fn lacks_verb(&self, playbook: &Playbook, step: &Step, command: &Command) -> Option<String> {
        let agent = step.agent.as_ref().and_then(|a| playbook.agent_definitions.get(a))?;
        if agent.kind != ACTUATOR {
            return Some(format!("its agent must be of the type {ACTUATOR}"));
        }
        let verb = command.command.as_deref().unwrap_or_default();
        match self.verbs.get(&agent.name) {
            None => {
                let remedy = self.remedy(&agent.name);
                Some(format!("there is no actuator '{}' here{remedy}", agent.name))
            }
            Some(verbs) if !verbs.contains(verb) => {
                let known: Vec<&str> = verbs.iter().map(String::as_str).collect();
                let known = known.join(", ");
                Some(format!("actuator '{}' knows {known}, not '{verb}'", agent.name))
            }
            Some(_) => None,
        }
    }

    fn remedy(&self, name: &str) -> String {
        self.absent.get(name).map(|remedy| format!(": {remedy}")).unwrap_or_default()
    }
}
