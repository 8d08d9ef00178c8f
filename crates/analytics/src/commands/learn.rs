//! Learns commands from a benign time.

use std::collections::{BTreeMap, HashMap};

use protocols::app::{Object, Operation, Role};

use super::Command;
use super::deviate::{KNOWN_ORDER, deviations};
use super::finding::{DEVIATIONS, Deviation};
use super::intervals::Intervals;
use super::model::{
    CommandModel, FunctionModel, Key, MAX_FUNCTIONS, MAX_NAMES, MAX_PAIRS, MAX_POINTS,
    MODEL_VERSION, PairModel, SpacePoints, Training, object_name, role_name,
};
use super::summarise::writes;
use super::summary::{Summary, SummaryError, functions};
use super::values::{PointValues, Verdict};

/// Deviations whose times are kept, to know how many came late in training.
const MAX_EVENTS: usize = 262_144;
/// Part of the time that must pass before new things count as late.
const EARLY_SHARE: f64 = 0.2;

#[derive(Debug)]
struct Learning {
    model: PairModel,
    /// Function of the operation before.
    last: Option<u16>,
    /// Window and operations in it, by function.
    window: HashMap<u16, (i64, u32)>,
    /// Values written last, by space and point.
    written: HashMap<(u32, u32), f64>,
}

/// Gathers operations and makes the model.
#[derive(Debug)]
pub struct CommandLearner {
    window_us: i64,
    pairs: BTreeMap<KeyOrder, Learning>,
    first_us: Option<i64>,
    last_us: i64,
    training: Training,
    /// Times of deviations from everything before, with their kind.
    events: Vec<(i64, u8)>,
    /// Operations by share of time are not known in advance: their times are counted per second.
    operations: BTreeMap<i64, u64>,
}

/// Keys in an order that does not depend on the run.
type KeyOrder = (crate::host::Host, crate::host::Host, &'static str, u32, Role);

const fn order_of(key: &Key) -> KeyOrder {
    (key.0, key.1, key.2.name(), key.3, key.4)
}

impl CommandLearner {
    /// A learner that counts rates in windows of this length.
    #[must_use]
    pub fn new(window_us: i64) -> Self {
        Self {
            window_us: window_us.max(1),
            pairs: BTreeMap::new(),
            first_us: None,
            last_us: i64::MIN,
            training: Training::default(),
            events: Vec::new(),
            operations: BTreeMap::new(),
        }
    }

    /// Takes an operation, in the order of time.
    pub fn push(&mut self, command: &Command<'_>) {
        self.first_us.get_or_insert(command.ts_us);
        self.last_us = self.last_us.max(command.ts_us);
        self.training.operations += 1;
        *self.operations.entry(command.ts_us.div_euclid(1_000_000)).or_default() += 1;
        let operation = &command.operation;
        let key = (command.from, command.to, command.protocol, operation.unit, operation.role);
        let Some(mut pair) = self.take_pair(&key, command.ts_us) else { return };
        let before = |space, point| pair.written.get(&(space, point)).copied();
        let mut found = [false; DEVIATIONS];
        deviations(&pair.model, pair.last, operation, &before, &mut |kind, _| {
            found[kind as usize] = true;
        });
        let beyond = pair.learn(command, self.window_us);
        self.pairs.insert(order_of(&key), pair);
        self.training.beyond += beyond.0;
        self.training.widened += beyond.1;
        self.events(command.ts_us, &found);
    }

    /// Takes what a pair did in a window: as if each operation had been pushed, only that the late
    /// steps of a point count once per window in [`Training::forward`].
    ///
    /// # Errors
    /// When the summary was not made by [`Summariser`](super::Summariser); nothing is learned.
    pub fn take(&mut self, summary: &Summary) -> Result<(), SummaryError> {
        let key = summary.key()?;
        let (mut scratch, place) = (Vec::new(), (key.3, key.4));
        let Some(mut pair) = self.take_pair(&key, summary.start_us) else { return Ok(()) };
        for entry in &summary.entries {
            self.first_us = Some(self.first_us.map_or(entry.first_us, |us| us.min(entry.first_us)));
            self.last_us = self.last_us.max(entry.last_us);
            self.training.operations += entry.count;
            *self.operations.entry(entry.first_us.div_euclid(1_000_000)).or_default() +=
                entry.count;
            let operation = entry.operation(place, &mut scratch);
            let mut found = [false; DEVIATIONS];
            deviations(&pair.model, None, &operation, &|_, _| None, &mut |kind, _| {
                found[kind as usize] = true;
            });
            let beyond = pair.learn_operation(&operation, entry.count, &|_| None);
            self.training.beyond += beyond.0;
            self.training.widened += beyond.1;
            self.events(entry.first_us, &found);
        }
        self.training.beyond += summary.beyond;
        for (ts_us, kind) in pair.learn_rest(summary) {
            self.event(ts_us, kind);
        }
        self.pairs.insert(order_of(&key), pair);
        Ok(())
    }

    /// Takes a pair out to learn, a new one where there is room.
    fn take_pair(&mut self, key: &Key, ts_us: i64) -> Option<Learning> {
        let order = order_of(key);
        if let Some(pair) = self.pairs.remove(&order) {
            return Some(pair);
        }
        self.event(ts_us, Deviation::NewPair);
        if self.pairs.len() >= MAX_PAIRS {
            self.training.beyond += 1;
            return None;
        }
        let (from, to, protocol, unit, role) = *key;
        let (protocol, role) = (protocol.name().to_owned(), role_name(role).to_owned());
        let model = PairModel { from, to, protocol, unit, role, functions: Vec::new() };
        Some(Learning { model, last: None, window: HashMap::new(), written: HashMap::new() })
    }

    fn events(&mut self, ts_us: i64, found: &[bool; DEVIATIONS]) {
        for kind in Deviation::ALL {
            if found[kind as usize] {
                self.event(ts_us, kind);
            }
        }
    }

    fn event(&mut self, ts_us: i64, kind: Deviation) {
        if self.events.len() < MAX_EVENTS {
            self.events.push((ts_us, kind as u8));
        }
    }

    /// Makes the model; `None` when there was no operation.
    #[must_use]
    pub fn finish(mut self) -> Option<CommandModel> {
        let first = self.first_us?;
        let span = self.last_us.saturating_sub(first);
        let early = first.saturating_add((span as f64 * EARLY_SHARE) as i64);
        let later: u64 = self.operations.range(early.div_euclid(1_000_000)..).map(|(_, n)| n).sum();
        for kind in Deviation::ALL {
            let late = |event: &&(i64, u8)| event.0 > early && event.1 == kind as u8;
            let events = self.events.iter().filter(late).count();
            let share = events as f64 / later.max(1) as f64;
            self.training.forward.insert(kind.name().to_owned(), share);
        }
        self.training.seconds = span as f64 / 1e6;
        let pairs = self.pairs.into_values().map(|pair| pair.model);
        Some(CommandModel {
            version: MODEL_VERSION,
            window_us: self.window_us,
            training: self.training,
            pairs: pairs.collect(),
        })
    }
}

impl Learning {
    /// Learns one operation; returns what found no place and how many ranges were widened.
    fn learn(&mut self, command: &Command<'_>, window_us: i64) -> (u64, u64) {
        let operation = &command.operation;
        let last = self.last.replace(operation.function);
        let start = command.ts_us.div_euclid(window_us);
        let window = self.window.entry(operation.function).or_insert((start, 0));
        *window = if window.0 == start { (start, window.1.saturating_add(1)) } else { (start, 1) };
        let in_window = window.1;
        let written = std::mem::take(&mut self.written);
        let beyond = self.learn_operation(operation, 1, &|at| written.get(&at).copied());
        self.written = written;
        if let Ok(place) = self.place(operation.function) {
            let function = &mut self.model.functions[place];
            function.follows.extend(last);
            function.most_per_window = function.most_per_window.max(in_window);
        }
        if let (Object::Range { space, start, .. }, true) =
            (operation.object, writes(operation.role, operation.effect))
        {
            for (point, value) in (start..).zip(operation.values.iter()) {
                let room = self.written.len() < MAX_POINTS;
                if value.is_finite() && (room || self.written.contains_key(&(space, point))) {
                    self.written.insert((space, point), value);
                }
            }
        }
        beyond
    }

    /// Order, rates and steps of a window; tells what was new of them.
    fn learn_rest(&mut self, summary: &Summary) -> Vec<(i64, Deviation)> {
        let mut news = Vec::new();
        let known: u64 = self.model.functions.iter().map(|function| function.count).sum();
        for (code, count) in functions(summary) {
            if let Ok(place) = self.place(code) {
                let function = &mut self.model.functions[place];
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                function.most_per_window = function.most_per_window.max(count);
            }
        }
        for (code, last, ts_us) in &summary.order {
            if let Ok(place) = self.place(*code) {
                let new = self.model.functions[place].follows.insert(*last);
                if new && known >= KNOWN_ORDER {
                    news.push((*ts_us, Deviation::Order));
                }
            }
        }
        for step in &summary.steps {
            let Ok(place) = self.place(step.function) else { continue };
            let function = &mut self.model.functions[place];
            let Ok(point) = function.place_of(step.space, step.point) else { continue };
            let values = &mut function.values[point];
            if values.judge(step.value, Some(step.before)) == Verdict::Step {
                news.push((step.ts_us, Deviation::Step));
            }
            values.step = values.step.max((step.value - step.before).abs());
        }
        news
    }

    fn place(&self, function: u16) -> Result<usize, usize> {
        self.model.functions.binary_search_by_key(&function, |have| have.code)
    }

    /// Learns what an operation that came `count` times is about.
    fn learn_operation(
        &mut self,
        operation: &Operation<'_>,
        count: u64,
        before: &dyn Fn((u32, u32)) -> Option<f64>,
    ) -> (u64, u64) {
        let place = match self.place(operation.function) {
            Ok(place) => place,
            Err(_) if self.model.functions.len() >= MAX_FUNCTIONS => return (1, 0),
            Err(place) => {
                let new = FunctionModel::new(operation.function, operation.name, operation.effect);
                self.model.functions.insert(place, new);
                place
            }
        };
        let function = &mut self.model.functions[place];
        function.count += count;
        if let Some(code) = operation.refused {
            function.refusals.insert(code);
        }
        if operation.role == Role::Response {
            return (0, 0);
        }
        match operation.object {
            Object::None => (0, 0),
            Object::Name(_) | Object::Member { .. } => {
                let name = object_name(&operation.object).unwrap_or_default();
                if function.names.len() >= MAX_NAMES && !function.names.contains(&name) {
                    return (1, 0);
                }
                function.names.insert(name);
                (0, 0)
            }
            Object::Range { space, start, count: points } => {
                let last = start.saturating_add(points.max(1) - 1);
                let widened = add_points(function, space, start, last);
                let mut beyond = 0;
                if writes(operation.role, operation.effect) {
                    for (point, value) in (start..).zip(operation.values.iter()) {
                        let at = (space, point);
                        beyond += learn_value(function, at, value, (count, before(at)));
                    }
                }
                (beyond, u64::from(widened))
            }
        }
    }
}

fn add_points(function: &mut FunctionModel, space: u32, first: u32, last: u32) -> bool {
    if let Some(points) = function.points.iter_mut().find(|points| points.space == space) {
        return points.ranges.add(first, last);
    }
    let mut ranges = Intervals::default();
    ranges.add(first, last);
    function.points.push(SpacePoints { space, ranges });
    function.points.sort_by_key(|points| points.space);
    false
}

/// Learns a value written to a point `count` times; 1 when it found no place.
fn learn_value(
    function: &mut FunctionModel,
    at: (u32, u32),
    value: f64,
    (count, before): (u64, Option<f64>),
) -> u64 {
    if !value.is_finite() || value == f64::MAX {
        return 0;
    }
    let place = match function.place_of(at.0, at.1) {
        Ok(place) => {
            function.values[place].learn(value, before);
            place
        }
        Err(_) if function.values.len() >= MAX_POINTS => return 1,
        Err(place) => {
            let mut values = PointValues::new(at.0, at.1, value);
            // Another function may have written the point before.
            values.step = before.map_or(0.0, |before| (value - before).abs());
            function.values.insert(place, values);
            place
        }
    };
    function.values[place].writes += count - 1;
    0
}
