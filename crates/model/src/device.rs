//! Protected things: identity by evidence, never by address alone.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{DeviceId, Severity, Timestamp};

/// A device as the inventory knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Stable identity.
    pub id: DeviceId,
    /// The name people use; the MAC address until somebody gives a better one.
    pub name: String,
    /// Where it stands, in the operator's words.
    pub place: Option<String>,
    /// What it does.
    pub role: DeviceRole,
    /// How much the operator depends on it.
    pub criticality: Severity,
    /// MAC address in lower-case colon form, where seen.
    pub mac: Option<String>,
    /// Addresses seen, newest first.
    pub addresses: Vec<IpAddr>,
    /// First seen on the wire.
    pub first_seen: Timestamp,
    /// Last seen on the wire.
    pub last_seen: Timestamp,
}

/// What a device does, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceRole {
    /// Nothing known yet.
    Unknown,
    /// A device behind the gateway that is protected.
    Protected,
    /// Network equipment: router, switch.
    Infrastructure,
}

/// How far detection has come with a device. Never silently unprotected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WatchState {
    /// Collecting benign windows; `progress` from 0 to 1.
    Learning {
        /// Share of the training period seen, 0 to 1.
        progress: f64,
    },
    /// The model is being fitted; `progress` from 0 to 1.
    Training {
        /// Share of the fitting done, 0 to 1.
        progress: f64,
    },
    /// Every window is scored.
    Watching,
    /// Not watched, and why.
    Unprotected {
        /// The reason in plain words.
        reason: String,
    },
}
