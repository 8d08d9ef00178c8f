//! The traits rooms offer each other. A room names what it needs here; the binary wires who gives it.
//!
//! Invariants: nothing heavy (no database, no HTTP); every trait has an in-memory fake in [`fake`];
//! time and randomness enter a room only through [`Clock`] and [`Random`].

pub mod actuator;
pub mod checkpoint;
pub mod disclosure;
pub mod edge;
pub mod fake;
pub mod find;
pub mod misp;
pub mod pseudonyms;
pub mod recovery;
pub mod situation;

use std::collections::BTreeMap;
use std::net::IpAddr;

use async_trait::async_trait;
use model::id::TypedId;
use model::{
    BlockTarget, Device, DeviceId, IncidentId, IncidentReport, Outcome, PeerId, ShareDecision,
    ShareId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use actuator::{Actuator, ActuatorCommand, Planned, Repeat};

/// Why a port could not answer.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// What was asked about does not exist.
    #[error("{0} not found")]
    NotFound(String),
    /// The request is wrong; the text says what and how to mend it.
    #[error("{0}")]
    Invalid(String),
    /// The other side is away or full; trying again later may succeed.
    #[error("{0} (try again later)")]
    Unavailable(String),
    /// Something failed inside; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

/// Wall time. Packet time never comes from here.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Mints typed ids from a clock and randomness.
pub fn mint<T: TypedId>(clock: &dyn Clock, random: &dyn Random) -> T {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    T::mint(clock.now(), bytes)
}

/// The node's signing key (Ed25519, RFC 8032). The private half never leaves the implementation.
pub trait Signer: Send + Sync {
    /// The public key, 32 bytes.
    fn public_key(&self) -> [u8; 32];
    /// A signature over `message`, 64 bytes.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// What a person or machine may ask for, as the Cedar policies see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessQuestion {
    /// Entity type of the asker: `User`, `Peer`, `Edge`, `Anonymous`.
    pub principal_kind: String,
    /// Its id.
    pub principal: String,
    /// Attributes the policies may look at (`roles`, `organisation_kind` …).
    pub principal_attributes: BTreeMap<String, Value>,
    /// The action, e.g. `incidents.read`, `share`.
    pub action: String,
    /// Entity type of the thing asked for: `Endpoint`, `Incident`, `Collection` …
    pub resource_kind: String,
    /// Its id.
    pub resource: String,
    /// Attributes the policies may look at (`tlp`, `severity`, `kind` …).
    pub resource_attributes: BTreeMap<String, Value>,
}

/// Decides by policy, and says why.
pub trait Authorizer: Send + Sync {
    /// The decision with its reason; an error in a policy is a "no" with that reason.
    fn decide(&self, question: &AccessQuestion) -> ShareDecision;
}

/// What intelligence says about one value. "Unknown" is an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntelAnswer {
    /// The value asked for.
    pub value: String,
    /// True when at least one source knows it.
    pub known: bool,
    /// One sentence: "on 7 public block lists (ipsum)" or "unknown to 2 sources, 9,012 values".
    pub summary: String,
    /// Who says so.
    pub sources: Vec<IntelSource>,
}

/// One source's statement about a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntelSource {
    /// The source's name.
    pub name: String,
    /// Strength in the source's own scale, where it has one.
    pub score: Option<f64>,
    /// The STIX object behind it, where there is one.
    pub object: Option<String>,
}

/// Looks values up in the intelligence store.
#[async_trait]
pub trait IntelLookup: Send + Sync {
    /// What is known of `value` (an address, a domain, a hash).
    async fn lookup(&self, value: &str) -> Result<IntelAnswer, PortError>;
}

/// What sharing would do, before it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharePreview {
    /// The recipient.
    pub peer: PeerId,
    /// Its name.
    pub peer_name: String,
    /// May it be shared, and why.
    pub decision: ShareDecision,
    /// How many STIX objects would travel.
    pub objects: u64,
    /// Internal addresses that would be pseudonymised.
    pub pseudonymised: u64,
    /// Objects that would stay.
    pub left_out: u64,
    /// Objects that would go changed by rules of redaction.
    pub redacted: u64,
}

/// Exchange with other organisations.
#[async_trait]
pub trait Exchange: Send + Sync {
    /// What sharing this incident with every configured peer would do.
    async fn preview(&self, incident: IncidentId) -> Result<Vec<SharePreview>, PortError>;
    /// Decides, and if allowed signs and queues for delivery. The same `key` shares once.
    async fn share(
        &self,
        incident: IncidentId,
        peer: PeerId,
        actor: &str,
        key: &str,
    ) -> Result<ShareId, PortError>;
}

/// Reads incidents for rooms that must hand them on.
#[async_trait]
pub trait IncidentReader: Send + Sync {
    /// The incident with its findings and timeline.
    async fn report(&self, id: IncidentId) -> Result<Option<IncidentReport>, PortError>;
}

/// An address seen on the wire, as evidence for a device's identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddressSighting {
    /// The edge that saw it.
    pub sensor: String,
    /// MAC address in lower-case colon form.
    pub mac: Option<String>,
    /// The network address.
    pub address: Option<IpAddr>,
    /// Packet time.
    pub seen_at: Timestamp,
}

/// The inventory of devices.
#[async_trait]
pub trait AssetDirectory: Send + Sync {
    /// The device behind the evidence; minted when it is new.
    async fn identify(&self, sighting: &AddressSighting) -> Result<Device, PortError>;
    /// A device by id.
    async fn device(&self, id: DeviceId) -> Result<Option<Device>, PortError>;
    /// What type of device it is (`camera`, `smart-lock`, `plc` …), where the inventory is sure
    /// enough; devices of one type lend each other their models.
    async fn type_of(&self, _id: DeviceId) -> Result<Option<String>, PortError> {
        Ok(None)
    }
}

/// Orders for a gateway, as the node's rooms see it.
#[async_trait]
pub trait Enforcer: Send + Sync {
    /// Blocks forwarding for a device during `timeout_s` seconds. Idempotent by `key`.
    async fn block(
        &self,
        key: &str,
        target: &BlockTarget,
        timeout_s: u32,
    ) -> Result<Outcome, PortError>;
    /// Lifts a block. Idempotent by `key`.
    async fn release(&self, key: &str, target: &BlockTarget) -> Result<Outcome, PortError>;
}

/// A message to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Shown first.
    pub title: String,
    /// The rest.
    pub body: String,
    /// Link into the console.
    pub link: Option<String>,
}

/// Tells people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Hands the notice over; idempotent by `key`.
    async fn notify(&self, key: &str, notice: &Notice) -> Result<(), PortError>;
}

/// Replaces internal addresses by stable, prefix-preserving ones that only we can map back.
pub trait Pseudonymiser: Send + Sync {
    /// The address the recipient sees; the same input and recipient always give the same answer.
    fn pseudonym(&self, recipient: &str, address: IpAddr) -> IpAddr;
    /// The way back, for answers that name pseudonyms.
    fn original(&self, recipient: &str, pseudonym: IpAddr) -> IpAddr;
    /// What stands for one label of a host name (RFC 1035 §2.3.1) below the domain `above`, in lower case: again a label.
    fn label(&self, recipient: &str, above: &str, label: &str) -> String;
    /// The way back; `None` when this is no pseudonym of ours for that recipient below that domain, or of a label too
    /// long to be carried.
    fn original_label(&self, recipient: &str, above: &str, pseudonym: &str) -> Option<String>;
}

/// A batch of windows from an edge, opaque to the gateway room: `analytics` encodes and decodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowBatch {
    /// The edge's name.
    pub edge: String,
    /// Grows when the edge's source starts again; windows of different epochs never mix.
    pub epoch: u64,
    /// Position within the epoch; a batch seen before is acknowledged and ignored.
    pub seq: u64,
    /// Packet time up to which all windows have been sent.
    pub complete_to: Timestamp,
    /// JSON of the window records (an array).
    pub records: Value,
    /// JSON of facts about devices (an array), where there is news; `null` otherwise.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub devices: Value,
    /// JSON of what was asked of machines (an array), where there is news; `null` otherwise.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub operations: Value,
}

/// Takes facts about devices from edges, opaque as in [`WindowBatch`]. Returns after the commit;
/// taking the same facts again changes nothing.
#[async_trait]
pub trait InventorySink: Send + Sync {
    /// Takes the facts (an array) that `sensor` tells.
    async fn note(&self, sensor: &str, facts: &Value) -> Result<(), PortError>;
}

/// Takes windows from edges. Returns after the commit: then the edge may forget them.
#[async_trait]
pub trait WindowSink: Send + Sync {
    /// Stores, trains or scores; exactly once per `(edge, epoch, seq)`.
    async fn accept(&self, batch: WindowBatch) -> Result<(), PortError>;
    /// The last batch taken from `edge` in `epoch`, so that an edge knows where to go on.
    async fn last_seq(&self, edge: &str, epoch: u64) -> Result<Option<u64>, PortError>;
}
