//! Facts on the bus. A fact is written in the transaction that made it true and read by other
//! rooms in sequence, without gaps; its kind names the room that owns it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Device, IncidentId, Outcome, PeerId, RunId, ShareDecision, ShareId, ShareState, Timestamp, Tlp,
};

/// The kind and version of a fact's payload, so that `Fact::of` cannot mislabel it.
pub trait Payload: Serialize + for<'de> Deserialize<'de> {
    /// `room.what_happened`.
    const KIND: &'static str;
    /// Raised when the payload's shape changes.
    const VERSION: u16 = 1;
    /// What the fact is about: an id or name that lists can be filtered by.
    fn subject(&self) -> String;
    /// One sentence for the accountability log and the live feed.
    fn sentence(&self) -> String;
    /// Packet time, for facts that come from the wire.
    fn event_at(&self) -> Option<Timestamp> {
        None
    }
    /// The label of what it repeats of others' word; only who sees that far may read it. `None`: our own word.
    fn tlp(&self) -> Option<Tlp> {
        None
    }
}

/// Rooms whose facts are not for every reader, because they tell by names or counts what was exchanged with whom. Who
/// reads them, the policies say (`facts.ROOM`).
pub const GUARDED_ROOMS: [&str; 3] = ["communities", "federation", "webhooks"];

/// The room that a fact's kind, or a topic of live news, names.
pub fn room_of(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(room, _)| room)
}

macro_rules! payload {
    ($name:ident, $kind:literal, |$it:ident| $subject:expr, $sentence:expr) => {
        payload!($name, $kind, |$it| $subject, $sentence, at None, tlp None);
    };
    ($name:ident, $kind:literal, |$it:ident| $subject:expr, $sentence:expr, $at:expr) => {
        payload!($name, $kind, |$it| $subject, $sentence, at Some($at), tlp None);
    };
    ($name:ident, $kind:literal, |$it:ident| $subject:expr, $sentence:expr, at $at:expr, tlp $tlp:expr) => {
        impl Payload for $name {
            const KIND: &'static str = $kind;
            fn subject(&self) -> String {
                let $it = self;
                $subject
            }
            fn sentence(&self) -> String {
                let $it = self;
                $sentence
            }
            fn event_at(&self) -> Option<$crate::Timestamp> {
                let $it = self;
                // Many facts have no packet time, and most no label.
                let _ = $it;
                $at
            }
            fn tlp(&self) -> Option<$crate::Tlp> {
                let $it = self;
                let _ = $it;
                $tlp
            }
        }
    };
}

mod approvals;
mod detection;
mod federation;
mod incidents;
mod proposals;
mod recovery;

pub use approvals::{
    DelegationChanged, PlaybookKeyChanged, QuestionAnswered, QuestionPassedOn, SecretChanged,
};
pub use detection::{
    FindingGrouped, FindingJudged, FindingRaised, FindingUpdated, LawModelChanged,
    LearningRestarted, LearningSwitched, MachineModelChanged, ModelChanged, ModelTrained,
    SuppressionChanged,
};
pub use federation::{
    CommunityNoted, LetterRefused, ObjectsReceived, ObjectsRetracted, ObjectsShared,
};
pub use incidents::{IncidentAcknowledged, IncidentChanged, IncidentOpened, IncidentReceived};
pub use proposals::{AutomationChanged, ProposalDecided, ProposalMade};
pub use recovery::{RecoveryEnded, RecoveryMoved};

/// A gateway or probe connected, or its source changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeConnected {
    /// The edge's name.
    pub edge: String,
    /// Can it enforce? `None` = yes, otherwise why not.
    pub not_enforcing: Option<String>,
    /// What it captures from, in words.
    pub source: String,
}
payload!(
    EdgeConnected,
    "gateway.edge_connected",
    |it| it.edge.clone(),
    match &it.not_enforcing {
        None => format!("Gateway {} connected; it enforces; source: {}", it.edge, it.source),
        Some(why) => format!(
            "Gateway {} connected; not enforced here: {why}; source: {}",
            it.edge, it.source
        ),
    }
);

/// A device was seen for the first time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceSeen {
    /// The device.
    pub device: Device,
}
payload!(
    DeviceSeen,
    "assets.device_seen",
    |it| it.device.id.to_string(),
    format!("New device {}", it.device.name),
    it.device.first_seen
);

/// A person named, placed or weighed a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceChanged {
    /// The device as it stands.
    pub device: Device,
}
payload!(
    DeviceChanged,
    "assets.device_changed",
    |it| it.device.id.to_string(),
    format!(
        "Device described: {}, place: {}, criticality: {}",
        it.device.name,
        it.device.place.as_deref().unwrap_or("not given"),
        it.device.criticality.word()
    )
);

/// A playbook run started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The run.
    pub run: RunId,
    /// The playbook's name.
    pub playbook: String,
    /// The incident it answers.
    pub incident: Option<IncidentId>,
    /// Why it started by itself, or who started it.
    pub trigger: String,
    /// The label of an incident of others that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    RunStarted,
    "playbooks.run_started",
    |it| it.run.to_string(),
    format!("Playbook '{}' started: {}", it.playbook, it.trigger),
    at None,
    tlp it.tlp
);

/// A step of a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepFinished {
    /// The run.
    pub run: RunId,
    /// The incident it answers.
    pub incident: Option<IncidentId>,
    /// The CACAO step id.
    pub step: String,
    /// The step's name.
    pub name: String,
    /// The actuator asked, where one was.
    pub actuator: Option<String>,
    /// What really happened.
    pub outcome: Outcome,
    /// The label of an incident of others that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    StepFinished,
    "playbooks.step_finished",
    |it| it.run.to_string(),
    match &it.outcome {
        Outcome::Done { summary, .. } => format!("{}: {summary}", it.name),
        Outcome::NotEnforced { reason, .. } => format!("{}: not enforced here: {reason}", it.name),
        Outcome::Failed { reason, .. } => format!("{}: failed: {reason}", it.name),
    },
    at None,
    tlp it.tlp
);

/// A run reached a final state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The run.
    pub run: RunId,
    /// The playbook's name.
    pub playbook: String,
    /// The incident it answers.
    pub incident: Option<IncidentId>,
    /// `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// The label of an incident of others that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    RunFinished,
    "playbooks.run_finished",
    |it| it.run.to_string(),
    format!("Playbook '{}' {}", it.playbook, it.state),
    at None,
    tlp it.tlp
);

/// A gateway confirmed what became of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnforcementChanged {
    /// The edge's name.
    pub edge: String,
    /// Idempotency key of the order.
    pub key: String,
    /// `block` or `release`.
    pub verb: String,
    /// The device's MAC or address.
    pub target: String,
    /// What really happened.
    pub outcome: Outcome,
}
payload!(
    EnforcementChanged,
    "gateway.enforcement_changed",
    |it| it.target.clone(),
    match &it.outcome {
        Outcome::Done { summary, .. } => format!("Gateway {}: {summary}", it.edge),
        Outcome::NotEnforced { reason, .. } =>
            format!("Gateway {}: {} {} not enforced here: {reason}", it.edge, it.verb, it.target),
        Outcome::Failed { reason, .. } =>
            format!("Gateway {}: {} {} failed: {reason}", it.edge, it.verb, it.target),
    }
);

/// The sharing policy was asked and answered; an allowed share is queued in the same transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareDecided {
    /// The share.
    pub share: ShareId,
    /// The incident.
    pub incident: IncidentId,
    /// The recipient.
    pub peer: PeerId,
    /// The recipient's name.
    pub peer_name: String,
    /// The marking it would travel under.
    pub tlp: Tlp,
    /// The decision.
    pub decision: ShareDecision,
}
payload!(
    ShareDecided,
    "cti.share_decided",
    |it| it.share.to_string(),
    format!("Sharing with {}: {}", it.peer_name, it.decision.reason)
);

/// A share moved on: delivered with a verified receipt, refused, or acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareMoved {
    /// The share.
    pub share: ShareId,
    /// The incident.
    pub incident: IncidentId,
    /// The recipient's name.
    pub peer_name: String,
    /// Where it stands now.
    pub state: ShareState,
    /// One sentence: the receipt's digest, the reason, or the answer.
    pub detail: String,
}
payload!(
    ShareMoved,
    "cti.share_moved",
    |it| it.share.to_string(),
    match it.state {
        ShareState::Delivered => format!("{} received the incident: {}", it.peer_name, it.detail),
        ShareState::Acknowledged =>
            format!("{} acknowledged the incident: {}", it.peer_name, it.detail),
        ShareState::Refused => format!("{} refused the incident: {}", it.peer_name, it.detail),
        ShareState::Queued | ShareState::Denied =>
            format!("Share with {}: {}", it.peer_name, it.detail),
    }
);

/// The node's own work met a value that intelligence knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntelHit {
    /// The value in its normal form.
    pub value: String,
    /// Who says what, one sentence.
    pub summary: String,
    /// Names of the sources.
    pub sources: Vec<String>,
}
payload!(
    IntelHit,
    "cti.intel_hit",
    |it| it.value.clone(),
    format!("{} is known: {}", it.value, it.summary)
);

/// A person changed how intelligence is weighed: what fades how fast, what is well known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntelRuleChanged {
    /// What was changed, e.g. `decay address`, `warninglist Our resolvers`.
    pub what: String,
    /// One sentence.
    pub detail: String,
}
payload!(
    IntelRuleChanged,
    "knowledge.rule_changed",
    |it| it.what.clone(),
    format!("{}: {}", it.what, it.detail)
);

/// A person made, paused or removed a webhook, or it was paused because it fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookChanged {
    /// The webhook's id.
    pub hook: String,
    /// One sentence; names the host of the receiver, never its whole address: keys stand there.
    pub detail: String,
}
payload!(
    WebhookChanged,
    "webhooks.changed",
    |it| it.hook.clone(),
    format!("Webhook: {}", it.detail)
);

/// A copy of the data folder was made, read through, taken away or removed, or could not be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackupChanged {
    /// The backup's file name.
    pub backup: String,
    /// One sentence.
    pub detail: String,
}
payload!(
    BackupChanged,
    "backups.changed",
    |it| it.backup.clone(),
    format!("Backup: {}", it.detail)
);

/// A feed could not be fetched or read, or works again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedMoved {
    /// The feed's id.
    pub feed: String,
    /// Its name, or that it is hidden: facts are read under every role.
    pub name: String,
    /// TLP label of what it says, e.g. `TLP:GREEN`.
    pub tlp: String,
    /// Why it fails; `None` when it works again.
    pub error: Option<String>,
}
payload!(
    FeedMoved,
    "feeds.moved",
    |it| it.feed.clone(),
    match &it.error {
        Some(error) => format!("Feed {} fails: {error}", it.name),
        None => format!("Feed {} works again", it.name),
    }
);

/// Something about access that must be accounted for: sign-in, token made, refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessNoted {
    /// `signed_in`, `sign_in_refused`, `token_created`, `denied`, `peer_refused`, `peer_added`, `user_created` …
    pub what: String,
    /// Who, as far as known.
    pub who: String,
    /// Detail in one sentence; never a secret.
    pub detail: String,
}
payload!(
    AccessNoted,
    "identity.access_noted",
    |it| it.who.clone(),
    format!("{}: {} ({})", it.who, it.what.replace('_', " "), it.detail)
);

/// A fact as it stands in the outbox and on the bus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Position in this node's sequence, without gaps, from 1.
    pub seq: i64,
    /// Identity; consumers are idempotent by it.
    pub id: crate::EventId,
    /// `room.what_happened`.
    pub kind: String,
    /// Version of the payload's shape.
    pub version: u16,
    /// What it is about.
    pub subject: String,
    /// Who caused it: a user, `playbook:…`, `edge:…`, `peer:…`, or `system`.
    pub actor: String,
    /// One sentence for people.
    pub sentence: String,
    /// The facts.
    pub payload: Value,
    /// Packet time, for facts from the wire.
    pub event_at: Option<Timestamp>,
    /// The label of what it repeats of others' word ([`Payload::tlp`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
    /// When this node recorded it.
    pub recorded_at: Timestamp,
}

impl Fact {
    /// The payload as `P`, if this fact is of that kind and version; an error when it does not parse.
    ///
    /// # Errors
    /// The payload is of the kind but not of the shape.
    pub fn read<P: Payload>(&self) -> Result<Option<P>, serde_json::Error> {
        if self.kind != P::KIND || self.version != P::VERSION {
            return Ok(None);
        }
        serde_json::from_value(self.payload.clone()).map(Some)
    }
}
