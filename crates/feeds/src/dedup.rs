//! Exact de-duplication of values: by kind and normal form, no false answers either way.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::value::{Kind, Observable};

/// The set of values seen; texts stand in one buffer, so that a value costs its text and about
/// 20 bytes.
pub struct Seen {
    texts: String,
    table: HashTable<(Kind, u32, usize)>,
    hasher: DefaultHashBuilder,
    max: usize,
}

/// The set holds as many values as it may; the value was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the set of values seen is full ({0}); raise the limit or split the feed")]
pub struct Full(pub usize);

impl Seen {
    /// An empty set for at most `max` values.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let hasher = DefaultHashBuilder::default();
        Self { texts: String::new(), table: HashTable::new(), hasher, max }
    }

    /// Takes a value; whether it is new.
    ///
    /// # Errors
    /// [`Full`].
    pub fn insert(&mut self, observable: &Observable) -> Result<bool, Full> {
        let (kind, text) = (observable.kind(), observable.value());
        let hash = self.hasher.hash_one((kind, text));
        let texts = &self.texts;
        let at = |entry: &(Kind, u32, usize)| &texts[entry.2..entry.2 + entry.1 as usize];
        if self.table.find(hash, |entry| entry.0 == kind && at(entry) == text).is_some() {
            return Ok(false);
        }
        if self.table.len() >= self.max {
            return Err(Full(self.max));
        }
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let entry = (kind, length, self.texts.len());
        let hasher = &self.hasher;
        self.table.insert_unique(hash, entry, |entry| hasher.hash_one((entry.0, at(entry))));
        self.texts.push_str(text);
        Ok(true)
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}
