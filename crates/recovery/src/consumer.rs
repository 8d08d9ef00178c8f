//! A contained incident begins to recover.

use async_trait::async_trait;
use model::IncidentState;
use model::event::{Fact, IncidentChanged, Payload};
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;
use serde_json::json;

use crate::Recovery;
use crate::heal;

/// Listens for containment.
pub(crate) struct Contained(pub(crate) Recovery);

#[async_trait]
impl Consumer for Contained {
    fn name(&self) -> &'static str {
        "recovery"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[IncidentChanged::KIND]
    }

    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        let Some(changed) = fact.read::<IncidentChanged>()? else { return Ok(()) };
        let incident = changed.incident;
        let begins =
            incident.state == IncidentState::Contained && incident.received_share.is_none();
        if begins && self.0.config.lift {
            // Once for an incident: what a failed trial blocks again is part of the same recovery.
            let (key, now) = (incident.id.to_string(), tx.now());
            tx.enqueue(heal::KIND, &key, &json!({ "incident": key }), now).await?;
        }
        Ok(())
    }
}
