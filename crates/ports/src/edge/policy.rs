//! How a gateway behaves between orders.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Net;

/// What a gateway does with orders and allow lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Only counts; orders are answered "not enforced".
    Watch,
    /// Counts what it would drop and lets it pass.
    DryRun,
    /// Drops.
    #[default]
    Enforce,
}

/// What holds when the gateway process does not show life (only in mode `enforce`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailMode {
    /// Traffic passes; orders in force hold until they end by themselves.
    #[default]
    Open,
    /// Nothing passes between the device side and the rest.
    Closed,
}

/// The policy of one gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GatewayPolicy {
    /// Grows with every change.
    pub version: u64,
    /// What it does.
    pub mode: Mode,
    /// What holds without it.
    pub fail: FailMode,
    /// Devices that may speak only as listed.
    #[serde(default)]
    pub allow: Vec<AllowList>,
    /// Addresses that no order may cut off, besides the gateway's own and its default router's.
    #[serde(default)]
    pub protect: Vec<IpAddr>,
}

/// With whom a device may speak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AllowList {
    /// MAC address in lower-case colon form; at a router the internet address.
    pub device: String,
    /// What may pass, in both directions.
    pub entries: Vec<AllowEntry>,
}

/// Traffic that may pass. What is absent does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AllowEntry {
    /// The other end.
    pub peer: Net,
    /// IP protocol number.
    #[serde(default)]
    pub protocol: Option<u8>,
    /// Port of the other end; needs a protocol.
    #[serde(default)]
    pub port: Option<u16>,
    /// Port of the device; needs a protocol.
    #[serde(default)]
    pub local_port: Option<u16>,
}

impl AllowEntry {
    /// Whether everything that `other` lets pass passes by this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        fn wider<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.is_none() || one == other
        }
        self.peer.covers(other.peer)
            && wider(self.protocol, other.protocol)
            && wider(self.port, other.port)
            && wider(self.local_port, other.local_port)
    }
}
