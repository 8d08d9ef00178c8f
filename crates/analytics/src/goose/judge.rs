//! Follows every control block and notes broken laws.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::chain::Chain;
use super::publisher::{CURVE_STEPS, GooseModel, Publisher};
use super::values::Fit;
use super::{GooseLaw, GooseMessage};
use crate::host::Host;
use crate::laws::{LawWindow, LawWindows};

/// Streams followed at once; messages of further control blocks count as unknown publishers.
const MAX_STREAMS: usize = 8_192;
/// Forks followed beside the trusted chain of a stream.
const MAX_FORKS: usize = 6;
/// Times of a former chain that wait for the other to speak again.
const MAX_PENDING: usize = 4_096;
/// Time a run may take until every publisher speaks, and a publisher may stop before its end.
const START_GRACE_US: i64 = 30_000_000;
const END_GRACE_US: i64 = 5_000_000;
/// Slack of every timing, for the clock of the capture.
const SLACK_US: i64 = 50_000;
/// Longest time allowed to live that is believed: beyond, an attacker could allow endless silence.
const MAX_TTL_US: i64 = 60_000_000;
/// A length may leave the learned range by this: counters grow byte by byte.
const LENGTH_SLACK: u32 = 12;

/// Judges messages in the order of time, one run after the other.
#[derive(Debug)]
pub struct GooseJudge {
    model: Arc<GooseModel>,
    windows: LawWindows,
    streams: HashMap<String, Stream>,
    first_us: Option<i64>,
    last_us: i64,
}

#[derive(Debug, Default)]
struct Stream {
    device: Option<Host>,
    trusted: Option<Chain>,
    former: Option<Chain>,
    pending: Vec<i64>,
    forks: Vec<Chain>,
    /// Age beyond its sequence number of the first message, and that age.
    age: Option<(i64, i64)>,
    /// Delay of the first message of the first state seen from its beginning.
    delay: Option<i64>,
}

/// What a step found, noted by the caller who holds the windows.
type Found = Vec<(i64, GooseLaw)>;

impl GooseJudge {
    /// A judge of one run (or of live traffic, without a group).
    #[must_use]
    pub fn new(model: Arc<GooseModel>, window_us: i64, group: Option<Arc<str>>) -> Self {
        Self {
            model,
            windows: LawWindows::new(window_us, group),
            streams: HashMap::new(),
            first_us: None,
            last_us: i64::MIN,
        }
    }

    /// Takes the next message.
    pub fn push(&mut self, message: &GooseMessage<'_>) {
        self.first_us.get_or_insert(message.ts_us);
        self.last_us = self.last_us.max(message.ts_us);
        self.windows.message(message.src, message.ts_us);
        let model = Arc::clone(&self.model);
        let Some(publisher) = model.publishers.get(message.control) else {
            self.windows.note(message.src, message.ts_us, GooseLaw::UnknownPublisher as usize);
            return;
        };
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(message.control) {
            self.windows.note(message.src, message.ts_us, GooseLaw::UnknownPublisher as usize);
            return;
        }
        let mut found = Found::new();
        if !check_header(publisher, message, &mut found) {
            // Another sender or another configuration: told, and never followed.
            self.windows.note(message.src, message.ts_us, GooseLaw::Header as usize);
            return;
        }
        if !self.streams.contains_key(message.control) {
            self.streams.insert(message.control.to_owned(), Stream::default());
        }
        if let Some(stream) = self.streams.get_mut(message.control) {
            stream.device = Some(publisher.device);
            if let Some((from, to)) = stream.silence(publisher, message) {
                let law = GooseLaw::Silence as usize;
                self.windows.note_span(publisher.device, from, to, law);
            }
            stream.step(publisher, message, &mut found);
        }
        for (ts_us, law) in found {
            self.windows.note(message.src, ts_us, law as usize);
        }
    }

    /// Windows that nothing later changes, as far as a live judge can wait: those that ended
    /// `grace_us` before the last message. Late evidence then falls into the window of its time and
    /// comes out as a window of its own.
    pub fn ready(&mut self, grace_us: i64) -> Vec<LawWindow> {
        if self.first_us.is_none() {
            return Vec::new();
        }
        self.windows.close_before(self.last_us.saturating_sub(grace_us))
    }

    /// Time passed without any message: publishers that stay away are noted up to it.
    pub fn advance(&mut self, now_us: i64) {
        self.last_us = self.last_us.max(now_us);
    }

    /// Ends the run: publishers that fell silent before its end, or never spoke, are noted.
    pub fn finish(&mut self) -> Vec<LawWindow> {
        let Some(first) = self.first_us else { return Vec::new() };
        for (control, publisher) in &self.model.publishers {
            let spoke = self.streams.get(control).and_then(Stream::last_us);
            let (from, grace) = match spoke {
                Some(last) => (last.saturating_add(allowed(publisher, MAX_TTL_US)), END_GRACE_US),
                None => (first, START_GRACE_US),
            };
            if self.last_us.saturating_sub(spoke.unwrap_or(first)) > grace {
                let law = GooseLaw::Silence as usize;
                self.windows.note_span(publisher.device, from, self.last_us, law);
            }
        }
        self.streams.clear();
        self.first_us = None;
        self.windows.close_all()
    }
}

fn check_header(publisher: &Publisher, message: &GooseMessage<'_>, found: &mut Found) -> bool {
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
fn allowed(publisher: &Publisher, ttl_us: i64) -> i64 {
    let stated = publisher.headers.first().map_or(0, |header| i64::from(header.ttl_ms) * 1_000);
    let ttl = stated.min(ttl_us).clamp(0, MAX_TTL_US);
    ttl.max(publisher.rest.high.saturating_add(publisher.rest.high / 5)).max(SLACK_US)
}

impl Stream {
    fn last_us(&self) -> Option<i64> {
        let chains = self.trusted.iter().chain(&self.former).chain(&self.forks);
        chains.map(|chain| chain.last_us).max()
    }

    fn silence(&self, publisher: &Publisher, message: &GooseMessage<'_>) -> Option<(i64, i64)> {
        let last = self.last_us()?;
        let from = last.saturating_add(allowed(publisher, i64::from(message.ttl_ms) * 1_000));
        (message.ts_us > from).then_some((from, message.ts_us))
    }

    fn step(&mut self, publisher: &Publisher, message: &GooseMessage<'_>, found: &mut Found) {
        let Some(trusted) = self.trusted.as_mut() else {
            self.begin(publisher, message, found);
            return;
        };
        if trusted.is_state_of(message) {
            match message.sequence.cmp(&trusted.sequence.saturating_add(1)) {
                Ordering::Equal => self.go_on(publisher, message, found),
                Ordering::Greater if in_step(publisher, trusted, message) => {
                    note_missing(trusted, message, found);
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
        trusted.extend(message);
    }

    /// A new state.
    fn change(&mut self, publisher: &Publisher, message: &GooseMessage<'_>, found: &mut Found) {
        let Some(old) = self.trusted.take() else { return };
        let mut chain = Chain::start(message);
        let delay = message.ts_us.saturating_sub(message.t_us);
        let steps = message.state.saturating_sub(old.state);
        if steps == 1 && message.sequence == 0 {
            chain.from_change = true;
            let usual = *self.delay.get_or_insert(delay);
            let spread = publisher.delay_spread.saturating_mul(3).saturating_add(SLACK_US * 2);
            if publisher.changes > 0 && delay.saturating_sub(usual) > spread {
                found.push((message.ts_us, GooseLaw::Late));
            }
        } else if steps == 1
            && message.sequence == 1
            && delay < SLACK_US.saturating_add(self.delay.unwrap_or(0))
        {
            // Some publishers begin a state at 1, and captures swap neighbours.
            chain.from_change = true;
        } else {
            self.missed_beginning(&old, message, found);
        }
        if steps == 1 && old.data == message.data && publisher.same_data == 0 {
            chain.suspect = Some(GooseLaw::SameData);
            found.push((message.ts_us, GooseLaw::SameData));
        }
        chain.suspect = judge_values(publisher, message, found).or(chain.suspect);
        self.pending.clear();
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
            self.former = None;
            self.pending.clear();
            let age = message.ts_us.saturating_sub(message.t_us);
            self.age = Some((beyond_sequence(publisher, message), age));
            self.trusted = Some(chain);
        }
    }

    /// Whether a message tells what a trusted state with impossible data should have told.
    fn corrects(&self, publisher: &Publisher, message: &GooseMessage<'_>) -> bool {
        let suspect = |trusted: &&Chain| {
            matches!(trusted.suspect, Some(GooseLaw::ValueRelation | GooseLaw::SameData))
        };
        self.trusted.as_ref().filter(suspect).is_some_and(|trusted| {
            trusted.state == message.state
                && trusted.data != message.data
                && self.fits_age(publisher, message)
                && publisher.values.fit(message.data) != Fit::Contradiction
        })
    }

    /// Of two that tell one state, the one that keeps this publisher's timing is the publisher.
    fn outdoes(&self, fork: &Chain) -> bool {
        const ENOUGH: u64 = 3;
        self.trusted.as_ref().is_some_and(|trusted| {
            fork.state == trusted.state
                && fork.messages >= ENOUGH
                && fork.faults == 0
                && trusted.faults > 0
        })
    }

    /// A fork becomes the trusted chain once the trusted one has long been silent, if it is younger
    /// (the publisher was restarted) or the same state at the right place of its sequence.
    fn may_take_over(
        &self,
        publisher: &Publisher,
        fork: &Chain,
        message: &GooseMessage<'_>,
    ) -> bool {
        let Some(trusted) = self.trusted.as_ref() else { return true };
        let patience = allowed(publisher, i64::from(message.ttl_ms) * 1_000).saturating_mul(2);
        if fork.messages < 2 || message.ts_us.saturating_sub(trusted.last_us) <= patience {
            return false;
        }
        if fork.t_us > trusted.t_us {
            return fork.sequence < 8 || self.fits_age(publisher, message);
        }
        trusted.is_state_of(message) && self.off_age(publisher, message, 2, 33)
    }

    fn fits_age(&self, publisher: &Publisher, message: &GooseMessage<'_>) -> bool {
        self.off_age(publisher, message, 5, 12)
    }

    /// Whether time of the state, sequence number and capture time agree to `gaps` repetitions and
    /// one part in `share` of the age.
    fn off_age(
        &self,
        publisher: &Publisher,
        message: &GooseMessage<'_>,
        gaps: i64,
        share: i64,
    ) -> bool {
        let (Some((usual, first_age)), Some(rest)) = (self.age, publisher.rest.mean()) else {
            return true;
        };
        let age = message.ts_us.saturating_sub(message.t_us);
        let off = beyond_sequence(publisher, message).saturating_sub(usual).saturating_abs();
        let ages = age.saturating_abs().saturating_add(first_age.saturating_abs());
        off <= rest.saturating_mul(gaps).saturating_add(ages / share)
    }
}

/// Age of a message beyond what its sequence number explains.
fn beyond_sequence(publisher: &Publisher, message: &GooseMessage<'_>) -> i64 {
    let rest = publisher.rest.mean().unwrap_or(0);
    let explained = rest.saturating_mul(i64::from(message.sequence));
    message.ts_us.saturating_sub(message.t_us).saturating_sub(explained)
}

/// Whether the time since the last message explains the jump of the sequence number.
fn in_step(publisher: &Publisher, chain: &Chain, message: &GooseMessage<'_>) -> bool {
    let jump = i64::from(message.sequence.saturating_sub(chain.sequence));
    let elapsed = message.ts_us.saturating_sub(chain.last_us);
    let early = (message.sequence as usize) <= CURVE_STEPS + 1 && chain.from_change;
    early || publisher.rest.count == 0 || elapsed >= jump.saturating_mul(publisher.rest.low) / 2
}

/// The law of timing that a repetition breaks, if any.
fn timing(publisher: &Publisher, chain: &Chain, message: &GooseMessage<'_>) -> Option<GooseLaw> {
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
fn note_missing(chain: &Chain, message: &GooseMessage<'_>, found: &mut Found) {
    const MOST: i64 = 4_096;
    let jump = i64::from(message.sequence.saturating_sub(chain.sequence)).max(1);
    let elapsed = message.ts_us.saturating_sub(chain.last_us);
    for step in 1..jump.min(MOST) {
        let after = (i128::from(elapsed) * i128::from(step) / i128::from(jump)) as i64;
        found.push((chain.last_us.saturating_add(after), GooseLaw::Missing));
    }
}

fn judge_values(
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
