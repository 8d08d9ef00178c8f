//! Operations to summaries, as they come.
//!
//! Polling repeats itself: a window of thousands of operations has few *distinct* ones.

use std::collections::{BTreeMap, HashMap};

use protocols::app::{Effect, Object, Operation, Role};
use serde::Serialize;

use super::Command;
use super::model::{effect_name, role_name};
use super::summary::{
    About, Entry, MAX_ENTRIES, MAX_PARTS, MAX_SUMMARY_VALUES, MAX_VALUES, Step, Summary,
};
use crate::host::Host;

/// Places of a summary that only what changes a machine may take.
const KEPT_FOR_ACTS: usize = 64;
/// Pairs with an open window; operations of further ones are counted.
const MAX_OPEN: usize = 4_096;
/// Pairs whose last operation is remembered.
const MAX_REMEMBERED: usize = 16_384;
/// Points of a pair whose last value is remembered.
const MAX_WRITTEN: usize = 1_024;

/// What a summariser did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SummaryStats {
    /// Operations taken.
    pub operations: u64,
    /// Operations told by their function only, because a window held too many different ones.
    pub beyond: u64,
    /// Operations of pairs beyond the bound: not told.
    pub pairs_beyond: u64,
    /// Operations that came after their window was told; told in a summary of their own.
    pub late: u64,
}

/// What makes an operation distinct.
type Distinct = (u16, About, Vec<u64>, Option<u16>);

#[derive(Debug, Default)]
struct Open {
    entries: Vec<Entry>,
    places: HashMap<Distinct, usize>,
    values: usize,
    order: BTreeMap<(u16, u16), i64>,
    steps: BTreeMap<(u16, u32, u32), Step>,
    beyond: u64,
}

#[derive(Debug, Default)]
struct Before {
    function: Option<u16>,
    written: HashMap<(u32, u32), f64>,
}

/// Makes summaries of operations as they come.
#[derive(Debug)]
pub struct Summariser {
    window_us: i64,
    open: BTreeMap<(i64, SortKey), Open>,
    before: HashMap<SortKey, Before>,
    told_to: i64,
    stats: SummaryStats,
}

/// The pair in an order that does not depend on the run.
type SortKey = (Host, Host, &'static str, u32, Role);

impl Summariser {
    /// A summariser with windows of this length, at least a microsecond.
    #[must_use]
    pub fn new(window_us: i64) -> Self {
        Self {
            window_us: window_us.max(1),
            open: BTreeMap::new(),
            before: HashMap::new(),
            told_to: i64::MIN,
            stats: SummaryStats::default(),
        }
    }

    /// What was done so far.
    #[must_use]
    pub const fn stats(&self) -> SummaryStats {
        self.stats
    }

    /// Takes an operation.
    pub fn push(&mut self, command: &Command<'_>) {
        self.stats.operations += 1;
        let operation = &command.operation;
        let pair =
            (command.from, command.to, command.protocol.name(), operation.unit, operation.role);
        let start = command.ts_us.div_euclid(self.window_us).saturating_mul(self.window_us);
        self.stats.late += u64::from(start < self.told_to);
        let key = (start, pair);
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&key) {
            self.stats.pairs_beyond += 1;
            return;
        }
        let open = self.open.entry(key).or_default();
        if self.before.len() >= MAX_REMEMBERED && !self.before.contains_key(&pair) {
            // A fresh memory only costs the order and the steps across this moment.
            self.before.clear();
        }
        let before = self.before.entry(pair).or_default();
        self.stats.beyond += u64::from(!open.push(command.ts_us, operation));
        open.compare(command.ts_us, operation, before);
    }

    /// Summaries of the windows that ended at or before a time, in order.
    pub fn close_before(&mut self, ts_us: i64) -> Vec<Summary> {
        let mut closed = Vec::new();
        while let Some(entry) = self.open.first_entry() {
            let (start_us, _) = *entry.key();
            let end_us = start_us.saturating_add(self.window_us);
            if end_us > ts_us {
                break;
            }
            self.told_to = self.told_to.max(end_us);
            let ((_, pair), open) = entry.remove_entry();
            closed.push(open.close(pair, start_us, end_us));
        }
        closed
    }

    /// Every summary that is left.
    pub fn finish(&mut self) -> Vec<Summary> {
        self.close_before(i64::MAX)
    }

    /// Whether a window is open that ended at or before a time.
    #[must_use]
    pub fn has_ended(&self, ts_us: i64) -> bool {
        self.open
            .first_key_value()
            .is_some_and(|((start, _), _)| start.saturating_add(self.window_us) <= ts_us)
    }
}

/// A number that JSON can tell; [`f64::MAX`] stands for what is none.
const fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX }
}

/// Whether what the operation carries is a command to write.
pub(super) const fn writes(role: Role, effect: Effect) -> bool {
    matches!(effect, Effect::Write | Effect::Control) && matches!(role, Role::Request)
}

impl Open {
    /// Counts an operation; `false` when only its function found a place.
    fn push(&mut self, ts_us: i64, operation: &Operation<'_>) -> bool {
        let told = operation.role != Role::Response;
        let about = if told { About::of(&operation.object) } else { About::Nothing };
        let values: Vec<f64> = if writes(operation.role, operation.effect) {
            operation.values.iter().map(finite).take(MAX_VALUES).collect()
        } else {
            Vec::new()
        };
        let bits = values.iter().map(|value| value.to_bits()).collect();
        let distinct = (operation.function, about, bits, operation.refused);
        if let Some(place) = self.places.get(&distinct) {
            self.entries[*place].count(ts_us);
            return true;
        }
        let acts = matches!(operation.effect, Effect::Write | Effect::Control | Effect::Configure);
        let places = if acts { MAX_ENTRIES } else { MAX_ENTRIES - KEPT_FOR_ACTS };
        let room = self.entries.len() < places && self.values + values.len() <= MAX_SUMMARY_VALUES;
        let (about, values) = if room { (distinct.1.clone(), values) } else { Default::default() };
        if !room {
            self.beyond += 1;
            let plain = (operation.function, About::Nothing, vec![], None);
            if let Some(place) = self.places.get(&plain) {
                self.entries[*place].count(ts_us);
                return false;
            }
            if self.entries.len() >= MAX_ENTRIES + MAX_PARTS {
                return false;
            }
        }
        self.values += values.len();
        self.places.insert(
            if room { distinct } else { (operation.function, About::Nothing, vec![], None) },
            self.entries.len(),
        );
        self.entries.push(Entry {
            function: operation.function,
            name: operation.name.to_owned(),
            effect: effect_name(operation.effect).to_owned(),
            about,
            values,
            refused: operation.refused.filter(|_| room),
            count: 1,
            first_us: ts_us,
            last_us: ts_us,
        });
        room
    }

    /// Notes what the operation follows and how far it changes its points.
    fn compare(&mut self, ts_us: i64, operation: &Operation<'_>, before: &mut Before) {
        let function = operation.function;
        if let Some(last) = before.function.replace(function)
            && self.order.len() < MAX_PARTS
        {
            self.order.entry((function, last)).or_insert(ts_us);
        }
        let Object::Range { space, start, .. } = operation.object else { return };
        if !writes(operation.role, operation.effect) {
            return;
        }
        let values = operation.values.iter().take(MAX_VALUES);
        for (point, value) in (start..).zip(values).filter(|(_, value)| value.is_finite()) {
            if let Some(old) = before.written.get(&(space, point)).copied() {
                self.step(Step { function, space, point, before: old, value, ts_us });
            }
            if before.written.len() < MAX_WRITTEN || before.written.contains_key(&(space, point)) {
                before.written.insert((space, point), value);
            }
        }
    }

    fn step(&mut self, step: Step) {
        let size = |step: &Step| (step.value - step.before).abs();
        let key = (step.function, step.space, step.point);
        if size(&step) == 0.0 || (self.steps.len() >= MAX_PARTS && !self.steps.contains_key(&key)) {
            return;
        }
        let largest = self.steps.entry(key).or_insert(step);
        if size(&step) > size(largest) {
            *largest = step;
        }
    }

    fn close(self, pair: SortKey, start_us: i64, end_us: i64) -> Summary {
        let (from, to, protocol, unit, role) = pair;
        let order = self.order.into_iter().map(|((function, last), ts)| (function, last, ts));
        Summary {
            from,
            to,
            protocol: protocol.to_owned(),
            unit,
            role: role_name(role).to_owned(),
            start_us,
            end_us,
            entries: self.entries,
            order: order.collect(),
            steps: self.steps.into_values().collect(),
            beyond: self.beyond,
        }
    }
}

impl Entry {
    fn count(&mut self, ts_us: i64) {
        self.count += 1;
        self.first_us = self.first_us.min(ts_us);
        self.last_us = self.last_us.max(ts_us);
    }
}
