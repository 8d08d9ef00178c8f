//! One part of the index: a hash table whose records stand with their keys in an arena.

use std::collections::HashMap;

use super::index::Handle;

/// No record.
pub(super) const EMPTY: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    fingerprint: u32,
    /// Where the record stands in the arena.
    pub(super) record: u32,
}

const FREE: Slot = Slot { fingerprint: 0, record: EMPTY };

/// Before each key in the arena: the next record of the same value, the length of the key, the handle.
const HEAD_BYTES: usize = 4 + 2 + 8;
/// Records of one value that are looked through one by one; of a value with more it is remembered where each stands.
const MAX_WALKED: usize = 64;
/// Set in the length when no pattern names the value any more.
const DEAD: u16 = 0x8000;

/// One part of the table.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) slots: Vec<Slot>,
    /// Records: head and key together, so that a hit touches one place.
    arena: Vec<u8>,
    /// Distinct values, each with a slot.
    used: usize,
    records: usize,
    dead: usize,
    /// Where the records of a value stand that very many patterns name: else holding one more of them would look
    /// through all.
    crowds: HashMap<Box<[u8]>, HashMap<Handle, u32>>,
}

/// A record as it is read.
pub(super) struct Record<'a> {
    pub(super) next: u32,
    pub(super) dead: bool,
    pub(super) handle: Handle,
    key: &'a [u8],
}

impl Shard {
    pub(super) fn record(&self, at: u32) -> Record<'_> {
        let head = &self.arena[at as usize..];
        let number = |from: usize| [head[from], head[from + 1], head[from + 2], head[from + 3]];
        let length = u16::from_le_bytes([head[4], head[5]]);
        let (low, high) = (u32::from_le_bytes(number(6)), u32::from_le_bytes(number(10)));
        Record {
            next: u32::from_le_bytes(number(0)),
            dead: length & DEAD != 0,
            handle: u64::from(high) << 32 | u64::from(low),
            key: &head[HEAD_BYTES..HEAD_BYTES + usize::from(length & !DEAD)],
        }
    }

    fn mark(&mut self, at: u32, dead: bool) {
        let high = &mut self.arena[at as usize + 5];
        *high = if dead { *high | 0x80 } else { *high & 0x7f };
        if dead { self.dead += 1 } else { self.dead -= 1 }
    }

    /// The slot of a key, or the free one where it belongs.
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let fingerprint = print(hash);
        let mut at = usize::try_from(hash >> 8).unwrap_or(usize::MAX) & mask;
        loop {
            let slot = self.slots[at];
            if slot.record == EMPTY {
                return at;
            }
            if slot.fingerprint == fingerprint && self.record(slot.record).key == key {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    /// Where a key most likely stands: the record of the first slot with its fingerprint. Looks at no record.
    pub(super) fn likely(&self, hash: u64) -> u32 {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = usize::try_from(hash >> 8).unwrap_or(usize::MAX) & mask;
        while let Some(slot) = self.slots.get(at) {
            if slot.record == EMPTY || slot.fingerprint == print(hash) {
                return slot.record;
            }
            at = (at + 1) & mask;
        }
        EMPTY
    }

    /// Reads a byte of a record, so that it is near when it is asked for.
    pub(super) fn touch(&self, record: u32) -> u8 {
        self.arena.get(record as usize).copied().unwrap_or(0)
    }

    /// The record of a key under a handle, dead or not.
    fn held(&mut self, first: u32, key: &[u8], handle: Handle) -> Option<(u32, bool)> {
        if let Some(crowd) = self.crowds.get(key) {
            return crowd.get(&handle).map(|at| (*at, self.record(*at).dead));
        }
        let mut at = first;
        for _ in 0..MAX_WALKED {
            if at == EMPTY {
                return None;
            }
            let record = self.record(at);
            if record.handle == handle {
                return Some((at, record.dead));
            }
            at = record.next;
        }
        let mut crowd = HashMap::new();
        let mut at = first;
        while at != EMPTY {
            let record = self.record(at);
            crowd.insert(record.handle, at);
            at = record.next;
        }
        let found = crowd.get(&handle).map(|at| (*at, self.record(*at).dead));
        self.crowds.insert(key.into(), crowd);
        found
    }

    /// False when the shard holds as much as it can address.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        key: &[u8],
        handle: Handle,
        rehash: &dyn Fn(&[u8]) -> u64,
    ) -> bool {
        if self.arena.len() + HEAD_BYTES + key.len() >= EMPTY as usize {
            return false;
        }
        // At most seven slots in eight are taken.
        if (self.used + 1) * 8 > self.slots.len() * 7 {
            self.rebuild(rehash);
        }
        let slot = self.find(hash, key);
        let first = self.slots[slot].record;
        if let Some((at, dead)) = self.held(first, key, handle) {
            if dead {
                self.mark(at, false);
            }
            return true;
        }
        let at = u32::try_from(self.arena.len()).unwrap_or(EMPTY);
        let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        // Doubling would waste half of the memory of a large table.
        let more = HEAD_BYTES + key.len();
        if self.arena.capacity() - self.arena.len() < more {
            self.arena.reserve_exact(more + self.arena.len() / 8);
        }
        self.arena.extend_from_slice(&first.to_le_bytes());
        self.arena.extend_from_slice(&length.to_le_bytes());
        self.arena.extend_from_slice(&handle.to_le_bytes());
        self.arena.extend_from_slice(key);
        if let Some(crowd) = self.crowds.get_mut(key) {
            crowd.insert(handle, at);
        }
        self.used += usize::from(first == EMPTY);
        self.records += 1;
        self.slots[slot] = Slot { fingerprint: print(hash), record: at };
        true
    }

    pub(super) fn remove(&mut self, hash: u64, key: &[u8], handle: Handle) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let first = self.slots[self.find(hash, key)].record;
        match self.held(first, key, handle) {
            Some((at, false)) => {
                self.mark(at, true);
                true
            }
            _ => false,
        }
    }

    /// Makes the table anew with room to grow; what is dead is let go.
    fn rebuild(&mut self, rehash: &dyn Fn(&[u8]) -> u64) {
        let living = self.records - self.dead;
        let room = (living * 8 / 7 + 8).next_power_of_two();
        // A table that would be nearly full at once is doubled.
        let room = if living * 4 > room * 3 { room * 2 } else { room };
        let old = std::mem::take(self);
        self.slots = vec![FREE; room];
        self.arena.reserve_exact(old.arena.len());
        let mut at = 0;
        while at < old.arena.len() {
            let record = old.record(u32::try_from(at).unwrap_or(EMPTY));
            at += HEAD_BYTES + record.key.len();
            if !record.dead {
                self.insert(rehash(record.key), record.key, record.handle, rehash);
            }
        }
    }

    /// Records that are not let go.
    pub(super) const fn living(&self) -> usize {
        self.records - self.dead
    }

    pub(super) fn bytes(&self) -> usize {
        let crowded: usize = self.crowds.values().map(HashMap::capacity).sum();
        let crowds = crowded * (size_of::<(Handle, u32)>() + 1);
        self.slots.capacity() * size_of::<Slot>() + self.arena.capacity() + crowds
    }
}

/// The lower half of a hash; the rest chooses shard and slot.
#[allow(clippy::cast_possible_truncation)]
const fn print(hash: u64) -> u32 {
    (hash >> 32) as u32
}
