//! Parts of IP packets put together (RFC 791 clause 3.2, RFC 8200 clause 4.5).
//!
//! Parts that overlap make the whole packet void, as RFC 5722 wants for IPv6 and caution wants for
//! IPv4: no two systems agree on which bytes count. Exact repetitions are passed over.

use std::net::IpAddr;

use super::stats::Stats;
use crate::packet::{Fragment, Net, PacketView};

/// Packets being put together at the same time; beyond, the oldest is given up.
pub const MAX_PARTIAL_PACKETS: usize = 64;
/// Parts one packet may have.
const MAX_PARTS: usize = 128;
/// Time within which all parts must come (RFC 8200: 60 seconds; senders resend long before).
const COMPLETE_WITHIN_NS: i64 = 30_000_000_000;
/// Most bytes of a packet.
const MAX_PACKET_BYTES: u32 = 65_535;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: u8,
}

#[derive(Debug)]
struct Partial {
    name: Name,
    since_ns: i64,
    /// Ranges that are there, in order.
    parts: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    total: Option<u32>,
    /// Parts contradict each other: whatever else comes is left out as well.
    void: bool,
}

#[derive(Debug, Default)]
pub(super) struct Fragments {
    partial: Vec<Partial>,
}

impl Fragments {
    /// Bytes kept.
    pub(super) fn bytes(&self) -> usize {
        self.partial.iter().map(|partial| partial.bytes.capacity()).sum()
    }

    /// Nothing more comes.
    pub(super) fn give_up(&mut self, stats: &mut Stats) {
        stats.fragments_incomplete += self.partial.iter().filter(|part| !part.void).count() as u64;
        self.partial = Vec::new();
    }

    /// Takes a part; when the packet is complete gives its protocol and payload.
    pub(super) fn push(
        &mut self,
        ts_ns: i64,
        packet: &PacketView<'_>,
        part: &Fragment<'_>,
        stats: &mut Stats,
    ) -> Option<(u8, Vec<u8>)> {
        stats.fragments += 1;
        let (Some(src), Some(dst)) = (packet.src_ip(), packet.dst_ip()) else { return None };
        let (Net::V4 { fragment_offset, more_fragments, .. }
        | Net::V6 { fragment_offset, more_fragments, .. }) = packet.net
        else {
            return None;
        };
        self.partial.retain(|partial| {
            // A clock set back does not make parts old.
            let young = ts_ns.saturating_sub(partial.since_ns) <= COMPLETE_WITHIN_NS;
            stats.fragments_incomplete += u64::from(!young && !partial.void);
            young
        });
        let name = Name { src, dst, id: part.id, protocol: part.protocol };
        let at = self.partial.iter().position(|partial| partial.name == name);
        let at = at.unwrap_or_else(|| {
            if self.partial.len() >= MAX_PARTIAL_PACKETS {
                let oldest = self.partial.remove(0);
                stats.fragments_incomplete += u64::from(!oldest.void);
            }
            self.partial.push(Partial {
                name,
                since_ns: ts_ns,
                parts: Vec::new(),
                bytes: Vec::new(),
                total: None,
                void: false,
            });
            self.partial.len() - 1
        });
        let partial = &mut self.partial[at];
        if partial.void {
            return None;
        }
        if part.bytes.len() < part.wire_len as usize {
            stats.cut += 1;
            partial.give_up();
            stats.fragments_incomplete += 1;
            return None;
        }
        let start = u32::from(fragment_offset);
        if partial.add(start, part.bytes, more_fragments).is_err() {
            partial.give_up();
            stats.fragments_refused += 1;
            return None;
        }
        if !partial.complete() {
            return None;
        }
        let whole = self.partial.remove(at);
        stats.reassembled += 1;
        Some((name.protocol, whole.bytes))
    }
}

/// Parts contradict each other.
struct Contradiction;

impl Partial {
    fn give_up(&mut self) {
        self.void = true;
        self.bytes = Vec::new();
        self.parts = Vec::new();
    }

    fn add(&mut self, start: u32, bytes: &[u8], more: bool) -> Result<(), Contradiction> {
        let end = start + u32::try_from(bytes.len()).map_err(|_| Contradiction)?;
        let range = start as usize..end as usize;
        if bytes.is_empty() || end > MAX_PACKET_BYTES {
            return Err(Contradiction);
        }
        if self.parts.contains(&(start, end)) {
            let same = self.bytes.get(range) == Some(bytes);
            return if same { Ok(()) } else { Err(Contradiction) };
        }
        let at = self.parts.partition_point(|part| part.0 < start);
        let free_before = at == 0 || self.parts[at - 1].1 <= start;
        let free_behind = self.parts.get(at).is_none_or(|part| end <= part.0);
        let beyond = self.total.is_some_and(|total| end > total);
        // All parts but the last are multiples of eight bytes long.
        let odd = more && !bytes.len().is_multiple_of(8);
        if !free_before || !free_behind || beyond || odd || self.parts.len() >= MAX_PARTS {
            return Err(Contradiction);
        }
        if !more {
            let shorter = self.parts.last().is_some_and(|last| last.1 > end);
            if shorter || self.total.is_some() {
                return Err(Contradiction);
            }
            self.total = Some(end);
        }
        if self.bytes.len() < range.end {
            self.bytes.resize(range.end, 0);
        }
        self.bytes[range].copy_from_slice(bytes);
        self.parts.insert(at, (start, end));
        Ok(())
    }

    fn complete(&self) -> bool {
        let mut covered = 0;
        self.parts.iter().all(|part| std::mem::replace(&mut covered, part.1) == part.0)
            && Some(covered) == self.total
    }
}
