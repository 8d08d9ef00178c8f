//! Evaluating a pattern over observed data.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::ast::{Comparison, Expression, Pattern, Qualifier, Step};
use super::bind;
use super::compare::{Coding, Compiled, time_of};
use super::observe::{Observation, Observed};
use super::regex::Budget;

/// Why a pattern could not be evaluated; a wrong answer is never given instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// Something in the pattern has no meaning.
    #[error("{0}")]
    Pattern(String),
    /// A regular expression with look-around or back references took too long on a value.
    #[error(
        "a regular expression took more than a million steps on one value; write it without look-around"
    )]
    RegexSteps,
    /// Paths that fan out over lists and references lead to too many values.
    #[error("more than {0} values were looked at in one observation; narrow the paths or the data")]
    Values(u32),
    /// Too many parts to be bound at once.
    #[error(
        "more than {0} observations would have to be bound inside each other; narrow the pattern"
    )]
    Bound(u32),
    /// Too many ways to bind observations.
    #[error(
        "more than {0} combinations of observations were tried; narrow the pattern or the data"
    )]
    Steps(u64),
}

/// A pattern ready to be evaluated, many times.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub(super) root: Node,
    /// Number of tests, each with a place in what was evaluated.
    pub(super) tests: usize,
}

/// An observation expression, compiled.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// The comparison and its number.
    Test(Compared, usize),
    And(Vec<Node>),
    Or(Vec<Node>),
    FollowedBy(Vec<Node>),
    StartStop {
        inner: Box<Node>,
        start_us: i64,
        stop_us: i64,
    },
    Within {
        inner: Box<Node>,
        span_us: i64,
    },
    Repeats {
        inner: Box<Node>,
        times: u64,
    },
}

impl Node {
    /// Calls `each` with every test and its number.
    pub(super) fn each_test(
        &self,
        each: &mut dyn FnMut(&Compared, usize) -> Result<(), MatchError>,
    ) -> Result<(), MatchError> {
        match self {
            Self::Test(test, number) => each(test, *number),
            Self::And(all) | Self::Or(all) | Self::FollowedBy(all) => {
                all.iter().try_for_each(|one| one.each_test(each))
            }
            Self::StartStop { inner, .. }
            | Self::Within { inner, .. }
            | Self::Repeats { inner, .. } => inner.each_test(each),
        }
    }
}

/// A comparison expression, compiled.
#[derive(Clone, Debug)]
pub(super) enum Compared {
    Test { kind: String, steps: Vec<Way>, test: Compiled },
    And(Vec<Compared>),
    Or(Vec<Compared>),
}

/// One step of a path, with what its name says of the value.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Key { key: String, coding: Coding, leads: Leads },
    Index(Option<usize>),
    Any,
}

/// Whether a property refers to other objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    Nowhere,
    ToOne,
    ToMany,
}

impl Matcher {
    /// Prepares a pattern.
    ///
    /// # Errors
    /// A constant of it has no meaning: a day that does not exist, a set of mixed types, a regular
    /// expression that cannot be read, something that is no address range.
    pub fn new(pattern: &Pattern) -> Result<Self, MatchError> {
        let mut preparation = Preparation::default();
        let root = preparation.node(&pattern.root)?;
        Ok(Self { root, tests: preparation.tests })
    }

    /// Whether the observed data matches.
    ///
    /// # Errors
    /// A bound was passed.
    pub fn matches(&self, observed: &Observed<'_>) -> Result<bool, MatchError> {
        bind::matches(self, observed)
    }
}

/// A pattern while it is prepared.
#[derive(Default)]
struct Preparation {
    tests: usize,
    /// What its regular expressions may still take.
    budget: Budget,
}

impl Preparation {
    fn node(&mut self, expression: &Expression) -> Result<Node, MatchError> {
        let mut all = |many: &[Expression]| {
            many.iter().map(|one| self.node(one)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match expression {
            Expression::Test(comparison) => {
                let number = self.tests;
                self.tests += 1;
                Node::Test(self.compared(comparison)?, number)
            }
            Expression::And(many) => Node::And(all(many)?),
            Expression::Or(many) => Node::Or(all(many)?),
            Expression::FollowedBy(many) => Node::FollowedBy(all(many)?),
            Expression::Qualified(inner, qualifier) => {
                let inner = Box::new(self.node(inner)?);
                match qualifier {
                    Qualifier::StartStop { start, stop } => Node::StartStop {
                        inner,
                        start_us: time_of(start)?,
                        stop_us: time_of(stop)?,
                    },
                    Qualifier::Within { seconds } => {
                        // Beyond 290,000 years all is within.
                        #[allow(clippy::cast_possible_truncation)]
                        let span_us = (seconds * 1e6).min(9e18) as i64;
                        Node::Within { inner, span_us }
                    }
                    Qualifier::Repeats { times } => Node::Repeats { inner, times: *times },
                }
            }
        })
    }

    fn compared(&mut self, comparison: &Comparison) -> Result<Compared, MatchError> {
        let mut all = |many: &[Comparison]| {
            many.iter().map(|one| self.compared(one)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match comparison {
            Comparison::And(many) => Compared::And(all(many)?),
            Comparison::Or(many) => Compared::Or(all(many)?),
            Comparison::Test(test) => Compared::Test {
                kind: test.path.kind.clone(),
                steps: test.path.steps.iter().map(way).collect(),
                test: Compiled::new(test, &mut self.budget)?,
            },
        })
    }
}

pub(super) fn way(step: &Step) -> Way {
    match step {
        Step::Any => Way::Any,
        Step::Index(index) => Way::Index(usize::try_from(*index).ok()),
        Step::Key(key) => {
            let leads = if key.ends_with("_ref") {
                Leads::ToOne
            } else if key.ends_with("_refs") {
                Leads::ToMany
            } else {
                Leads::Nowhere
            };
            Way::Key { key: key.clone(), coding: Coding::of(key), leads }
        }
    }
}

/// Where a path has come to.
#[derive(Clone, Copy)]
enum At<'v> {
    Object(&'v Map<String, Value>),
    Value(&'v Value, Coding),
    /// A list of references.
    Refs(&'v [Value]),
}

/// Values that the paths of one comparison may lead to in one observation.
pub(super) const MAX_VALUES: u32 = 1_000_000;

impl Compared {
    /// Whether some object of the observation makes all of it true.
    pub(super) fn holds(&self, observation: &Observation<'_>) -> Result<bool, MatchError> {
        let left = Cell::new(MAX_VALUES);
        for root in &observation.roots {
            if self.holds_for(root, observation, &left)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn holds_for(
        &self,
        root: &Map<String, Value>,
        observation: &Observation<'_>,
        left: &Cell<u32>,
    ) -> Result<bool, MatchError> {
        match self {
            Self::And(all) => {
                for one in all {
                    if !one.holds_for(root, observation, left)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(any) => {
                for one in any {
                    if one.holds_for(root, observation, left)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Test { kind, steps, test } => {
                if root.get("type").and_then(Value::as_str) != Some(kind) {
                    return Ok(false);
                }
                let walk = Walk { observation, left, existence: test.asks_existence() };
                if test.wants_nothing() {
                    // `NOT EXISTS`: no way through leads anywhere.
                    return Ok(!walk.find(At::Object(root), steps, &mut |_| Ok(true))?);
                }
                walk.find(At::Object(root), steps, &mut |at| match at {
                    At::Value(value, coding) => test.passes(value, coding),
                    At::Object(_) | At::Refs(_) => Ok(test.object_passes()),
                })
            }
        }
    }
}

/// Calls `each` with every text that a path leads to from an object.
pub(super) fn texts(
    observation: &Observation<'_>,
    root: &Map<String, Value>,
    steps: &[Way],
    left: &Cell<u32>,
    each: &mut dyn FnMut(&str),
) -> Result<(), MatchError> {
    let walk = Walk { observation, left, existence: false };
    let visited = walk.find(At::Object(root), steps, &mut |at| {
        if let At::Value(Value::String(text), _) = at {
            each(text);
        }
        Ok(false)
    });
    visited.map(drop)
}

struct Walk<'w, 'd> {
    observation: &'w Observation<'d>,
    left: &'w Cell<u32>,
    /// Whether the question is only if something is there.
    existence: bool,
}

type Last<'l> = &'l mut dyn FnMut(At<'_>) -> Result<bool, MatchError>;

impl Walk<'_, '_> {
    /// Whether `last` says yes to something at the end of the path.
    fn find(&self, at: At<'_>, steps: &[Way], last: Last<'_>) -> Result<bool, MatchError> {
        self.count()?;
        let Some((step, rest)) = steps.split_first() else { return last(at) };
        // A reference is there even if its object is not: only what stands inside that object counts as
        // absent then (§9.7.4).
        if let (Way::Key { key, leads: Leads::ToOne | Leads::ToMany, .. }, []) = (step, rest)
            && let (true, At::Object(map) | At::Value(Value::Object(map), _)) = (self.existence, at)
        {
            return Ok(map.contains_key(key));
        }
        let mut found = Ok(false);
        self.step(at, step, &mut |next| {
            found = self.find(next, rest, last);
            !matches!(found, Ok(false))
        });
        found
    }

    fn count(&self) -> Result<(), MatchError> {
        let left = self.left.get().checked_sub(1).ok_or(MatchError::Values(MAX_VALUES))?;
        self.left.set(left);
        Ok(())
    }

    /// Takes a step in every way there is, until `each` says that it has enough.
    fn step(&self, at: At<'_>, step: &Way, each: &mut dyn FnMut(At<'_>) -> bool) {
        match (at, step) {
            (
                At::Object(map) | At::Value(Value::Object(map), _),
                Way::Key { key, coding, leads },
            ) => match (map.get(key), leads) {
                (None, _) => {}
                (Some(value), Leads::Nowhere) => drop(each(At::Value(value, *coding))),
                (Some(Value::String(id)), Leads::ToOne) => {
                    if let Some(object) = self.observation.follow(id) {
                        each(At::Object(object));
                    }
                }
                (Some(Value::Array(ids)), Leads::ToMany) => drop(each(At::Refs(ids))),
                _ => {}
            },
            (At::Value(Value::Array(items), coding), Way::Any) => {
                let _ = items.iter().any(|item| each(At::Value(item, coding)));
            }
            (At::Value(Value::Array(items), coding), Way::Index(Some(index))) => {
                if let Some(item) = items.get(*index) {
                    each(At::Value(item, coding));
                }
            }
            (At::Refs(ids), Way::Any | Way::Index(_)) => {
                // References that lead nowhere do not count among the items.
                let objects = ids
                    .iter()
                    .filter_map(Value::as_str)
                    .filter_map(|id| self.observation.follow(id));
                match step {
                    Way::Index(Some(index)) => {
                        if let Some(object) = objects.into_iter().nth(*index) {
                            each(At::Object(object));
                        }
                    }
                    Way::Any => {
                        let _ = objects.into_iter().any(|object| each(At::Object(object)));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}
