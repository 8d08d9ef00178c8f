//! Which values a data set takes together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Entry;

/// Distinct contents kept per control block; further ones count as not learned.
pub(super) const MAX_CONTENTS: usize = 1_024;
/// Distinct values above which an entry is a measurement and not a state.
const ANALOG_VALUES: usize = 16;
/// Share of its range by which a measurement may leave it.
const ANALOG_MARGIN: f64 = 0.25;

/// How a content fits what training showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Seen in training.
    Known,
    /// Never seen, but the change is of a kind this data set makes.
    New,
    /// Contradicts what training showed.
    Contradiction,
}

/// What one entry did in training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Position {
    values: BTreeSet<Entry>,
    analog: bool,
    low: f64,
    high: f64,
}

/// The contents of one data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValueModel {
    positions: Vec<Position>,
    /// Contents with their messages; measurements are left out of them.
    contents: Vec<(Vec<Entry>, u64)>,
    /// Contents that found no place.
    pub beyond: u64,
    /// Changes from a content back to the normal one, and from one to another that is not normal.
    #[serde(default)]
    pub returns: u64,
    /// See `returns`.
    #[serde(default)]
    pub crossings: u64,
}

fn number(entry: Entry) -> Option<f64> {
    match entry {
        Entry::Number(value) => Some(value as f64),
        Entry::Real(bits) => Some(f64::from_bits(bits)).filter(|value| value.is_finite()),
        Entry::Bool(_) | Entry::Other(_) => None,
    }
}

impl ValueModel {
    /// Learns contents with the number of their messages.
    #[must_use]
    pub fn learn<'a>(contents: impl Iterator<Item = (&'a [Entry], u64)> + Clone) -> Self {
        let mut model = Self::default();
        for (content, _) in contents.clone() {
            if model.positions.len() < content.len() {
                model.positions.resize(content.len(), Position::default());
            }
            for (position, entry) in model.positions.iter_mut().zip(content) {
                position.learn(*entry);
            }
        }
        let mut merged: BTreeMap<Vec<Entry>, u64> = BTreeMap::new();
        for (content, count) in contents {
            let masked = model.masked(content);
            if merged.len() < MAX_CONTENTS || merged.contains_key(&masked) {
                *merged.entry(masked).or_default() += count;
            } else {
                model.beyond += 1;
            }
        }
        model.contents = merged.into_iter().collect();
        // The content told most often is the normal one.
        model.contents.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        model
    }

    /// Learns the changes between contents, after the contents.
    pub fn learn_changes<'a>(
        &mut self,
        changes: impl Iterator<Item = ((&'a [Entry], &'a [Entry]), u64)>,
    ) {
        for ((from, to), count) in changes {
            match (self.is_normal(from), self.is_normal(to)) {
                (false, true) => self.returns += count,
                (false, false) => self.crossings += count,
                (true, _) => {}
            }
        }
    }

    fn is_normal(&self, content: &[Entry]) -> bool {
        self.contents.first().is_some_and(|(normal, _)| *normal == self.masked(content))
    }

    /// Whether a change leads from one content that is not normal to another, where training always
    /// went back to normal first.
    #[must_use]
    pub fn hops(&self, from: &[Entry], to: &[Entry]) -> bool {
        self.returns > 0
            && self.crossings == 0
            && from != to
            && !self.is_normal(from)
            && !self.is_normal(to)
    }

    /// Number of distinct contents.
    #[must_use]
    pub const fn contents(&self) -> usize {
        self.contents.len()
    }

    fn masked(&self, content: &[Entry]) -> Vec<Entry> {
        let mask = |(place, entry): (usize, &Entry)| match self.positions.get(place) {
            Some(position) if position.analog => Entry::Number(0),
            _ => *entry,
        };
        content.iter().enumerate().map(mask).collect()
    }

    /// How a content fits.
    #[must_use]
    pub fn fit(&self, content: &[Entry]) -> Fit {
        let Some((normal, _)) = self.contents.first() else { return Fit::New };
        let out_of_range = |(position, entry): (&Position, &Entry)| position.leaves(*entry);
        if content.len() != normal.len() || self.positions.iter().zip(content).any(out_of_range) {
            return Fit::Contradiction;
        }
        let masked = self.masked(content);
        if self.contents.iter().any(|(known, _)| *known == masked) {
            return Fit::Known;
        }
        if self.contents.len() == 1 {
            // Never moved in training: nothing says how it moves, only quality must not appear.
            let quality = changes(normal, &masked).iter().any(|(_, from, _)| from.is_number());
            return if quality { Fit::Contradiction } else { Fit::New };
        }
        let moved = changes(normal, &masked);
        let kind = kind_of(&moved);
        let mut like = false;
        for (known, _) in &self.contents[1..] {
            let seen = changes(normal, known);
            like |= kind_of(&seen) == kind;
            // Entries that moved together move together.
            let shared = seen.iter().filter(|change| moved.contains(change)).count();
            if shared != 0 && shared != seen.len() {
                return Fit::Contradiction;
            }
            let crossed =
                seen.iter().any(|(place, ..)| moved.iter().any(|(other, ..)| other == place));
            if crossed && shared == 0 {
                return Fit::Contradiction;
            }
        }
        if like { Fit::New } else { Fit::Contradiction }
    }
}

impl Entry {
    const fn is_number(self) -> bool {
        matches!(self, Self::Number(_) | Self::Real(_))
    }
}

impl Position {
    fn learn(&mut self, entry: Entry) {
        if let Some(value) = number(entry) {
            let first = self.values.is_empty() && !self.analog;
            self.low = if first { value } else { self.low.min(value) };
            self.high = if first { value } else { self.high.max(value) };
        }
        if self.analog {
            return;
        }
        self.values.insert(entry);
        if self.values.len() > ANALOG_VALUES && number(entry).is_some() {
            self.analog = true;
            self.values.clear();
        }
    }

    fn leaves(&self, entry: Entry) -> bool {
        let margin = (self.high - self.low) * ANALOG_MARGIN;
        self.analog
            && number(entry)
                .is_none_or(|value| value < self.low - margin || value > self.high + margin)
    }
}

fn changes(from: &[Entry], to: &[Entry]) -> Vec<(usize, Entry, Entry)> {
    let pairs = from.iter().zip(to).enumerate();
    pairs.filter(|(_, (a, b))| a != b).map(|(place, (a, b))| (place, *a, *b)).collect()
}

/// The changes without their places: what kind of change it is.
fn kind_of(changes: &[(usize, Entry, Entry)]) -> Vec<(Entry, Entry)> {
    let mut kind: Vec<(Entry, Entry)> = changes.iter().map(|(_, a, b)| (*a, *b)).collect();
    kind.sort_unstable();
    kind
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn bits(text: &str) -> Vec<Entry> {
        text.chars().map(|c| Entry::Bool(c == 'T')).collect()
    }

    fn model(contents: &[(&str, u64)]) -> ValueModel {
        let read: Vec<_> = contents.iter().map(|(text, count)| (bits(text), *count)).collect();
        ValueModel::learn(read.iter().map(|(content, count)| (content.as_slice(), *count)))
    }

    #[test]
    fn a_change_of_a_known_kind_is_new_and_no_contradiction() {
        let feeders = model(&[("FTFFF", 900), ("TTFFF", 100)]);
        assert_eq!(feeders.fit(&bits("FTFFF")), Fit::Known);
        assert_eq!(feeders.fit(&bits("FTFTF")), Fit::New);
        assert_eq!(feeders.fit(&bits("FFFFF")), Fit::Contradiction);
        assert_eq!(feeders.fit(&bits("TTTFF")), Fit::Contradiction);
        assert_eq!(feeders.fit(&bits("FTFF")), Fit::Contradiction);
    }

    #[test]
    fn entries_that_moved_together_move_together() {
        let transformer = model(&[("FTFT", 900), ("TTTF", 100)]);
        assert_eq!(transformer.fit(&bits("TTTF")), Fit::Known);
        for broken in ["TTFT", "FTTT", "FTFF", "TFFF", "TTTT"] {
            assert_eq!(transformer.fit(&bits(broken)), Fit::Contradiction, "{broken}");
        }
    }

    #[test]
    fn what_never_moved_may_move_but_not_its_quality() {
        let still = ValueModel::learn(
            [([Entry::Bool(false), Entry::Number(0)].as_slice(), 10)].into_iter(),
        );
        assert_eq!(still.fit(&[Entry::Bool(true), Entry::Number(0)]), Fit::New);
        assert_eq!(still.fit(&[Entry::Bool(false), Entry::Number(3)]), Fit::Contradiction);
    }

    #[test]
    fn measurements_keep_their_range() {
        let contents: Vec<[Entry; 1]> = (0..40).map(|value| [Entry::Number(value)]).collect();
        let model = ValueModel::learn(contents.iter().map(|content| (content.as_slice(), 1)));
        assert_eq!(model.contents(), 1);
        assert_eq!(model.fit(&[Entry::Number(41)]), Fit::Known);
        assert_eq!(model.fit(&[Entry::Number(400)]), Fit::Contradiction);
    }
}
