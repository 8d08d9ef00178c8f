//! Keys of the index: what a value under a path, or a range under it, is known by.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::DefaultHashBuilder;

use super::compare::Range;
use super::table::Print;

/// Bits of a hash that choose the shard.
const SHARD_BITS: u64 = 0x3f;

/// Seeds of this process: who sends indicators cannot choose values that collide.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    quick: DefaultHashBuilder,
    /// SipHash under a key from the system: its 64 bits say which value it is, so they must not be guessed.
    wide: RandomState,
}

/// What a key stands for; mixed into the path, so that a text and a range are never the same key.
#[derive(Clone, Copy)]
enum Form {
    Text = 0,
    Range = 1,
}

/// A key: only its hashes.
#[derive(Clone, Copy)]
pub(super) struct Key(Print);

impl Key {
    /// The key of a text under a path. A pattern compares texts, so an address is the text that it is written as.
    #[inline]
    pub(super) fn of_text(seeds: &Seeds, path: &str, value: &str) -> Self {
        Self::new(seeds, path, Form::Text, value.as_bytes())
    }

    /// The key of all addresses in a range under a path.
    pub(super) fn of_range(seeds: &Seeds, path: &str, range: Range) -> Self {
        let range = range.network();
        let mut value = [0; 18];
        value[..16].copy_from_slice(&range.bits.to_be_bytes());
        value[16] = u8::try_from(range.prefix).unwrap_or(u8::MAX);
        value[17] = u8::try_from(range.width).unwrap_or(u8::MAX);
        Self::new(seeds, path, Form::Range, &value)
    }

    #[inline]
    fn new(seeds: &Seeds, path: &str, form: Form, value: &[u8]) -> Self {
        let mixed = (form as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let head = seeds.quick.hash_one(path.as_bytes()) ^ mixed;
        let (mut quick, mut wide) = (seeds.quick.build_hasher(), seeds.wide.build_hasher());
        quick.write_u64(head);
        quick.write(value);
        wide.write_u64(head);
        wide.write(value);
        Self(Print { hash: quick.finish(), wide: wide.finish() })
    }

    pub(super) const fn hash(self) -> u64 {
        self.0.hash
    }

    pub(super) const fn print(self) -> Print {
        self.0
    }

    pub(super) fn shard(self) -> usize {
        usize::try_from(self.0.hash & SHARD_BITS).unwrap_or(0)
    }
}

/// Lengths of prefixes in use, so that a look-up asks for no others. A length stays once it was used.
#[derive(Debug)]
pub(super) struct Prefixes {
    any: AtomicBool,
    v4: [AtomicBool; 33],
    v6: [AtomicBool; 129],
}

impl Default for Prefixes {
    fn default() -> Self {
        let unused = |_| AtomicBool::new(false);
        Self {
            any: AtomicBool::new(false),
            v4: std::array::from_fn(unused),
            v6: std::array::from_fn(unused),
        }
    }
}

impl Prefixes {
    pub(super) fn add(&self, range: Range) {
        if let Some(used) = self.of(range.width).get(range.prefix as usize) {
            used.store(true, Ordering::Release);
        }
        self.any.store(true, Ordering::Release);
    }

    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Calls `each` with the ranges of lengths in use that hold this one.
    pub(super) fn around(&self, range: Range, each: &mut dyn FnMut(Range)) {
        for (prefix, used) in (0..=range.prefix).zip(self.of(range.width)) {
            if used.load(Ordering::Acquire) {
                each(Range { prefix, ..range });
            }
        }
    }

    fn of(&self, width: u32) -> &[AtomicBool] {
        if width == 32 { &self.v4 } else { &self.v6 }
    }
}
