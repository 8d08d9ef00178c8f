//! Counts that add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes, link header included.
    pub bytes: u64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Why a packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An order blocks the device or the flow.
    Block,
    /// More than an order lets pass in a second.
    Rate,
    /// The device is in quarantine.
    Quarantine,
    /// Not on the device's allow list.
    AllowList,
    /// The gateway process is gone and the gateway fails closed.
    FailClosed,
    /// A rule or the scorer looked at the packet inline.
    Verdict,
    /// The queue of the inline inspection is full: shed so that the rest is still judged in time.
    Shaping,
}

impl Reason {
    /// All reasons, in the order they are looked at.
    pub const ALL: [Self; 7] = [
        Self::FailClosed,
        Self::Block,
        Self::Rate,
        Self::Quarantine,
        Self::AllowList,
        Self::Verdict,
        Self::Shaping,
    ];

    /// The reason's name, as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Rate => "rate",
            Self::Quarantine => "quarantine",
            Self::AllowList => "allow_list",
            Self::FailClosed => "fail_closed",
            Self::Verdict => "verdict",
            Self::Shaping => "shaping",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Dropped packets by reason; a reason that is absent dropped none.
pub type Dropped = BTreeMap<Reason, Count>;

/// All packets that came from or went to the device side since the gateway's table was made.
///
/// `seen = passed + dropped` (over all reasons), read when no packet is on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Packets that reached the gateway.
    pub seen: Count,
    /// Packets it let pass.
    pub passed: Count,
    /// Packets it dropped.
    pub dropped: Dropped,
    /// Packets it would have dropped, had the mode not been `dry_run`; they are among the passed.
    pub would_drop: Dropped,
}

/// How a gateway judges single packets now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judging {
    /// Packets judged since the start.
    pub judged: u64,
    /// Nanoseconds that one packet takes, judging and all, lately.
    pub packet_ns: u64,
    /// Packets that wait for their verdict.
    pub waiting: u32,
    /// Packets that may wait: what comes then is shed.
    pub may_wait: u32,
    /// More comes than can be judged: windows are looked at, batches between them dropped.
    pub flood: bool,
    /// Floods since the start.
    pub floods: u64,
    /// Packets dropped between two windows of a flood.
    pub batch: u64,
    /// Devices of which only what was usual may pass.
    pub suspects: u32,
}

impl Totals {
    /// Packets dropped for whatever reason.
    #[must_use]
    pub fn dropped_packets(&self) -> u64 {
        self.dropped.values().map(|count| count.packets).sum()
    }
}
