//! Actuator `intel`: what is known of addresses, names, hashes. "Unknown" is an answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use ports::{Actuator, ActuatorCommand, IntelLookup, PortError};
use serde_json::{Value, json};

/// Values looked up by one command.
pub const MAX_VALUES: usize = 100;
/// Answers kept in the outcome.
const MAX_ANSWERS: usize = 20;

/// Asks the intelligence store.
pub struct Intel(pub Arc<dyn IntelLookup>);

#[async_trait]
impl Actuator for Intel {
    fn name(&self) -> &'static str {
        "intel"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("lookup", "what is known of a value, or of several (value, values)")]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "lookup" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let mut values = values(&command.arguments);
        let left_out = values.len().saturating_sub(MAX_VALUES);
        values.truncate(MAX_VALUES);
        let mut answers = Vec::with_capacity(values.len());
        for value in &values {
            answers.push(self.0.lookup(value).await?);
        }
        let known: Vec<_> = answers.iter().filter(|answer| answer.known).collect();
        let verdict = if known.is_empty() { "unknown" } else { "known" };
        let mut summary = match (known.as_slice(), answers.as_slice()) {
            (_, []) => "unknown: there was no value to look up".to_owned(),
            ([], [one]) => format!("{}: {}", one.value, one.summary),
            ([], many) => format!("none of {} values is known: {}", many.len(), many[0].summary),
            ([one], [_]) => format!("{}: {}", one.value, one.summary),
            (known, many) => format!(
                "{} of {} values known: {}: {}",
                known.len(),
                many.len(),
                known[0].value,
                known[0].summary
            ),
        };
        if left_out > 0 {
            summary.push_str(&format!(" ({left_out} more values were not looked up)"));
        }
        let kept: Vec<_> = known
            .iter()
            .copied()
            .chain(answers.iter().filter(|answer| !answer.known))
            .take(MAX_ANSWERS)
            .collect();
        let data = json!({
            "verdict": verdict,
            "summary": summary,
            "asked": answers.len(),
            "known": known.len(),
            "answers": kept,
        });
        Ok(Outcome::Done { summary, data })
    }
}

/// `value`, and `values` as a list or comma-separated; each once, in order.
fn values(arguments: &BTreeMap<String, Value>) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    let texts = |value: &Value| match value {
        Value::String(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).map(|part| part.trim().to_owned()).collect()
        }
        _ => Vec::new(),
    };
    for name in ["value", "values"] {
        for text in arguments.get(name).map(texts).unwrap_or_default() {
            if !text.is_empty() && !values.contains(&text) {
                values.push(text);
            }
        }
    }
    values
}
