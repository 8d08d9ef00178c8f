//! The numbers exporters give what they send: what is missing, late, or begins anew.

use std::collections::HashMap;
use std::net::IpAddr;

/// Exporters whose numbers are followed; of further ones nothing is known about losses.
pub const MAX_EXPORTERS: usize = 4_096;
/// A step ahead by more is no loss but another count.
const MOST_LOST: u32 = 1 << 24;
/// A step back by no more is a datagram that was overtaken.
const MOST_OVERTAKEN: u32 = 1 << 12;
/// An exporter that starts again begins with one of these.
const FIRST_NUMBERS: std::ops::RangeInclusive<u32> = 0..=1;

/// An exporter's address and its observation domain, source or engine.
pub(super) type Source = (IpAddr, u32);

/// How a number follows those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The first of its source, or the one expected.
    Expected,
    /// So many are missing before it.
    Missing(u32),
    /// It was overtaken, and counted as missing.
    Overtaken,
    /// The exporter counts anew.
    Restart,
    /// Too many sources: not followed.
    Unfollowed,
}

#[derive(Debug, Default)]
pub(super) struct Sequences {
    next: HashMap<Source, u32>,
}

impl Sequences {
    /// How `number` follows what `source` sent before.
    pub(super) fn step(&self, source: Source, number: u32) -> Step {
        let Some(expected) = self.next.get(&source) else {
            let full = self.next.len() >= MAX_EXPORTERS;
            return if full { Step::Unfollowed } else { Step::Expected };
        };
        let (ahead, back) = (number.wrapping_sub(*expected), expected.wrapping_sub(number));
        if ahead == 0 {
            Step::Expected
        } else if ahead < MOST_LOST {
            Step::Missing(ahead)
        } else if back <= MOST_OVERTAKEN && !FIRST_NUMBERS.contains(&number) {
            Step::Overtaken
        } else {
            Step::Restart
        }
    }

    /// The next number to expect.
    pub(super) fn expect(&mut self, source: Source, next: u32) {
        self.next.insert(source, next);
    }
}
