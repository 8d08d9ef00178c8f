//! Very many patterns at once: a simple one costs a probe of a hash table, others are looked at only when an
//! object of their types is there.
//!
//! The table is split into shards behind locks of their own, so that it is changed while it is read: a change holds
//! one shard for microseconds. A value stands in an arena; the slots hold a fingerprint and the place of the
//! record, so that a miss seldom touches the arena. Measured in `benches/pattern.rs`.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use hashbrown::DefaultHashBuilder;
use serde_json::{Map, Value};

use super::ast::{Comparison, Expression, Pattern};
use super::matcher::{MatchError, Matcher};
use super::observe::Observed;
use super::simple::values_of;
use super::table::{EMPTY, Shard};

/// Parts of the table that are changed one at a time.
const SHARDS: usize = 64;
/// Longest value kept, in bytes.
const MAX_VALUE_BYTES: usize = 32_767;
/// Steps into an object while its values are looked up.
const MAX_VALUE_DEPTH: usize = 8;

/// A number that the caller gives a pattern.
pub type Handle = u64;

/// Patterns that are no list of values.
#[derive(Debug, Default)]
struct Others {
    matchers: HashMap<Handle, (Matcher, Vec<String>)>,
    by_type: HashMap<String, Vec<Handle>>,
}

/// How a pattern is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// By so many values.
    Values(usize),
    /// Evaluated where an object of its types is there.
    Evaluated,
}

/// The index; shared by reference, changed while it is read.
#[derive(Debug)]
pub struct Index {
    shards: Vec<RwLock<Shard>>,
    others: RwLock<Others>,
    state: DefaultHashBuilder,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            others: RwLock::default(),
            // A seed of its own: who sends indicators cannot choose values that collide.
            state: DefaultHashBuilder::default(),
        }
    }
}

impl Index {
    /// Holds a pattern under a number; the same number again adds to it.
    ///
    /// # Errors
    /// A pattern that must be evaluated has no meaning.
    pub fn insert(&self, handle: Handle, pattern: &Pattern) -> Result<Held, MatchError> {
        if let Some(values) = values_of(pattern) {
            let count =
                values.iter().filter(|v| self.insert_value(handle, &v.path, &v.value)).count();
            return Ok(Held::Values(count));
        }
        let matcher = Matcher::new(pattern)?;
        let mut types = Vec::new();
        types_of(&pattern.root, &mut types);
        types.sort();
        types.dedup();
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        for kind in &types {
            others.by_type.entry(kind.clone()).or_default().push(handle);
        }
        others.matchers.insert(handle, (matcher, types));
        Ok(Held::Evaluated)
    }

    /// Holds one value; false when it is too long or its shard is full.
    pub fn insert_value(&self, handle: Handle, path: &str, value: &str) -> bool {
        let mut key = [0; KEY_BYTES];
        self.with_key(path, value, &mut key, |shard, hash, key| {
            let rehash = |key: &[u8]| self.hash(key);
            key.len() <= MAX_VALUE_BYTES && self.write(shard).insert(hash, key, handle, &rehash)
        })
    }

    /// Lets a pattern go; false when it was not held.
    pub fn remove(&self, handle: Handle, pattern: &Pattern) -> bool {
        if let Some(values) = values_of(pattern) {
            let mut key = [0; KEY_BYTES];
            let gone = |v: &super::SimpleValue| {
                self.with_key(&v.path, &v.value, &mut key, |shard, hash, key| {
                    self.write(shard).remove(hash, key, handle)
                })
            };
            return values.iter().map(gone).filter(|gone| *gone).count() > 0;
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        let Some((_, types)) = others.matchers.remove(&handle) else { return false };
        for kind in types {
            if let Some(list) = others.by_type.get_mut(&kind) {
                list.retain(|held| *held != handle);
            }
        }
        true
    }

    /// Calls `each` with the number of every pattern that names the value.
    pub fn lookup(&self, path: &str, value: &str, mut each: impl FnMut(Handle)) {
        let mut key = [0; KEY_BYTES];
        self.with_key(path, value, &mut key, |shard, hash, key| {
            let shard = self.shards[shard].read().unwrap_or_else(PoisonError::into_inner);
            if shard.slots.is_empty() {
                return;
            }
            let mut at = shard.slots[shard.find(hash, key)].record;
            while at != EMPTY {
                let record = shard.record(at);
                if !record.dead {
                    each(record.handle);
                }
                at = record.next;
            }
        });
    }

    /// The numbers of all patterns that match, each once, in their order.
    ///
    /// # Errors
    /// A pattern passed a bound while it was evaluated; its number stands beside the reason.
    pub fn matching(&self, observed: &Observed<'_>) -> Result<Vec<Handle>, (Handle, MatchError)> {
        let mut found = Vec::new();
        let mut kinds: Vec<&str> = Vec::new();
        for observation in &observed.observations {
            for root in &observation.roots {
                let Some(kind) = root.get("type").and_then(Value::as_str) else { continue };
                kinds.push(kind);
                let follow = |id: &str| observed.follow(observation, id);
                self.look(root, &mut format!("{kind}:"), 0, &follow, &mut found);
            }
        }
        kinds.sort_unstable();
        kinds.dedup();
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let mut asked: Vec<Handle> =
            kinds.iter().filter_map(|kind| others.by_type.get(*kind)).flatten().copied().collect();
        asked.sort_unstable();
        asked.dedup();
        for handle in asked {
            if let Some((matcher, _)) = others.matchers.get(&handle)
                && matcher.matches(observed).map_err(|error| (handle, error))?
            {
                found.push(handle);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Looks up every text of an object under its path.
    fn look<'d>(
        &self,
        map: &'d Map<String, Value>,
        path: &mut String,
        depth: usize,
        follow: &dyn Fn(&str) -> Option<&'d Map<String, Value>>,
        found: &mut Vec<Handle>,
    ) {
        if depth > MAX_VALUE_DEPTH {
            return;
        }
        for (name, value) in map {
            let length = path.len();
            if !path.ends_with(':') {
                path.push('.');
            }
            push_key(path, name);
            match value {
                Value::String(id) if name.ends_with("_ref") => {
                    if let Some(next) = follow(id) {
                        self.look(next, path, depth + 1, follow, found);
                    }
                }
                Value::String(text) => self.lookup(path, text, |handle| found.push(handle)),
                Value::Object(inner) => self.look(inner, path, depth + 1, follow, found),
                Value::Array(items) => {
                    let own = path.len();
                    for (at, item) in items.iter().enumerate() {
                        for step in [format!("[{at}]"), "[*]".to_owned()] {
                            path.push_str(&step);
                            match item {
                                Value::String(text) if !name.ends_with("_refs") => {
                                    self.lookup(path, text, |handle| found.push(handle));
                                }
                                Value::String(id) => {
                                    if let Some(next) = follow(id) {
                                        self.look(next, path, depth + 1, follow, found);
                                    }
                                }
                                Value::Object(inner) => {
                                    self.look(inner, path, depth + 1, follow, found)
                                }
                                _ => {}
                            }
                            path.truncate(own);
                        }
                    }
                }
                _ => {}
            }
            path.truncate(length);
        }
    }

    /// Values and patterns held.
    #[must_use]
    pub fn len(&self) -> usize {
        let values: usize = (0..SHARDS)
            .map(|at| {
                let shard = self.shards[at].read().unwrap_or_else(PoisonError::into_inner);
                shard.records - shard.dead
            })
            .sum();
        values + self.others.read().unwrap_or_else(PoisonError::into_inner).matchers.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes taken by values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of =
            |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).bytes();
        self.shards.iter().map(of).sum()
    }

    fn write(&self, shard: usize) -> std::sync::RwLockWriteGuard<'_, Shard> {
        self.shards[shard].write().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, key: &[u8]) -> u64 {
        self.state.hash_one(key)
    }

    /// The key of a path and a value: eight bytes for the path, then the value, addresses as their bits.
    fn with_key<T>(
        &self,
        path: &str,
        value: &str,
        room: &mut [u8; KEY_BYTES],
        work: impl FnOnce(usize, u64, &[u8]) -> T,
    ) -> T {
        let path_hash = self.hash(path.as_bytes());
        room[..8].copy_from_slice(&path_hash.to_le_bytes());
        let address = if path.starts_with("ipv") { value.parse::<IpAddr>().ok() } else { None };
        let long: Vec<u8>;
        let key = match address {
            // Only the usual spelling is the same as its bits: a pattern compares texts.
            Some(IpAddr::V4(v4)) => {
                room[8..12].copy_from_slice(&v4.octets());
                &room[..12]
            }
            Some(IpAddr::V6(v6)) if v6.to_string() == value => {
                room[8..24].copy_from_slice(&v6.octets());
                &room[..24]
            }
            None if path.contains("hashes.") && is_packed(value) => {
                // One byte more than the digits' half tells packed and written hashes apart.
                let half = value.len() / 2;
                for (at, pair) in value.as_bytes().chunks(2).enumerate() {
                    room[8 + at] = digit(pair[0]) << 4 | digit(pair[1]);
                }
                room[8 + half] = 0xff;
                &room[..9 + half]
            }
            _ if value.len() <= KEY_BYTES - 8 => {
                room[8..8 + value.len()].copy_from_slice(value.as_bytes());
                &room[..8 + value.len()]
            }
            _ => {
                long = [&room[..8], value.as_bytes()].concat();
                &long
            }
        };
        let hash = self.hash(key);
        work(usize::try_from(hash & 0x3f).unwrap_or(0) % SHARDS, hash, key)
    }
}

/// Keys up to here need no allocation.
const KEY_BYTES: usize = 264;

/// Whether a value is lower-case hexadecimal digits that a key can hold in half the room.
fn is_packed(value: &str) -> bool {
    value.len().is_multiple_of(2)
        && (2..=256).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

const fn digit(byte: u8) -> u8 {
    if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 }
}

/// A name as a printed path writes it.
fn push_key(path: &mut String, name: &str) {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain {
        path.push_str(name);
    } else {
        path.push('\'');
        for c in name.chars() {
            if matches!(c, '\'' | '\\') {
                path.push('\\');
            }
            path.push(c);
        }
        path.push('\'');
    }
}

fn types_of(expression: &Expression, types: &mut Vec<String>) {
    fn of(comparison: &Comparison, types: &mut Vec<String>) {
        match comparison {
            Comparison::Test(test) => types.push(test.path.kind.clone()),
            Comparison::And(all) | Comparison::Or(all) => all.iter().for_each(|one| of(one, types)),
        }
    }
    match expression {
        Expression::Test(comparison) => of(comparison, types),
        Expression::And(all) | Expression::Or(all) | Expression::FollowedBy(all) => {
            all.iter().for_each(|one| types_of(one, types));
        }
        Expression::Qualified(inner, _) => types_of(inner, types),
    }
}
