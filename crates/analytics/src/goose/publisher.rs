//! What was learned of each publisher.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::GooseMessage;
use super::values::ValueModel;
use crate::host::Host;
use crate::laws::LawLimits;

/// Control blocks a model holds; further ones are counted and stay unknown.
pub const MAX_PUBLISHERS: usize = 4_096;
/// Different headers of one control block that are learned.
pub(super) const MAX_HEADERS: usize = 8;
/// Repetitions after a change whose timing is learned one by one.
pub(super) const CURVE_STEPS: usize = 8;

/// The part of a message that configuration fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Source address.
    pub src: Host,
    /// Destination address.
    pub dst: Host,
    /// Application identifier.
    pub app_id: u32,
    /// Data set reference.
    pub data_set: String,
    /// GOOSE identifier.
    pub go_id: String,
    /// Configuration revision.
    pub conf_rev: u32,
    /// Simulation bit.
    pub simulation: bool,
    /// Needs commissioning.
    pub needs_commissioning: bool,
    /// Number of entries.
    pub entries: u32,
    /// Time allowed to live, milliseconds, of a repetition in rest.
    pub ttl_ms: u32,
}

impl Header {
    /// The header of a message.
    #[must_use]
    pub fn of(message: &GooseMessage<'_>) -> Self {
        Self {
            src: message.src,
            dst: message.dst,
            app_id: message.app_id,
            data_set: message.data_set.to_owned(),
            go_id: message.go_id.to_owned(),
            conf_rev: message.conf_rev,
            simulation: message.simulation,
            needs_commissioning: message.needs_commissioning,
            entries: message.entries,
            ttl_ms: message.ttl_ms,
        }
    }

    /// Whether a message carries this header.
    #[must_use]
    pub fn fits(&self, message: &GooseMessage<'_>) -> bool {
        self.src == message.src
            && self.dst == message.dst
            && self.app_id == message.app_id
            && self.data_set == message.data_set
            && self.go_id == message.go_id
            && self.conf_rev == message.conf_rev
            && self.simulation == message.simulation
            && self.needs_commissioning == message.needs_commissioning
            && self.entries == message.entries
            && self.ttl_ms == message.ttl_ms
    }
}

/// A range of times, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Number of gaps seen.
    pub count: u64,
    /// Shortest.
    pub low: i64,
    /// Longest.
    pub high: i64,
    /// Sum of all, for the mean.
    pub sum: i64,
}

impl Gap {
    /// Takes in a gap.
    pub fn learn(&mut self, gap_us: i64) {
        self.low = if self.count == 0 { gap_us } else { self.low.min(gap_us) };
        self.high = if self.count == 0 { gap_us } else { self.high.max(gap_us) };
        self.count += 1;
        self.sum = self.sum.saturating_add(gap_us);
    }

    /// Mean gap; `None` for none.
    #[must_use]
    pub fn mean(&self) -> Option<i64> {
        self.sum.checked_div(i64::try_from(self.count).ok()?)
    }
}

/// One publisher: a control block and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Publisher {
    /// The device that sent most of its messages.
    pub device: Host,
    /// Messages learned from.
    pub messages: u64,
    /// Headers seen.
    pub headers: Vec<Header>,
    /// Shortest and longest message, 0 where lengths are unknown.
    pub length: (u32, u32),
    /// Gaps between repetitions in rest.
    pub rest: Gap,
    /// Gaps before the first repetitions after a change, in order.
    pub curve: [Gap; CURVE_STEPS],
    /// Lawful changes of state seen.
    pub changes: u64,
    /// Changes of state that told the same data.
    pub same_data: u64,
    /// Largest difference between the delays of first messages in one run, microseconds.
    pub delay_spread: i64,
    /// The contents of the data set.
    pub values: ValueModel,
}

/// Every publisher, and what training broke.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GooseModel {
    /// Publishers by control block reference.
    pub publishers: BTreeMap<String, Publisher>,
    /// Breaks of held-out training windows.
    pub limits: LawLimits,
    /// Runs of the training.
    pub runs: u64,
    /// Messages of the training.
    pub messages: u64,
    /// Whether the limits come from runs or blocks left out in turn.
    pub held_out: bool,
    /// Control blocks beyond [`MAX_PUBLISHERS`] and messages beyond the training's limit.
    pub beyond: u64,
}
