//! Conversations: packets of one pair of ends in, application messages in order out.
//!
//! - A conversation is two ends and what carries it (TCP, UDP, an EtherType); VLAN tags do not part
//!   conversations.
//! - Recognition goes by bytes. Ports only say who is asked first. Where a parser is certain and then
//!   cannot read its first message, the others are asked again.
//! - A message in one segment is read where it lies in the packet; only what spans segments is
//!   copied.
//! - Of TCP bytes that come twice the first win ([`Stats::overlaps`], [`Stats::conflicts`]). Where
//!   bytes are missing, reading goes on at the next segment that looks like the start of a message.
//! - IP fragments are put together first; packets whose fragments overlap are refused.
//! - Memory has bounds ([`Limits`] and the constants here), and all that is left out is counted
//!   ([`Stats`]). Time is the packets' own; a clock that jumps closes conversations at most.

mod buffers;
mod conversation;
mod fragments;
mod hints;
mod key;
mod order;
mod reader;
mod recognition;
mod stats;
mod table;

use std::net::IpAddr;

pub use buffers::MAX_MESSAGE_BYTES;
pub use fragments::MAX_PARTIAL_PACKETS;
pub use order::{MAX_DISTANCE, MAX_SEGMENTS};
pub use recognition::{RECOGNITION_BYTES, RECOGNITION_TRIES};
pub use stats::{ProtocolStats, Protocols, Stats};

use crate::app::{Carrier, Protocol, Record};
use crate::packet::{Flaw, PacketView, TcpFlags, Transport};
use conversation::{Conversation, State};
use fragments::Fragments;
use key::{HIGH, Key, LOW};
use reader::{Now, Reader};
use table::Table;

/// Packets between two looks for conversations silent for too long.
const IDLE_CHECK_PACKETS: u64 = 16;
/// Distance from the expected sequence number up to which a reset is believed.
const RESET_DISTANCE: u32 = 1 << 20;

/// Bounds of a [`Tracker`].
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Conversations followed at the same time; beyond, the one longest silent is given up and
    /// counted: first among those nothing was read of, then among datagrams, while they crowd the
    /// table. About 250 bytes each.
    pub conversations: usize,
    /// Bytes kept for messages not yet complete and segments out of order, over all conversations.
    pub buffered_bytes: usize,
    /// Nanoseconds after which a silent conversation is closed.
    pub idle_ns: i64,
    /// Seed of the table's hash. Where senders are not to be trusted, draw it at random.
    pub seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            conversations: 65_536,
            buffered_bytes: 16 << 20,
            idle_ns: 3600 * 1_000_000_000,
            seed: 0x243f_6a88_85a3_08d3,
        }
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
    /// Whether the sender opened the conversation; `None` where its start was not seen (always on
    /// carriers without connections).
    pub from_opener: Option<bool>,
    /// The protocol.
    pub protocol: Protocol,
    /// The message.
    pub record: Record<'a>,
}

/// Follows conversations.
#[derive(Debug)]
pub struct Tracker {
    table: Table,
    reader: Reader,
    fragments: Fragments,
    idle_ns: i64,
    packets: u64,
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

/// Fields of a TCP header that matter here.
#[derive(Clone, Copy)]
struct Header {
    seq: u32,
    ack: u32,
    flags: TcpFlags,
}

impl Tracker {
    /// A tracker with these bounds.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            table: Table::new(limits.conversations, limits.seed),
            reader: Reader::new(limits.buffered_bytes),
            fragments: Fragments::default(),
            idle_ns: limits.idle_ns.max(0),
            packets: 0,
        }
    }

    /// Takes the next packet and tells each message it completes.
    pub fn push(
        &mut self,
        ts_ns: i64,
        packet: &PacketView<'_>,
        each: &mut dyn FnMut(&Sighting<'_>),
    ) {
        self.packets += 1;
        if self.packets.is_multiple_of(IDLE_CHECK_PACKETS) {
            self.close_silent(ts_ns, each);
        }
        if packet.flaw == Some(Flaw::NetLength) {
            self.reader.stats.flawed += 1;
            return;
        }
        if let Some(part) = &packet.fragment {
            let whole = self.fragments.push(ts_ns, packet, part, &mut self.reader.stats);
            if let Some((protocol, payload)) = whole {
                self.whole(ts_ns, &packet.reassembled(protocol, &payload), each);
            }
            return;
        }
        self.whole(ts_ns, packet, each);
    }

    /// Reads what still waits and closes all conversations: nothing more comes.
    pub fn finish(&mut self, each: &mut dyn FnMut(&Sighting<'_>)) {
        while let Some(slot) = self.table.any() {
            self.close(slot, each);
        }
        self.fragments.give_up(&mut self.reader.stats);
        debug_assert_eq!((self.buffered_bytes(), self.reader.holes), (0, 0), "something waits");
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.reader.stats.clone();
        stats.open = self.table.len() as u64;
        stats
    }

    /// Bytes waiting now: messages not yet complete, segments out of order, parts of packets.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.reader.buffered + self.fragments.bytes()
    }

    #[inline]
    fn whole(&mut self, ts_ns: i64, packet: &PacketView<'_>, each: &mut dyn FnMut(&Sighting<'_>)) {
        match packet.transport {
            Transport::Tcp { seq, ack, flags, .. } => {
                self.tcp(ts_ns, packet, Header { seq, ack, flags }, each);
            }
            Transport::Udp { .. } if !packet.payload.is_empty() => {
                self.datagram(ts_ns, packet, Carrier::Udp, each);
            }
            Transport::None if packet.flaw.is_none() && !packet.payload.is_empty() => {
                self.datagram(ts_ns, packet, Carrier::Link(packet.ether_type), each);
            }
            _ => {}
        }
    }

    fn datagram(
        &mut self,
        ts_ns: i64,
        packet: &PacketView<'_>,
        carrier: Carrier,
        each: &mut dyn FnMut(&Sighting<'_>),
    ) {
        if self.reader.carried(carrier) == 0 {
            return;
        }
        let Some((key, dir)) = Key::of(packet) else { return };
        let macs = ends(packet, dir);
        let slot = match self.table.find(&key) {
            Some(slot) => slot,
            None => self.open(key, macs, each),
        };
        let flow = self.table.get(slot);
        flow.last_ns = ts_ns;
        if flow.state != State::Quiet {
            let cut = cut(packet);
            self.reader.datagram(flow, dir, packet.payload, cut, &mut Now { ts_ns, macs, each });
        }
        self.table.touch(slot);
    }

    #[inline]
    fn tcp(
        &mut self,
        ts_ns: i64,
        packet: &PacketView<'_>,
        header: Header,
        each: &mut dyn FnMut(&Sighting<'_>),
    ) {
        const MARKS: u8 = TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST;
        let marked = header.flags.0 & MARKS != 0;
        if packet.flaw == Some(Flaw::TransportLength) {
            self.reader.stats.flawed += 1;
            return;
        }
        // Bare acknowledgements matter only where bytes are waited for.
        if packet.payload_len == 0 && !marked && self.reader.holes == 0 {
            return;
        }
        let Some((key, dir)) = Key::of(packet) else { return };
        let macs = ends(packet, dir);
        let mut header = header;
        let found = self.table.find(&key);
        let slot = if header.flags.has(TcpFlags::RST) {
            return self.reset(found, dir, header.seq, each);
        } else if header.flags.has(TcpFlags::SYN) {
            let slot = self.connect(found, key, macs, dir, header, each);
            header.seq = header.seq.wrapping_add(1);
            slot
        } else if let Some(slot) = found {
            slot
        } else if packet.payload_len == 0 {
            return;
        } else {
            self.open(key, macs, each)
        };
        let flow = self.table.get(slot);
        flow.last_ns = ts_ns;
        let mut now = Now { ts_ns, macs, each };
        if packet.payload_len > 0 && !flow.quiet(dir) {
            let cut = cut(packet);
            self.reader.segment(flow, dir, header.seq, packet.payload, cut, &mut now);
        }
        if self.reader.holes > 0 && header.flags.has(TcpFlags::ACK) && !flow.quiet(1 - dir) {
            self.reader.acknowledged(flow, 1 - dir, header.ack, &mut now);
        }
        if header.flags.has(TcpFlags::FIN) {
            let side = &mut flow.dirs[dir];
            side.finished = true;
            side.fin = header.seq.wrapping_add(packet.payload_len);
        }
        if flow.dirs[dir].finished && flow.ended(LOW) && flow.ended(HIGH) {
            return self.close(slot, each);
        }
        self.table.touch(slot);
    }

    /// A SYN: the start of a connection, or a repetition of it.
    fn connect(
        &mut self,
        found: Option<u32>,
        key: Key,
        macs: [Option<[u8; 6]>; 2],
        dir: usize,
        header: Header,
        each: &mut dyn FnMut(&Sighting<'_>),
    ) -> u32 {
        let first = header.seq.wrapping_add(1);
        let opener = if header.flags.is_open() { dir } else { 1 - dir };
        let slot = match found {
            None => self.open(key, macs, each),
            Some(slot) => {
                let side = &self.table.get(slot).dirs[dir];
                if !side.synced || (!side.started && side.next == first) {
                    slot
                } else if header.flags.is_open() && side.next != first {
                    // The ends use their ports again.
                    self.close(slot, each);
                    self.open(key, macs, each)
                } else {
                    return slot;
                }
            }
        };
        let flow = self.table.get(slot);
        flow.opener = Some(opener as u8);
        let side = &mut flow.dirs[dir];
        (side.synced, side.next) = (true, first);
        slot
    }

    /// A reset ends the connection if its number is one the receiver would believe.
    fn reset(
        &mut self,
        found: Option<u32>,
        dir: usize,
        seq: u32,
        each: &mut dyn FnMut(&Sighting<'_>),
    ) {
        let Some(slot) = found else { return };
        let side = &self.table.get(slot).dirs[dir];
        let near = seq.wrapping_sub(side.next).cast_signed().unsigned_abs() <= RESET_DISTANCE;
        if near || !side.synced {
            self.close(slot, each);
        }
    }

    fn open(
        &mut self,
        key: Key,
        macs: [Option<[u8; 6]>; 2],
        each: &mut dyn FnMut(&Sighting<'_>),
    ) -> u32 {
        if let Some(victim) = self.table.victim() {
            self.reader.stats.evicted += 1;
            self.close(victim, each);
        }
        self.reader.stats.conversations += 1;
        self.table.insert(Conversation::new(key, macs))
    }

    fn close_silent(&mut self, ts_ns: i64, each: &mut dyn FnMut(&Sighting<'_>)) {
        let before_ns = ts_ns.saturating_sub(self.idle_ns);
        for _ in 0..2 * IDLE_CHECK_PACKETS {
            let Some(slot) = self.table.silent_since(before_ns) else { return };
            self.reader.stats.idle += 1;
            self.close(slot, each);
        }
    }

    /// Reads what waits in a conversation and takes it out.
    fn close(&mut self, slot: u32, each: &mut dyn FnMut(&Sighting<'_>)) {
        let flow = self.table.get(slot);
        let (ts_ns, macs) = (flow.last_ns, flow.macs);
        let mut now = Now { ts_ns, macs, each };
        for dir in [LOW, HIGH] {
            self.reader.give_up_holes(flow, dir, &mut now);
        }
        for dir in [LOW, HIGH] {
            self.reader.forget(&mut flow.dirs[dir]);
        }
        self.table.remove(slot);
    }
}

/// Hardware addresses of the low and the high end.
#[inline]
fn ends(packet: &PacketView<'_>, dir: usize) -> [Option<[u8; 6]>; 2] {
    if dir == LOW { [packet.src_mac, packet.dst_mac] } else { [packet.dst_mac, packet.src_mac] }
}

/// Bytes of the payload the capture cut.
#[inline]
fn cut(packet: &PacketView<'_>) -> u32 {
    packet.payload_len.saturating_sub(u32::try_from(packet.payload.len()).unwrap_or(u32::MAX))
}
