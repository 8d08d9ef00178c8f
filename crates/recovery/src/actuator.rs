//! The actuator `checkpoint` of playbooks.

use std::time::Duration;

use async_trait::async_trait;
use model::{Outcome, Timestamp};
use ports::checkpoint::WhenNone;
use ports::{Actuator, ActuatorCommand, PortError};
use serde_json::{Value, json};

use crate::Recovery;
use crate::error::RecoveryError;
use crate::orders::{NewOrder, Want, outcome};

/// How long a command waits for its end before it is asked again: below what the engine waits for an answer.
const WAIT: Duration = Duration::from_secs(20);

#[async_trait]
impl Actuator for Recovery {
    fn name(&self) -> &'static str {
        "checkpoint"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("take", "takes a checkpoint of a service now (service)"),
            (
                "restore_before",
                "restarts a service covertly from the newest checkpoint older than the first evidence (service; \
                 evidence_at, margin_s, when_none)",
            ),
            ("restart", "restarts a service at a random moment from its own state (service)"),
            ("list", "lists services and their checkpoints"),
        ]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let want = match command.verb.as_str() {
            "take" => Want::Take,
            "restart" => Want::Restart,
            "restore_before" => Want::RestoreBefore {
                evidence_at: time(command)?,
                margin_s: margin(command)?,
                when_none: when_none(command)?,
            },
            "list" => return Ok(self.listed().await),
            other => {
                return Err(PortError::Invalid(format!(
                    "the actuator checkpoint has no verb '{other}'; it knows take, restore_before, restart and list"
                )));
            }
        };
        let service = text(command, "service").ok_or_else(|| {
            PortError::Invalid(
                "name the service (service); the verb list tells which there are".into(),
            )
        })?;
        let new = NewOrder {
            key: command.key.clone(),
            agent: text(command, "agent"),
            service,
            want,
            incident: command.incident,
            actor: format!("playbook:{}", command.run),
        };
        match self.place(new).await {
            Ok(_) => {}
            // Nobody protects it: an answer, not a fault.
            Err(RecoveryError::NotFound(what)) => {
                let reason = format!("{what} not found at this node");
                return Ok(Outcome::NotEnforced { reason, data: Value::Null });
            }
            Err(error) => return Err(error.into()),
        }
        let row = self.wait(&command.key, WAIT).await?;
        if row.is_over() {
            return Ok(outcome(&row));
        }
        Err(PortError::Unavailable(format!("{}: {}", row.service, row.detail)))
    }

    fn undoes(&self, verb: &str) -> bool {
        matches!(verb, "take" | "restart" | "restore_before")
    }

    /// Withdraws what no agent was given yet. What was carried out stays: the state before a restore is evidence and
    /// never started again.
    async fn undo(&self, command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        if !self.undoes(&command.verb) {
            return Ok(None);
        }
        Ok(Some(self.withdraw(&command.key).await?))
    }
}

impl Recovery {
    async fn listed(&self) -> Outcome {
        let agents = self.agents.list().await;
        let services: usize = agents
            .iter()
            .filter_map(|(_, listing)| listing.as_ref().ok())
            .map(|it| it.services.len())
            .sum();
        let data: Vec<Value> = agents
            .iter()
            .map(|(name, listing)| match listing {
                Ok(listing) => json!({ "agent": name, "listing": listing }),
                Err(cause) => json!({ "agent": name, "error": cause }),
            })
            .collect();
        let summary = format!("{services} services under protection at {} agents", agents.len());
        Outcome::Done { summary, data: Value::Array(data) }
    }
}

fn text(command: &ActuatorCommand, name: &str) -> Option<String> {
    let text = command.arguments.get(name).and_then(Value::as_str).map(str::trim);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn time(command: &ActuatorCommand) -> Result<Option<Timestamp>, PortError> {
    text(command, "evidence_at")
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| PortError::Invalid("evidence_at must be a time as in RFC 3339".into()))
}

fn margin(command: &ActuatorCommand) -> Result<Option<u32>, PortError> {
    let Some(value) = command.arguments.get("margin_s") else { return Ok(None) };
    let number =
        value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    number
        .and_then(|seconds| u32::try_from(seconds).ok())
        .map(Some)
        .ok_or_else(|| PortError::Invalid(format!("margin_s must be whole seconds, not {value}")))
}

fn when_none(command: &ActuatorCommand) -> Result<WhenNone, PortError> {
    match text(command, "when_none").as_deref() {
        None | Some("refuse") => Ok(WhenNone::Refuse),
        Some("oldest") => Ok(WhenNone::Oldest),
        Some("clean") => Ok(WhenNone::Clean),
        Some(_) => Err(PortError::Invalid("when_none is refuse, oldest or clean".into())),
    }
}
