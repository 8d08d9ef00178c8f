//! What rooms tell of the present, bounded, for the page that says what is happening and what to do.

use async_trait::async_trait;
use model::{DeviceId, IncidentId, RunId, Timestamp, Tlp};

use crate::PortError;

/// A site as the situation shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteBrief {
    /// Identity.
    pub id: String,
    /// The name people use.
    pub name: String,
    /// What it is: `tram stop`, `substation` …
    pub kind: String,
    /// Where it is, in words.
    pub place: Option<String>,
    /// Degrees north and east (WGS 84).
    pub position: Option<(f64, f64)>,
    /// A plan's id and the spot on it, 0 to 1 from its upper left corner.
    pub plan: Option<(String, f64, f64)>,
}

/// A device as the situation shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceBrief {
    /// Identity.
    pub id: DeviceId,
    /// The name people use.
    pub name: String,
    /// Where it stands, in words.
    pub place: Option<String>,
    /// The site it stands at.
    pub site: Option<String>,
    /// Its MAC address, where seen.
    pub mac: Option<String>,
}

/// Sites and devices.
#[async_trait]
pub trait SiteBoard: Send + Sync {
    /// Sites in the order of their names, at most `limit`.
    async fn sites(&self, limit: u32) -> Result<Vec<SiteBrief>, PortError>;
    /// Devices, at most `limit`; those that stand at a site come first.
    async fn devices(&self, limit: u32) -> Result<Vec<DeviceBrief>, PortError>;
}

/// How far detection is with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchBrief {
    /// The device.
    pub device: DeviceId,
    /// `learning`, `training`, `watching` or `unprotected`.
    pub state: String,
    /// Why, where it is not watched.
    pub reason: String,
}

/// What detection watches.
#[async_trait]
pub trait WatchBoard: Send + Sync {
    /// At most `limit` devices, those that are not watched first.
    async fn watches(&self, limit: u32) -> Result<Vec<WatchBrief>, PortError>;
}

/// A block or another order that stands at a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingOrder {
    /// The order's key.
    pub key: String,
    /// The gateway.
    pub gateway: String,
    /// `block`, `rate_limit`, `quarantine`, `redirect` …
    pub verb: String,
    /// The MAC address it is about, where it is about one.
    pub mac: Option<String>,
    /// The target in words.
    pub target: String,
    /// Why it was ordered.
    pub why: String,
    /// When the gateway carried it out; absent while it has not answered.
    pub since: Option<Timestamp>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// Whether it is known to have taken effect; `None` while the gateway has not answered.
    pub enforced: Option<bool>,
}

/// What stands at gateways.
#[async_trait]
pub trait OrderBoard: Send + Sync {
    /// Orders in force, newest first, at most `limit`.
    async fn standing(&self, limit: u32) -> Result<Vec<StandingOrder>, PortError>;
    /// Gateways that ever connected, and how many of them are connected now.
    async fn gateways(&self) -> Result<(u64, u64), PortError>;
}

/// A question that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// `run` (a run waits at a step) or `proposal` (a run asks whether it may start).
    pub what: &'static str,
    /// The run that waits.
    pub run: Option<RunId>,
    /// The playbook's name.
    pub title: String,
    /// The incident it is about.
    pub incident: Option<IncidentId>,
    /// Since when it waits.
    pub since: Timestamp,
}

/// What waits for people.
#[async_trait]
pub trait QuestionBoard: Send + Sync {
    /// Open questions, the longest waiting first, at most `limit`; none bound by the labels `beyond`.
    async fn open(&self, beyond: &[Tlp], limit: u32) -> Result<Vec<OpenQuestion>, PortError>;
}

/// Which devices incidents are about.
#[async_trait]
pub trait IncidentBoard: Send + Sync {
    /// Pairs of the incidents asked for and the devices of their findings, at most `limit`.
    async fn devices_of(
        &self,
        incidents: &[IncidentId],
        limit: u32,
    ) -> Result<Vec<(IncidentId, DeviceId)>, PortError>;
}
