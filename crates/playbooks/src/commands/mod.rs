//! Command types of the standard (CACAO §5) that this node carries out: one file each, in one visible list.
//!
//! Each turns a command with its agent, target and values into what one actuator is asked. A type that is not
//! in [`all`] is named by `runnable` and never skipped.

mod bash;
mod caldera;
mod elastic;
pub(crate) mod escape;
mod http_api;
mod jupyter;
mod manual;
mod openc2_http;
mod party;
mod sereno;
pub(crate) mod shell;
mod ssh;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::cacao::variables::Values;
use crate::cacao::{AgentTarget, Command, Playbook, Step};

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

/// A command in its step.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub playbook: &'a Playbook,
    pub command: &'a Command,
    /// Who carries it out.
    pub agent: Option<&'a AgentTarget>,
    /// On what, where the type goes to each target.
    pub target: Option<&'a AgentTarget>,
}

impl<'a> Asked<'a> {
    /// The command's text, from plain or base64.
    pub(crate) fn text(&self) -> Result<String, String> {
        text_of(self.command.command.as_ref(), self.command.command_b64.as_ref())
    }

    /// The target, or the agent where there is none.
    pub(crate) fn party(&self) -> Option<&'a AgentTarget> {
        self.target.or(self.agent)
    }
}

/// A command type.
pub(crate) struct CommandType {
    /// Its word in the standard.
    pub kind: &'static str,
    /// The actuator that carries it out; none where that is a person or the agent names it.
    pub actuator: Option<&'static str>,
    /// It goes to each target with an address; otherwise once for the step.
    pub for_each_target: bool,
    /// What is missing to carry it out, as far as the text alone tells.
    pub lacks: fn(&Asked<'_>) -> Option<String>,
    /// What is asked, with values filled in.
    pub item: fn(&Asked<'_>, &Values) -> Result<Item, String>,
}

/// The command types carried out.
pub(crate) fn all() -> [&'static CommandType; 9] {
    [
        &manual::TYPE,
        &http_api::TYPE,
        &openc2_http::TYPE,
        &ssh::TYPE,
        &bash::TYPE,
        &caldera::TYPE,
        &elastic::TYPE,
        &jupyter::TYPE,
        &sereno::TYPE,
    ]
}

/// The type of that word.
pub(crate) fn of(kind: &str) -> Option<&'static CommandType> {
    all().into_iter().find(|it| it.kind == kind)
}

/// What is missing to carry a command out, as far as its text tells.
pub(crate) fn lacks(playbook: &Playbook, step: &Step, command: &Command) -> Option<String> {
    let kind = of(&command.kind)?;
    let agent = step.agent.as_ref().and_then(|agent| playbook.agent_definitions.get(agent));
    let mut targets: Vec<Option<&AgentTarget>> = step
        .targets
        .iter()
        .filter_map(|target| playbook.target_definitions.get(target))
        .filter(|target| !target.address.is_empty())
        .map(Some)
        .collect();
    if targets.is_empty() || !kind.for_each_target {
        targets = vec![None];
    }
    targets.into_iter().find_map(|target| (kind.lacks)(&Asked { playbook, command, agent, target }))
}

/// The refusal of a type that is not carried out here.
pub(crate) fn unknown(kind: &str) -> String {
    let kind: String = kind.chars().take(64).collect();
    format!("commands of the type {kind} are not carried out here")
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
