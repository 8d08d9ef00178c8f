//! Actuator `jupyter`: a notebook run by a Jupyter server with jupyter-scheduler, over its HTTP interface. Values are
//! parameters of the job (papermill), never text of a cell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Outcome;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::config::Service as Config;
use super::service::Service;
use super::web::NoAnswer;
use super::{Outside, unsure};
use crate::commands::escape::percent;
use crate::secrets::Covers;

/// The actuator's name.
pub const NAME: &str = "jupyter";
/// How to have it.
pub(crate) const REMEDY: &str = "set playbooks.actuators.jupyter (url of a server with jupyter-scheduler, and the secret that holds its token)";
/// Pause between two looks at a job.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs notebooks.
pub struct Jupyter(Service);

impl Jupyter {
    pub(crate) const fn new(outside: Arc<Outside>, config: Config) -> Self {
        Self(Service { outside, config, header: "authorization", scheme: "token " })
    }

    fn environment(&self) -> &str {
        self.0.config.scope.as_deref().unwrap_or("python3")
    }

    async fn run(
        &self,
        command: &ActuatorCommand,
        covers: &mut Covers,
    ) -> Result<Outcome, PortError> {
        let notebook = notebook(command)?;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, command.key.as_bytes()).simple();
        let file = format!("sereno-{id}.ipynb");
        let body = json!({ "type": "notebook", "format": "json", "content": notebook });
        self.0.get(Method::PUT, &format!("api/contents/{file}"), Some(&body), covers).await?;
        let body = json!({ "name": format!("sereno {}", command.key), "input_uri": file,
            "runtime_environment_name": self.environment(), "output_formats": ["ipynb"],
            "parameters": command.arguments.get("parameters") });
        let begun = match self.0.ask(Method::POST, "scheduler/jobs", Some(&body), covers).await? {
            Ok(answer) => self.0.success(&answer, covers)?,
            Err(NoAnswer::Unknown(reason)) => {
                return Err(unsure(format!("{reason}; whether the job began is not known")));
            }
            Err(none) => return Err(none.repeatable()),
        };
        let Some(job) = begun.get("job_id").and_then(Value::as_str) else {
            let reason = "the scheduler gave the job no id".to_owned();
            return Ok(Outcome::Failed { reason, retry: false });
        };
        let limit = Duration::from_secs(self.0.outside.config().timeout_s);
        let ended = tokio::time::timeout(limit, self.wait(job, covers)).await;
        Ok(match ended {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(cause)) => return Err(unended(job, &cause.to_string())),
            Err(_) => {
                let cause = format!("it has not ended within {} s", limit.as_secs());
                return Err(unended(job, &cause));
            }
        })
    }

    async fn wait(&self, job: &str, covers: &mut Covers) -> Result<Outcome, PortError> {
        let path = format!("scheduler/jobs/{}", percent("", job).unwrap_or_default());
        loop {
            let found = self.0.get(Method::GET, &path, None, covers).await?;
            let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
            match text("status") {
                "COMPLETED" => {
                    let data = json!({ "job": job, "status": "COMPLETED",
                        "files": found.get("job_files") });
                    return Ok(Outcome::Done { summary: "the notebook ran".into(), data });
                }
                status @ ("FAILED" | "STOPPED" | "STOPPING") => {
                    let said: String = text("status_message").chars().take(200).collect();
                    let reason = format!("the notebook's job {job} is {status}: {said}");
                    return Ok(Outcome::Failed { reason, retry: false });
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

fn unended(job: &str, cause: &str) -> PortError {
    unsure(format!("the notebook's job {job} began, and what came of it is not known: {cause}"))
}

fn notebook(command: &ActuatorCommand) -> Result<&Value, PortError> {
    let notebook = command.arguments.get("notebook").filter(|it| it.get("cells").is_some());
    notebook.ok_or_else(|| PortError::Invalid("the actuator jupyter needs a 'notebook'".into()))
}

#[async_trait]
impl Actuator for Jupyter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("run", "runs a notebook (notebook, parameters)")]
    }

    fn repeat(&self, _: &str, _: &BTreeMap<String, Value>) -> Repeat {
        Repeat::AskPerson
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let cells = notebook(command)?.get("cells").and_then(Value::as_array).map_or(0, Vec::len);
        let summary = format!("would run a notebook of {cells} cells at {}", self.0.host());
        Ok(Planned { summary, data: json!({ "cells": cells }) })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let mut covers = Covers::default();
        let outcome = self.run(command, &mut covers).await?;
        Ok(covers.outcome(outcome))
    }

    async fn probe(&self) -> Result<Option<String>, PortError> {
        let path = "scheduler/runtime_environments";
        self.0.get(Method::GET, path, None, &mut Covers::default()).await?;
        Ok(Some(format!("the scheduler of {} lets us in", self.0.host())))
    }
}
