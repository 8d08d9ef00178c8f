//! What was counted. Nothing is left out without being counted here.

use std::fmt;
use std::ops::{Index, IndexMut};

use serde::Serialize;
use serde::ser::SerializeMap as _;

use crate::app::{PROTOCOLS, Protocol};

/// Counts of a [`super::Tracker`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Conversations taken up.
    pub conversations: u64,
    /// Conversations followed now.
    pub open: u64,
    /// Conversations given up because there was no place for another.
    pub evicted: u64,
    /// Conversations closed because they had been silent for long.
    pub idle: u64,
    /// Conversations no parser recognised.
    pub unknown: u64,
    /// Conversations that went on in another protocol.
    pub turned: u64,
    /// TCP segments with payload of conversations that are read.
    pub segments: u64,
    /// Segments that repeat only what was read already.
    pub retransmissions: u64,
    /// Segments that repeat a part of what was there already; its first bytes were kept.
    pub overlaps: u64,
    /// Overlaps that say something else than the bytes that were kept: someone may be hiding.
    pub conflicts: u64,
    /// Segments that came before their time.
    pub out_of_order: u64,
    /// Segments far from where the stream stands, left out.
    pub strays: u64,
    /// Holes given up as lost.
    pub gaps: u64,
    /// Bytes in those holes.
    pub gap_bytes: u64,
    /// Segments, datagrams and frames the capture cut.
    pub cut: u64,
    /// TCP headers that contradict themselves and packets that state more bytes than their frame had,
    /// left out.
    pub flawed: u64,
    /// Bytes that came but were not read: behind holes, in messages never completed, unrecognised.
    pub dropped_bytes: u64,
    /// Messages longer than is kept, passed over.
    pub oversized: u64,
    /// Times something was given up because the memory for waiting bytes was used up.
    pub budget_exceeded: u64,
    /// Most bytes ever waiting at the same time.
    pub most_buffered_bytes: u64,
    /// Parts of fragmented packets.
    pub fragments: u64,
    /// Packets put together from their parts.
    pub reassembled: u64,
    /// Fragmented packets refused because parts overlap or contradict each other.
    pub fragments_refused: u64,
    /// Fragmented packets of which parts stayed away, were cut, or for which there was no place.
    pub fragments_incomplete: u64,
    /// Counts of each protocol.
    pub protocols: Protocols,
}

/// Counts of one protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ProtocolStats {
    /// Conversations with at least one message.
    pub conversations: u64,
    /// Messages.
    pub messages: u64,
    /// Messages that break the protocol.
    pub malformed: u64,
    /// Messages of which the end is missing (cut datagrams, holes).
    pub truncated: u64,
    /// Conversations recognised first and read as nothing.
    pub mistaken: u64,
    /// Why the last malformed one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_malformed: Option<&'static str>,
}

/// [`ProtocolStats`] by [`Protocol`]; printed are those that were met.
#[derive(Clone, PartialEq, Eq)]
pub struct Protocols([ProtocolStats; PROTOCOLS]);

impl Default for Protocols {
    fn default() -> Self {
        Self([ProtocolStats::default(); PROTOCOLS])
    }
}

impl fmt::Debug for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.met().map(|(protocol, counts)| (protocol.name(), counts)))
            .finish()
    }
}

impl Protocols {
    /// The protocols that were met.
    pub fn met(&self) -> impl Iterator<Item = (Protocol, &ProtocolStats)> {
        Protocol::ALL
            .into_iter()
            .map(|protocol| (protocol, &self[protocol]))
            .filter(|(_, counts)| **counts != ProtocolStats::default())
    }
}

impl Index<Protocol> for Protocols {
    type Output = ProtocolStats;

    fn index(&self, protocol: Protocol) -> &ProtocolStats {
        &self.0[protocol as usize]
    }
}

impl IndexMut<Protocol> for Protocols {
    fn index_mut(&mut self, protocol: Protocol) -> &mut ProtocolStats {
        &mut self.0[protocol as usize]
    }
}

impl Serialize for Protocols {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (protocol, counts) in self.met() {
            map.serialize_entry(protocol.name(), counts)?;
        }
        map.end()
    }
}
