//! What a gateway can be told to do.

use std::net::IpAddr;

use model::BlockTarget;
use serde::{Deserialize, Serialize};

use super::{Count, Net};

/// Longest reason of an order, bytes.
pub const MAX_WHY_BYTES: usize = 400;

/// An order to a gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Idempotency key.
    pub key: String,
    /// What to do.
    #[serde(flatten)]
    pub verb: Verb,
    /// To whom; with neither MAC nor address: whoever the flow names.
    pub target: BlockTarget,
    /// Only this traffic of the target.
    #[serde(default)]
    pub flow: Option<Flow>,
    /// Why: playbook, incident or person, at most [`MAX_WHY_BYTES`] bytes.
    #[serde(default)]
    pub why: String,
}

/// Traffic between two ends, in both directions. What is absent does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The near end: the device, where the target does not name it.
    #[serde(default)]
    pub local: Option<Net>,
    /// The far end.
    #[serde(default)]
    pub remote: Option<Net>,
    /// IP protocol number (6 TCP, 17 UDP, 1 ICMP …).
    #[serde(default)]
    pub protocol: Option<u8>,
    /// Port of the near end.
    #[serde(default)]
    pub local_port: Option<u16>,
    /// Port of the far end.
    #[serde(default)]
    pub remote_port: Option<u16>,
    /// Only packets that go this way; both when absent.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Near and far may be exchanged: it is not known which end is on the device side.
    #[serde(default)]
    pub either: bool,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the device side.
    Out,
    /// To the device side.
    In,
}

/// What a gateway can be told to do. Times are wall time; whatever has one ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// Drop everything forwarded from or to the target (of the flow, if there is one).
    Block {
        /// Seconds until it ends by itself.
        timeout_s: u32,
    },
    /// Let it pass, whatever other orders and allow lists say.
    Allow {
        /// Seconds until it ends by itself.
        timeout_s: u32,
    },
    /// End everything ordered for the target (of the flow, if there is one).
    Release,
    /// Let only so much of the target's traffic pass, each direction by itself.
    RateLimit {
        /// Seconds until it ends by itself.
        timeout_s: u32,
        /// Packets a second.
        #[serde(default)]
        packets_s: Option<u32>,
        /// Bytes a second.
        #[serde(default)]
        bytes_s: Option<u32>,
    },
    /// Let the target speak to these networks only.
    Quarantine {
        /// Seconds until it ends by itself.
        timeout_s: u32,
        /// Where it may still go.
        to: Vec<Net>,
    },
    /// Send the target's traffic to another address, such as a honeypot's.
    Redirect {
        /// Seconds until it ends by itself.
        timeout_s: u32,
        /// The new far end.
        to: IpAddr,
        /// Its port; the same as before when absent.
        #[serde(default)]
        port: Option<u16>,
        /// Its MAC address, when it stands on the link of a bridge.
        #[serde(default)]
        mac: Option<String>,
    },
    /// Judge the target packet by packet: only what was usual for it before may pass. What the node's detectors say of
    /// a device takes effect inline by this.
    Suspect {
        /// Seconds until it ends by itself.
        timeout_s: u32,
    },
    /// End what the order with this key began.
    Undo {
        /// The key of the order.
        order: String,
    },
}

impl Verb {
    /// The verb's name, as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Block { .. } => "block",
            Self::Allow { .. } => "allow",
            Self::Release => "release",
            Self::RateLimit { .. } => "rate_limit",
            Self::Quarantine { .. } => "quarantine",
            Self::Redirect { .. } => "redirect",
            Self::Suspect { .. } => "suspect",
            Self::Undo { .. } => "undo",
        }
    }

    /// Seconds until it ends by itself; `None` for what ends at once.
    #[must_use]
    pub const fn timeout_s(&self) -> Option<u32> {
        match self {
            Self::Block { timeout_s }
            | Self::Allow { timeout_s }
            | Self::RateLimit { timeout_s, .. }
            | Self::Quarantine { timeout_s, .. }
            | Self::Suspect { timeout_s }
            | Self::Redirect { timeout_s, .. } => Some(*timeout_s),
            Self::Release | Self::Undo { .. } => None,
        }
    }
}

/// An order in force at a gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Key of the order.
    pub key: String,
    /// `block`, `rate_limit`, `quarantine`, `redirect` or `suspect`.
    pub verb: String,
    /// The target in one word.
    pub target: String,
    /// Why.
    pub why: String,
    /// Seconds until it ends by itself, as the kernel counts them.
    pub left_s: u32,
    /// What it dropped or sent elsewhere so far.
    pub caught: Count,
    /// Only counts what it would do.
    pub dry_run: bool,
}
