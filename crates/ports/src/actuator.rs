//! What playbooks command: one contract for everything that acts (plan, perform, verify, undo).
//!
//! Invariants: `plan` and `verify` change nothing; `perform` and `undo` carry a key out once where the
//! outside lets them, and [`Actuator::repeat`] says where it does not; no text that an actuator gives
//! back holds a secret.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::{IncidentId, Outcome, RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::PortError;

/// Longest text of an argument in a plan, in characters.
pub const MAX_PLAN_TEXT_CHARS: usize = 500;

/// The argument of [`Actuator::verify`] and [`Actuator::undo`] that holds the data of the command's outcome.
pub const OUTCOME: &str = "outcome";

/// What stands where a secret is not shown.
pub const HIDDEN: &str = "(not shown)";

/// Parts of argument names whose values are secrets, or may hold some.
const SECRET_WORDS: [&str; 9] = [
    "authorization",
    "cookie",
    "credential",
    "headers",
    "passphrase",
    "password",
    "private_key",
    "secret",
    "token",
];

/// A command for an actuator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActuatorCommand {
    /// The same key is never carried out twice.
    pub key: String,
    /// What to do, e.g. `block`, `lookup`, `share`.
    pub verb: String,
    /// Arguments after variable substitution.
    pub arguments: BTreeMap<String, Value>,
    /// The run that asks.
    pub run: RunId,
    /// The incident it answers.
    pub incident: Option<IncidentId>,
}

/// May an interrupted command simply be asked again?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Yes: the key, or the nature of the command, keeps its effect single.
    Safe,
    /// No: only a person can say whether it was done.
    AskPerson,
}

/// What a command would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// One sentence.
    pub summary: String,
    /// The same as data, secrets left out.
    #[serde(default)]
    pub data: Value,
}

/// Something a playbook can command: gateway, notifier, intelligence, sharing.
#[async_trait]
pub trait Actuator: Send + Sync {
    /// The name playbooks use, e.g. `gateway`.
    fn name(&self) -> &'static str;
    /// The verbs understood, each with one sentence.
    fn verbs(&self) -> &'static [(&'static str, &'static str)];
    /// Whether a command that was interrupted may be asked again under its key.
    fn repeat(&self, _verb: &str, _arguments: &BTreeMap<String, Value>) -> Repeat {
        Repeat::Safe
    }
    /// What it would do, in one sentence and as data; touches nothing.
    ///
    /// # Errors
    /// The command is one that `perform` would refuse.
    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        if !self.verbs().iter().any(|(verb, _)| *verb == command.verb) {
            return Err(unknown_verb(self.name(), self.verbs(), &command.verb));
        }
        Ok(planned(self.name(), command))
    }
    /// Carries the command out; idempotent by `command.key` where [`Self::repeat`] says `Safe`.
    ///
    /// # Errors
    /// The command is refused (`Invalid`), the other side is away and nothing was done (`Unavailable`), or whether it
    /// was done is not known (`Internal`); an effect that failed is an [`Outcome`].
    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError>;
    /// Whether the effect is there. `None`: that cannot be asked.
    ///
    /// # Errors
    /// The other side is away or refuses the question.
    async fn verify(&self, _command: &ActuatorCommand) -> Result<Option<bool>, PortError> {
        Ok(None)
    }
    /// Asks the other side whether it would take commands, with one sentence as answer; changes nothing and
    /// shows nobody anything. `None`: there is nothing to ask.
    ///
    /// # Errors
    /// The other side is away or refuses; the text says why.
    async fn probe(&self) -> Result<Option<String>, PortError> {
        Ok(None)
    }
    /// Whether commands of this verb can be taken back. Then the key, arguments without credentials of their own, and
    /// the outcome are kept until somebody does.
    fn undoes(&self, _verb: &str) -> bool {
        false
    }
    /// Takes the command back; what `perform` told is in the argument [`OUTCOME`], where it told something. `None`:
    /// that cannot be done.
    ///
    /// # Errors
    /// The other side is away or refuses.
    async fn undo(&self, _command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        Ok(None)
    }
}

/// The plan of any command, from its verb and arguments alone.
pub fn planned(actuator: &str, command: &ActuatorCommand) -> Planned {
    let arguments = without_secrets(&command.arguments);
    let said: Vec<String> = arguments
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        })
        .collect();
    let with = if said.is_empty() { String::new() } else { format!(" with {}", said.join(", ")) };
    let summary = cut(&format!("{actuator} would {}{with}", command.verb));
    Planned {
        summary,
        data: json!({ "actuator": actuator, "verb": command.verb, "arguments": arguments }),
    }
}

/// Arguments as they may be shown: what may hold a secret is covered, long texts are cut.
pub fn without_secrets(arguments: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    arguments.iter().map(|(name, value)| (name.clone(), covered(name, value))).collect()
}

fn covered(name: &str, value: &Value) -> Value {
    let lower = name.to_ascii_lowercase();
    match value {
        Value::Null => Value::Null,
        _ if SECRET_WORDS.iter().any(|word| lower.contains(word)) => HIDDEN.into(),
        Value::String(text) => cut(text).into(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), covered(name, value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| covered("", item)).collect(),
        other => other.clone(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_PLAN_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The refusal of a verb an actuator does not know.
pub fn unknown_verb(actuator: &str, verbs: &[(&str, &str)], verb: &str) -> PortError {
    let known: Vec<&str> = verbs.iter().map(|(verb, _)| *verb).collect();
    let shown: String = verb.chars().take(64).collect();
    PortError::Invalid(format!(
        "the actuator {actuator} has no verb '{shown}'; it knows {}",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::id::TypedId;

    use super::*;

    fn command(arguments: Value) -> ActuatorCommand {
        ActuatorCommand {
            key: "k".into(),
            verb: "do".into(),
            arguments: serde_json::from_value(arguments).unwrap_or_default(),
            run: RunId::mint(Timestamp::from_secs(1), [1; 10]),
            incident: None,
        }
    }

    #[test]
    fn a_plan_tells_what_and_never_a_secret() {
        let it = command(json!({ "address": "192.0.2.1", "Password": "hush", "timeout_s": 60,
            "login": { "user": "guard", "api_token": "hush", "list": [{ "secret": "hush" }] } }));
        let plan = planned("gateway", &it);
        assert!(plan.summary.starts_with("gateway would do with "), "{}", plan.summary);
        assert!(plan.summary.contains("address 192.0.2.1") && plan.summary.contains("guard"));
        assert_eq!(plan.data["arguments"]["timeout_s"], 60);
        assert!(!format!("{plan:?}").contains("hush"), "{plan:?}");
    }

    #[test]
    fn a_plan_stays_short() {
        let plan = planned("console", &command(json!({ "title": "é".repeat(10_000) })));
        assert_eq!(plan.summary.chars().count(), MAX_PLAN_TEXT_CHARS + 1);
    }
}
