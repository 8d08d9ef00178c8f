//! Single laws of timing, numbers, headers and values.

use super::chain::Chain;
use super::publisher::{CURVE_STEPS, Publisher};
use super::values::Fit;
use super::{Entry, GooseLaw, GooseMessage};

/// Slack of every timing, for the clock of the capture.
pub(super) const SLACK_US: i64 = 50_000;
/// Longest time allowed to live that is believed: beyond, an attacker could allow endless silence.
pub(super) const MAX_TTL_US: i64 = 60_000_000;
/// A length may leave the learned range by this: counters grow byte by byte.
const LENGTH_SLACK: u32 = 12;

/// What a step found, noted by the caller who holds the windows.
pub(super) type Found = Vec<(i64, GooseLaw)>;

pub(super) fn check_header(
    publisher: &Publisher,
    message: &GooseMessage<'_>,
    found: &mut Found,
) -> bool {
    if !publisher.headers.iter().any(|header| header.fits(message)) {
        return false;
    }
    let (low, high) = publisher.length;
    let inside = message.length.saturating_add(LENGTH_SLACK) >= low
        && message.length <= high.saturating_add(LENGTH_SLACK);
    if high > 0 && message.length > 0 && !inside {
        found.push((message.ts_us, GooseLaw::Length));
    }
    true
}

/// Longest silence: the time allowed to live, or the longest gap learned where that is longer.
pub(super) fn allowed(publisher: &Publisher, ttl_us: i64) -> i64 {
    let stated = publisher.headers.first().map_or(0, |header| i64::from(header.ttl_ms) * 1_000);
    let ttl = stated.min(ttl_us).clamp(0, MAX_TTL_US);
    ttl.max(publisher.rest.high.saturating_add(publisher.rest.high / 5)).max(SLACK_US)
}

/// Age of a message beyond what its sequence number explains.
pub(super) fn beyond_sequence(publisher: &Publisher, message: &GooseMessage<'_>) -> i64 {
    let rest = publisher.rest.mean().unwrap_or(0);
    let explained = rest.saturating_mul(i64::from(message.sequence));
    message.ts_us.saturating_sub(message.t_us).saturating_sub(explained)
}

/// Whether the time since the last message explains the jump of the sequence number.
pub(super) fn in_step(publisher: &Publisher, chain: &Chain, message: &GooseMessage<'_>) -> bool {
    let jump = i64::from(message.sequence.saturating_sub(chain.sequence));
    let elapsed = message.ts_us.saturating_sub(chain.last_us);
    let early = (message.sequence as usize) <= CURVE_STEPS + 1 && chain.from_change;
    early || publisher.rest.count == 0 || elapsed >= jump.saturating_mul(publisher.rest.low) / 2
}

/// The law of timing that a repetition breaks, if any.
pub(super) fn timing(
    publisher: &Publisher,
    chain: &Chain,
    message: &GooseMessage<'_>,
) -> Option<GooseLaw> {
    let gap = message.ts_us.saturating_sub(chain.last_us);
    let step = message.sequence as usize;
    if step > CURVE_STEPS {
        let early = publisher.rest.count > 0 && gap < publisher.rest.low / 2;
        return early.then_some(GooseLaw::TooEarly);
    }
    let learned = publisher.curve.get(step.checked_sub(1)?).filter(|gap| gap.count > 0)?;
    let slow = gap > learned.high.saturating_mul(3).saturating_add(SLACK_US);
    (chain.from_change && slow).then_some(GooseLaw::Curve)
}

/// Missing messages are noted at the times they should have come.
pub(super) fn note_missing(chain: &Chain, message: &GooseMessage<'_>, found: &mut Found) {
    const MOST: i64 = 4_096;
    let jump = i64::from(message.sequence.saturating_sub(chain.sequence)).max(1);
    let elapsed = message.ts_us.saturating_sub(chain.last_us);
    for step in 1..jump.min(MOST) {
        let after = (i128::from(elapsed) * i128::from(step) / i128::from(jump)) as i64;
        found.push((chain.last_us.saturating_add(after), GooseLaw::Missing));
    }
}

/// Judges the values of a new state, and the way there.
pub(super) fn judge_change(
    publisher: &Publisher,
    before: &[Entry],
    message: &GooseMessage<'_>,
    found: &mut Found,
) -> Option<GooseLaw> {
    if publisher.values.hops(before, message.data) {
        found.push((message.ts_us, GooseLaw::ValueRelation));
        return Some(GooseLaw::ValueRelation);
    }
    judge_values(publisher, message, found)
}

pub(super) fn judge_values(
    publisher: &Publisher,
    message: &GooseMessage<'_>,
    found: &mut Found,
) -> Option<GooseLaw> {
    let law = match publisher.values.fit(message.data) {
        Fit::Known => return None,
        Fit::New => GooseLaw::NewValue,
        Fit::Contradiction => GooseLaw::ValueRelation,
    };
    found.push((message.ts_us, law));
    Some(law)
}
