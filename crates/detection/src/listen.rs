//! What detection hears of other rooms: while an incident of a device is open, nothing is learned
//! from it.

use async_trait::async_trait;
use model::IncidentState;
use model::event::{Fact, IncidentChanged, IncidentOpened, Payload};
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;

use crate::store;

/// The room's ear.
pub(crate) struct Ear;

#[async_trait]
impl Consumer for Ear {
    fn name(&self) -> &'static str {
        "detection"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[IncidentOpened::KIND, IncidentChanged::KIND]
    }

    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        if let Some(opened) = fact.read::<IncidentOpened>()? {
            let incident = opened.report.incident.id.to_string();
            // Another organisation's incident is about its devices, not ours.
            for finding in opened.report.findings.iter().filter(|_| !opened.received) {
                store::groups::incident_opened(tx, &incident, finding.device).await?;
            }
        } else if let Some(changed) = fact.read::<IncidentChanged>()? {
            let over =
                matches!(changed.incident.state, IncidentState::Closed | IncidentState::FalseAlarm);
            store::groups::incident_moved(tx, &changed.incident.id.to_string(), !over).await?;
        }
        Ok(())
    }
}
