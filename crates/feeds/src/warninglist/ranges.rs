//! Networks that nest, cut into disjoint ranges, so that one binary search answers for all lists.

use std::collections::BTreeSet;

use super::matcher::Sets;

/// A network: first address, last address, list.
pub(super) struct Net<T> {
    pub(super) first: T,
    pub(super) last: T,
    pub(super) list: u16,
}

/// Starts of ranges in order, and the set of lists from there to the next start.
pub(super) struct Ranges<T> {
    starts: Vec<T>,
    sets: Vec<u32>,
}

impl<T: Copy + Ord> Ranges<T> {
    /// `after` gives the next address, `None` behind the last one.
    pub(super) fn new(mut nets: Vec<Net<T>>, sets: &mut Sets, after: fn(T) -> Option<T>) -> Self {
        nets.sort_by(|a, b| a.first.cmp(&b.first).then(b.last.cmp(&a.last)));
        let mut ranges = Self { starts: Vec::new(), sets: Vec::new() };
        // Networks nest or are disjoint: a stack holds those around the current place.
        let mut open: Vec<(T, u16)> = Vec::new();
        for net in nets {
            ranges.close(&mut open, Some(net.first), sets, after);
            open.push((net.last, net.list));
            ranges.mark(net.first, &open, sets);
        }
        ranges.close(&mut open, None, sets, after);
        ranges
    }

    /// Ends the networks that end before `until`.
    fn close(
        &mut self,
        open: &mut Vec<(T, u16)>,
        until: Option<T>,
        sets: &mut Sets,
        after: fn(T) -> Option<T>,
    ) {
        while let Some((last, _)) = open.last().copied() {
            if until.is_some_and(|until| until <= last) {
                return;
            }
            open.pop();
            if let Some(next) = after(last) {
                self.mark(next, open, sets);
            }
        }
    }

    fn mark(&mut self, start: T, open: &[(T, u16)], sets: &mut Sets) {
        let lists: BTreeSet<u16> = open.iter().map(|(_, list)| *list).collect();
        let set = sets.intern(lists.into_iter().collect());
        match self.starts.last() {
            Some(last) if *last == start => {
                if let Some(place) = self.sets.last_mut() {
                    *place = set;
                }
            }
            _ => {
                self.starts.push(start);
                self.sets.push(set);
            }
        }
    }

    /// The set of an address; 0 is the empty one.
    pub(super) fn get(&self, address: T) -> u32 {
        match self.starts.partition_point(|start| *start <= address) {
            0 => 0,
            at => self.sets[at - 1],
        }
    }

    /// The lists that hold all addresses from `first` to `last`: what begins in between holds at
    /// most a part.
    pub(super) fn get_all(&self, first: T, last: T, sets: &Sets) -> Vec<u16> {
        let from = self.starts.partition_point(|start| *start <= first);
        let to = self.starts.partition_point(|start| *start <= last);
        let mut lists = sets.get(self.get(first)).to_vec();
        for set in &self.sets[from..to] {
            if lists.is_empty() {
                break;
            }
            lists.retain(|list| sets.get(*set).contains(list));
        }
        lists
    }

    pub(super) fn bytes(&self) -> usize {
        self.starts.len() * (size_of::<T>() + 4)
    }
}
