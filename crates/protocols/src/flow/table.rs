//! Conversations by key, bounded; two lists tell which ones have been silent longest.

use hashbrown::HashTable;

use super::conversation::Conversation;
use super::key::Key;
use crate::app::Carrier;

/// No neighbour.
const NONE: u32 = u32::MAX;
/// A list makes room first while it holds more than one in this many places.
const SHARE: usize = 4;

/// Lists by silence, in the order in which they make room: conversations of which no message was
/// read yet, datagrams, connections. Floods of packets that mean nothing, or of questions that cost
/// nothing, thus push out each other, not the connections that are read.
const UNPROVEN: usize = 0;
const DATAGRAMS: usize = 1;
const CONNECTIONS: usize = 2;
const LISTS: usize = 3;

#[derive(Debug, Clone, Copy)]
struct Links {
    newer: u32,
    older: u32,
    list: u8,
}

#[derive(Debug, Clone, Copy)]
struct List {
    newest: u32,
    oldest: u32,
    count: usize,
}

#[derive(Debug)]
pub(super) struct Table {
    index: HashTable<u32>,
    slots: Vec<Conversation>,
    links: Vec<Links>,
    lists: [List; LISTS],
    free: Vec<u32>,
    capacity: usize,
    seed: u64,
    last: u32,
}

impl Table {
    pub(super) fn new(capacity: usize, seed: u64) -> Self {
        let list = List { newest: NONE, oldest: NONE, count: 0 };
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            links: Vec::new(),
            lists: [list; LISTS],
            free: Vec::new(),
            capacity: capacity.clamp(1, NONE as usize - 1),
            seed,
            last: NONE,
        }
    }

    /// Number of conversations.
    pub(super) fn len(&self) -> usize {
        self.lists.iter().map(|list| list.count).sum()
    }

    #[inline]
    pub(super) fn get(&mut self, slot: u32) -> &mut Conversation {
        &mut self.slots[slot as usize]
    }

    /// The slot of a key.
    #[inline]
    pub(super) fn find(&mut self, key: &Key) -> Option<u32> {
        if self.slots.get(self.last as usize).is_some_and(|slot| slot.live && slot.key == *key) {
            return Some(self.last);
        }
        let slots = &self.slots;
        let found =
            *self.index.find(key.hash(self.seed), |slot| slots[*slot as usize].key == *key)?;
        self.last = found;
        Some(found)
    }

    /// The conversation that must be closed before another can be taken in, if one must.
    pub(super) fn victim(&self) -> Option<u32> {
        if self.len() < self.capacity {
            return None;
        }
        let crowded = self.lists.iter().find(|list| list.count * SHARE > self.capacity);
        let first = crowded.or_else(|| self.lists.iter().find(|list| list.count > 0));
        first.map(|list| list.oldest)
    }

    /// A conversation silent since before a time.
    pub(super) fn silent_since(&self, before_ns: i64) -> Option<u32> {
        self.lists
            .iter()
            .map(|list| list.oldest)
            .find(|slot| *slot != NONE && self.slots[*slot as usize].last_ns < before_ns)
    }

    /// Any conversation, as long as there is one.
    pub(super) fn any(&self) -> Option<u32> {
        self.lists.iter().map(|list| list.oldest).find(|slot| *slot != NONE)
    }

    /// Takes in a conversation; the caller made room ([`Self::victim`]) and knows that it is new.
    pub(super) fn insert(&mut self, conversation: Conversation) -> u32 {
        let key = conversation.key;
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        let links = Links { newer: NONE, older: NONE, list: UNPROVEN as u8 };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = conversation;
        } else {
            self.slots.push(conversation);
            self.links.push(links);
        }
        let (slots, seed) = (&self.slots, self.seed);
        self.index.insert_unique(key.hash(seed), slot, |slot| slots[*slot as usize].key.hash(seed));
        self.link(slot, UNPROVEN);
        self.last = slot;
        slot
    }

    /// Takes a conversation out.
    pub(super) fn remove(&mut self, slot: u32) {
        let key = self.slots[slot as usize].key;
        if let Ok(entry) = self.index.find_entry(key.hash(self.seed), |other| *other == slot) {
            entry.remove();
        }
        self.unlink(slot);
        self.slots[slot as usize].live = false;
        self.free.push(slot);
    }

    /// Notes that a conversation spoke, and whether a message of it has been read by now.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        let conversation = &self.slots[slot as usize];
        let list = match conversation.key.carrier() {
            _ if !conversation.proven => UNPROVEN,
            Carrier::Udp => DATAGRAMS,
            Carrier::Tcp | Carrier::Link(_) => CONNECTIONS,
        };
        if self.lists[list].newest != slot {
            self.unlink(slot);
            self.link(slot, list);
        }
    }

    fn link(&mut self, slot: u32, list: usize) {
        let newest = self.lists[list].newest;
        self.links[slot as usize] = Links { newer: NONE, older: newest, list: list as u8 };
        match newest {
            NONE => self.lists[list].oldest = slot,
            other => self.links[other as usize].newer = slot,
        }
        self.lists[list].newest = slot;
        self.lists[list].count += 1;
    }

    fn unlink(&mut self, slot: u32) {
        let Links { newer, older, list } = self.links[slot as usize];
        let list = &mut self.lists[usize::from(list)];
        list.count -= 1;
        match newer {
            NONE => list.newest = older,
            other => self.links[other as usize].older = older,
        }
        match older {
            NONE => list.oldest = newer,
            other => self.links[other as usize].newer = newer,
        }
    }
}
