//! Actuators of this room, one file each, in one visible list. Others (the gateway) come from
//! their rooms through [`ports::Actuator`].
//!
//! Each keeps one contract: plan (touches nothing), perform, verify, undo where that can be done; bounded
//! in time and output; only where it may go; no secret in what it gives back. What is not configured is
//! not in the list, and [`unconfigured`] says how to have it.

pub(crate) mod around;
pub mod bash;
pub mod caldera;
pub mod config;
pub mod console;
pub mod elastic;
pub mod exchange;
pub mod http_api;
pub mod intel;
pub mod jupyter;
pub mod mail;
pub mod matrix;
pub mod mattermost;
pub mod mqtt;
pub mod openc2;
pub(crate) mod output;
pub(crate) mod service;
pub mod ssh;
pub(crate) mod web;
pub mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use platform::Platform;
use platform::peers::PeerDirectory;
use ports::{Actuator, Exchange, IntelLookup, PortError};
use serde_json::Value;

use crate::secrets::Secrets;
use crate::secrets::login::Login;

/// The node's way to what it commands outside: bounded, judged, with secrets by name.
pub struct Outside {
    pub(crate) web: web::Web,
    pub(crate) secrets: Secrets,
    pub(crate) platform: Platform,
}

impl Outside {
    /// As configured.
    pub fn new(platform: &Platform, config: &config::ActuatorsConfig) -> Arc<Self> {
        Arc::new(Self {
            web: web::Web::new(config.clone()),
            secrets: Secrets(platform.clone()),
            platform: platform.clone(),
        })
    }

    pub(crate) fn config(&self) -> &config::ActuatorsConfig {
        &self.web.config
    }

    /// Whether the host of an address does nothing twice under one `Idempotency-Key`.
    pub(crate) fn keeps_keys(&self, url: &str) -> bool {
        let url = web::address(url).ok();
        let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        self.config().idempotent_hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

/// Actuators that need no configuration.
pub(crate) const ALWAYS: [&str; 6] =
    ["console", "exchange", "gateway", "http-api", "intel", "openc2"];
/// The verbs of those that commands of the standard do not name.
pub(crate) const ALWAYS_VERBS: [(&str, &[&str]); 2] =
    [("http-api", &["request"]), ("openc2", &["send", "deny", "allow", "delete", "query"])];

/// What the room's actuators need of others.
pub(crate) struct Helpers {
    pub intel: Arc<dyn IntelLookup>,
    pub exchange: Arc<dyn Exchange>,
    pub peers: Arc<dyn PeerDirectory>,
}

/// The actuators this room brings, as far as they are configured.
pub(crate) fn all(
    platform: &Platform,
    outside: &Arc<Outside>,
    helpers: Helpers,
) -> Vec<Arc<dyn Actuator>> {
    let Helpers { intel, exchange, peers } = helpers;
    let mut all: Vec<Arc<dyn Actuator>> = vec![
        Arc::new(intel::Intel(intel)),
        Arc::new(exchange::Sharing { exchange, peers }),
        Arc::new(console::Console(platform.clone())),
    ];
    all.extend(configured(outside));
    all
}

/// Those that command the outside, as far as they are configured.
pub fn configured(outside: &Arc<Outside>) -> Vec<Arc<dyn Actuator>> {
    let config = outside.config();
    let outside = || Arc::clone(outside);
    let mut all: Vec<Arc<dyn Actuator>> =
        vec![Arc::new(http_api::HttpApi(outside())), Arc::new(openc2::OpenC2(outside()))];
    if !config.ssh.host_keys.is_empty() {
        all.push(Arc::new(ssh::Ssh(outside())));
    }
    if config.bash.enabled {
        all.push(Arc::new(bash::Bash::new(outside(), bash::Launcher::default())));
    }
    if !config.webhooks.is_empty() {
        all.push(Arc::new(webhook::Webhook(outside())));
    }
    if let Some(config) = config.mail.clone() {
        all.push(Arc::new(mail::Mail { outside: outside(), config }));
    }
    if let Some(config) = config.mqtt.clone() {
        all.push(Arc::new(mqtt::Mqtt { outside: outside(), config }));
    }
    if let Some(config) = config.matrix.clone() {
        all.push(Arc::new(matrix::Matrix { outside: outside(), config }));
    }
    if let Some(config) = config.mattermost.clone() {
        all.push(Arc::new(mattermost::Mattermost { outside: outside(), config }));
    }
    if let Some(config) = config.caldera.clone() {
        all.push(Arc::new(caldera::Caldera::new(outside(), config)));
    }
    if let Some(config) = config.elastic.clone() {
        all.push(Arc::new(elastic::Elastic::new(outside(), config)));
    }
    if let Some(config) = config.jupyter.clone() {
        all.push(Arc::new(jupyter::Jupyter::new(outside(), config)));
    }
    all
}

/// Actuators that are not there, each with how to have it.
pub(crate) fn unconfigured(
    config: &config::ActuatorsConfig,
) -> BTreeMap<&'static str, &'static str> {
    let known = [
        (ssh::NAME, !config.ssh.host_keys.is_empty(), ssh::REMEDY),
        (bash::NAME, config.bash.enabled, bash::REMEDY),
        (mail::NAME, config.mail.is_some(), mail::REMEDY),
        (mqtt::NAME, config.mqtt.is_some(), mqtt::REMEDY),
        (webhook::NAME, !config.webhooks.is_empty(), webhook::REMEDY),
        (matrix::NAME, config.matrix.is_some(), matrix::REMEDY),
        (mattermost::NAME, config.mattermost.is_some(), mattermost::REMEDY),
        (caldera::NAME, config.caldera.is_some(), caldera::REMEDY),
        (elastic::NAME, config.elastic.is_some(), elastic::REMEDY),
        (jupyter::NAME, config.jupyter.is_some(), jupyter::REMEDY),
    ];
    let absent = known.into_iter().filter(|(_, there, _)| !there);
    absent.map(|(name, _, remedy)| (name, remedy)).collect()
}

/// A text argument, empty where there is none.
pub(crate) fn text<'a>(arguments: &'a BTreeMap<String, Value>, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default()
}

/// A text argument that must be there.
pub(crate) fn needed<'a>(
    actuator: &str,
    arguments: &'a BTreeMap<String, Value>,
    name: &str,
) -> Result<&'a str, PortError> {
    match text(arguments, name) {
        "" => Err(PortError::Invalid(format!("the actuator {actuator} needs '{name}'"))),
        text => Ok(text),
    }
}

/// The login of a command: that of its party, or a bearer token by the argument `secret`.
pub(crate) fn login_of(arguments: &BTreeMap<String, Value>) -> Result<Option<Login>, PortError> {
    match text(arguments, "secret") {
        "" => Login::in_arguments(arguments),
        name => Ok(Some(Login::token(name))),
    }
}

/// What may have been done, and nobody knows: the engine asks a person where it must not ask again.
pub(crate) const fn unsure(text: String) -> PortError {
    PortError::Internal(text)
}

/// The variables handed to a shell.
pub(crate) fn environment(arguments: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let values = arguments.get("environment").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    values
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

/// The refusal of a verb an actuator does not know.
fn unknown_verb(actuator: &dyn Actuator, verb: &str) -> PortError {
    ports::actuator::unknown_verb(actuator.name(), actuator.verbs(), verb)
}
