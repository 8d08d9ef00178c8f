//! Keys of the index: eight bytes for the path, then the value in its shortest form.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::DefaultHashBuilder;

use super::compare::Range;
use super::table::Print;

/// Longest key looked up; patterns with longer values are evaluated.
pub(super) const MAX_BYTES: usize = 32_767;
/// Keys up to here need no allocation.
const ROOM: usize = 136;
/// Bits of a hash that choose the shard.
const SHARD_BITS: u64 = 0x3f;

/// Seeds of this process: who sends indicators cannot choose values that collide.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    path: DefaultHashBuilder,
    /// SipHash under a key from the system: its 64 bits say which value it is, so they must not be guessed.
    wide: RandomState,
}

impl Seeds {
    fn print(&self, key: &[u8]) -> Print {
        Print { hash: self.path.hash_one(key), wide: self.wide.hash_one(key) }
    }
}

/// How the value of a key is written; mixed into the path, so that no two forms are ever the same key.
#[derive(Clone, Copy)]
enum Form {
    Text = 0,
    Address = 1,
    Digits = 2,
    Range = 3,
}

/// A key with its hash.
pub(super) struct Key {
    room: [u8; ROOM],
    length: usize,
    long: Option<Vec<u8>>,
    print: Print,
}

impl Key {
    /// The key of a text under a path.
    #[inline]
    pub(super) fn of_text(seeds: &Seeds, path: &str, value: &str) -> Self {
        let mut key = Self { room: [0; ROOM], length: 0, long: None, print: Print::default() };
        let address = if path.starts_with("ipv") { value.parse::<IpAddr>().ok() } else { None };
        match address {
            // Only the usual spelling is the same as its bits: a pattern compares texts.
            Some(IpAddr::V4(v4)) => key.write(seeds, path, Form::Address, &v4.octets()),
            Some(IpAddr::V6(v6)) if v6.to_string() == value => {
                key.write(seeds, path, Form::Address, &v6.octets());
            }
            None if path.contains("hashes.") && is_packed(value) => key.pack(seeds, path, value),
            _ => key.write(seeds, path, Form::Text, value.as_bytes()),
        }
        key.print = seeds.print(key.bytes());
        key
    }

    /// The key of all addresses in a range under a path.
    pub(super) fn of_range(seeds: &Seeds, path: &str, range: Range) -> Self {
        let mut key = Self { room: [0; ROOM], length: 0, long: None, print: Print::default() };
        let range = range.network();
        let mut value = [0; 18];
        value[..16].copy_from_slice(&range.bits.to_be_bytes());
        value[16] = u8::try_from(range.prefix).unwrap_or(u8::MAX);
        value[17] = u8::try_from(range.width).unwrap_or(u8::MAX);
        key.write(seeds, path, Form::Range, &value);
        key.print = seeds.print(key.bytes());
        key
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match &self.long {
            Some(long) => long,
            None => &self.room[..self.length],
        }
    }

    pub(super) const fn hash(&self) -> u64 {
        self.print.hash
    }

    pub(super) const fn print(&self) -> Print {
        self.print
    }

    pub(super) fn shard(&self) -> usize {
        usize::try_from(self.print.hash & SHARD_BITS).unwrap_or(0)
    }

    fn write(&mut self, seeds: &Seeds, path: &str, form: Form, value: &[u8]) {
        let head = head(seeds, path, form);
        self.length = 8 + value.len();
        if self.length <= ROOM {
            self.room[..8].copy_from_slice(&head);
            self.room[8..self.length].copy_from_slice(value);
        } else {
            self.long = Some([&head, value].concat());
        }
    }

    /// Two digits in a byte.
    fn pack(&mut self, seeds: &Seeds, path: &str, value: &str) {
        self.room[..8].copy_from_slice(&head(seeds, path, Form::Digits));
        self.length = 8 + value.len() / 2;
        let pairs = value.as_bytes().chunks_exact(2);
        for (byte, pair) in self.room[8..self.length].iter_mut().zip(pairs) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
    }
}

fn head(seeds: &Seeds, path: &str, form: Form) -> [u8; 8] {
    let mixed = (form as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (seeds.path.hash_one(path.as_bytes()) ^ mixed).to_le_bytes()
}

/// Whether a value is lower-case hexadecimal digits that a key can hold in half the room.
fn is_packed(value: &str) -> bool {
    value.len().is_multiple_of(2)
        && (2..=256).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

const fn digit(byte: u8) -> u8 {
    if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 }
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
