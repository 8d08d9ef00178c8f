//! Actuator `openc2`: a producer of OpenC2 1.0 over HTTPS 1.1 (OASIS, Committee Specification 01 of 30 November 2021),
//! with the commands of the profile for stateless packet filtering (SLPF 1.0) as verbs.
//!
//! The request id is made of the command's key: the same on every attempt (§3.3.3), in `X-Request-ID` and in the
//! message, so that a consumer that keeps ids does nothing twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use ports::actuator::OUTCOME;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::web::{Answer, NoAnswer, address};
use super::{Outside, login_of, needed, text, unsure};
use crate::secrets::Covers;

/// The actuator's name.
pub const NAME: &str = "openc2";
/// Where consumers listen (§3.2.2).
const PATH: &str = "/.well-known/openc2";
/// The content type of commands and answers (§3.3.1).
const MEDIA_TYPE: &str = "application/openc2+json;version=1.0";
/// The content type of version 1.0, whose body is the command alone; a playbook asks for it by its headers.
const OLD_MEDIA_TYPE: &str = "application/openc2-cmd+json;version=1.0";
/// Targets of SLPF 1.0 that a rule may be about.
const TARGETS: [&str; 4] = ["ipv4_net", "ipv6_net", "ipv4_connection", "ipv6_connection"];

/// Sends OpenC2 commands.
pub struct OpenC2(pub(crate) Arc<Outside>);

/// What is to be sent where.
struct Message {
    url: String,
    host: String,
    command: Value,
    old: bool,
}

impl OpenC2 {
    /// Over the node's way outside.
    pub const fn new(outside: Arc<Outside>) -> Self {
        Self(outside)
    }

    fn message(&self, asked: &ActuatorCommand) -> Result<Message, PortError> {
        let arguments = &asked.arguments;
        let mut url = address(needed(NAME, arguments, "url")?).map_err(PortError::Invalid)?;
        if matches!(url.path(), "" | "/") {
            url.set_path(PATH);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let command = match asked.verb.as_str() {
            "send" => arguments.get("command").cloned().unwrap_or_default(),
            "deny" | "allow" => rule(&asked.verb, arguments)?,
            "delete" => {
                let number = number(arguments.get("rule_number")).ok_or_else(|| {
                    PortError::Invalid(
                        "'delete' needs the rule_number that the rule was given".into(),
                    )
                })?;
                json!({ "action": "delete", "target": { "slpf:rule_number": number },
                    "args": { "response_requested": "complete" } })
            }
            "query" => json!({ "action": "query", "target": { "features": features(arguments)? } }),
            other => return Err(super::unknown_verb(self, other)),
        };
        check(&command)?;
        let headers = arguments.get("headers").map(Value::to_string).unwrap_or_default();
        Ok(Message { url: url.into(), host, command, old: headers.contains("openc2-cmd+json") })
    }

    async fn exchange(
        &self,
        asked: &ActuatorCommand,
        covers: &mut Covers,
    ) -> Result<Outcome, PortError> {
        let message = self.message(asked)?;
        let safe = self.repeat(&asked.verb, &asked.arguments) == Repeat::Safe;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, asked.key.as_bytes()).to_string();
        let kind = if message.old { OLD_MEDIA_TYPE } else { MEDIA_TYPE };
        let body = if message.old {
            message.command.clone()
        } else {
            let created = self.0.platform.now().as_micros() / 1_000;
            json!({ "headers": { "request_id": id, "created": created,
                    "from": self.0.platform.node.name },
                "body": { "openc2": { "request": message.command } } })
        };
        let web = &self.0.web;
        let mut request = web
            .request(Method::POST, &message.url)
            .await
            .map_err(NoAnswer::repeatable)?
            .header("content-type", kind)
            .header("accept", kind.replace("openc2-cmd", "openc2-rsp"))
            .header("cache-control", "no-cache")
            .header("x-request-id", &id)
            .header("idempotency-key", &asked.key)
            .body(body.to_string());
        if let Some(login) = login_of(&asked.arguments)? {
            let opened = login.open(&self.0.secrets, &message.host, covers).await?;
            request = request.header("authorization", opened.header()?);
        }
        match web.send(request).await {
            Ok(answer) => Ok(outcome(&message, &id, &answer)),
            Err(NoAnswer::Unknown(reason)) if !safe => {
                Err(unsure(format!("{reason}; whether {} did it is not known", message.host)))
            }
            Err(none) => Err(none.repeatable()),
        }
    }
}

/// A rule of SLPF 1.0 (§2): `target` as an object, or `address` for all there is from and to an address.
fn rule(action: &str, arguments: &BTreeMap<String, Value>) -> Result<Value, PortError> {
    let target = match arguments.get("target") {
        Some(target @ Value::Object(_)) => target.clone(),
        _ => {
            let address = needed(NAME, arguments, "address")?;
            let bare = address.split('/').next().unwrap_or_default();
            let parsed: std::net::IpAddr = bare.parse().map_err(|_| {
                let address: String = address.chars().take(64).collect();
                PortError::Invalid(format!("'{address}' is not a network address"))
            })?;
            json!({ if parsed.is_ipv4() { "ipv4_net" } else { "ipv6_net" }: address })
        }
    };
    let direction = match text(arguments, "direction") {
        "" => "both",
        known @ ("both" | "ingress" | "egress") => known,
        other => {
            let other: String = other.chars().take(32).collect();
            return Err(PortError::Invalid(format!(
                "direction is both, ingress or egress, not '{other}'"
            )));
        }
    };
    let mut args = json!({ "response_requested": "complete", "slpf": { "direction": direction } });
    if action == "deny" {
        args["slpf"]["drop_process"] = "none".into();
    }
    if let Some(seconds) = number(arguments.get("timeout_s")) {
        args["duration"] = seconds.saturating_mul(1_000).into();
    }
    Ok(json!({ "action": action, "target": target, "args": args, "actuator": { "slpf": {} } }))
}

fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(|it| it.as_u64().or_else(|| it.as_str().and_then(|it| it.trim().parse().ok())))
}

/// The features asked for (language specification §3.4.2.4): a list, or comma-separated.
fn features(arguments: &BTreeMap<String, Value>) -> Result<Vec<String>, PortError> {
    let words: Vec<String> = match arguments.get("features") {
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => {
            let words = text(arguments, "features").split(',').map(str::trim);
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
    };
    let known = ["versions", "profiles", "pairs", "rate_limit"];
    match words.iter().find(|word| !known.contains(&word.as_str())) {
        Some(_) => Err(PortError::Invalid(format!("features are of {}", known.join(", ")))),
        None => Ok(words),
    }
}

/// An action and exactly one target, as every command has (language specification §3.3.1).
fn check(command: &Value) -> Result<(), PortError> {
    let action = command.get("action").and_then(Value::as_str).unwrap_or_default();
    let targets = command.get("target").and_then(Value::as_object).map_or(0, Map::len);
    if action.is_empty() || targets != 1 {
        return Err(PortError::Invalid("an OpenC2 command has an action and one target".into()));
    }
    let of_slpf = matches!(action, "deny" | "allow") && command.pointer("/actuator/slpf").is_some();
    let target = command.get("target").and_then(Value::as_object);
    let kind = target.and_then(|it| it.keys().next()).map(String::as_str).unwrap_or_default();
    if of_slpf && !TARGETS.contains(&kind) {
        return Err(PortError::Invalid(format!("a rule is about one of {}", TARGETS.join(", "))));
    }
    Ok(())
}

/// From the answer's status (language specification §3.3.2) to what really happened.
fn outcome(message: &Message, id: &str, answer: &Answer) -> Outcome {
    let host = &message.host;
    let json = answer.json();
    let response = json.pointer("/body/openc2/response").unwrap_or(&json);
    let said_id = json.pointer("/headers/request_id").and_then(Value::as_str);
    if said_id.is_some_and(|said| said != id) {
        let reason = format!("{host} answered another request; what came of this one is not known");
        return Outcome::Failed { reason, retry: false };
    }
    let http = u64::from(answer.status.as_u16());
    let status = response.get("status").and_then(Value::as_u64).unwrap_or(http);
    let words = response.get("status_text").and_then(Value::as_str).map(str::to_owned);
    let words: String = words.unwrap_or_else(|| answer.said()).chars().take(200).collect();
    let results = response.get("results").cloned().unwrap_or_default();
    let rule = results.pointer("/slpf/rule_number").cloned().unwrap_or_default();
    let data = json!({ "status": status, "status_text": words, "results": results,
        "rule_number": rule, "request_id": id });
    let action = message.command.get("action").and_then(Value::as_str).unwrap_or_default();
    match status {
        200..=299 => Outcome::Done { summary: format!("{host} did '{action}' ({status})"), data },
        102 => {
            let reason = format!("{host} has taken '{action}' and not yet carried it out");
            Outcome::NotEnforced { reason, data }
        }
        501 => {
            Outcome::NotEnforced { reason: format!("{host} cannot do '{action}': {words}"), data }
        }
        _ => Outcome::Failed {
            reason: format!("{host} answered {status}: {words}"),
            retry: status == 503 || answer.is_passing() && status != 500,
        },
    }
}

#[async_trait]
impl Actuator for OpenC2 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("send", "sends an OpenC2 command (url, command, secret)"),
            (
                "deny",
                "a packet filter drops traffic (url, address or target, direction, timeout_s, secret)",
            ),
            ("allow", "a packet filter lets traffic pass (the same)"),
            ("delete", "a packet filter forgets a rule (url, rule_number, secret)"),
            ("query", "asks a consumer what it can do (url, features, secret)"),
        ]
    }

    fn repeat(&self, verb: &str, arguments: &BTreeMap<String, Value>) -> Repeat {
        let query =
            arguments.get("command").and_then(|it| it.get("action")) == Some(&json!("query"));
        if verb == "query" || query || self.0.keeps_keys(text(arguments, "url")) {
            Repeat::Safe
        } else {
            Repeat::AskPerson
        }
    }

    fn undoes(&self, verb: &str) -> bool {
        matches!(verb, "deny" | "allow" | "send")
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        let message = self.message(command)?;
        let action = message.command.get("action").and_then(Value::as_str).unwrap_or_default();
        let target = message.command.get("target").cloned().unwrap_or_default();
        Ok(Planned {
            summary: format!("would tell {} to {action} {target}", message.host),
            data: json!({ "url": message.url, "command": message.command }),
        })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let mut covers = Covers::default();
        let outcome = self.exchange(command, &mut covers).await?;
        Ok(covers.outcome(outcome))
    }

    /// A rule that was given a number is deleted by it.
    async fn undo(&self, command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        let told = command.arguments.get(OUTCOME);
        let Some(rule) = number(told.and_then(|told| told.get("rule_number"))) else {
            return Ok(None);
        };
        let mut arguments = command.arguments.clone();
        arguments.insert("rule_number".to_owned(), rule.into());
        // Another command, so another request id: under the old one a consumer would only repeat its answer.
        let (key, verb) = (format!("{}/undo", command.key), "delete".to_owned());
        let delete = ActuatorCommand { key, verb, arguments, ..command.clone() };
        self.perform(&delete).await.map(Some)
    }
}
