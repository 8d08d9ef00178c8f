//! Actuator `elastic`: queries of Elasticsearch, by its search interface or ES|QL. It only reads.

use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use ports::{Actuator, ActuatorCommand, Planned, PortError};
use reqwest::Method;
use serde_json::{Value, json};

use super::Outside;
use super::config::Service as Config;
use super::service::Service;
use crate::commands::escape::percent;
use crate::secrets::Covers;

/// The actuator's name.
pub const NAME: &str = "elastic";
/// How to have it.
pub(crate) const REMEDY: &str = "set playbooks.actuators.elastic (url, and the secret that holds an API key that may only read)";
/// Hits asked for: an answer is read up to a bound.
const MAX_HITS: u64 = 20;

/// Asks Elasticsearch.
pub struct Elastic(Service);

impl Elastic {
    pub(crate) const fn new(outside: Arc<Outside>, config: Config) -> Self {
        Self(Service { outside, config, header: "authorization", scheme: "ApiKey " })
    }

    /// Path and body of a query.
    fn query(&self, command: &ActuatorCommand) -> Result<(String, Value), PortError> {
        let mut query = command.arguments.get("query").cloned().unwrap_or_default();
        match (command.verb.as_str(), &mut query) {
            ("search", Value::Object(body)) => {
                let size = body.get("size").and_then(Value::as_u64).unwrap_or(10);
                body.insert("size".to_owned(), size.min(MAX_HITS).into());
                let scope = self.0.config.scope.as_deref().unwrap_or("*");
                let scope: Vec<String> =
                    scope.split(',').map(|it| percent("", it).unwrap_or_default()).collect();
                Ok((format!("{}/_search", scope.join(",").replace("%2A", "*")), query))
            }
            ("esql", Value::Object(_)) => Ok(("_query".to_owned(), query)),
            ("search" | "esql", _) => {
                Err(PortError::Invalid("the actuator elastic needs a 'query' (an object)".into()))
            }
            (verb, _) => Err(super::unknown_verb(self, verb)),
        }
    }
}

#[async_trait]
impl Actuator for Elastic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("search", "asks by the search interface (query)"),
            ("esql", "asks in ES|QL (query with its parameters)"),
        ]
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        let (path, query) = self.query(command)?;
        let summary = format!("would ask {} at {path}", self.0.host());
        Ok(Planned { summary, data: json!({ "query": query }) })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let (path, query) = self.query(command)?;
        let mut covers = Covers::default();
        let answer = self.0.ask(Method::POST, &path, Some(&query), &mut covers).await?;
        let answer = answer.map_err(super::web::NoAnswer::repeatable)?;
        let json = self.0.success(&answer, &covers)?;
        if answer.cut {
            return Err(PortError::Invalid(format!(
                "the answer has more than {} bytes; ask for fewer fields or hits",
                super::web::MAX_ANSWER_BYTES
            )));
        }
        let hits = json.pointer("/hits/total/value").or_else(|| json.pointer("/hits/total"));
        let rows = json.get("values").and_then(Value::as_array).map(Vec::len);
        let count = hits.and_then(Value::as_u64).or(rows.map(|rows| rows as u64)).unwrap_or(0);
        let data = json!({ "count": count, "found": count > 0, "answer": json });
        let summary = format!("{count} found");
        Ok(covers.outcome(Outcome::Done { summary, data }))
    }

    async fn probe(&self) -> Result<Option<String>, PortError> {
        let json = self.0.get(Method::GET, "", None, &mut Covers::default()).await?;
        let version = json.pointer("/version/number").and_then(Value::as_str).unwrap_or("?");
        let version: String = version.chars().take(40).collect();
        Ok(Some(format!("Elasticsearch {version} lets us in")))
    }
}
