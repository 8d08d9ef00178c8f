//! One command to one actuator, and what really happened.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What really happened. "Not enforced" is an answer of its own: never pretend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done {
        /// One sentence.
        summary: String,
        /// Facts for variables and evidence.
        #[serde(default)]
        data: Value,
    },
    /// The actuator understood but could not take effect here.
    NotEnforced {
        /// Why, in plain words.
        reason: String,
        /// Facts for variables and evidence.
        #[serde(default)]
        data: Value,
    },
    /// It failed.
    Failed {
        /// Why, in plain words.
        reason: String,
        /// True when trying again later may succeed.
        retry: bool,
    },
}

/// Whom to block: a device by the addresses it is known under on its segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockTarget {
    /// MAC address in lower-case colon form.
    pub mac: Option<String>,
    /// Network addresses.
    pub addresses: Vec<IpAddr>,
}
