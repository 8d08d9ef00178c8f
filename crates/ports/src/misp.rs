//! Events of MISP between the room that keeps them and the one that exchanges them with other servers.

use async_trait::async_trait;
use serde_json::Value;

use crate::PortError;
use crate::disclosure::{Address, Recipient};

/// What became of an event of another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTaken {
    /// It was not known.
    New,
    /// A newer state of a known one.
    Updated,
    /// What is here is as new or newer.
    Same,
}

/// An event that may go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHead {
    /// Its UUID.
    pub uuid: String,
    /// When it was changed, seconds since 1970.
    pub stamp: i64,
}

/// An event on its way out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventOut {
    /// The event; `None` when it is no longer one that goes out, or stays as a whole.
    pub event: Option<Value>,
    /// Attributes and objects of it that the sharing policies keep back.
    pub stayed: usize,
    /// Why it or parts of it stay, each reason once.
    pub reasons: Vec<String>,
}

/// Keeps events.
#[async_trait]
pub trait MispDesk: Send + Sync {
    /// Takes an event (`{"Event": …}`) in the state another server gives, publishes it here when that server did, and
    /// keeps its times. `label` (`green` …) holds where the event names none. `teller` is who gave it: an event that somebody
    /// else made is not changed by it.
    async fn take(&self, event: Value, label: &str, teller: &str) -> Result<EventTaken, PortError>;

    /// Published events that were made here, at most so protected, whose distribution lets them leave.
    async fn published(&self, highest: &str) -> Result<Vec<EventHead>, PortError>;

    /// Such an event as it goes out to somebody, judged and redacted, without the parts that may not leave.
    async fn outgoing(
        &self,
        uuid: &str,
        highest: &str,
        to: Recipient,
        address: Address,
    ) -> Result<EventOut, PortError>;

    /// Takes proposals (`{"ShadowAttribute": …}`, with `event_uuid`) of another server for events that are here. How many
    /// are new; those for other events are left out.
    async fn take_proposals(&self, list: Vec<Value>, teller: &str) -> Result<usize, PortError> {
        let _ = (list, teller);
        Ok(0)
    }

    /// Takes clusters (`{"GalaxyCluster": …}`, with their galaxy) that another server made, under at least this label. How
    /// many are new or newer.
    async fn take_clusters(
        &self,
        list: Vec<Value>,
        label: &str,
        teller: &str,
    ) -> Result<usize, PortError> {
        let _ = (list, label, teller);
        Ok(0)
    }

    /// Takes back an event that `teller` gave; false when there is none.
    async fn remove(&self, uuid: &str, teller: &str) -> Result<bool, PortError>;
}
