//! Actuator `matrix`: a message in a Matrix room (client-server API v3).
//!
//! The transaction id is made of the command's key: the home server takes it once, so a message may be sent again.

use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use ports::actuator::OUTCOME;
use ports::{Actuator, ActuatorCommand, Planned, PortError};
use reqwest::Method;
use serde_json::{Value, json};

use super::config::Matrix as Config;
use super::web::{Answer, NoAnswer, address};
use super::{Outside, needed, webhook::message};
use crate::commands::escape::percent;
use crate::secrets::Covers;
use crate::secrets::login::Login;

/// The actuator's name.
pub const NAME: &str = "matrix";
/// How to have it.
pub(crate) const REMEDY: &str =
    "set playbooks.actuators.matrix (url, rooms, and the secret that holds the access token)";
/// Longest message, in characters: an event has at most 65,536 bytes.
pub const MAX_MESSAGE_CHARS: usize = 12_000;

/// Writes to rooms.
pub struct Matrix {
    pub(crate) outside: Arc<Outside>,
    pub(crate) config: Config,
}

impl Matrix {
    /// One request as the account; the answer, if it is a success.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        covers: &mut Covers,
    ) -> Result<Answer, PortError> {
        let base = self.config.url.trim_end_matches('/');
        let url = format!("{base}/_matrix/client/v3/{path}");
        let host = address(&url).map_err(PortError::Invalid)?;
        let host = host.host_str().unwrap_or_default();
        let opened = Login::token(&self.config.secret);
        let opened = opened.open(&self.outside.secrets, host, covers).await?;
        let web = &self.outside.web;
        let mut request = web.request(method, &url).await.map_err(NoAnswer::repeatable)?;
        request = request.header("authorization", opened.header()?);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = web.send(request).await.map_err(NoAnswer::repeatable)?;
        let said = || covers.text(&format!("{host} answered {}: {}", answer.status, answer.said()));
        match answer.status.is_success() {
            true => Ok(answer),
            false if answer.is_passing() => Err(PortError::Unavailable(said())),
            false => Err(PortError::Invalid(said())),
        }
    }

    fn room<'a>(&self, command: &'a ActuatorCommand) -> Result<&'a str, PortError> {
        if command.verb != "send" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let room = needed(NAME, &command.arguments, "room")?;
        if self.config.rooms.iter().any(|known| known == room) {
            return Ok(room);
        }
        Err(PortError::Invalid(
            "the room is not among those of playbooks.actuators.matrix.rooms; add it there".into(),
        ))
    }
}

fn text(command: &ActuatorCommand) -> Result<String, PortError> {
    let text = message(&command.arguments);
    if text.is_empty() {
        return Err(PortError::Invalid("a message needs 'text' or 'title'".into()));
    }
    Ok(text.chars().take(MAX_MESSAGE_CHARS).collect())
}

fn encoded(text: &str) -> String {
    percent("", text).unwrap_or_default()
}

fn event(command: &ActuatorCommand) -> Option<&str> {
    command.arguments.get(OUTCOME).and_then(|told| told.get("event_id")).and_then(Value::as_str)
}

#[async_trait]
impl Actuator for Matrix {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("send", "writes a message to a Matrix room (room, title, text)")]
    }

    fn undoes(&self, verb: &str) -> bool {
        verb == "send"
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        let (room, text) = (self.room(command)?, text(command)?);
        let data = json!({ "room": room, "text": text });
        Ok(Planned { summary: format!("would write to the Matrix room {room}"), data })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let (room, text) = (self.room(command)?, text(command)?);
        let mut covers = Covers::default();
        let path = format!("rooms/{}/send/m.room.message/{}", encoded(room), encoded(&command.key));
        let body = json!({ "msgtype": "m.text", "body": text });
        let answer = self.ask(Method::PUT, &path, Some(body), &mut covers).await?;
        let event = answer.json().get("event_id").cloned().unwrap_or_default();
        Ok(Outcome::Done {
            summary: format!("written to the Matrix room {room}"),
            data: json!({ "room": room, "event_id": event }),
        })
    }

    /// Asks for the event.
    async fn verify(&self, command: &ActuatorCommand) -> Result<Option<bool>, PortError> {
        let (room, Some(event)) = (self.room(command)?, event(command)) else { return Ok(None) };
        let path = format!("rooms/{}/event/{}", encoded(room), encoded(event));
        match self.ask(Method::GET, &path, None, &mut Covers::default()).await {
            Ok(answer) => Ok(Some(answer.json().get("event_id").is_some())),
            Err(PortError::Invalid(_)) => Ok(Some(false)),
            Err(other) => Err(other),
        }
    }

    /// Redacts the event.
    async fn undo(&self, command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        let (room, Some(event)) = (self.room(command)?, event(command)) else { return Ok(None) };
        let key = encoded(&format!("{}/undo", command.key));
        let path = format!("rooms/{}/redact/{}/{key}", encoded(room), encoded(event));
        let body = json!({ "reason": "taken back" });
        self.ask(Method::PUT, &path, Some(body), &mut Covers::default()).await?;
        let summary = format!("the message in {room} was taken back");
        Ok(Some(Outcome::Done { summary, data: Value::Null }))
    }

    async fn probe(&self) -> Result<Option<String>, PortError> {
        let answer = self.ask(Method::GET, "account/whoami", None, &mut Covers::default()).await?;
        let json = answer.json();
        let who = json.get("user_id").and_then(Value::as_str).unwrap_or("?");
        Ok(Some(format!("logged in as {}", who.chars().take(100).collect::<String>())))
    }
}
