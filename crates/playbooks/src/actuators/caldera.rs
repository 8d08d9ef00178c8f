//! Actuator `caldera`: an ability of MITRE Caldera as an operation of its own (API v2): an adversary with that one
//! ability, an operation in the configured group of agents, its end, and what its links say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Outcome;
use ports::actuator::OUTCOME;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::config::Service as Config;
use super::service::Service;
use super::web::NoAnswer;
use super::{Outside, needed, unsure};
use crate::commands::escape::percent;
use crate::secrets::Covers;

/// The actuator's name.
pub const NAME: &str = "caldera";
/// How to have it.
pub(crate) const REMEDY: &str =
    "set playbooks.actuators.caldera (url, and the secret that holds the API key)";
/// Pause between two looks at an operation.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs abilities.
pub struct Caldera(Service);

impl Caldera {
    pub(crate) const fn new(outside: Arc<Outside>, config: Config) -> Self {
        Self(Service { outside, config, header: "KEY", scheme: "" })
    }

    fn group(&self) -> &str {
        self.0.config.scope.as_deref().unwrap_or("red")
    }

    async fn run(
        &self,
        command: &ActuatorCommand,
        covers: &mut Covers,
    ) -> Result<Outcome, PortError> {
        let ability = needed(NAME, &command.arguments, "ability")?;
        let adversary = Uuid::new_v5(&Uuid::NAMESPACE_OID, command.key.as_bytes()).to_string();
        let name = format!("sereno {}", command.key);
        let body = json!({ "adversary_id": adversary, "name": name,
            "description": "one ability for a playbook", "atomic_ordering": [ability] });
        // An adversary does nothing by itself, and the same one is put again.
        let path = format!("api/v2/adversaries/{adversary}");
        self.0.get(Method::PUT, &path, Some(&body), covers).await?;
        let body = json!({ "name": name, "adversary": { "adversary_id": adversary },
            "group": self.group(), "auto_close": true, "state": "running" });
        let begun = self.0.ask(Method::POST, "api/v2/operations", Some(&body), covers).await?;
        let begun = match begun {
            Ok(answer) => self.0.success(&answer, covers)?,
            Err(NoAnswer::Unknown(reason)) => {
                return Err(unsure(format!("{reason}; whether the operation began is not known")));
            }
            Err(none) => return Err(none.repeatable()),
        };
        let Some(id) = begun.get("id").and_then(Value::as_str) else {
            let reason = "Caldera gave the operation no id".to_owned();
            return Ok(Outcome::Failed { reason, retry: false });
        };
        let limit = Duration::from_secs(self.0.outside.config().timeout_s);
        let ended = tokio::time::timeout(limit, self.wait(id, covers)).await;
        Ok(match ended {
            Ok(Ok(links)) => outcome(id, &links),
            Ok(Err(cause)) => return Err(unended(id, &cause.to_string())),
            Err(_) => {
                let cause = format!("it has not ended within {} s", limit.as_secs());
                return Err(unended(id, &cause));
            }
        })
    }

    /// The links of an operation that has ended.
    async fn wait(&self, id: &str, covers: &mut Covers) -> Result<Vec<Value>, PortError> {
        let path = format!("api/v2/operations/{}", percent("", id).unwrap_or_default());
        loop {
            let found = self.0.get(Method::GET, &path, None, covers).await?;
            let state = found.get("state").and_then(Value::as_str).unwrap_or_default();
            if matches!(state, "finished" | "out_of_time" | "cleanup") {
                let links = self.0.get(Method::GET, &format!("{path}/links"), None, covers).await?;
                return Ok(links.as_array().cloned().unwrap_or_default());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn unended(id: &str, cause: &str) -> PortError {
    unsure(format!("the operation {id} began, and what came of it is not known: {cause}"))
}

/// A link's status is 0 where the ability succeeded.
fn outcome(id: &str, links: &[Value]) -> Outcome {
    let good = |link: &&Value| link.get("status").and_then(Value::as_i64) == Some(0);
    let succeeded = links.iter().filter(good).count();
    let hosts: Vec<&str> =
        links.iter().filter_map(|link| link.get("host").and_then(Value::as_str)).take(20).collect();
    let data = json!({ "operation": id, "links": links.len(), "succeeded": succeeded,
        "hosts": hosts });
    match (links.len(), succeeded) {
        (0, _) => Outcome::NotEnforced {
            reason: "no agent of the group took the ability: none is alive, or none fits".into(),
            data,
        },
        (all, good) if all == good => {
            Outcome::Done { summary: format!("the ability succeeded on {good} agents"), data }
        }
        (all, good) => Outcome::Failed {
            reason: format!("the ability succeeded on {good} of {all} agents (operation {id})"),
            retry: false,
        },
    }
}

#[async_trait]
impl Actuator for Caldera {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("run", "runs an ability in the configured group of agents (ability)")]
    }

    fn repeat(&self, _: &str, _: &BTreeMap<String, Value>) -> Repeat {
        Repeat::AskPerson
    }

    fn undoes(&self, verb: &str) -> bool {
        verb == "run"
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let ability = needed(NAME, &command.arguments, "ability")?;
        let summary = format!("would run the ability {ability} in the group {}", self.group());
        Ok(Planned { summary, data: json!({ "ability": ability, "group": self.group() }) })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let mut covers = Covers::default();
        let outcome = self.run(command, &mut covers).await?;
        Ok(covers.outcome(outcome))
    }

    /// Has Caldera run the clean-up commands of the operation.
    async fn undo(&self, command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        let told = command.arguments.get(OUTCOME);
        let Some(id) = told.and_then(|told| told.get("operation")).and_then(Value::as_str) else {
            return Ok(None);
        };
        let path = format!("api/v2/operations/{}", percent("", id).unwrap_or_default());
        let body = json!({ "state": "cleanup" });
        self.0.get(Method::PATCH, &path, Some(&body), &mut Covers::default()).await?;
        let summary = format!("Caldera cleans up after the operation {id}");
        Ok(Some(Outcome::Done { summary, data: Value::Null }))
    }

    async fn probe(&self) -> Result<Option<String>, PortError> {
        let agents = self.0.get(Method::GET, "api/v2/health", None, &mut Covers::default()).await?;
        let version = agents.get("version").and_then(Value::as_str).unwrap_or("?");
        Ok(Some(format!("Caldera {} lets us in", version.chars().take(40).collect::<String>())))
    }
}
