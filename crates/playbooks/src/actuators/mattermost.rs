//! Actuator `mattermost`: a message in a Mattermost channel (API v4).
//!
//! Each message carries the command's key as a property, and before one is sent the newest of the channel are looked
//! through for it: so a message may be sent again.

use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use ports::{Actuator, ActuatorCommand, Planned, PortError};
use reqwest::Method;
use serde_json::{Value, json};

use super::config::Mattermost as Config;
use super::web::{Answer, NoAnswer, address};
use super::{Outside, needed, webhook::message};
use crate::commands::escape::percent;
use crate::secrets::Covers;
use crate::secrets::login::Login;

/// The actuator's name.
pub const NAME: &str = "mattermost";
/// How to have it.
pub(crate) const REMEDY: &str = "set playbooks.actuators.mattermost (url, channels, and the secret that holds the access token)";
/// Longest message, in characters: the server's own limit.
pub const MAX_MESSAGE_CHARS: usize = 16_383;
/// Messages of the channel looked through before one is sent. Few, because an answer is read up to a bound.
const LOOKED_THROUGH: usize = 10;

/// Writes to channels.
pub struct Mattermost {
    pub(crate) outside: Arc<Outside>,
    pub(crate) config: Config,
}

impl Mattermost {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Result<Answer, NoAnswer>, PortError> {
        let url = format!("{}/api/v4/{path}", self.config.url.trim_end_matches('/'));
        let host = address(&url).map_err(PortError::Invalid)?;
        let host = host.host_str().unwrap_or_default();
        let mut covers = Covers::default();
        let opened = Login::token(&self.config.secret);
        let opened = opened.open(&self.outside.secrets, host, &mut covers).await?;
        let web = &self.outside.web;
        let mut request = web.request(method, &url).await.map_err(NoAnswer::repeatable)?;
        request = request.header("authorization", opened.header()?);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = match web.send(request).await {
            Ok(answer) => answer,
            Err(none) => return Ok(Err(none)),
        };
        let said = || covers.text(&format!("{host} answered {}: {}", answer.status, answer.said()));
        match answer.status.is_success() {
            true => Ok(Ok(answer)),
            false if answer.is_passing() => Err(PortError::Unavailable(said())),
            false => Err(PortError::Invalid(said())),
        }
    }

    fn channel<'a>(&self, command: &'a ActuatorCommand) -> Result<&'a str, PortError> {
        if command.verb != "send" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let channel = needed(NAME, &command.arguments, "channel")?;
        if self.config.channels.iter().any(|known| known == channel) {
            return Ok(channel);
        }
        Err(PortError::Invalid(
            "the channel is not among those of playbooks.actuators.mattermost.channels; add it \
             there"
                .into(),
        ))
    }

    /// The id of the message that carries the command's key, among the newest of the channel.
    async fn sent(&self, command: &ActuatorCommand) -> Result<Option<String>, PortError> {
        let channel = percent("", self.channel(command)?).unwrap_or_default();
        let path = format!("channels/{channel}/posts?per_page={LOOKED_THROUGH}");
        let answer = self.ask(Method::GET, &path, None).await?.map_err(NoAnswer::repeatable)?;
        // Of an answer that was cut, the key is looked for in the text: better once too few than twice.
        let key = &command.key;
        if answer.cut {
            let found = answer.text().contains(key.as_str());
            return Ok(found.then(String::new));
        }
        let json = answer.json();
        let posts = json.get("posts").and_then(Value::as_object);
        let fits = |post: &&Value| {
            post.pointer("/props/sereno_key").and_then(Value::as_str) == Some(key.as_str())
                && post.get("delete_at").and_then(Value::as_i64).unwrap_or(0) == 0
        };
        let post = posts.into_iter().flat_map(|posts| posts.values()).find(fits);
        Ok(post.and_then(|post| post.get("id")?.as_str().map(str::to_owned)))
    }
}

fn text(command: &ActuatorCommand) -> Result<String, PortError> {
    let text = message(&command.arguments);
    if text.is_empty() {
        return Err(PortError::Invalid("a message needs 'text' or 'title'".into()));
    }
    Ok(text.chars().take(MAX_MESSAGE_CHARS).collect())
}

#[async_trait]
impl Actuator for Mattermost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("send", "writes a message to a Mattermost channel (channel, title, text)")]
    }

    fn undoes(&self, verb: &str) -> bool {
        verb == "send"
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        let (channel, text) = (self.channel(command)?, text(command)?);
        let data = json!({ "channel": channel, "text": text });
        Ok(Planned { summary: format!("would write to the Mattermost channel {channel}"), data })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let (channel, text) = (self.channel(command)?, text(command)?);
        let done = |id: Value| Outcome::Done {
            summary: format!("written to the Mattermost channel {channel}"),
            data: json!({ "channel": channel, "post": id }),
        };
        if let Some(id) = self.sent(command).await? {
            return Ok(done(id.into()));
        }
        let body = json!({ "channel_id": channel, "message": text,
            "props": { "sereno_key": command.key } });
        let answer = self.ask(Method::POST, "posts", Some(body)).await?;
        let answer = answer.map_err(NoAnswer::repeatable)?;
        Ok(done(answer.json().get("id").cloned().unwrap_or_default()))
    }

    async fn verify(&self, command: &ActuatorCommand) -> Result<Option<bool>, PortError> {
        Ok(Some(self.sent(command).await?.is_some()))
    }

    /// Deletes the message.
    async fn undo(&self, command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        let Some(id) = self.sent(command).await?.filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let path = format!("posts/{}", percent("", &id).unwrap_or_default());
        self.ask(Method::DELETE, &path, None).await?.map_err(NoAnswer::repeatable)?;
        let summary = "the message was deleted".to_owned();
        Ok(Some(Outcome::Done { summary, data: Value::Null }))
    }

    async fn probe(&self) -> Result<Option<String>, PortError> {
        let answer = self.ask(Method::GET, "users/me", None).await?;
        let json = answer.map_err(NoAnswer::repeatable)?.json();
        let who = json.get("username").and_then(Value::as_str).unwrap_or("?");
        Ok(Some(format!("logged in as {}", who.chars().take(100).collect::<String>())))
    }
}
