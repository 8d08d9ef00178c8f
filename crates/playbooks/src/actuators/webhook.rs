//! Actuator `webhook`: a signed message to a configured receiver, as Standard Webhooks writes it.
//!
//! The id of the message is the command's key: the specification has receivers take an id once, so a message may be
//! sent again.

use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use platform::standard_webhook;
use ports::{Actuator, ActuatorCommand, Planned, PortError};
use reqwest::Method;
use serde_json::{Value, json};

use super::config::Hook;
use super::web::{NoAnswer, address};
use super::{Outside, needed};
use crate::secrets::Covers;

/// The actuator's name.
pub const NAME: &str = "webhook";
/// How to have it.
pub(crate) const REMEDY: &str =
    "name a receiver in playbooks.actuators.webhooks.NAME (url, and the secret that signs)";
/// Largest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Tells receivers.
pub struct Webhook(pub(crate) Arc<Outside>);

impl Webhook {
    fn receiver(&self, command: &ActuatorCommand) -> Result<&Hook, PortError> {
        if command.verb != "send" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let name = needed(NAME, &command.arguments, "receiver")?;
        let hooks = &self.0.config().webhooks;
        hooks.get(name).ok_or_else(|| {
            let known: Vec<&str> = hooks.keys().map(String::as_str).collect();
            let name: String = name.chars().take(64).collect();
            PortError::Invalid(format!(
                "there is no receiver '{name}'; playbooks.actuators.webhooks has {}",
                known.join(", ")
            ))
        })
    }

    fn body(&self, command: &ActuatorCommand) -> Result<String, PortError> {
        let at_s = self.0.platform.now().as_micros().div_euclid(1_000_000);
        let kind = super::text(&command.arguments, "type");
        let body = json!({
            "type": if kind.is_empty() { "playbook.message" } else { kind },
            "timestamp": at_s,
            "data": { "run": command.run, "incident": command.incident,
                "message": command.arguments.get("message") },
        })
        .to_string();
        if body.len() > MAX_MESSAGE_BYTES {
            return Err(PortError::Invalid(format!(
                "the message has {} bytes; a webhook carries at most {MAX_MESSAGE_BYTES}",
                body.len()
            )));
        }
        Ok(body)
    }
}

#[async_trait]
impl Actuator for Webhook {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("send", "sends a signed message to a configured receiver (receiver, message, type)")]
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        let receiver = self.receiver(command)?;
        let url = address(&receiver.url).map_err(PortError::Invalid)?;
        let host = url.host_str().unwrap_or_default();
        let bytes = self.body(command)?.len();
        Ok(Planned {
            summary: format!("would send a signed message of {bytes} bytes to {host}"),
            data: json!({ "host": host, "message": command.arguments.get("message") }),
        })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let receiver = self.receiver(command)?;
        let body = self.body(command)?;
        let url = address(&receiver.url).map_err(PortError::Invalid)?;
        let host = url.host_str().unwrap_or_default();
        let secret = self.0.secrets.open(&receiver.secret, host).await?;
        let key = standard_webhook::key(&secret).map_err(PortError::Invalid)?;
        let mut covers = Covers::default();
        covers.add(&secret);
        let id = format!("msg_{}", command.key);
        let at_s = self.0.platform.now().as_micros().div_euclid(1_000_000);
        let request = self
            .0
            .web
            .request(Method::POST, &receiver.url)
            .await
            .map_err(NoAnswer::repeatable)?
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", at_s.to_string())
            .header("webhook-signature", standard_webhook::signature(&key, &id, at_s, &body))
            .body(body);
        let answer = self.0.web.send(request).await.map_err(NoAnswer::repeatable)?;
        let status = answer.status;
        let outcome = if status.is_success() {
            let summary = format!("{host} has taken the message ({status})");
            Outcome::Done { summary, data: json!({ "status": status.as_u16(), "id": id }) }
        } else {
            let reason = format!("{host} answered {status}: {}", answer.said());
            Outcome::Failed { reason, retry: answer.is_passing() }
        };
        Ok(covers.outcome(outcome))
    }
}

/// Arguments that people read, in the form of one text.
pub(crate) fn message(arguments: &std::collections::BTreeMap<String, Value>) -> String {
    let title = super::text(arguments, "title");
    let text = super::text(arguments, "text");
    match (title.is_empty(), text.is_empty()) {
        (false, false) => format!("{title}\n\n{text}"),
        (false, true) => title.to_owned(),
        _ => text.to_owned(),
    }
}
