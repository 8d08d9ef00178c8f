//! Patterns over observations as they come, one at a time, with bounded memory.
//!
//! A pattern of one test is decided at once. For others it is kept, per observation that one of its tests matches,
//! when that was, how often, and which tests it were: some 40 bytes and a bit a test, never the observation itself.
//! It is kept while it can still matter: where a `WITHIN` stands around the whole, until that time and
//! [`LATENESS_US`] have passed since; otherwise, and at most, the [`MAX_KEPT`] latest. What is let go for want of room
//! is counted, so that nobody takes silence for certainty.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::ast::{Expression, Pattern, Qualifier};
use super::atoms::types_of;
use super::bind::Seen;
use super::index::{Found, Handle};
use super::matcher::{MatchError, Matcher, Node};
use super::observe::{Observation, ObserveError, Observed};

/// Observations kept for one pattern at most.
pub const MAX_KEPT: usize = 1_000;
/// Observations may come so much later than others that began later, in microseconds.
pub const LATENESS_US: i64 = 60_000_000;

/// What is left of an observation.
#[derive(Debug)]
struct Kept {
    first_us: i64,
    last_us: i64,
    number: u64,
    /// A bit for each test.
    tests: Box<[u64]>,
}

/// One pattern being watched for.
#[derive(Debug)]
struct Watched {
    matcher: Matcher,
    /// Types of objects that it speaks of.
    types: Vec<String>,
    /// Whether one observation decides.
    at_once: bool,
    /// The whole pattern must fit into so much time.
    span_us: Option<i64>,
    kept: VecDeque<Kept>,
}

/// Patterns watched for, with what they still need.
#[derive(Debug, Default)]
pub struct Live {
    watched: HashMap<Handle, Watched>,
    by_type: HashMap<String, Vec<Handle>>,
    /// The latest beginning of an observation so far, none of the future counted.
    latest_us: i64,
    let_go: u64,
}

impl Live {
    /// Watches for a pattern too; one of the same number is replaced.
    ///
    /// # Errors
    /// A constant of it has no meaning.
    pub fn watch(&mut self, handle: Handle, pattern: &Pattern) -> Result<(), MatchError> {
        let matcher = Matcher::new(pattern)?;
        self.forget(handle);
        let at_once = matches!(matcher.root, Node::Test(..));
        let types = types_of(pattern);
        for kind in &types {
            self.by_type.entry(kind.clone()).or_default().push(handle);
        }
        let span_us = span(&pattern.root);
        let kept = VecDeque::new();
        self.watched.insert(handle, Watched { matcher, types, at_once, span_us, kept });
        Ok(())
    }

    /// Watches no longer for a pattern; false when it was not watched for.
    pub fn forget(&mut self, handle: Handle) -> bool {
        let Some(watched) = self.watched.remove(&handle) else { return false };
        for kind in &watched.types {
            if let Some(list) = self.by_type.get_mut(kind) {
                list.retain(|held| *held != handle);
                if list.is_empty() {
                    self.by_type.remove(kind);
                }
            }
        }
        true
    }

    /// Takes observed-data with the objects they refer to. `now_us` is the caller's clock, in a replay that of the
    /// replayed: an observation dated beyond it and [`LATENESS_US`] moves time no further, else one wrong date would
    /// let go of all that is kept. A pattern that matched begins anew; of one that could not be
    /// decided the older half of what is kept is let go.
    ///
    /// # Errors
    /// An observation cannot be used; none of them was taken.
    pub fn observe(&mut self, objects: &[Value], now_us: i64) -> Result<Found, ObserveError> {
        let observed = Observed::read(objects)?;
        let mut asked: Vec<Handle> = Vec::new();
        let last_us = now_us.saturating_add(LATENESS_US);
        for observation in &observed.observations {
            self.latest_us = self.latest_us.max(observation.first_us.min(last_us));
            for root in &observation.roots {
                let kind = root.get("type").and_then(Value::as_str);
                asked.extend(kind.and_then(|kind| self.by_type.get(kind)).into_iter().flatten());
            }
        }
        asked.sort_unstable();
        asked.dedup();
        let mut found = Found::default();
        for handle in asked {
            let Some(watched) = self.watched.get_mut(&handle) else { continue };
            match watched.take(&observed, self.latest_us, &mut self.let_go) {
                Ok(true) => {
                    found.matched.push(handle);
                    watched.kept.clear();
                }
                Ok(false) => {}
                Err(error) => {
                    // Else each observation to come would cost the same search again.
                    let half = watched.kept.len().div_ceil(2);
                    watched.kept.drain(..half);
                    self.let_go += half as u64;
                    found.undecided.push((handle, error));
                }
            }
        }
        Ok(found)
    }

    /// Observations let go for want of room although they might still have mattered.
    #[must_use]
    pub const fn let_go(&self) -> u64 {
        self.let_go
    }

    /// Observations kept now, over all patterns: at most [`MAX_KEPT`] for each.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.watched.values().map(|watched| watched.kept.len()).sum()
    }
}

impl Watched {
    fn take(
        &mut self,
        observed: &Observed<'_>,
        latest_us: i64,
        let_go: &mut u64,
    ) -> Result<bool, MatchError> {
        if self.at_once {
            return self.matcher.matches(observed);
        }
        let mut more = false;
        for observation in &observed.observations {
            if let Some(kept) = self.reduced(observation)? {
                self.kept.push_back(kept);
                more = true;
            }
        }
        if let Some(span_us) = self.span_us {
            let from = latest_us.saturating_sub(span_us).saturating_sub(LATENESS_US);
            self.kept.retain(|kept| kept.last_us >= from);
        }
        let over = self.kept.len().saturating_sub(MAX_KEPT);
        self.kept.drain(..over);
        *let_go += over as u64;
        if more { self.seen().matches(&self.matcher.root) } else { Ok(false) }
    }

    /// What has to be kept of an observation, if some test matches it.
    fn reduced(&self, observation: &Observation<'_>) -> Result<Option<Kept>, MatchError> {
        let mut tests = vec![0_u64; self.matcher.tests.div_ceil(64)];
        self.matcher.root.each_test(&mut |test, number| {
            if test.holds(observation)? {
                tests[number / 64] |= 1 << (number % 64);
            }
            Ok(())
        })?;
        let Observation { first_us, last_us, number, .. } = *observation;
        let kept = Kept { first_us, last_us, number, tests: tests.into() };
        Ok(kept.tests.iter().any(|bits| *bits != 0).then_some(kept))
    }

    fn seen(&self) -> Seen {
        let mut seen = Seen { matching: vec![Vec::new(); self.matcher.tests], ..Seen::default() };
        for (at, kept) in self.kept.iter().enumerate() {
            seen.first_us.push(kept.first_us);
            seen.last_us.push(kept.last_us);
            seen.number.push(kept.number);
            for (test, list) in seen.matching.iter_mut().enumerate() {
                if kept.tests[test / 64] >> (test % 64) & 1 == 1 {
                    list.push(at);
                }
            }
        }
        seen
    }
}

/// The time into which the whole pattern must fit, where it says so.
#[allow(clippy::cast_possible_truncation)]
fn span(expression: &Expression) -> Option<i64> {
    match expression {
        Expression::Qualified(inner, Qualifier::Within { seconds }) => {
            let own = (seconds * 1e6).min(9e18) as i64;
            Some(span(inner).map_or(own, |inner| inner.min(own)))
        }
        // A repeated window is a window for each repetition.
        Expression::Qualified(inner, Qualifier::StartStop { .. }) => span(inner),
        _ => None,
    }
}
