//! What a watch saw and could not use.

use serde::Serialize;

/// What could not be used, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WatchStats {
    /// Frames seen.
    pub frames: u64,
    /// Frames whose link layer cannot be read.
    pub undecodable: u64,
    /// Windows of hosts that are not on the device side.
    pub other_side: u64,
    /// Windows that could not be kept for the node.
    pub refused: u64,
    /// Windows and reports that were told before a restart and are not told again.
    pub told_before: u64,
    /// Packets of devices for which the windows had no place: more than so many devices.
    pub devices_refused: u64,
    /// Packets whose senders found no place among the devices described.
    pub facts_refused: u64,
    /// Packets older than the open windows; counted in the oldest open one.
    pub late: u64,
    /// Times the packets' clock went back by more than a minute; windows began anew there.
    pub clock_steps: u64,
    /// Conversations given up because too many were open at the same time.
    pub conversations_given_up: u64,
    /// Operations on machines and messages between them that were told.
    pub operations: u64,
    /// Of those, told without their details: a window held too many different ones.
    pub operations_beyond: u64,
    /// Operations and messages that were not told: too many pairs, or too many reports waiting.
    pub operations_untold: u64,
    /// Operations seen after their window was told; told all the same.
    pub operations_late: u64,
    /// Messages read to their end after the window of their device was closed; in no window's counts.
    pub messages_late: u64,
}
