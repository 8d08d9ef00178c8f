//! Keeps what can be taken back: around every actuator that can, a command is written down before it is asked, and
//! what came of it after. So also a step that did half of its commands and then failed, or a node that died in
//! between, can show what was done and offer to undo it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use model::Outcome;
use platform::Platform;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use serde_json::Value;

use crate::PlaybooksError;
use crate::secrets::login::{ARGUMENT, Login};
use crate::store::effects;

/// An actuator whose commands are kept.
struct Remember {
    inner: Arc<dyn Actuator>,
    platform: Platform,
}

/// The actuator, with its commands kept where it can take some back.
pub(crate) fn over(platform: &Platform, inner: Arc<dyn Actuator>) -> Arc<dyn Actuator> {
    if inner.verbs().iter().any(|(verb, _)| inner.undoes(verb)) {
        Arc::new(Remember { inner, platform: platform.clone() })
    } else {
        inner
    }
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

impl Remember {
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
impl Actuator for Remember {
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
        self.inner.plan(command).await
    }
    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
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
