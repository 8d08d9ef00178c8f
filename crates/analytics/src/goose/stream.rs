//! One control block: the chain that is trusted, the one before it, and what does not fit.

mod rivals;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::lawful::{
    Found, MAX_TTL_US, SLACK_US, allowed, beyond_sequence, in_step, judge_change, judge_values,
    note_missing, timing,
};
use super::publisher::{CURVE_STEPS, Publisher};
use super::{GooseLaw, GooseMessage};

/// Forks followed beside the trusted chain of a stream.
const MAX_FORKS: usize = 6;
/// Times of a former chain that wait for the other to speak again.
const MAX_PENDING: usize = 4_096;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Stream {
    trusted: Option<Chain>,
    former: Option<Chain>,
    pending: Vec<i64>,
    forks: Vec<Chain>,
    /// Age beyond its sequence number of the first message, and that age.
    age: Option<(i64, i64)>,
    /// Delay of the first message of the first state seen from its beginning.
    delay: Option<i64>,
    /// Own gaps in rest: number and sum.
    rest: (i64, i64),
    /// How far the messages are behind their own rhythm, microseconds; fades away.
    behind_us: i64,
    /// Up to where its silence was noted; a whole window.
    #[serde(default)]
    pub(super) silent_to: i64,
}

impl Stream {
    /// Time of the last message of any chain.
    pub(super) fn last_us(&self) -> Option<i64> {
        let chains = self.trusted.iter().chain(&self.former).chain(&self.forks);
        chains.map(|chain| chain.last_us).max()
    }

    /// The span of a silence that a message ends.
    pub(super) fn silence(
        &self,
        publisher: &Publisher,
        message: &GooseMessage<'_>,
    ) -> Option<(i64, i64)> {
        let last = self.last_us()?;
        let from = last.saturating_add(allowed(publisher, i64::from(message.ttl_ms) * 1_000));
        let from = from.max(self.silent_to);
        (message.ts_us > from).then_some((from, message.ts_us))
    }

    /// Forgets the times of messages before one.
    pub(super) fn compact(&mut self, before_us: i64) {
        let chains = self.trusted.iter_mut().chain(&mut self.former).chain(&mut self.forks);
        chains.for_each(|chain| chain.compact(before_us));
        self.pending.retain(|ts_us| *ts_us >= before_us);
    }

    /// Takes the next message.
    pub(super) fn step(
        &mut self,
        publisher: &Publisher,
        message: &GooseMessage<'_>,
        found: &mut Found,
    ) {
        let Some(trusted) = self.trusted.as_ref() else {
            self.begin(publisher, message, found);
            return;
        };
        if trusted.is_state_of(message) {
            let order = message.sequence.cmp(&trusted.sequence.saturating_add(1));
            match order {
                Ordering::Equal => self.go_on(publisher, message, found),
                Ordering::Greater if self.rejoin(message) => {
                    self.go_on(publisher, message, found);
                }
                Ordering::Greater if self.skips_in_step(publisher, message, found) => {
                    self.go_on(publisher, message, found);
                }
                Ordering::Greater | Ordering::Less => {
                    self.fork(publisher, message, GooseLaw::Sequence, found);
                }
            }
            return;
        }
        if self.continue_former(publisher, message, found) {
            return;
        }
        let Some(trusted) = self.trusted.as_ref() else { return };
        if message.state == trusted.state {
            let law = if trusted.data == message.data {
                GooseLaw::TimeInState
            } else {
                GooseLaw::DataInState
            };
            self.fork(publisher, message, law, found);
        } else if message.state > trusted.state
            && message.t_us > trusted.t_us
            && self.fits_age(publisher, message)
        {
            self.change(publisher, message, found);
        } else {
            self.fork(publisher, message, GooseLaw::StateNumber, found);
        }
    }

    /// The first message of the stream.
    fn begin(&mut self, publisher: &Publisher, message: &GooseMessage<'_>, found: &mut Found) {
        let mut chain = Chain::start(message);
        chain.suspect = judge_values(publisher, message, found);
        if message.sequence == 0 {
            self.delay = Some(message.ts_us.saturating_sub(message.t_us));
        }
        let age = message.ts_us.saturating_sub(message.t_us);
        self.age = Some((beyond_sequence(publisher, message), age));
        self.trusted = Some(chain);
    }

    /// Whether the messages up to this one overtook the trusted ones: both together are one sequence
    /// without a gap, and the publisher goes on with it.
    fn rejoin(&mut self, message: &GooseMessage<'_>) -> bool {
        let Some(trusted) = self.trusted.as_mut() else { return false };
        let continues =
            |fork: &Chain| trusted.is_continued_by(fork) && fork.is_followed_by(message);
        let Some(place) = self.forks.iter().position(continues) else { return false };
        let fork = self.forks.remove(place);
        let steps = i64::from(fork.sequence.saturating_sub(trusted.sequence));
        let gap = fork.last_us.saturating_sub(trusted.last_us);
        trusted.join(fork);
        // What was held back is behind no longer.
        if let Some(usual) = self.usual_us() {
            self.fall_behind(gap.saturating_sub(usual.saturating_mul(steps)));
        }
        true
    }

    /// Whether messages are missing before this one, as many as the time explains; notes them.
    fn skips_in_step(
        &self,
        publisher: &Publisher,
        message: &GooseMessage<'_>,
        found: &mut Found,
    ) -> bool {
        let trusted = self.trusted.as_ref().filter(|own| in_step(publisher, own, message));
        trusted.inspect(|trusted| note_missing(trusted, message, found)).is_some()
    }

    /// The next repetition of the trusted state.
    fn go_on(&mut self, publisher: &Publisher, message: &GooseMessage<'_>, found: &mut Found) {
        // The trusted chain speaks again: what its rival said meanwhile was beside it.
        found.extend(self.pending.drain(..).map(|ts_us| (ts_us, GooseLaw::StateNumber)));
        if !self.fits_age(publisher, message) {
            found.push((message.ts_us, GooseLaw::Age));
        }
        let Some(trusted) = self.trusted.as_mut() else { return };
        if let Some(law) = timing(publisher, trusted, message) {
            trusted.faults += 1;
            found.push((message.ts_us, law));
        }
        if let Some(law) = trusted.suspect {
            found.push((message.ts_us, law));
        }
        let steps = i64::from(message.sequence.saturating_sub(trusted.sequence)).max(1);
        let gap = message.ts_us.saturating_sub(trusted.last_us);
        let rested = trusted.sequence as usize > CURVE_STEPS;
        trusted.extend(message);
        if rested && self.is_behind(publisher, gap, steps) {
            found.push((message.ts_us, GooseLaw::Late));
        }
    }

    /// Keeps the rhythm of the repetitions: messages held back stay behind it, one pause fades.
    fn is_behind(&mut self, publisher: &Publisher, gap: i64, steps: i64) -> bool {
        const FADING: i64 = 64;
        let usual = self.usual_us();
        if steps == 1 && usual.is_none_or(|usual| gap < usual.saturating_mul(3) / 2) {
            let (count, sum) = self.rest;
            self.rest = (count + 1, sum.saturating_add(gap));
        }
        let Some(usual) = usual else { return false };
        self.fall_behind(gap.saturating_sub(usual.saturating_mul(steps)));
        self.behind_us -= self.behind_us / FADING;
        self.behind_us > allowed(publisher, MAX_TTL_US)
    }

    /// Mean of the own gaps in rest, once there are enough.
    fn usual_us(&self) -> Option<i64> {
        const ENOUGH: i64 = 8;
        let (count, sum) = self.rest;
        (count >= ENOUGH).then(|| sum / count)
    }

    /// By this much later than the rhythm, or earlier.
    fn fall_behind(&mut self, late_us: i64) {
        self.behind_us = self.behind_us.saturating_add(late_us).clamp(0, MAX_TTL_US);
    }

    /// A new state.
    fn change(&mut self, publisher: &Publisher, message: &GooseMessage<'_>, found: &mut Found) {
        let Some(old) = self.trusted.take() else { return };
        let mut chain = Chain::start(message);
        let delay = message.ts_us.saturating_sub(message.t_us);
        let steps = message.state.saturating_sub(old.state);
        let mut late_us = 0;
        if steps == 1 && message.sequence == 0 {
            chain.from_change = true;
            let usual = *self.delay.get_or_insert(delay);
            let spread = publisher.delay_spread.saturating_mul(3).saturating_add(SLACK_US * 2);
            if publisher.changes > 0 && delay.saturating_sub(usual) > spread {
                found.push((message.ts_us, GooseLaw::Late));
                late_us = delay.saturating_sub(usual);
            }
        } else if steps == 1
            && message.sequence == 1
            && delay < SLACK_US.saturating_add(self.delay.unwrap_or(0))
        {
            // Some publishers begin a state at 1, and captures swap neighbours.
            chain.from_change = true;
        } else {
            let heard = self.forks.iter().map(|fork| fork.last_us).max().unwrap_or(i64::MIN);
            let gap = message.ts_us.saturating_sub(heard.max(old.last_us));
            if steps > 1 && message.sequence == 0 && gap <= allowed(publisher, MAX_TTL_US) {
                // A state cannot have come and gone between two neighbours.
                found.push((message.ts_us, GooseLaw::StateNumber));
                chain.suspect = Some(GooseLaw::StateNumber);
            }
            self.missed_beginning(&old, message, found);
        }
        if steps == 1 && old.data == message.data && publisher.same_data == 0 {
            chain.suspect = Some(GooseLaw::SameData);
            found.push((message.ts_us, GooseLaw::SameData));
        }
        let values = judge_change(publisher, &old.data, message, found);
        // What informs must not hide what contradicts.
        chain.suspect = match (values, chain.suspect) {
            (Some(GooseLaw::NewValue), Some(law)) => Some(law),
            (values, suspect) => values.or(suspect),
        };
        self.pending.clear();
        self.behind_us = late_us.clamp(0, MAX_TTL_US);
        self.former = Some(old);
        self.trusted = Some(chain);
    }

    /// The beginning of the new state was not heard: messages are missing, and what told the old
    /// state after the new one began was not true.
    fn missed_beginning(&self, old: &Chain, message: &GooseMessage<'_>, found: &mut Found) {
        let began = message.t_us.saturating_add(self.delay.unwrap_or(0));
        let first_missing = began.clamp(old.last_us, message.ts_us);
        found.push((first_missing, GooseLaw::Missing));
        let settled = began.saturating_add(SLACK_US * 10);
        let late = old.times.iter().filter(|ts_us| **ts_us > settled);
        found.extend(late.map(|ts_us| (*ts_us, GooseLaw::TakenBack)));
        found.push((message.ts_us, GooseLaw::Missing));
    }

    /// A message of the state before: only a rival can tell it, or the new state was false.
    fn continue_former(
        &mut self,
        publisher: &Publisher,
        message: &GooseMessage<'_>,
        found: &mut Found,
    ) -> bool {
        let Some(former) = self.former.as_mut() else { return false };
        let follows = former.is_followed_by(message)
            || (former.is_state_of(message)
                && message.sequence > former.sequence
                && in_step(publisher, former, message));
        if !follows {
            return false;
        }
        former.extend(message);
        if self.pending.len() < MAX_PENDING {
            self.pending.push(message.ts_us);
        }
        let patience = allowed(publisher, i64::from(message.ttl_ms) * 1_000).saturating_mul(2);
        let silent = self
            .trusted
            .as_ref()
            .is_some_and(|trusted| message.ts_us.saturating_sub(trusted.last_us) > patience);
        if silent {
            if let Some(mut rival) = self.trusted.take() {
                found.extend(rival.times.drain(..).map(|ts_us| (ts_us, GooseLaw::TakenBack)));
            }
            self.pending.clear();
            self.behind_us = 0;
            self.trusted = self.former.take();
        }
        true
    }

    /// A message that continues nothing trusted.
    fn fork(
        &mut self,
        publisher: &Publisher,
        message: &GooseMessage<'_>,
        law: GooseLaw,
        found: &mut Found,
    ) {
        if !self.fits_age(publisher, message) {
            found.push((message.ts_us, GooseLaw::Age));
        }
        if self.corrects(publisher, message) {
            // The true data of a state that was told with impossible ones.
            if let Some(mut rival) = self.trusted.take() {
                found.extend(rival.times.drain(..).map(|ts_us| (ts_us, GooseLaw::TakenBack)));
            }
            let mut chain = Chain::start(message);
            chain.from_change = message.sequence == 0;
            self.trusted = Some(chain);
            return;
        }
        found.push((message.ts_us, law));
        let place = match self.forks.iter().position(|fork| fork.is_followed_by(message)) {
            Some(place) => {
                let fork = &mut self.forks[place];
                fork.faults += u32::from(timing(publisher, fork, message).is_some());
                fork.extend(message);
                place
            }
            None => {
                if self.forks.len() >= MAX_FORKS {
                    self.forks.remove(0);
                }
                let mut fork = Chain::start(message);
                fork.from_change = message.sequence == 0;
                self.forks.push(fork);
                self.forks.len() - 1
            }
        };
        if self.outdoes(&self.forks[place]) {
            let fork = self.forks.remove(place);
            if let Some(mut rival) = self.trusted.replace(fork) {
                found.extend(rival.times.drain(..).map(|ts_us| (ts_us, GooseLaw::TakenBack)));
                self.forks.push(rival);
            }
            return;
        }
        if self.may_take_over(publisher, &self.forks[place], message) {
            let chain = self.forks.remove(place);
            if let Some(mut rival) = self.trusted.take().filter(|rival| {
                // The same state told in two ways: what was told before was not the publisher's.
                rival.state == chain.state && !rival.is_state_of(message)
            }) {
                found.extend(rival.times.drain(..).map(|ts_us| (ts_us, GooseLaw::TakenBack)));
            }
            self.former = None;
            self.behind_us = 0;
            self.pending.clear();
            let age = message.ts_us.saturating_sub(message.t_us);
            self.age = Some((beyond_sequence(publisher, message), age));
            self.trusted = Some(chain);
        }
    }
}
