//! Patterns over observations as they come, one at a time, with bounded memory.
//!
//! A pattern of one test is decided at once. For others the observations that one of its tests matches are kept
//! while they can still matter: as long as its `WITHIN` says where it has one around the whole, at most so many
//! otherwise; what is let go before is counted, so that nobody takes silence for certainty.

use std::collections::VecDeque;

use serde_json::Value;

use super::ast::{Expression, Pattern, Qualifier};
use super::index::Handle;
use super::matcher::{MatchError, Matcher, Node};
use super::observe::{ObserveError, Observed};

/// Observations kept for one pattern at most.
pub const MAX_KEPT: usize = 1_000;

/// One pattern being watched for.
struct Watched {
    handle: Handle,
    matcher: Matcher,
    /// Whether one observation decides.
    at_once: bool,
    /// The whole pattern must fit into so much time.
    span_us: Option<i64>,
    kept: VecDeque<(i64, Vec<Value>)>,
}

/// Patterns watched for, with what they still need.
#[derive(Default)]
pub struct Live {
    watched: Vec<Watched>,
    let_go: u64,
}

/// What one observation brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Patterns that match now.
    pub matched: Vec<Handle>,
    /// Patterns that could not be decided, with the reason.
    pub undecided: Vec<(Handle, MatchError)>,
}

impl Live {
    /// Watches for a pattern too.
    ///
    /// # Errors
    /// A constant of it has no meaning.
    pub fn watch(&mut self, handle: Handle, pattern: &Pattern) -> Result<(), MatchError> {
        let matcher = Matcher::new(pattern)?;
        let at_once = matches!(matcher.root, Node::Test(..));
        let span_us = span(&pattern.root);
        self.watched.push(Watched { handle, matcher, at_once, span_us, kept: VecDeque::new() });
        Ok(())
    }

    /// Watches no longer for a pattern; false when it was not watched for.
    pub fn forget(&mut self, handle: Handle) -> bool {
        let before = self.watched.len();
        self.watched.retain(|watched| watched.handle != handle);
        self.watched.len() < before
    }

    /// Takes one observation with its objects: an observed-data and what it refers to. A pattern that matched
    /// begins anew.
    ///
    /// # Errors
    /// The observation cannot be used.
    pub fn observe(&mut self, objects: &[Value]) -> Result<Seen, ObserveError> {
        let observed = Observed::read(objects)?;
        let latest_us = observed.observations.iter().map(|o| o.last_us).max().unwrap_or(i64::MIN);
        let mut seen = Seen::default();
        for watched in &mut self.watched {
            if !touches(&watched.matcher.root, &observed) {
                continue;
            }
            let decided = if watched.at_once {
                watched.matcher.matches(&observed)
            } else {
                self.let_go += watched.keep(latest_us, objects);
                watched.decide()
            };
            match decided {
                Ok(true) => {
                    seen.matched.push(watched.handle);
                    watched.kept.clear();
                }
                Ok(false) => {}
                Err(error) => seen.undecided.push((watched.handle, error)),
            }
        }
        Ok(seen)
    }

    /// Observations let go although they might still have mattered.
    #[must_use]
    pub const fn let_go(&self) -> u64 {
        self.let_go
    }
}

impl Watched {
    /// Keeps an observation; how many were let go for want of room.
    fn keep(&mut self, latest_us: i64, objects: &[Value]) -> u64 {
        if let Some(span_us) = self.span_us {
            let from = latest_us.saturating_sub(span_us);
            self.kept.retain(|(at, _)| *at >= from);
        }
        self.kept.push_back((latest_us, objects.to_vec()));
        let over = self.kept.len().saturating_sub(MAX_KEPT);
        self.kept.drain(..over);
        over as u64
    }

    fn decide(&self) -> Result<bool, MatchError> {
        let all: Vec<Value> = self.kept.iter().flat_map(|(_, objects)| objects.clone()).collect();
        match Observed::read(&all) {
            Ok(observed) => self.matcher.matches(&observed),
            // Each was read when it came.
            Err(_) => Ok(false),
        }
    }
}

/// Whether a test of the pattern matches one of the observations.
fn touches(node: &Node, observed: &Observed<'_>) -> bool {
    match node {
        Node::Test(test, _) => observed
            .observations
            .iter()
            .any(|observation| !matches!(test.holds(observed, observation), Ok(false))),
        Node::And(all) | Node::Or(all) | Node::FollowedBy(all) => {
            all.iter().any(|one| touches(one, observed))
        }
        Node::StartStop { inner, .. }
        | Node::Within { inner, .. }
        | Node::Repeats { inner, .. } => touches(inner, observed),
    }
}

/// The time into which the whole pattern must fit, where it says so.
#[allow(clippy::cast_possible_truncation)]
fn span(expression: &Expression) -> Option<i64> {
    match expression {
        Expression::Qualified(_, Qualifier::Within { seconds }) => {
            Some((seconds * 1e6).min(9e18) as i64)
        }
        Expression::Qualified(inner, _) => span(inner),
        _ => None,
    }
}
