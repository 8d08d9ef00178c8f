//! Learns publishers from runs of a benign time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judge::GooseJudge;
use super::publisher::{
    CURVE_STEPS, Gap, GooseModel, Header, MAX_HEADERS, MAX_PUBLISHERS, Publisher,
};
use super::values::{MAX_CONTENTS, ValueModel};
use super::{Entry, GooseMessage};
use crate::host::Host;
use crate::laws::{LawLimits, LawWindow};

/// Messages a training keeps; further ones are counted and not learned.
pub const MAX_TRAINING_MESSAGES: usize = 1_000_000;
/// Parts a training is cut into, so that limits come from parts left out.
const PARTS: usize = 8;

/// A message that owns its parts.
#[derive(Clone, Debug)]
struct Kept {
    ts_us: i64,
    src: Host,
    dst: Host,
    app_id: u32,
    length: u32,
    control: Arc<str>,
    ttl_ms: u32,
    data_set: Arc<str>,
    go_id: Arc<str>,
    t_us: i64,
    state: u32,
    sequence: u32,
    simulation: bool,
    conf_rev: u32,
    needs_commissioning: bool,
    entries: u32,
    data: Arc<[Entry]>,
}

impl Kept {
    fn message(&self) -> GooseMessage<'_> {
        GooseMessage {
            ts_us: self.ts_us,
            src: self.src,
            dst: self.dst,
            app_id: self.app_id,
            length: self.length,
            control: &self.control,
            ttl_ms: self.ttl_ms,
            data_set: &self.data_set,
            go_id: &self.go_id,
            t_us: self.t_us,
            state: self.state,
            sequence: self.sequence,
            simulation: self.simulation,
            conf_rev: self.conf_rev,
            needs_commissioning: self.needs_commissioning,
            entries: self.entries,
            data: &self.data,
        }
    }
}

/// Gathers messages of a benign time and makes the model.
#[derive(Debug)]
pub struct GooseLearner {
    runs: Vec<Vec<Kept>>,
    groups: BTreeMap<Arc<str>, usize>,
    texts: BTreeMap<String, Arc<str>>,
    contents: BTreeMap<Vec<Entry>, Arc<[Entry]>>,
    kept: usize,
    beyond: u64,
    window_us: i64,
}

impl GooseLearner {
    /// A learner; the limits are taken from windows of this length.
    #[must_use]
    pub const fn new(window_us: i64) -> Self {
        Self {
            runs: Vec::new(),
            groups: BTreeMap::new(),
            texts: BTreeMap::new(),
            contents: BTreeMap::new(),
            kept: 0,
            beyond: 0,
            window_us,
        }
    }

    /// Takes a message of a run. Messages of one run come in the order of time.
    pub fn push(&mut self, group: Option<&str>, message: &GooseMessage<'_>) {
        if self.kept >= MAX_TRAINING_MESSAGES {
            self.beyond += 1;
            return;
        }
        self.kept += 1;
        let group = self.text(group.unwrap_or_default());
        let runs = self.groups.len();
        let run = *self.groups.entry(group).or_insert(runs);
        if run == self.runs.len() {
            self.runs.push(Vec::new());
        }
        let kept = Kept {
            ts_us: message.ts_us,
            src: message.src,
            dst: message.dst,
            app_id: message.app_id,
            length: message.length,
            control: self.text(message.control),
            ttl_ms: message.ttl_ms,
            data_set: self.text(message.data_set),
            go_id: self.text(message.go_id),
            t_us: message.t_us,
            state: message.state,
            sequence: message.sequence,
            simulation: message.simulation,
            conf_rev: message.conf_rev,
            needs_commissioning: message.needs_commissioning,
            entries: message.entries,
            data: self.content(message.data),
        };
        self.runs[run].push(kept);
    }

    /// Equal texts and contents are kept once.
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let kept: Arc<str> = text.into();
        if self.texts.len() < MAX_PUBLISHERS * 4 {
            self.texts.insert(text.to_owned(), Arc::clone(&kept));
        }
        kept
    }

    fn content(&mut self, data: &[Entry]) -> Arc<[Entry]> {
        if let Some(known) = self.contents.get(data) {
            return Arc::clone(known);
        }
        let kept: Arc<[Entry]> = data.into();
        if self.contents.len() < MAX_CONTENTS * 4 {
            self.contents.insert(data.to_vec(), Arc::clone(&kept));
        }
        kept
    }

    /// Makes the model: publishers from everything, limits from runs left out in turn.
    /// `None` when there was no message.
    #[must_use]
    pub fn finish(self) -> Option<GooseModel> {
        if self.kept == 0 {
            return None;
        }
        let mut limits = LawLimits::default();
        let parts = self.runs.len().min(PARTS);
        let held_out = parts > 1;
        for part in 0..parts {
            let inside = |run: usize| !held_out || run % parts != part;
            let fitted =
                Arc::new(fit(self.runs.iter().enumerate().filter(|(run, _)| inside(*run))));
            for (run, messages) in self.runs.iter().enumerate() {
                if held_out && run % parts != part {
                    continue;
                }
                judge(&fitted, messages, self.window_us, &mut |window| limits.learn(window));
                debug_assert!(held_out || run < self.runs.len());
            }
        }
        let mut model = fit(self.runs.iter().enumerate());
        model.limits = limits;
        model.held_out = held_out;
        model.runs = self.runs.len() as u64;
        model.messages = self.kept as u64;
        model.beyond += self.beyond;
        Some(model)
    }
}

fn judge(
    model: &Arc<GooseModel>,
    messages: &[Kept],
    window_us: i64,
    each: &mut dyn FnMut(&LawWindow),
) {
    let mut judge = GooseJudge::new(Arc::clone(model), window_us, None);
    for kept in messages {
        judge.push(&kept.message());
    }
    judge.finish().iter().for_each(each);
}

/// Data before and after a change of state.
type Change = (Arc<[Entry]>, Arc<[Entry]>);

/// What is gathered of one control block.
#[derive(Default)]
struct Gathered {
    devices: BTreeMap<Host, u64>,
    headers: Vec<Header>,
    length: Option<(u32, u32)>,
    rest: Gap,
    curve: [Gap; CURVE_STEPS],
    changes: u64,
    same_data: u64,
    delay_spread: i64,
    contents: BTreeMap<Vec<Entry>, u64>,
    transitions: BTreeMap<Change, u64>,
    messages: u64,
}

fn fit<'a>(runs: impl Iterator<Item = (usize, &'a Vec<Kept>)>) -> GooseModel {
    let mut gathered: BTreeMap<&str, Gathered> = BTreeMap::new();
    let mut beyond = 0;
    for (_, messages) in runs {
        let mut streams: BTreeMap<&str, (&Kept, bool, Option<i64>)> = BTreeMap::new();
        for kept in messages {
            if gathered.len() >= MAX_PUBLISHERS && !gathered.contains_key(&*kept.control) {
                beyond += 1;
                continue;
            }
            let all = gathered.entry(&kept.control).or_default();
            all.learn(kept);
            let next = all.follow(streams.get(&*kept.control).copied(), kept);
            streams.insert(&kept.control, next);
        }
    }
    let publishers = gathered.into_iter().filter_map(|(control, all)| {
        let device = all.devices.iter().max_by_key(|(_, count)| **count).map(|(host, _)| *host)?;
        let mut values = ValueModel::learn(all.contents.iter().map(|(c, n)| (c.as_slice(), *n)));
        values.learn_changes(all.transitions.iter().map(|((a, b), n)| ((&**a, &**b), *n)));
        let publisher = Publisher {
            device,
            messages: all.messages,
            headers: all.headers,
            length: all.length.unwrap_or((0, 0)),
            rest: all.rest,
            curve: all.curve,
            changes: all.changes,
            same_data: all.same_data,
            delay_spread: all.delay_spread,
            values,
        };
        Some((control.to_owned(), publisher))
    });
    GooseModel { publishers: publishers.collect(), beyond, ..GooseModel::default() }
}

impl Gathered {
    fn learn(&mut self, kept: &Kept) {
        let message = kept.message();
        self.messages += 1;
        *self.devices.entry(kept.src).or_default() += 1;
        if self.headers.len() < MAX_HEADERS && !self.headers.iter().any(|h| h.fits(&message)) {
            self.headers.push(Header::of(&message));
        }
        if kept.length > 0 {
            let (low, high) = self.length.unwrap_or((kept.length, kept.length));
            self.length = Some((low.min(kept.length), high.max(kept.length)));
        }
        if self.contents.len() < MAX_CONTENTS || self.contents.contains_key(&*kept.data) {
            *self.contents.entry(kept.data.to_vec()).or_default() += 1;
        }
    }

    /// Learns the step from the message before; returns what the next step needs.
    fn follow<'a>(
        &mut self,
        last: Option<(&'a Kept, bool, Option<i64>)>,
        kept: &'a Kept,
    ) -> (&'a Kept, bool, Option<i64>) {
        let delay = kept.ts_us.saturating_sub(kept.t_us);
        let Some((before, from_change, first_delay)) = last else {
            return (kept, false, (kept.sequence == 0).then_some(delay));
        };
        let gap = kept.ts_us.saturating_sub(before.ts_us);
        if kept.state == before.state && before.sequence.checked_add(1) == Some(kept.sequence) {
            let step = kept.sequence as usize;
            match self.curve.get_mut(step.wrapping_sub(1)) {
                Some(learned) if from_change => learned.learn(gap),
                _ => self.rest.learn(gap),
            }
            return (kept, from_change, first_delay);
        }
        let lawful = before.state.checked_add(1) == Some(kept.state) && kept.sequence == 0;
        if lawful {
            self.changes += 1;
            self.same_data += u64::from(kept.data == before.data);
            let change = (Arc::clone(&before.data), Arc::clone(&kept.data));
            if self.transitions.len() < MAX_CONTENTS || self.transitions.contains_key(&change) {
                *self.transitions.entry(change).or_default() += 1;
            }
            let spread = delay.saturating_sub(first_delay.unwrap_or(delay)).saturating_abs();
            self.delay_spread = self.delay_spread.max(spread);
        }
        (kept, lawful, first_delay.or(lawful.then_some(delay)))
    }
}
