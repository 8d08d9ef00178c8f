//! The keys of one window: exact up to a bound, then counted without being kept.

use crate::host::{Host, mix};
use crate::record::{KeyCount, MAX_KEYS};

/// Keys searched one by one before an index is built.
const LINEAR_KEYS: usize = 12;
/// Slots of the index; twice the keys it holds at most.
const INDEX_SLOTS: usize = 2 * MAX_KEYS;
const EMPTY: u16 = u16::MAX;
/// Bits of a sketch of distinct values once the exact keys are full.
const SKETCH_BITS: usize = 1 << 14;

/// Counts distinct values by the bits they leave untouched (linear counting, Whang et al. 1990):
/// within a few per cent up to about [`SKETCH_BITS`] values, saturated near ten times that.
#[derive(Debug)]
struct Sketch(Box<[u64; SKETCH_BITS / 64]>);

impl Sketch {
    fn new() -> Self {
        Self(Box::new([0; SKETCH_BITS / 64]))
    }

    fn insert(&mut self, digest: u64) {
        let bit = (digest as usize) % SKETCH_BITS;
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    fn estimate(&self) -> u64 {
        let bits = SKETCH_BITS as f64;
        let zeros: u32 = self.0.iter().map(|word| word.count_zeros()).sum();
        // A full sketch answers as if half a bit were left.
        (bits * (bits / f64::from(zeros).max(0.5)).ln()).round() as u64
    }
}

/// What only a window with more than [`MAX_KEYS`] keys needs.
#[derive(Debug)]
struct Spill {
    peers: Sketch,
    services: Sketch,
}

/// The keys of one open window.
#[derive(Debug, Default)]
pub(super) struct KeyTable {
    keys: Vec<KeyCount>,
    last: usize,
    index: Option<Box<[u16; INDEX_SLOTS]>>,
    spill: Option<Spill>,
    overflow_packets: u64,
}

#[inline]
fn digest(peer: Host, protocol: u8, port: u16) -> u64 {
    mix(peer.digest() ^ (u64::from(protocol) << 16 | u64::from(port)))
}

fn service_digest(protocol: u8, port: u16) -> u64 {
    mix(u64::from(protocol) << 16 | u64::from(port))
}

impl KeyTable {
    /// Counts a packet of a key.
    #[inline]
    pub(super) fn add(&mut self, peer: Host, protocol: u8, port: u16, received: bool) {
        // Packets come in bursts of one conversation: the last key is mostly the right one.
        if let Some(key) = self.keys.get_mut(self.last)
            && key.peer == peer
            && key.port == port
            && key.protocol == protocol
        {
            count(key, received);
            return;
        }
        self.add_other(peer, protocol, port, received);
    }

    fn add_other(&mut self, peer: Host, protocol: u8, port: u16, received: bool) {
        if let Some(place) = self.find(peer, protocol, port) {
            count(&mut self.keys[place], received);
            self.last = place;
        } else if self.keys.len() < MAX_KEYS {
            self.last = self.keys.len();
            let received = u32::from(received);
            self.keys.push(KeyCount { received, ..KeyCount::new(peer, protocol, port, 1) });
            self.index_last();
        } else {
            self.overflow(peer, protocol, port);
        }
    }

    /// Counts a connection attempt that stayed without answer; its packet was counted before.
    /// Attempts beyond the keys are only in the window's total.
    pub(super) fn add_failed(&mut self, peer: Host, protocol: u8, port: u16) {
        if let Some(place) = self.find(peer, protocol, port) {
            let key = &mut self.keys[place];
            key.failed = key.failed.saturating_add(1);
        }
    }

    fn find(&self, peer: Host, protocol: u8, port: u16) -> Option<usize> {
        if self.keys.len() <= LINEAR_KEYS {
            let same =
                |key: &KeyCount| key.peer == peer && key.port == port && key.protocol == protocol;
            self.keys.iter().position(same)
        } else {
            self.find_indexed(peer, protocol, port)
        }
    }

    fn find_indexed(&self, peer: Host, protocol: u8, port: u16) -> Option<usize> {
        let index = self.index.as_ref()?;
        let mut slot = digest(peer, protocol, port) as usize % INDEX_SLOTS;
        loop {
            let place = usize::from(index[slot]);
            let key = self.keys.get(place)?;
            if key.peer == peer && key.port == port && key.protocol == protocol {
                return Some(place);
            }
            slot = (slot + 1) % INDEX_SLOTS;
        }
    }

    fn index_last(&mut self) {
        if self.keys.len() <= LINEAR_KEYS {
            return;
        }
        let from = if self.index.is_none() { 0 } else { self.keys.len() - 1 };
        let index = self.index.get_or_insert_with(|| Box::new([EMPTY; INDEX_SLOTS]));
        for (place, key) in self.keys.iter().enumerate().skip(from) {
            let mut slot = digest(key.peer, key.protocol, key.port) as usize % INDEX_SLOTS;
            while index[slot] != EMPTY {
                slot = (slot + 1) % INDEX_SLOTS;
            }
            index[slot] = place as u16;
        }
    }

    #[cold]
    fn overflow(&mut self, peer: Host, protocol: u8, port: u16) {
        self.overflow_packets = self.overflow_packets.saturating_add(1);
        let keys = &self.keys;
        let spill = self.spill.get_or_insert_with(|| {
            let mut spill = Spill { peers: Sketch::new(), services: Sketch::new() };
            for key in keys {
                spill.peers.insert(key.peer.digest());
                if key.has_service() {
                    spill.services.insert(service_digest(key.protocol, key.port));
                }
            }
            spill
        });
        spill.peers.insert(peer.digest());
        if KeyCount::new(peer, protocol, port, 1).has_service() {
            spill.services.insert(service_digest(protocol, port));
        }
    }

    /// Distinct peers: exact up to [`MAX_KEYS`] keys, estimated beyond.
    pub(super) fn peers(&self, scratch: &mut Vec<u64>) -> u64 {
        if let Some(spill) = &self.spill {
            return spill.peers.estimate();
        }
        scratch.clear();
        scratch.extend(self.keys.iter().map(|key| key.peer.digest()));
        distinct(scratch)
    }

    /// Distinct (protocol, service port) pairs of TCP and UDP.
    pub(super) fn services(&self, scratch: &mut Vec<u64>) -> u64 {
        if let Some(spill) = &self.spill {
            return spill.services.estimate();
        }
        scratch.clear();
        scratch.extend(
            self.keys
                .iter()
                .filter(|key| key.has_service())
                .map(|key| u64::from(key.protocol) << 16 | u64::from(key.port)),
        );
        distinct(scratch)
    }

    /// The most service ports of TCP and UDP that one peer was talked to on, and the most peers that
    /// were talked to on one of them. Exact among the kept keys.
    pub(super) fn spread(&self, scratch: &mut Vec<u64>) -> (u64, u64) {
        let services = || self.keys.iter().filter(|key| key.has_service());
        scratch.clear();
        scratch.extend(services().map(|key| key.peer.digest()));
        let ports = longest_run(scratch);
        scratch.clear();
        scratch.extend(services().map(|key| u64::from(key.protocol) << 16 | u64::from(key.port)));
        (ports, longest_run(scratch))
    }

    /// UDP packets sent beyond those that came back, added up over the keys.
    pub(super) fn unanswered(&self) -> u64 {
        self.keys.iter().map(|key| u64::from(key.unanswered())).sum()
    }

    /// Gives the keys away and empties the table; `fresh` becomes its storage.
    pub(super) fn take(&mut self, fresh: Vec<KeyCount>) -> (Vec<KeyCount>, u64) {
        self.last = 0;
        self.index = None;
        self.spill = None;
        (std::mem::replace(&mut self.keys, fresh), std::mem::take(&mut self.overflow_packets))
    }
}

#[inline]
fn count(key: &mut KeyCount, received: bool) {
    key.packets = key.packets.saturating_add(1);
    key.received = key.received.saturating_add(u32::from(received));
}

/// How often the most frequent value occurs.
fn longest_run(values: &mut [u64]) -> u64 {
    match values {
        [] => 0,
        [_] => 1,
        [a, b] => 1 + u64::from(a == b),
        _ => {
            values.sort_unstable();
            values.chunk_by(|a, b| a == b).map(|run| run.len() as u64).max().unwrap_or(0)
        }
    }
}

fn distinct(values: &mut Vec<u64>) -> u64 {
    match values.as_slice() {
        [] => 0,
        [_] => 1,
        [a, b] => 1 + u64::from(a != b),
        _ => {
            values.sort_unstable();
            values.dedup();
            values.len() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use proptest::prelude::*;

    fn host(number: u32) -> Host {
        Host::v4(number.into())
    }

    proptest! {
        #[test]
        fn small_tables_are_exact(stream in proptest::collection::vec((0_u32..12, 0_u16..6), 0..600)) {
            let mut table = KeyTable::default();
            let mut truth = BTreeMap::new();
            for (peer, port) in &stream {
                table.add(host(*peer), 6, *port, false);
                *truth.entry((host(*peer), *port)).or_insert(0_u32) += 1;
            }
            let mut scratch = Vec::new();
            let peers: BTreeSet<_> = stream.iter().map(|(peer, _)| peer).collect();
            let ports: BTreeSet<_> = stream.iter().map(|(_, port)| port).collect();
            prop_assert_eq!(table.peers(&mut scratch), peers.len() as u64);
            prop_assert_eq!(table.services(&mut scratch), ports.len() as u64);
            let (keys, overflow) = table.take(Vec::new());
            prop_assert_eq!(overflow, 0);
            prop_assert_eq!(keys.len(), truth.len());
            for key in keys {
                prop_assert_eq!(truth.get(&(key.peer, key.port)), Some(&key.packets));
            }
        }
    }

    #[test]
    fn a_sweep_is_counted_and_stays_bounded() {
        let mut table = KeyTable::default();
        for number in 0..5_000_u32 {
            table.add(host(number), 6, (number % 3_000) as u16, false);
        }
        let mut scratch = Vec::new();
        let (peers, services) =
            (table.peers(&mut scratch) as f64, table.services(&mut scratch) as f64);
        assert!((peers / 5_000.0 - 1.0).abs() < 0.03, "{peers}");
        assert!((services / 3_000.0 - 1.0).abs() < 0.03, "{services}");
        let (keys, overflow) = table.take(Vec::new());
        assert_eq!((keys.len(), overflow), (MAX_KEYS, 5_000 - MAX_KEYS as u64));
        assert_eq!(table.peers(&mut scratch), 0);
    }
}
