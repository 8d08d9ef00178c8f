//! What stands around every actuator, once: the gate of automation before a command (`guard`), and the memory of what can
//! be taken back. What is to be kept is written down before it is asked, with what came of it after: so also a step that
//! did half of its commands and then failed, or a node that died in between, can show what was done and offer to undo it.
//! What the gate refuses was not done, and is not remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use platform::Platform;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use serde_json::Value;

use crate::PlaybooksError;
use crate::automation::guard;
use crate::secrets::login::{ARGUMENT, Login};
use crate::store::effects;

/// An actuator with what stands around it.
struct Around {
    inner: Arc<dyn Actuator>,
    platform: Platform,
}

/// The actuator behind the gate, with its commands kept where it can take some back.
pub(crate) fn over(platform: &Platform, inner: Arc<dyn Actuator>) -> Arc<dyn Actuator> {
    Arc::new(Around { inner, platform: platform.clone() })
}

/// The position in a command's key, `RUN/POSITION/COMMAND`.
fn position(key: &str) -> Option<i64> {
    key.split('/').nth(1)?.parse().ok()
}

/// The command without what must not lie on the disk; `None` when it could not be taken back without that.
fn keepable(command: &ActuatorCommand) -> Option<ActuatorCommand> {
    let login = Login::in_arguments(&command.arguments).ok()?;
    if login.is_some_and(|login| login.has_plain()) {
        return None;
    }
    let mut kept = command.clone();
    kept.arguments.retain(|name, _| name == ARGUMENT || name != "headers");
    Some(kept)
}

impl Around {
    async fn write(&self, command: &ActuatorCommand) -> Result<bool, PortError> {
        let (Some(position), Some(kept)) = (position(&command.key), keepable(command)) else {
            return Ok(false);
        };
        let actuator = self.inner.name();
        let written: Result<(), PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    Ok(effects::asked(tx.sql(), actuator, &kept, position, now).await?)
                })
            })
            .await;
        written?;
        Ok(true)
    }

    async fn settle(&self, key: &str, outcome: &Outcome) -> Result<(), PortError> {
        let (state, summary, data) = match outcome {
            Outcome::Done { summary, data } => ("there", summary.clone(), data.clone()),
            Outcome::NotEnforced { reason, data } => ("there", reason.clone(), data.clone()),
            Outcome::Failed { reason, .. } => ("failed", reason.clone(), Value::Null),
        };
        let key = key.to_owned();
        let settled: Result<(), PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    Ok(effects::settle(tx.sql(), &key, state, &summary, Some(&data), None).await?)
                })
            })
            .await;
        Ok(settled?)
    }
}

#[async_trait]
impl Actuator for Around {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        self.inner.verbs()
    }
    fn repeat(&self, verb: &str, arguments: &BTreeMap<String, Value>) -> Repeat {
        self.inner.repeat(verb, arguments)
    }
    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        let mut planned = self.inner.plan(command).await?;
        if let Some(why) = guard::forbidden(&self.platform, self.inner.name(), command).await? {
            planned.summary = format!("would be refused: {why}");
        }
        Ok(planned)
    }
    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if let Some(reason) = guard::refusal(&self.platform, self.inner.name(), command).await? {
            return Ok(Outcome::Failed { reason, retry: false });
        }
        let kept = self.inner.undoes(&command.verb) && self.write(command).await?;
        let outcome = self.inner.perform(command).await?;
        if kept {
            self.settle(&command.key, &outcome).await?;
        }
        Ok(outcome)
    }
    async fn verify(&self, command: &ActuatorCommand) -> Result<Option<bool>, PortError> {
        self.inner.verify(command).await
    }
    async fn probe(&self) -> Result<Option<String>, PortError> {
        self.inner.probe().await
    }
    fn undoes(&self, verb: &str) -> bool {
        self.inner.undoes(verb)
    }
    async fn undo(&self, command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        self.inner.undo(command).await
    }
}
