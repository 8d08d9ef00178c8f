//! CACAO Security Playbooks v2.0 as types. What this node does not know is kept as it came.
//!
//! Commands to this node's actuators are CACAO commands of the type [`ACTUATOR`]: the vocabulary
//! `command-type-ov` is open (§5), so such a playbook is conformant and other tools show it as what
//! it is, a command they do not carry. `command` is the verb, `arguments` its named arguments; the
//! step's agent is an agent-target of the same type (`agent-target-type-ov` is open as well, §7)
//! whose `name` is the actuator:
//!
//! ```json
//! { "type": "action", "agent": "x-sereno-actuator--…", "commands":
//!   [{ "type": "x-sereno-actuator", "command": "block", "arguments": { "mac": "__device_mac__:value" } }] }
//! ```

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Largest playbook read, in bytes.
pub const MAX_PLAYBOOK_BYTES: usize = 1 << 20;
/// Most steps of a workflow.
pub const MAX_WORKFLOW_STEPS: usize = 1_000;
/// Type of commands and agents that name an actuator of this node.
pub const ACTUATOR: &str = "x-sereno-actuator";

/// A playbook (§3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Playbook {
    /// `playbook`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `cacao-2.0`.
    pub spec_version: String,
    /// `playbook--UUID`.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `identity--UUID`.
    pub created_by: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339; the version.
    pub modified: String,
    /// Withdrawn by its creator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
    /// Not to be run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// Not to be run from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// Variables of the whole playbook (§10.18).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub playbook_variables: BTreeMap<String, Variable>,
    /// The start step.
    pub workflow_start: String,
    /// Where a failure goes that no step takes care of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_exception: Option<String>,
    /// The steps.
    pub workflow: BTreeMap<String, Step>,
    /// Credentials that agents and targets refer to (§6).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authentication_info_definitions: BTreeMap<String, Value>,
    /// Who carries out (§7).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub agent_definitions: BTreeMap<String, AgentTarget>,
    /// On what (§7).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target_definitions: BTreeMap<String, AgentTarget>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A workflow step (§4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// `start`, `end`, `action`, `if-condition` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Milliseconds to wait before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<i64>,
    /// Milliseconds it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Variables of this step only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub step_variables: BTreeMap<String, Variable>,
    /// Next step, whatever came of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_completion: Option<String>,
    /// Next step when it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// Next step when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// Commands of an action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// Agent of an action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Targets of an action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Variables handed in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_args: Vec<String>,
    /// Variables the outcome sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_args: Vec<String>,
    /// Condition of a condition step: a STIX comparison expression (§4.8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Branch when it is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_true: Option<String>,
    /// Branch when it is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_false: Option<String>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A command (§5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// `manual`, `http-api`, [`ACTUATOR`] …
    #[serde(rename = "type")]
    pub kind: String,
    /// The command: a verb, an instruction, `METHOD PATH HTTP/1.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The same, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_b64: Option<String>,
    /// Headers of an http-api command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<String>>,
    /// Body of an http-api command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The same, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_b64: Option<String>,
    /// Named arguments of an actuator command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Value>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An agent or target (§7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentTarget {
    /// `http-api`, `individual`, [`ACTUATOR`] …
    #[serde(rename = "type")]
    pub kind: String,
    /// Name; for [`ACTUATOR`] the actuator's.
    pub name: String,
    /// `url`, `dname`, `ipv4`, `ipv6` …, each a list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub address: BTreeMap<String, Vec<Value>>,
    /// Port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Credentials, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication_info: Option<String>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A variable (§10.18).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// `string`, `integer`, `ipv4-addr` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its first value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// It may not change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub constant: bool,
    /// The playbook is handed its value when it starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Step {
    /// The name, or the type where it has none.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.kind)
    }

    /// Every step that may come next, in the order start readers expect.
    pub fn successors(&self) -> Vec<&str> {
        let mut next: Vec<&str> = self.on_true.as_deref().into_iter().collect();
        next.extend(self.on_false.as_deref());
        next.extend(self.after());
        next.extend(self.next_steps());
        next.extend(self.cases().into_iter().map(|(_, step)| step));
        next
    }

    /// The first steps of its branches: they run inside of this step, until their end.
    pub fn branches(&self) -> Vec<&str> {
        let mut first: Vec<&str> = self.on_true.as_deref().into_iter().collect();
        first.extend(self.on_false.as_deref());
        first.extend(self.next_steps());
        first.extend(self.cases().into_iter().map(|(_, step)| step));
        first
    }

    /// The steps that come after this one, its branches included.
    pub fn after(&self) -> Vec<&str> {
        [&self.on_completion, &self.on_success, &self.on_failure]
            .into_iter()
            .filter_map(|step| step.as_deref())
            .collect()
    }

    /// Branches of a parallel step.
    pub fn next_steps(&self) -> Vec<&str> {
        let steps = self.other.get("next_steps").and_then(Value::as_array);
        steps.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Cases of a switch-condition step: value and first step.
    pub fn cases(&self) -> Vec<(&str, &str)> {
        let cases = self.other.get("cases").and_then(Value::as_object);
        let mut all = Vec::new();
        for (value, step) in cases.into_iter().flatten() {
            all.extend(step.as_str().map(|step| (value.as_str(), step)));
        }
        all
    }

    /// Whether a person does something in it.
    pub fn is_manual(&self) -> bool {
        self.commands.iter().any(|command| command.kind == "manual")
    }

    /// The variable that a switch-condition step looks at, by name.
    pub fn switch(&self) -> Option<&str> {
        self.other.get("switch").and_then(Value::as_str).map(crate::variables::bare)
    }

    /// The playbook that a playbook-action step runs, and which version of it (its `modified`).
    pub fn called(&self) -> Option<(&str, Option<&str>)> {
        let text = |name: &str| self.other.get(name).and_then(Value::as_str);
        text("playbook_id").map(|id| (id, text("playbook_version")))
    }
}

impl Command {
    /// The command as text, where it stands in base64.
    pub fn decoded(&self) -> Option<String> {
        decoded(self.command_b64.as_deref()?)
    }

    /// The body as text, where it stands in base64.
    pub fn decoded_content(&self) -> Option<String> {
        decoded(self.content_b64.as_deref()?)
    }

    /// What is to be done, as text, however it is written.
    pub fn text(&self) -> Option<String> {
        self.command.clone().or_else(|| self.decoded())
    }
}

/// Base64 in either alphabet, if it holds a text.
fn decoded(packed: &str) -> Option<String> {
    let packed: String = packed.split_whitespace().collect();
    let bytes = STANDARD.decode(&packed).or_else(|_| URL_SAFE.decode(&packed)).ok()?;
    String::from_utf8(bytes).ok()
}

impl Playbook {
    /// The playbook in a text that was validated before.
    ///
    /// # Errors
    /// The text is no playbook; `validate` says more.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Step ids in the order a reader meets them, then those that nothing leads to.
    pub fn reading_order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::with_capacity(self.workflow.len());
        let mut seen = std::collections::HashSet::new();
        let mut todo = vec![self.workflow_start.as_str()];
        while let Some(id) = todo.pop() {
            let Some((id, step)) = self.workflow.get_key_value(id) else { continue };
            if !seen.insert(id.as_str()) {
                continue;
            }
            order.push(id);
            todo.extend(step.successors().into_iter().rev());
        }
        if let Some(exception) = &self.workflow_exception
            && seen.insert(exception.as_str())
            && self.workflow.contains_key(exception)
        {
            order.push(exception);
        }
        order.extend(self.workflow.keys().map(String::as_str).filter(|id| !seen.contains(id)));
        order
    }
}
