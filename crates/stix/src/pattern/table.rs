//! One part of the index: a hash table of slots that hold all there is to know of a value in sixteen bytes, so that a
//! hit touches one place in memory. The value itself is not kept: a slot knows it by 92 bits of two hashes.
//!
//! Two values share them with a chance of 2^-92: among a million values, a wrong answer is expected once in
//! 5 * 10^21 look-ups. 64 of the bits are SipHash under a key of this process, so nobody can choose values that do.

use std::collections::HashSet;

use super::index::Handle;

/// What a value is known by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Print {
    /// Six bits choose the shard, 22 stand in the slot.
    pub(super) hash: u64,
    /// Stands in the slot whole and chooses it.
    pub(super) wide: u64,
}

/// From the highest bit: two of what the slot holds, 22 of the hash, 40 of a handle or of the place of a list.
#[derive(Clone, Copy, Debug)]
struct Slot {
    wide: u64,
    rest: u64,
}

const FREE: Slot = Slot { wide: 0, rest: 0 };
const NUMBER_BITS: u32 = 40;
const NUMBER: u64 = (1 << NUMBER_BITS) - 1;
const HASH_BITS: u64 = ((1 << 22) - 1) << NUMBER_BITS;

/// No pattern names the value any more; the slot is used again when the table grows.
const GONE: u64 = 1 << 62;
/// One pattern, its number in the slot.
const ONE: u64 = 2 << 62;
/// Several, or a number too large for the slot.
const LIST: u64 = 3 << 62;
const HOLDS: u64 = 3 << 62;

/// Slots that are taken are at most four in five, and two in three when the table was made anew.
const MOST_TAKEN: (usize, usize) = (4, 5);

/// Patterns of one value that are looked through one by one; more are hashed.
const MAX_WALKED: usize = 64;

#[derive(Debug)]
enum List {
    Few(Vec<Handle>),
    Many(HashSet<Handle>),
}

impl List {
    fn insert(&mut self, handle: Handle) -> bool {
        match self {
            Self::Few(handles) if handles.contains(&handle) => false,
            Self::Few(handles) if handles.len() < MAX_WALKED => {
                handles.push(handle);
                true
            }
            Self::Few(handles) => {
                let mut many: HashSet<Handle> = handles.drain(..).collect();
                let is_new = many.insert(handle);
                *self = Self::Many(many);
                is_new
            }
            Self::Many(handles) => handles.insert(handle),
        }
    }

    fn remove(&mut self, handle: Handle) -> bool {
        match self {
            Self::Few(handles) => {
                let at = handles.iter().position(|held| *held == handle);
                at.map(|at| handles.swap_remove(at)).is_some()
            }
            Self::Many(handles) => handles.remove(&handle),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Few(handles) => handles.is_empty(),
            Self::Many(handles) => handles.is_empty(),
        }
    }

    fn each(&self, each: &mut impl FnMut(Handle)) {
        match self {
            Self::Few(handles) => handles.iter().copied().for_each(each),
            Self::Many(handles) => handles.iter().copied().for_each(each),
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Few(handles) => handles.capacity() * size_of::<Handle>(),
                Self::Many(handles) => handles.capacity() * (size_of::<Handle>() + 1) * 8 / 7,
            }
    }
}

/// One part of the table.
#[derive(Debug, Default)]
pub(super) struct Shard {
    slots: Vec<Slot>,
    lists: Vec<List>,
    /// Places of lists that are not in use.
    spare: Vec<usize>,
    /// Slots that are not free.
    used: usize,
    /// Pairs of value and pattern.
    living: usize,
}

impl Shard {
    /// The slot of a value, or the free one where it belongs. The table has slots.
    fn find(&self, print: Print) -> usize {
        let bits = hash_bits(print);
        let mut at = place(print.wide, self.slots.len());
        loop {
            let slot = self.slots[at];
            if slot.rest == 0 || (slot.wide == print.wide && slot.rest & HASH_BITS == bits) {
                return at;
            }
            at = after(at, self.slots.len());
        }
    }

    /// Reads the slot where the search for a value begins, so that it is near when it is asked for.
    pub(super) fn touch(&self, print: Print) -> u64 {
        self.slots.get(place(print.wide, self.slots.len())).map_or(0, |slot| slot.rest)
    }

    /// Calls `each` with every pattern that names the value.
    pub(super) fn lookup(&self, print: Print, each: &mut impl FnMut(Handle)) {
        if self.slots.is_empty() {
            return;
        }
        let rest = self.slots[self.find(print)].rest;
        match rest & HOLDS {
            ONE => each(rest & NUMBER),
            LIST => {
                if let Some(list) = self.list(rest) {
                    list.each(each);
                }
            }
            _ => {}
        }
    }

    /// False when the shard holds as much as it can address.
    pub(super) fn insert(&mut self, print: Print, handle: Handle) -> bool {
        if (self.used + 1) * MOST_TAKEN.1 > self.slots.len() * MOST_TAKEN.0 {
            self.rebuild();
        }
        let at = self.find(print);
        let rest = self.slots[at].rest;
        let holds = match rest & HOLDS {
            ONE if rest & NUMBER == handle => return true,
            ONE => self.new_list(vec![rest & NUMBER, handle]),
            LIST => {
                let is_new = self.list_mut(rest).is_some_and(|list| list.insert(handle));
                self.living += usize::from(is_new);
                return true;
            }
            _ if handle <= NUMBER => Some(ONE | handle),
            _ => self.new_list(vec![handle]),
        };
        let Some(holds) = holds else { return false };
        self.used += usize::from(rest == 0);
        self.living += 1;
        self.slots[at] = Slot { wide: print.wide, rest: holds | hash_bits(print) };
        true
    }

    /// False when the pattern did not name the value.
    pub(super) fn remove(&mut self, print: Print, handle: Handle) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let at = self.find(print);
        let rest = self.slots[at].rest;
        let left = match rest & HOLDS {
            ONE if rest & NUMBER == handle => false,
            LIST => {
                let Some(list) = self.list_mut(rest) else { return false };
                if !list.remove(handle) {
                    return false;
                }
                !list.is_empty()
            }
            _ => return false,
        };
        self.living -= 1;
        if !left {
            if rest & HOLDS == LIST {
                self.spare.push(list_place(rest));
            }
            self.slots[at].rest = GONE | rest & HASH_BITS;
        }
        true
    }

    fn new_list(&mut self, handles: Vec<Handle>) -> Option<u64> {
        let at = self.spare.pop().unwrap_or(self.lists.len());
        let number = u64::try_from(at).ok().filter(|number| *number <= NUMBER)?;
        match self.lists.get_mut(at) {
            Some(list) => *list = List::Few(handles),
            None => self.lists.push(List::Few(handles)),
        }
        Some(LIST | number)
    }

    fn list(&self, rest: u64) -> Option<&List> {
        self.lists.get(list_place(rest))
    }

    fn list_mut(&mut self, rest: u64) -> Option<&mut List> {
        self.lists.get_mut(list_place(rest))
    }

    /// Makes the slots anew with room to grow; what is gone is let go.
    fn rebuild(&mut self) {
        let is_held = |slot: &&Slot| matches!(slot.rest & HOLDS, ONE | LIST);
        let held = self.slots.iter().filter(is_held).count();
        let room = held * 3 / 2 + 8;
        let old = std::mem::replace(&mut self.slots, vec![FREE; room]);
        for slot in old.iter().filter(is_held) {
            let mut at = place(slot.wide, room);
            while self.slots[at].rest != 0 {
                at = after(at, room);
            }
            self.slots[at] = *slot;
        }
        self.used = held;
    }

    /// Pairs of value and pattern held.
    pub(super) const fn living(&self) -> usize {
        self.living
    }

    pub(super) fn bytes(&self) -> usize {
        let lists: usize = self.lists.iter().map(List::bytes).sum();
        self.slots.capacity() * size_of::<Slot>()
            + lists
            + self.spare.capacity() * size_of::<usize>()
    }
}

const fn hash_bits(print: Print) -> u64 {
    (print.hash << 32) & HASH_BITS
}

/// The upper half of the hash chooses, in proportion: a table need not double to grow.
#[allow(clippy::cast_possible_truncation)]
const fn place(wide: u64, slots: usize) -> usize {
    (((wide >> 32) * slots as u64) >> 32) as usize
}

const fn after(at: usize, slots: usize) -> usize {
    if at + 1 == slots { 0 } else { at + 1 }
}

fn list_place(rest: u64) -> usize {
    usize::try_from(rest & NUMBER).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(shard: &Shard, print: Print) -> Vec<Handle> {
        let mut found = Vec::new();
        shard.lookup(print, &mut |handle| found.push(handle));
        found.sort_unstable();
        found
    }

    /// Prints that begin their search at one slot, or differ in the smaller hash alone, stay apart.
    #[test]
    fn values_that_nearly_share_their_bits_stay_apart() {
        let mut shard = Shard::default();
        let prints: Vec<Print> = (0..200)
            .map(|n| Print { hash: n << 8, wide: 0x00ff_0000_0000_0010 | (n % 4) })
            .collect();
        for (print, handle) in prints.iter().zip(0..) {
            assert!(shard.insert(*print, handle));
        }
        for (print, handle) in prints.iter().zip(0..) {
            assert_eq!(found(&shard, *print), [handle]);
        }
        for (print, handle) in prints.iter().zip(0..).step_by(2) {
            assert!(shard.remove(*print, handle) && !shard.remove(*print, handle));
        }
        for (at, print) in prints.iter().enumerate() {
            assert_eq!(found(&shard, *print).len(), at % 2, "{at}");
        }
        assert_eq!(shard.living(), 100);
    }

    /// One value that many patterns name, with numbers beyond what a slot holds.
    #[test]
    fn a_value_has_as_many_patterns_as_name_it() {
        let mut shard = Shard::default();
        let print = Print { hash: 7, wide: 7 };
        let handles: Vec<Handle> = (0..300).map(|n| u64::MAX - n).chain(0..300).collect();
        for handle in handles.iter().chain(&handles) {
            assert!(shard.insert(print, *handle));
        }
        assert_eq!((found(&shard, print).len(), shard.living()), (600, 600));
        for handle in &handles[1..] {
            assert!(shard.remove(print, *handle));
        }
        assert_eq!(found(&shard, print), [u64::MAX]);
        assert!(shard.remove(print, u64::MAX));
        assert_eq!((found(&shard, print), shard.living()), (vec![], 0));
    }

    /// Coming and going for ever takes no more room than what is there.
    #[test]
    fn what_goes_leaves_its_room_to_what_comes() {
        let mut shard = Shard::default();
        let print = |n: u64| Print { hash: n, wide: n.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
        for n in 0..100_000 {
            assert!(shard.insert(print(n), n) && shard.insert(print(n), n + 1));
            if n >= 100 {
                assert!(
                    shard.remove(print(n - 100), n - 100) && shard.remove(print(n - 100), n - 99)
                );
            }
        }
        assert_eq!(shard.living(), 200);
        assert!(shard.bytes() < 64 * 1024, "{}", shard.bytes());
    }
}
