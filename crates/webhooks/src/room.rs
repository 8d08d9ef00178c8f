//! The room itself.

use std::sync::Arc;

use model::event::WebhookChanged;
use platform::Platform;
use platform::bus::Consumer;
use platform::health::{Component, Health};
use platform::http::RoomRouter;
use tokio::sync::Notify;

use crate::config::Config;
use crate::deliver::{self, Busy};
use crate::error::WebhookError;
use crate::gather::{self, EVENTS, Facts};
use crate::store::{self, Hook, Message, NewHook};
use crate::{http, send, sign};

/// Longest time in which two secrets sign, seconds (30 days).
const MAX_OVERLAP_S: i64 = 30 * 86_400;
/// Hooks at most.
const MAX_HOOKS: usize = 100;
/// Types and labels that one hook names.
const MAX_NAMED: usize = intel::changes::MAX_TYPES;
/// Characters of a name.
const MAX_NAME_CHARS: usize = 120;
/// Bytes of an address.
const MAX_URL_BYTES: usize = 2_000;

struct Inner {
    platform: Platform,
    config: Config,
    /// Wakes the worker.
    asked: Notify,
    busy: Busy,
}

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

impl Webhooks {
    /// Opens the room.
    ///
    /// # Errors
    /// A setting cannot work.
    pub fn open(platform: &Platform, config: Config) -> Result<Self, WebhookError> {
        config.check().map_err(WebhookError::Invalid)?;
        Ok(Self(Arc::new(Inner {
            platform: platform.clone(),
            config,
            asked: Notify::new(),
            busy: Busy::default(),
        })))
    }

    /// The HTTP endpoints.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// Takes facts from the bus.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Facts(self.clone()))]
    }

    /// Starts telling.
    pub fn start(&self) {
        let tasks = &self.platform().tasks;
        tasks.spawn("webhooks", deliver::run(self.clone()));
        tasks.spawn("webhooks-follow", gather::follow(self.clone()));
    }

    /// Adds a hook that is told what becomes known from now on; the hook and its secret.
    pub(crate) async fn add(&self, mut new: NewHook) -> Result<(Hook, String), WebhookError> {
        new.name = new.name.trim().to_owned();
        let url =
            send::address(&new.url, self.config().allow_private).map_err(WebhookError::Invalid)?;
        check(&new)?;
        new.salt = self.salt();
        let secret = sign::secret(self.platform().signer.as_ref(), &new.salt);
        let id = self.platform().uuid4().to_string();
        let (wanted, host) = (id.clone(), url.host_str().unwrap_or_default().to_owned());
        let added: Result<(), WebhookError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if store::all(tx.sql()).await?.len() >= MAX_HOOKS {
                        let text = format!("there are {MAX_HOOKS} webhooks, the limit; remove one");
                        return Err(WebhookError::Conflict(text));
                    }
                    let now_us = tx.now().as_micros();
                    new.cursor = intel::objects::last_seq(tx.sql()).await?;
                    if !store::insert(tx.sql(), &id, &new, now_us).await? {
                        let text = format!("there is a webhook '{}'", new.name);
                        return Err(WebhookError::Conflict(text));
                    }
                    let label = intel::label(new.tlp).label();
                    let detail = format!("{} tells {host} what is at most {label}", new.name);
                    tx.publish(&new.by, &WebhookChanged { hook: id, detail }).await?;
                    Ok(())
                })
            })
            .await;
        added?;
        Ok((self.hook(&wanted).await?, sign::shown(&secret)))
    }

    fn salt(&self) -> String {
        let mut salt = [0; 16];
        self.platform().random.fill(&mut salt);
        salt.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Gives a hook another secret; for `overlap_s` seconds the one so far signs too. The new secret.
    pub(crate) async fn rotate(
        &self,
        hook: Hook,
        overlap_s: i64,
        by: String,
    ) -> Result<String, WebhookError> {
        if !(0..=MAX_OVERLAP_S).contains(&overlap_s) {
            let text = format!("overlap_seconds lies between 0 and {MAX_OVERLAP_S} (30 days)");
            return Err(WebhookError::Invalid(text));
        }
        let salt = self.salt();
        let secret = sign::secret(self.platform().signer.as_ref(), &salt);
        let done: Result<(), WebhookError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let until = tx.now().plus_secs(overlap_s);
                    store::rotate(tx.sql(), &hook.id, &salt, until.as_micros()).await?;
                    let name = hook.new.name;
                    let detail =
                        format!("{name} has another secret; the old one signs until {until}");
                    tx.publish(&by, &WebhookChanged { hook: hook.id, detail }).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        Ok(sign::shown(&secret))
    }

    /// A hook by id or name.
    pub(crate) async fn hook(&self, name: &str) -> Result<Hook, WebhookError> {
        let mut sql = self.platform().db.read().await?;
        store::get(&mut sql, name).await?.ok_or_else(|| {
            let clip: String = name.chars().take(120).collect();
            WebhookError::NotFound(format!("webhook '{clip}'"))
        })
    }

    /// Removes a hook with all that waits.
    pub(crate) async fn remove(&self, hook: Hook, by: String) -> Result<(), WebhookError> {
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    store::remove(tx.sql(), &hook.id).await?;
                    let detail = format!("{} was removed", hook.new.name);
                    tx.publish(&by, &WebhookChanged { hook: hook.id, detail }).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Pauses a hook or lets it go on.
    pub(crate) async fn pause(
        &self,
        hook: Hook,
        paused: bool,
        by: String,
    ) -> Result<(), WebhookError> {
        let done: Result<(), WebhookError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let reason = paused.then(|| format!("paused by {by}"));
                    store::pause(tx.sql(), &hook.id, reason.as_deref()).await?;
                    let what = if paused { "was paused" } else { "goes on" };
                    let detail = format!("{} {what}", hook.new.name);
                    tx.publish(&by, &WebhookChanged { hook: hook.id, detail }).await?;
                    Ok(())
                })
            })
            .await;
        self.wake();
        done
    }

    /// Tells a hook a test message now, past what waits; why it was not taken.
    pub(crate) async fn test(&self, hook: &Hook) -> Result<(), String> {
        let url = send::address(&hook.new.url, self.config().allow_private)?;
        let client = send::client(self.config(), &url).await?;
        let now = self.platform().now();
        let text = format!("{} can reach you", self.platform().node.name);
        let body = serde_json::json!({ "type": "test", "timestamp": now.to_string(), "data": { "text": text } });
        let message = Message {
            id: format!("msg_{}", self.platform().uuid4()),
            event: "test".into(),
            body: body.to_string(),
        };
        let sent = send::send(self.platform(), &client, hook, &url, &message).await;
        sent.map_err(|refused| refused.reason)
    }

    /// What works and what does not, for the doctor; names no hook: names may tell who is told what.
    pub async fn health(&self) -> Vec<Component> {
        let hooks = async {
            let mut sql = self.platform().db.read().await?;
            store::all(&mut sql).await
        };
        let hooks = match hooks.await {
            Ok(hooks) => hooks,
            Err(error) => {
                let remedy = "See the node's log; check the disk of the data folder.";
                return vec![Component::not_ok(
                    "webhooks",
                    Health::Failed,
                    error.to_string(),
                    remedy,
                )];
            }
        };
        let ill = hooks.iter().filter(|hook| hook.paused.is_some() || hook.failures > 0).count();
        vec![match ill {
            0 => Component::ok("webhooks", format!("{} set up", hooks.len())),
            _ => Component::not_ok(
                "webhooks",
                Health::Degraded,
                format!("{ill} of {} webhooks fail or are paused", hooks.len()),
                "See `sereno webhook list`; mend the receiver, then `sereno webhook resume`.",
            ),
        }]
    }

    pub(crate) fn wake(&self) {
        self.0.asked.notify_one();
    }

    pub(crate) async fn asked(&self) {
        self.0.asked.notified().await;
    }

    pub(crate) fn busy(&self) -> &Busy {
        &self.0.busy
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }
}

fn check(new: &NewHook) -> Result<(), WebhookError> {
    let wrong = |text: String| Err(WebhookError::Invalid(text));
    let chars = new.name.chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS || new.name.chars().any(char::is_control) {
        return wrong(format!("a name has 1 to {MAX_NAME_CHARS} characters"));
    }
    if new.url.len() > MAX_URL_BYTES {
        return wrong(format!("an address has at most {MAX_URL_BYTES} bytes"));
    }
    if new.events.is_empty() {
        let all: Vec<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
        return wrong(format!("events are missing; there are {}", all.join(", ")));
    }
    if let Some(unknown) = new.events.iter().find(|one| !EVENTS.iter().any(|(name, _)| name == one))
    {
        let clip: String = unknown.chars().take(60).collect();
        let all: Vec<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
        return wrong(format!("'{clip}' is no event; there are {}", all.join(", ")));
    }
    for (name, list) in [("events", &new.events), ("types", &new.types), ("labels", &new.labels)] {
        if list.len() > MAX_NAMED || list.iter().any(|one| one.is_empty() || one.len() > 250) {
            return wrong(format!("{name} holds at most {MAX_NAMED} names of 1 to 250 bytes"));
        }
    }
    Ok(())
}
