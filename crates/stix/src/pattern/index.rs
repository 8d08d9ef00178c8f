//! Very many patterns at once. A list of values or address ranges costs a probe of a hash table, a pattern that
//! asks for more is looked at only when a value that it needs is there, and the rest only when an object of their
//! types is.
//!
//! The table is split into shards behind locks of their own, so that it is changed while it is read: a change holds
//! one shard for a microsecond, and for about a millisecond when the shard grows. A slot knows a value by a wide hash
//! and holds the number of its pattern, so that a hit touches memory once. Ranges stand in the same table under their
//! prefix; a look-up of an address asks once for each length of prefix in use. Measured in `benches/pattern.rs`.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use super::ast::{Path, Pattern};
use super::atoms::{self, Atom};
use super::compare::Range;
use super::keys::{Key, Prefixes, Seeds};
use super::matcher::{self, MatchError, Matcher, Way};
use super::observe::Observed;
use super::table::Shard;

/// Parts of the table that are changed one at a time.
const SHARDS: usize = 64;
/// Paths of one type of object whose values are looked up; patterns with others are evaluated.
const MAX_PATHS: usize = 256;
/// Values whose records are waited for together.
const TOGETHER: usize = 64;

/// A number that the caller gives a pattern.
pub type Handle = u64;

/// Patterns that no single value decides.
#[derive(Debug, Default)]
struct Others {
    matchers: HashMap<Handle, Other>,
    /// By the hash of a value that one of them needs; two values that share it cost an evaluation, no more.
    by_value: HashMap<u64, Vec<Handle>>,
    by_type: HashMap<String, Vec<Handle>>,
}

#[derive(Debug)]
struct Other {
    matcher: Matcher,
    /// Hashes of values of which one must be there, or else types.
    values: Vec<u64>,
    types: Vec<String>,
}

/// How a pattern is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// By so many values and ranges, which decide.
    Values(usize),
    /// Evaluated where one of so many values is there.
    Needing(usize),
    /// Evaluated where an object of its types is there.
    Evaluated,
}

/// Patterns found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Patterns that match, each once, in the order of their numbers.
    pub matched: Vec<Handle>,
    /// Patterns that could not be decided, with the reason.
    pub undecided: Vec<(Handle, MatchError)>,
}

/// A path whose values are looked up. It stays once it was used.
#[derive(Debug)]
struct Looked {
    path: String,
    steps: Vec<Way>,
}

/// The index; shared by reference, changed while it is read.
#[derive(Debug)]
pub struct Index {
    shards: Vec<RwLock<Shard>>,
    prefixes: Prefixes,
    /// By the type of object that they begin at.
    paths: RwLock<HashMap<String, Vec<Looked>>>,
    others: RwLock<Others>,
    seeds: Seeds,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            prefixes: Prefixes::default(),
            paths: RwLock::default(),
            others: RwLock::default(),
            seeds: Seeds::default(),
        }
    }
}

impl Index {
    /// Holds a pattern under a number; of several under the same number each is held.
    ///
    /// # Errors
    /// A pattern that must be evaluated has no meaning.
    pub fn insert(&self, handle: Handle, pattern: &Pattern) -> Result<Held, MatchError> {
        if let Some(atoms) = atoms::alternatives(pattern) {
            if atoms.iter().all(|atom| self.insert_atom(handle, atom)) {
                return Ok(Held::Values(atoms.len()));
            }
            // A shard is full, or there are too many paths: evaluation is slower, but leaves nothing out.
            self.remove_atoms(handle, &atoms);
        }
        let matcher = Matcher::new(pattern)?;
        let needed = atoms::required(pattern)
            .filter(|atoms| !atoms.is_empty() && atoms.iter().all(|atom| self.looks(atom.path())));
        let mut values: Vec<u64> =
            needed.iter().flatten().map(|atom| self.key_of(atom).hash()).collect();
        values.sort_unstable();
        values.dedup();
        let types = if values.is_empty() { atoms::types_of(pattern) } else { vec![] };
        let held = if values.is_empty() { Held::Evaluated } else { Held::Needing(values.len()) };
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.remove(handle);
        for value in &values {
            others.by_value.entry(*value).or_default().push(handle);
        }
        for kind in &types {
            others.by_type.entry(kind.clone()).or_default().push(handle);
        }
        others.matchers.insert(handle, Other { matcher, values, types });
        Ok(held)
    }

    /// Holds one value under a path as it is printed; false when the path is none or one too many, or its shard full.
    pub fn insert_value(&self, handle: Handle, path: &str, value: &str) -> bool {
        self.looks_printed(path) && self.insert_key(handle, Key::of_text(&self.seeds, path, value))
    }

    /// Lets a pattern go; false when it was not held.
    pub fn remove(&self, handle: Handle, pattern: &Pattern) -> bool {
        if let Some(atoms) = atoms::alternatives(pattern)
            && self.remove_atoms(handle, &atoms)
        {
            return true;
        }
        self.others.write().unwrap_or_else(PoisonError::into_inner).remove(handle)
    }

    /// Calls `each` with the number of every pattern that names the value, or a range around it.
    pub fn lookup(&self, path: &str, value: &str, mut each: impl FnMut(Handle)) {
        self.lookup_key(Key::of_text(&self.seeds, path, value), path, value, &mut each);
    }

    /// Looks up many values at once: calls `each` with the place of a value among them and the number of a pattern.
    /// A table of millions is far from the processor; here its answers are waited for together, not one by one.
    pub fn lookup_all(&self, values: &[(&str, &str)], mut each: impl FnMut(usize, Handle)) {
        for (chunk, first) in values.chunks(TOGETHER).zip((0..).step_by(TOGETHER)) {
            let keys: Vec<Key> =
                chunk.iter().map(|(path, value)| Key::of_text(&self.seeds, path, value)).collect();
            self.probe_all(&keys, first, &mut each);
            for ((path, value), at) in chunk.iter().zip(first..) {
                self.ranges(path, value, &mut |handle| each(at, handle));
            }
        }
    }

    /// Locks each shard once, in rising order, and reads all first slots without a lock in between: a lock would wait
    /// for the reads before it.
    fn probe_all(&self, keys: &[Key], first: usize, each: &mut impl FnMut(usize, Handle)) {
        let mut guards: [Option<RwLockReadGuard<'_, Shard>>; SHARDS] = [const { None }; SHARDS];
        let asked = keys.iter().fold(0_u64, |asked, key| asked | 1 << key.shard());
        for (at, guard) in guards.iter_mut().enumerate().filter(|(at, _)| asked >> at & 1 == 1) {
            *guard = Some(self.read(at));
        }
        let shard = |key: &Key| guards.get(key.shard()).and_then(Option::as_deref);
        let near = keys.iter().filter_map(|key| Some(shard(key)?.touch(key.print())));
        std::hint::black_box(near.fold(0, |all, slot| all ^ slot));
        for (key, at) in keys.iter().zip(first..) {
            if let Some(shard) = shard(key) {
                shard.lookup(key.print(), &mut |handle| each(at, handle));
            }
        }
    }

    fn lookup_key(&self, key: Key, path: &str, value: &str, each: &mut impl FnMut(Handle)) {
        self.read(key.shard()).lookup(key.print(), each);
        self.ranges(path, value, each);
    }

    fn ranges(&self, path: &str, value: &str, each: &mut impl FnMut(Handle)) {
        if self.prefixes.any()
            && let Some(range) = Range::parse(value)
        {
            self.prefixes.around(range, &mut |around| {
                let key = Key::of_range(&self.seeds, path, around);
                self.read(key.shard()).lookup(key.print(), each);
            });
        }
    }

    /// The patterns that match.
    ///
    /// # Errors
    /// The objects hold more values than are looked at.
    pub fn matching(&self, observed: &Observed<'_>) -> Result<Found, MatchError> {
        let others = self.read_others();
        let paths = self.paths.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = Found::default();
        let mut asked: Vec<Handle> = Vec::new();
        for observation in &observed.observations {
            let left = Cell::new(matcher::MAX_VALUES);
            for root in &observation.roots {
                let Some(kind) = root.get("type").and_then(Value::as_str) else { continue };
                asked.extend(others.by_type.get(kind).into_iter().flatten());
                for looked in paths.get(kind).into_iter().flatten() {
                    let path = looked.path.as_str();
                    matcher::texts(observation, root, &looked.steps, &left, &mut |value| {
                        let key = Key::of_text(&self.seeds, path, value);
                        self.lookup_key(key, path, value, &mut |handle| found.matched.push(handle));
                        asked.extend(others.by_value.get(&key.hash()).into_iter().flatten());
                    })?;
                }
            }
        }
        asked.sort_unstable();
        asked.dedup();
        for handle in asked {
            let Some(other) = others.matchers.get(&handle) else { continue };
            match other.matcher.matches(observed) {
                Ok(true) => found.matched.push(handle),
                Ok(false) => {}
                Err(error) => found.undecided.push((handle, error)),
            }
        }
        found.matched.sort_unstable();
        found.matched.dedup();
        Ok(found)
    }

    /// Values, ranges and patterns held.
    #[must_use]
    pub fn len(&self) -> usize {
        let values: usize = (0..SHARDS).map(|at| self.read(at).living()).sum();
        values + self.read_others().matchers.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes taken by values and ranges.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (0..SHARDS).map(|at| self.read(at).bytes()).sum()
    }

    fn insert_atom(&self, handle: Handle, atom: &Atom<'_>) -> bool {
        if !self.looks(atom.path()) {
            return false;
        }
        if let Atom::Inside { range, .. } = atom {
            // First counted, then there: a reader never passes over what is there.
            self.prefixes.add(*range);
        }
        self.insert_key(handle, self.key_of(atom))
    }

    /// Sees to it that the values of a path are looked up; false where there are too many paths.
    fn looks(&self, path: &Path) -> bool {
        let printed = path.to_string();
        if self.has_path(&path.kind, &printed) {
            return true;
        }
        let mut paths = self.paths.write().unwrap_or_else(PoisonError::into_inner);
        let list = paths.entry(path.kind.clone()).or_default();
        if list.iter().any(|looked| looked.path == printed) {
            return true;
        }
        if list.len() >= MAX_PATHS {
            return false;
        }
        list.push(Looked { path: printed, steps: path.steps.iter().map(matcher::way).collect() });
        true
    }

    fn looks_printed(&self, path: &str) -> bool {
        if path.split_once(':').is_some_and(|(kind, _)| self.has_path(kind, path)) {
            return true;
        }
        let read = Pattern::parse(&format!("[EXISTS {path}]")).ok();
        read.is_some_and(|pattern| match atoms::only_path(&pattern) {
            Some(own) => own.to_string() == path && self.looks(own),
            None => false,
        })
    }

    fn has_path(&self, kind: &str, printed: &str) -> bool {
        let paths = self.paths.read().unwrap_or_else(PoisonError::into_inner);
        paths.get(kind).is_some_and(|list| list.iter().any(|looked| looked.path == printed))
    }

    /// Whether one of them was there.
    fn remove_atoms(&self, handle: Handle, atoms: &[Atom<'_>]) -> bool {
        let mut gone = 0;
        for atom in atoms {
            let key = self.key_of(atom);
            gone += usize::from(self.write(key.shard()).remove(key.print(), handle));
        }
        gone > 0
    }

    fn insert_key(&self, handle: Handle, key: Key) -> bool {
        self.write(key.shard()).insert(key.print(), handle)
    }

    fn key_of(&self, atom: &Atom<'_>) -> Key {
        let path = atom.path().to_string();
        match atom {
            Atom::Text { value, .. } => Key::of_text(&self.seeds, &path, value),
            Atom::Inside { range, .. } => Key::of_range(&self.seeds, &path, *range),
        }
    }

    fn read(&self, shard: usize) -> RwLockReadGuard<'_, Shard> {
        self.shards[shard % SHARDS].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, shard: usize) -> RwLockWriteGuard<'_, Shard> {
        self.shards[shard % SHARDS].write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_others(&self) -> RwLockReadGuard<'_, Others> {
        self.others.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Others {
    fn remove(&mut self, handle: Handle) -> bool {
        let Some(other) = self.matchers.remove(&handle) else { return false };
        for value in &other.values {
            if let Some(list) = self.by_value.get_mut(value) {
                list.retain(|held| *held != handle);
                if list.is_empty() {
                    self.by_value.remove(value);
                }
            }
        }
        for kind in &other.types {
            if let Some(list) = self.by_type.get_mut(kind) {
                list.retain(|held| *held != handle);
                if list.is_empty() {
                    self.by_type.remove(kind);
                }
            }
        }
        true
    }
}
