//! Binding observations to the parts of a pattern (§9.4): each part gets observations of its own.
//!
//! The search goes depth first and hands each partial binding on to what still must hold. Time windows are
//! tried from outside in, so that a binding is never built only to be thrown away; an observation that was
//! seen several times can be bound as often. What cannot hold even if observations were shared is left at once
//! (`relax`), so that a long day without a match costs no combinations.

use super::matcher::{MatchError, Matcher, Node};
use super::observe::Observed;
use super::relax;

/// Steps of one search.
const MAX_STEPS: u64 = 5_000_000;
/// Parts bound one inside the other; each takes stack.
const MAX_BOUND: u32 = 400;

/// What was seen, and which test matches what.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// For each test, the observations it matches, earliest first.
    pub(super) matching: Vec<Vec<usize>>,
    pub(super) first_us: Vec<i64>,
    pub(super) last_us: Vec<i64>,
    pub(super) number: Vec<u64>,
}

impl Seen {
    /// Whether the pattern matches.
    pub(super) fn matches(&mut self, root: &Node) -> Result<bool, MatchError> {
        for list in &mut self.matching {
            list.sort_by_key(|at| (self.first_us[*at], *at));
        }
        if let Some(found) = relax::counted(root, self) {
            return Ok(found);
        }
        let mut search = Search {
            seen: self,
            left: self.number.clone(),
            windows: Vec::new(),
            bound: Vec::new(),
            steps: 0,
            depth: 0,
        };
        if relax::bounds(&mut search, root)?.is_none() {
            return Ok(false);
        }
        search.bind(root, &mut |_| Ok(true))
    }
}

/// What is left to be done once a part is bound; true when all of it could be done.
type Then<'t> = &'t mut dyn FnMut(&mut Search<'_>) -> Result<bool, MatchError>;

/// An interval that every bound observation must touch: first, last, and whether the last moment counts.
pub(super) type Window = (i64, i64, bool);

pub(super) struct Search<'s> {
    pub(super) seen: &'s Seen,
    /// How often each observation can still be bound.
    pub(super) left: Vec<u64>,
    pub(super) windows: Vec<Window>,
    /// The binding so far.
    bound: Vec<usize>,
    steps: u64,
    depth: u32,
}

/// Whether the pattern matches.
pub(super) fn matches(matcher: &Matcher, observed: &Observed<'_>) -> Result<bool, MatchError> {
    let observations = &observed.observations;
    // Most patterns are one test: no search is needed.
    if let Node::Test(test, _) = &matcher.root {
        for observation in observations {
            if test.holds(observation)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let mut seen = Seen {
        matching: vec![Vec::new(); matcher.tests],
        first_us: observations.iter().map(|o| o.first_us).collect(),
        last_us: observations.iter().map(|o| o.last_us).collect(),
        number: observations.iter().map(|o| o.number).collect(),
    };
    for (at, observation) in observations.iter().enumerate() {
        matcher.root.each_test(&mut |test, number| {
            if test.holds(observation)? {
                seen.matching[number].push(at);
            }
            Ok(())
        })?;
    }
    seen.matches(&matcher.root)
}

impl Search<'_> {
    fn step(&mut self) -> Result<(), MatchError> {
        self.count(1)
    }

    pub(super) fn count(&mut self, steps: u64) -> Result<(), MatchError> {
        self.steps += steps;
        if self.steps > MAX_STEPS { Err(MatchError::Steps(MAX_STEPS)) } else { Ok(()) }
    }

    /// Goes one deeper; what is bound inside each other takes stack.
    fn deeper(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<bool, MatchError>,
    ) -> Result<bool, MatchError> {
        self.step()?;
        if self.depth == MAX_BOUND {
            return Err(MatchError::Bound(MAX_BOUND));
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    /// Whether an observation can be bound here and now.
    pub(super) fn is_free(&self, at: usize) -> bool {
        let (first, last) = (self.seen.first_us[at], self.seen.last_us[at]);
        let touches = |&(from, to, to_counts): &(i64, i64, bool)| {
            last >= from && if to_counts { first <= to } else { first < to }
        };
        self.left[at] > 0 && self.windows.iter().all(touches)
    }

    fn bind(&mut self, node: &Node, then: Then<'_>) -> Result<bool, MatchError> {
        self.deeper(|search| search.bind_here(node, then))
    }

    fn bind_here(&mut self, node: &Node, then: Then<'_>) -> Result<bool, MatchError> {
        match node {
            Node::Test(_, number) => {
                for index in 0..self.seen.matching[*number].len() {
                    let at = self.seen.matching[*number][index];
                    if self.is_free(at) && self.with(at, 1, then)? {
                        return Ok(true);
                    }
                    self.step()?;
                }
                Ok(false)
            }
            Node::And(all) => self.all(all, then),
            Node::Or(any) => {
                for one in any {
                    if self.bind(one, then)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Node::FollowedBy(all) => self.in_order(all, i64::MIN, then),
            Node::StartStop { inner, start_us, stop_us } => {
                if start_us >= stop_us {
                    return Ok(false);
                }
                self.inside((*start_us, *stop_us, false), inner, then)
            }
            Node::Within { inner, span_us } => self.within(inner, *span_us, then),
            Node::Repeats { inner, times } => match inner.as_ref() {
                Node::Test(_, number) => {
                    self.take_first(*number, *times, then).and_then(|done| match done {
                        Some(true) => Ok(true),
                        Some(false) => self.repeat_test(*number, 0, *times, then),
                        None => Ok(false),
                    })
                }
                _ => self.repeat_group(inner, *times, &[], then),
            },
        }
    }

    /// Binds an observation so many times while the rest is tried.
    fn with(&mut self, at: usize, times: u64, then: Then<'_>) -> Result<bool, MatchError> {
        self.left[at] -= times;
        self.bound.push(at);
        let done = then(self);
        self.bound.pop();
        self.left[at] += times;
        done
    }

    fn all(&mut self, nodes: &[Node], then: Then<'_>) -> Result<bool, MatchError> {
        match nodes.split_first() {
            None => then(self),
            Some((first, rest)) => self.bind(first, &mut |search| search.all(rest, then)),
        }
    }

    /// Parts in order: none may have to lie before what was bound earlier. Optimistic times: what comes earlier
    /// took place as early, what comes later as late as it can.
    fn in_order(
        &mut self,
        nodes: &[Node],
        after_us: i64,
        then: Then<'_>,
    ) -> Result<bool, MatchError> {
        let Some((first, rest)) = nodes.split_first() else { return then(self) };
        let start = self.bound.len();
        self.bind(first, &mut |search| {
            let own = &search.bound[start..];
            let earliest_last =
                own.iter().map(|at| search.seen.last_us[*at]).min().unwrap_or(i64::MAX);
            if earliest_last < after_us {
                return Ok(false);
            }
            let latest_first =
                own.iter().map(|at| search.seen.first_us[*at]).max().unwrap_or(i64::MIN);
            search.in_order(rest, after_us.max(latest_first), then)
        })
    }

    fn inside(
        &mut self,
        window: (i64, i64, bool),
        inner: &Node,
        then: Then<'_>,
    ) -> Result<bool, MatchError> {
        self.windows.push(window);
        let depth = self.windows.len();
        let done = self.bind(inner, &mut |search| {
            // What comes after the qualified part is not bound by its window.
            let kept = search.windows.split_off(depth - 1);
            let done = then(search);
            search.windows.extend(kept);
            done
        });
        self.windows.pop();
        done
    }

    /// A window begins at the last moment of one of its observations: moving it later would lose that one, moving it
    /// earlier gains none.
    fn within(&mut self, inner: &Node, span_us: i64, then: Then<'_>) -> Result<bool, MatchError> {
        let mut starts: Vec<i64> = Vec::new();
        self.last_moments(inner, &mut starts);
        starts.sort_unstable();
        starts.dedup();
        for start in starts {
            let window = (start, start.saturating_add(span_us), true);
            self.windows.push(window);
            let bounds = relax::bounds(self, inner);
            self.windows.pop();
            if bounds?.is_some() && self.inside(window, inner, then)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn last_moments(&self, node: &Node, starts: &mut Vec<i64>) {
        match node {
            Node::Test(_, number) => {
                starts.extend(self.seen.matching[*number].iter().map(|at| self.seen.last_us[*at]));
            }
            Node::And(all) | Node::Or(all) | Node::FollowedBy(all) => {
                all.iter().for_each(|one| self.last_moments(one, starts));
            }
            Node::StartStop { inner, .. }
            | Node::Within { inner, .. }
            | Node::Repeats { inner, .. } => {
                self.last_moments(inner, starts);
            }
        }
    }

    /// So many observations of one test, the earliest there are: mostly that is enough. `None` where there are too
    /// few of them.
    fn take_first(
        &mut self,
        number: usize,
        times: u64,
        then: Then<'_>,
    ) -> Result<Option<bool>, MatchError> {
        let mut missing = times;
        let mut taken = Vec::new();
        for &at in &self.seen.matching[number] {
            if missing == 0 {
                break;
            }
            if self.is_free(at) {
                let some = self.left[at].min(missing);
                missing -= some;
                taken.push((at, some));
            }
        }
        self.count(1 + taken.len() as u64 / 8)?;
        if missing > 0 {
            return Ok(None);
        }
        for (at, some) in &taken {
            self.left[*at] -= some;
            self.bound.push(*at);
        }
        let done = then(self);
        self.bound.truncate(self.bound.len() - taken.len());
        for (at, some) in &taken {
            self.left[*at] += some;
        }
        done.map(Some)
    }

    /// So many observations of one test: from each as many as there are, then fewer.
    fn repeat_test(
        &mut self,
        number: usize,
        from: usize,
        times: u64,
        then: Then<'_>,
    ) -> Result<bool, MatchError> {
        if times == 0 {
            return then(self);
        }
        self.deeper(|search| search.repeat_test_from(number, from, times, then))
    }

    fn repeat_test_from(
        &mut self,
        number: usize,
        from: usize,
        times: u64,
        then: Then<'_>,
    ) -> Result<bool, MatchError> {
        let seen = self.seen;
        let free = |search: &Self, at: usize| if search.is_free(at) { search.left[at] } else { 0 };
        let candidates = seen.matching[number].get(from..).unwrap_or_default();
        let mut there: u128 = candidates.iter().map(|at| u128::from(free(self, *at))).sum();
        // Only what is taken goes deeper: a candidate may be passed over as often as there are some.
        for (index, &at) in candidates.iter().enumerate() {
            if there < u128::from(times) {
                return Ok(false);
            }
            let most = free(self, at);
            there -= u128::from(most);
            // Fewer than this and the others do not suffice.
            let least = times.saturating_sub(u64::try_from(there).unwrap_or(u64::MAX));
            for taken in (least.max(1)..=most.min(times)).rev() {
                let done = self.with(at, taken, &mut |search| {
                    search.repeat_test(number, from + index + 1, times - taken, then)
                })?;
                if done {
                    return Ok(true);
                }
                self.step()?;
            }
            self.step()?;
        }
        Ok(false)
    }

    /// So many bindings of a group, in rising order so that none is tried in every arrangement.
    fn repeat_group(
        &mut self,
        inner: &Node,
        times: u64,
        before: &[usize],
        then: Then<'_>,
    ) -> Result<bool, MatchError> {
        if times == 0 {
            return then(self);
        }
        if self.left.iter().copied().fold(0, u64::saturating_add) < times {
            return Ok(false);
        }
        self.deeper(|search| search.repeat_group_once(inner, times, before, then))
    }

    fn repeat_group_once(
        &mut self,
        inner: &Node,
        times: u64,
        before: &[usize],
        then: Then<'_>,
    ) -> Result<bool, MatchError> {
        let start = self.bound.len();
        self.bind(inner, &mut |search| {
            let own = search.bound[start..].to_vec();
            if own.as_slice() < before {
                return Ok(false);
            }
            search.repeat_group(inner, times - 1, &own, then)
        })
    }
}
