//! Facts of recovery.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Payload;
use crate::{IncidentId, Outcome, Timestamp};

/// An order to a checkpoint agent ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryEnded {
    /// The order's key.
    pub key: String,
    /// The incident it answers.
    pub incident: Option<IncidentId>,
    /// The service.
    pub service: String,
    /// `take`, `restore_before`, `restart`.
    pub verb: String,
    /// What really happened.
    pub outcome: Outcome,
    /// The agent's report: lost work, downtime, chance of an infected checkpoint.
    pub report: Value,
}
payload!(
    RecoveryEnded,
    "recovery.order_ended",
    |it| it.service.clone(),
    match &it.outcome {
        Outcome::Done { summary, .. } => format!("Recovery: {summary}"),
        Outcome::NotEnforced { reason, .. } =>
            format!("Recovery: {} of {} not possible here: {reason}", it.verb, it.service),
        Outcome::Failed { reason, .. } =>
            format!("Recovery: {} of {} failed: {reason}", it.verb, it.service),
    }
);

/// The lifting of a block moved on by itself, ended, or was handed to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryMoved {
    /// The incident.
    pub incident: IncidentId,
    /// `holding`, `trial`, `recovered`, `escalated`, `stopped`.
    pub stage: String,
    /// One sentence with the reasons.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}
payload!(
    RecoveryMoved,
    "recovery.moved",
    |it| it.incident.to_string(),
    format!("Recovery: {}", it.detail)
);
