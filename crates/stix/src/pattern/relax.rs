//! What can be said of a pattern without binding anything: enough to leave most searches alone.

use super::bind::{Search, Seen};
use super::matcher::{MatchError, Node};

/// Bounds on the times of any binding of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The latest first moment of a binding is not before this.
    latest_first: i64,
    /// The earliest last moment of a binding is not after this.
    earliest_last: i64,
}

/// Candidates looked at for one step of the search.
const CANDIDATES_PER_STEP: u64 = 16;

/// `None` where the part cannot be bound, even if one observation could stand for several parts.
pub(super) fn bounds(search: &mut Search<'_>, node: &Node) -> Result<Option<Bounds>, MatchError> {
    match node {
        Node::Test(_, number) => candidates(search, *number, 1),
        Node::And(all) => {
            let mut whole = Bounds { latest_first: i64::MIN, earliest_last: i64::MAX };
            for one in all {
                let Some(part) = bounds(search, one)? else { return Ok(None) };
                whole = whole.with(part);
            }
            Ok(Some(whole))
        }
        Node::FollowedBy(all) => {
            let mut whole = Bounds { latest_first: i64::MIN, earliest_last: i64::MAX };
            for one in all {
                let Some(part) = bounds(search, one)? else { return Ok(None) };
                if whole.latest_first > part.earliest_last {
                    return Ok(None);
                }
                whole = whole.with(part);
            }
            Ok(Some(whole))
        }
        Node::Or(any) => {
            let mut whole: Option<Bounds> = None;
            for one in any {
                let Some(part) = bounds(search, one)? else { continue };
                whole = Some(whole.map_or(part, |whole| Bounds {
                    latest_first: whole.latest_first.min(part.latest_first),
                    earliest_last: whole.earliest_last.max(part.earliest_last),
                }));
            }
            Ok(whole)
        }
        Node::StartStop { start_us, stop_us, .. } if start_us >= stop_us => Ok(None),
        Node::StartStop { inner, start_us, stop_us } => {
            search.windows.push((*start_us, *stop_us, false));
            let found = bounds(search, inner);
            search.windows.pop();
            found
        }
        Node::Within { inner, .. } => bounds(search, inner),
        Node::Repeats { inner, times } => match inner.as_ref() {
            Node::Test(_, number) => candidates(search, *number, *times),
            inner => bounds(search, inner),
        },
    }
}

impl Bounds {
    fn with(self, other: Self) -> Self {
        Self {
            latest_first: self.latest_first.max(other.latest_first),
            earliest_last: self.earliest_last.min(other.earliest_last),
        }
    }
}

fn candidates(
    search: &mut Search<'_>,
    number: usize,
    times: u64,
) -> Result<Option<Bounds>, MatchError> {
    let seen = search.seen;
    let list = &seen.matching[number];
    search.count(1 + list.len() as u64 / CANDIDATES_PER_STEP)?;
    let mut found = Bounds { latest_first: i64::MAX, earliest_last: i64::MIN };
    let mut there = 0_u64;
    for &at in list {
        if search.is_free(at) {
            found.latest_first = found.latest_first.min(seen.first_us[at]);
            found.earliest_last = found.earliest_last.max(seen.last_us[at]);
            there = there.saturating_add(search.left[at]);
        }
    }
    Ok((there >= times).then_some(found))
}

/// Whether one test matches so often, for patterns that ask no more than that: `[…] REPEATS n TIMES`, with
/// `START … STOP` and one `WITHIN` around. Counted, not searched, however many observations there are.
pub(super) fn counted(root: &Node, seen: &Seen) -> Option<bool> {
    let mut node = root;
    let mut within: Option<i64> = None;
    let (mut from_us, mut to_us) = (i64::MIN, i64::MAX);
    loop {
        match node {
            Node::StartStop { inner, start_us, stop_us } => {
                if start_us >= stop_us {
                    return Some(false);
                }
                // An observation that touches two spans need not touch what they share.
                if (from_us, to_us) != (i64::MIN, i64::MAX) {
                    return None;
                }
                (from_us, to_us) = (*start_us, *stop_us);
                node = inner;
            }
            Node::Within { inner, span_us } if within.is_none() => {
                within = Some(*span_us);
                node = inner;
            }
            Node::Repeats { .. } | Node::Test(..) => break,
            _ => return None,
        }
    }
    let mut times = 1_u64;
    while let Node::Repeats { inner, times: more } = node {
        times = times.saturating_mul(*more);
        node = inner;
    }
    let Node::Test(_, number) = node else { return None };
    let list = seen.matching[*number].iter().copied();
    let list = list.filter(|at| seen.last_us[*at] >= from_us && seen.first_us[*at] < to_us);
    let weigh = |at: usize| seen.number[at];
    let Some(span_us) = within else {
        return Some(list.map(weigh).fold(0, u64::saturating_add) >= times);
    };
    let mut firsts: Vec<(i64, u64)> = Vec::new();
    let mut lasts: Vec<(i64, u64)> = Vec::new();
    for at in list {
        firsts.push((seen.first_us[at], weigh(at)));
        lasts.push((seen.last_us[at], weigh(at)));
    }
    firsts.sort_unstable();
    lasts.sort_unstable();
    Some(densest(&firsts, &lasts, span_us) >= u128::from(times))
}

/// Most observations that some window of this length touches: those begun by its end without those over before it.
/// A window that begins at the last moment of one of them is among the best.
fn densest(firsts: &[(i64, u64)], lasts: &[(i64, u64)], span_us: i64) -> u128 {
    let (mut begun, mut over, mut most) = (0_u128, 0_u128, 0_u128);
    let mut next = firsts.iter().peekable();
    let mut gone = lasts.iter().peekable();
    for (start, _) in lasts {
        while let Some((_, number)) = gone.next_if(|(last, _)| last < start) {
            over += u128::from(*number);
        }
        let end = start.saturating_add(span_us);
        while let Some((_, number)) = next.next_if(|(first, _)| *first <= end) {
            begun += u128::from(*number);
        }
        most = most.max(begun - over);
    }
    most
}
