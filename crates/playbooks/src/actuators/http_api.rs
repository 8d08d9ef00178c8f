//! Actuator `http-api`: CACAO commands of the type http-api (§5.5).
//!
//! HTTPS, or plain HTTP to this machine only; redirects are not followed; time and body are bounded.
//! The request carries the command's key as `Idempotency-Key`, so that a server that honours it
//! does nothing twice when an attempt is repeated. Header values and credentials never reach a log,
//! a record or a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use reqwest::Method;
use serde_json::{Value, json};

pub use super::web::MAX_ANSWER_BYTES;
use super::web::{NoAnswer, address};
use super::{Outside, text, unsure};
use crate::secrets::Covers;
use crate::secrets::login::Login;

/// The actuator's name.
pub const NAME: &str = "http-api";

/// What the client writes itself.
const OWN_HEADERS: [&str; 5] =
    ["connection", "content-length", "host", "idempotency-key", "transfer-encoding"];

/// Sends requests.
pub struct HttpApi(pub(crate) Arc<Outside>);

impl HttpApi {
    /// Over the node's way outside.
    pub const fn new(outside: Arc<Outside>) -> Self {
        Self(outside)
    }

    async fn exchange(
        &self,
        command: &ActuatorCommand,
        covers: &mut Covers,
    ) -> Result<Outcome, PortError> {
        let arguments = &command.arguments;
        let url = text(arguments, "url");
        let method = method(arguments)?;
        let host =
            address(url).map_err(PortError::Invalid)?.host_str().unwrap_or_default().to_owned();
        let safe = self.repeat(&command.verb, arguments) == Repeat::Safe;
        let mut request = self.0.web.request(method, url).await.map_err(NoAnswer::repeatable)?;
        request = request.header("idempotency-key", &command.key);
        for header in arguments.get("headers").and_then(Value::as_array).into_iter().flatten() {
            let (name, value) = (header.get(0), header.get(1));
            if let (Some(name), Some(value)) =
                (name.and_then(Value::as_str), value.and_then(Value::as_str))
                && !OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str())
            {
                request = request.header(name, value);
            }
        }
        if let Some(login) = Login::in_arguments(arguments)? {
            let opened = login.open(&self.0.secrets, &host, covers).await?;
            request = request.header("authorization", opened.header()?);
        }
        if let Some(body) = arguments.get("body").and_then(Value::as_str) {
            request = request.body(body.to_owned());
        }
        let answer = match self.0.web.send(request).await {
            Ok(answer) => answer,
            Err(NoAnswer::Unknown(reason)) if !safe => {
                return Err(unsure(format!("{reason}; whether {host} did it is not known")));
            }
            Err(none) => return Err(none.repeatable()),
        };
        let status = answer.status;
        let data = json!({ "status": status.as_u16(), "body": answer.text(), "cut": answer.cut });
        if status.is_success() {
            return Ok(Outcome::Done { summary: format!("{host} answered {status}"), data });
        }
        let reason = format!("{host} answered {status}: {}", answer.said());
        Ok(Outcome::Failed { reason, retry: answer.is_passing() })
    }
}

/// The same without secrets: header names only, the body's length only.
pub(crate) fn shown(arguments: &BTreeMap<String, Value>) -> Value {
    let names: Vec<&Value> = arguments
        .get("headers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|header| header.get(0))
        .collect();
    let size = arguments.get("body").and_then(Value::as_str).map(str::len);
    let login = Login::in_arguments(arguments).ok().flatten();
    json!({ "method": arguments.get("method"), "url": arguments.get("url"), "headers": names,
        "body_size_bytes": size, "login": login.map(|login| login.shown()) })
}

fn method(arguments: &BTreeMap<String, Value>) -> Result<Method, PortError> {
    let word: String = text(arguments, "method").chars().take(32).collect();
    word.parse().map_err(|_| PortError::Invalid(format!("'{word}' is no HTTP method")))
}

#[async_trait]
impl Actuator for HttpApi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("request", "sends one HTTP request (method, url, headers, body)")]
    }

    /// RFC 9110 §9.2.2: what is idempotent may be repeated; a POST only to a host that keeps keys.
    fn repeat(&self, _: &str, arguments: &BTreeMap<String, Value>) -> Repeat {
        let method = text(arguments, "method").to_ascii_uppercase();
        if matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
            || self.0.keeps_keys(text(arguments, "url"))
        {
            Repeat::Safe
        } else {
            Repeat::AskPerson
        }
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        if command.verb != "request" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let arguments = &command.arguments;
        let (method, url) = (method(arguments)?, text(arguments, "url"));
        address(url).map_err(PortError::Invalid)?;
        Ok(Planned { summary: format!("would send {method} {url}"), data: shown(arguments) })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "request" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let mut covers = Covers::default();
        let outcome = self.exchange(command, &mut covers).await?;
        Ok(covers.outcome(outcome))
    }
}
