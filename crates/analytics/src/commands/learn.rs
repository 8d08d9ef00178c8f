//! Learns commands from a benign time.

use std::collections::{BTreeMap, HashMap};

use protocols::app::{Effect, Object, Role};

use super::Command;
use super::finding::{DEVIATIONS, Deviation};
use super::intervals::Intervals;
use super::judge::deviations;
use super::model::{
    CommandModel, FunctionModel, Key, MAX_FUNCTIONS, MAX_NAMES, MAX_PAIRS, MAX_POINTS,
    MODEL_VERSION, PairModel, SpacePoints, Training, object_name, role_name,
};
use super::values::PointValues;

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
        let order = order_of(&key);
        if !self.pairs.contains_key(&order) {
            self.event(command.ts_us, Deviation::NewPair);
            if self.pairs.len() >= MAX_PAIRS {
                self.training.beyond += 1;
                return;
            }
        }
        let pair = self.pairs.entry(order).or_insert_with(|| Learning {
            model: PairModel {
                from: command.from,
                to: command.to,
                protocol: command.protocol.name().to_owned(),
                unit: operation.unit,
                role: role_name(operation.role).to_owned(),
                functions: Vec::new(),
            },
            last: None,
            window: HashMap::new(),
            written: HashMap::new(),
        });
        let before = |space, point| pair.written.get(&(space, point)).copied();
        let mut found = [false; DEVIATIONS];
        deviations(&pair.model, pair.last, operation, &before, &mut |kind, _| {
            found[kind as usize] = true;
        });
        let beyond = pair.learn(command, self.window_us);
        self.training.beyond += beyond.0;
        self.training.widened += beyond.1;
        for kind in Deviation::ALL {
            if found[kind as usize] {
                self.event(command.ts_us, kind);
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
        let functions = &mut self.model.functions;
        let place = match functions.binary_search_by_key(&operation.function, |have| have.code) {
            Ok(place) => place,
            Err(_) if functions.len() >= MAX_FUNCTIONS => return (1, 0),
            Err(place) => {
                let new = FunctionModel::new(operation.function, operation.name, operation.effect);
                functions.insert(place, new);
                place
            }
        };
        let function = &mut functions[place];
        function.count += 1;
        if let Some(last) = self.last.replace(operation.function) {
            function.follows.insert(last);
        }
        let start = command.ts_us.div_euclid(window_us);
        let window = self.window.entry(operation.function).or_insert((start, 0));
        *window = if window.0 == start { (start, window.1.saturating_add(1)) } else { (start, 1) };
        function.most_per_window = function.most_per_window.max(window.1);
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
            Object::Range { space, start, count } => {
                let last = start.saturating_add(count.max(1) - 1);
                let widened = add_points(function, space, start, last);
                let acts = matches!(operation.effect, Effect::Write | Effect::Control);
                let mut beyond = 0;
                if acts && operation.role == Role::Request {
                    let written = &mut self.written;
                    for (point, value) in (start..).zip(operation.values.iter()) {
                        beyond += learn_value(function, written, (space, point), value);
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

fn learn_value(
    function: &mut FunctionModel,
    written: &mut HashMap<(u32, u32), f64>,
    at: (u32, u32),
    value: f64,
) -> u64 {
    if !value.is_finite() {
        return 0;
    }
    match function.place_of(at.0, at.1) {
        Ok(place) => function.values[place].learn(value, written.get(&at).copied()),
        Err(_) if function.values.len() >= MAX_POINTS => return 1,
        Err(place) => function.values.insert(place, PointValues::new(at.0, at.1, value)),
    }
    if written.len() < MAX_POINTS || written.contains_key(&at) {
        written.insert(at, value);
    }
    0
}
