//! Conversations: packets of one pair of ends in, application messages in order out.

use std::net::IpAddr;

use crate::app::{Carrier, Protocol, Record};
use crate::packet::PacketView;

/// Bounds of a [`Tracker`].
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Conversations followed at the same time; beyond, the one longest silent is given up and counted.
    pub conversations: usize,
    /// Bytes kept for segments out of order, over all conversations.
    pub buffered_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { conversations: 65_536, buffered_bytes: 16 << 20 }
    }
}

/// One end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct End {
    /// Internet address, where there is one.
    pub ip: Option<IpAddr>,
    /// Hardware address, where the link has one.
    pub mac: Option<[u8; 6]>,
    /// Port, 0 without ports.
    pub port: u16,
}

/// A message that was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting<'a> {
    /// Time of the packet that completed it, nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// Who sent it.
    pub from: End,
    /// Who received it.
    pub to: End,
    /// What carried it.
    pub carrier: Carrier,
    /// Whether the sender opened the conversation; `None` where its start was not seen.
    pub from_opener: Option<bool>,
    /// The protocol.
    pub protocol: Protocol,
    /// The message.
    pub record: Record<'a>,
}

/// Follows conversations.
#[derive(Debug, Default)]
pub struct Tracker {}

impl Tracker {
    /// A tracker with these bounds.
    #[must_use]
    pub fn new(_limits: Limits) -> Self {
        Self {}
    }

    /// Takes the next packet and tells each message it completes.
    pub fn push(
        &mut self,
        _ts_ns: i64,
        _packet: &PacketView<'_>,
        _each: &mut dyn FnMut(&Sighting<'_>),
    ) {
    }
}
