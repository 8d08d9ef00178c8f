//! Judges operations one by one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use protocols::app::{Effect, Object, Operation, Role};
use serde::Serialize;

use super::Command;
use super::deviate::{Found, compared, deviations, rate_limit, too_often};
use super::finding::{CommandFinding, DEVIATIONS, Deviation};
use super::model::{CommandModel, Key, PairModel, object_name};
use super::summary::{Summary, SummaryError};
use crate::host::Host;

/// Pairs followed at once; those beyond are judged without order, rate and step.
const MAX_FOLLOWED: usize = 65_536;
/// Points of a pair whose last value is kept.
const MAX_WRITTEN: usize = 4_096;
/// Share of late training operations above which a kind of deviation only informs.
const FORWARD_BUDGET: f64 = 0.005;
/// Score of what only informs.
const INFORMS: f64 = 0.9;

/// What a judge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CommandStats {
    /// Operations judged.
    pub operations: u64,
    /// Findings, also those that only inform.
    pub findings: u64,
    /// Operations of pairs beyond the bound.
    pub unfollowed: u64,
}

#[derive(Debug, Default)]
struct Followed {
    last: Option<u16>,
    window: HashMap<u16, (i64, u32)>,
    written: HashMap<(u32, u32), f64>,
}

/// Judges operations against a model.
#[derive(Debug)]
pub struct CommandJudge {
    model: Arc<CommandModel>,
    index: HashMap<Key, usize>,
    /// Who answered requests in training: a command from one of these is worth a word more.
    servants: HashSet<Host>,
    informs: [bool; DEVIATIONS],
    followed: HashMap<Key, Followed>,
    stats: CommandStats,
}

impl CommandJudge {
    /// A judge.
    #[must_use]
    pub fn new(model: Arc<CommandModel>) -> Self {
        let index = model.index();
        let masters: HashSet<Host> =
            index.keys().filter(|key| key.4 == Role::Request).map(|key| key.0).collect();
        let servants = index
            .keys()
            .filter(|key| key.4 == Role::Request && !masters.contains(&key.1))
            .map(|key| key.1)
            .collect();
        let thin = model.training.is_thin();
        let informs = Deviation::ALL.map(|kind| {
            // Minutes of polling say who commands whom; they do not say how rarely an operator acts.
            let share = model.training.forward.get(kind.name()).copied().unwrap_or(0.0);
            kind != Deviation::NewPair && (thin || share > FORWARD_BUDGET)
        });
        let stats = CommandStats::default();
        Self { model, index, servants, informs, followed: HashMap::new(), stats }
    }

    /// What was done so far.
    #[must_use]
    pub const fn stats(&self) -> CommandStats {
        self.stats
    }

    /// Judges the next operation; each deviation is a finding of its own.
    pub fn push(&mut self, command: &Command<'_>, each: &mut dyn FnMut(CommandFinding)) {
        self.stats.operations += 1;
        let operation = &command.operation;
        let key = (command.from, command.to, command.protocol, operation.unit, operation.role);
        let model = Arc::clone(&self.model);
        let known = self.index.get(&key).and_then(|place| model.pairs.get(*place));
        let Some(pair) = known else {
            self.stranger(command, each);
            return;
        };
        let room = self.followed.len() < MAX_FOLLOWED || self.followed.contains_key(&key);
        let mut found: Vec<(Deviation, Found)> = Vec::new();
        if room {
            let followed = self.followed.entry(key).or_default();
            let before = |space, point| followed.written.get(&(space, point)).copied();
            deviations(pair, followed.last, operation, &before, &mut |kind, what| {
                found.push((kind, what));
            });
            if let Some(what) = followed.count(&model, pair, command) {
                found.push((Deviation::Rate, what));
            }
        } else {
            self.stats.unfollowed += 1;
            deviations(pair, None, operation, &|_, _| None, &mut |kind, what| {
                found.push((kind, what));
            });
        }
        for (kind, what) in found {
            self.tell(command, kind, what.value, what.expected, each);
        }
    }

    /// Judges what a pair did in a window; needs nothing of the windows before. Each deviation of a
    /// distinct operation is one finding, at the first time of the operation.
    ///
    /// # Errors
    /// When the summary was not made by [`Summariser`](super::Summariser); nothing is judged.
    pub fn judge(
        &mut self,
        summary: &Summary,
        each: &mut dyn FnMut(CommandFinding),
    ) -> Result<(), SummaryError> {
        let key = summary.key()?;
        let model = Arc::clone(&self.model);
        let known = self.index.get(&key).and_then(|place| model.pairs.get(*place));
        let (mut scratch, place) = (Vec::new(), (key.3, key.4));
        let told = summary.entries.first();
        for entry in &summary.entries {
            self.stats.operations += entry.count;
            let command = Command {
                ts_us: entry.first_us,
                from: key.0,
                to: key.1,
                protocol: key.2,
                operation: entry.operation(place, &mut scratch),
            };
            let Some(pair) = known else {
                self.stranger(&command, each);
                continue;
            };
            let mut found: Vec<(Deviation, Found)> = Vec::new();
            deviations(pair, None, &command.operation, &|_, _| None, &mut |kind, what| {
                found.push((kind, what));
            });
            for (kind, what) in found {
                self.tell(&command, kind, what.value, what.expected, each);
            }
        }
        let (Some(pair), Some(_)) = (known, told) else { return Ok(()) };
        for (function, ts_us, kind, what) in compared(&model, pair, summary) {
            let Some(entry) = summary.entries.iter().find(|entry| entry.function == function)
            else {
                continue;
            };
            let operation = entry.operation(place, &mut scratch);
            let command = Command { ts_us, from: key.0, to: key.1, protocol: key.2, operation };
            self.tell(&command, kind, what.value, what.expected, each);
        }
        Ok(())
    }

    /// Tells an operation of a pair that training never showed.
    fn stranger(&mut self, command: &Command<'_>, each: &mut dyn FnMut(CommandFinding)) {
        let operation = &command.operation;
        // Who answers or reports is not new by itself: who asked it is.
        let asked = (command.to, command.from, command.protocol, operation.unit, Role::Request);
        if operation.role == Role::Request || !self.index.contains_key(&asked) {
            let expected = self.expected_pair(command);
            self.tell(command, Deviation::NewPair, None, expected, each);
        }
        if operation.refused.is_some() {
            let expected = "no refusals between these two".to_owned();
            self.tell(command, Deviation::Refused, None, expected, each);
        }
    }

    fn expected_pair(&self, command: &Command<'_>) -> String {
        let to = command.to;
        let mut asks: Vec<String> = self
            .index
            .keys()
            .filter(|key| key.1 == to && key.4 == Role::Request)
            .map(|key| key.0.to_string())
            .collect();
        asks.sort();
        asks.dedup();
        asks.truncate(4);
        let servant = if self.servants.contains(&command.from) {
            format!("; {} only answered so far", command.from)
        } else {
            String::new()
        };
        if asks.is_empty() {
            format!("nobody asks {to} over {}{servant}", command.protocol.name())
        } else {
            format!("only {} asks {to}{servant}", asks.join(", "))
        }
    }

    fn tell(
        &mut self,
        command: &Command<'_>,
        kind: Deviation,
        value: Option<f64>,
        expected: String,
        each: &mut dyn FnMut(CommandFinding),
    ) {
        self.stats.findings += 1;
        let operation = &command.operation;
        let informs = self.informs[kind as usize];
        let score = if informs { INFORMS } else { kind.score(operation.effect) };
        each(CommandFinding {
            ts_us: command.ts_us,
            from: command.from,
            to: command.to,
            protocol: command.protocol,
            unit: operation.unit,
            role: operation.role,
            function: operation.function,
            name: operation.name.to_owned(),
            object: object_text(operation),
            value: value.or_else(|| operation.values.iter().next()),
            kind,
            why: why(command, kind, value, &self.model),
            expected,
            technique: kind.technique(operation.effect),
            score,
        });
    }
}

impl Followed {
    /// Counts the operation and remembers what the next needs; tells a rate above the learned.
    fn count(
        &mut self,
        model: &CommandModel,
        pair: &PairModel,
        command: &Command<'_>,
    ) -> Option<Found> {
        let operation = &command.operation;
        self.last = Some(operation.function);
        if let (Object::Range { space, start, .. }, Effect::Write | Effect::Control) =
            (operation.object, operation.effect)
        {
            for (point, value) in (start..).zip(operation.values.iter()) {
                let at = (space, point);
                if self.written.len() < MAX_WRITTEN || self.written.contains_key(&at) {
                    self.written.insert(at, value);
                }
            }
        }
        let function = pair.function(operation.function)?;
        let start = command.ts_us.div_euclid(model.window_us.max(1));
        let window = self.window.entry(operation.function).or_insert((start, 0));
        *window = if window.0 == start { (start, window.1.saturating_add(1)) } else { (start, 1) };
        // Told once, where the count passes the limit.
        let count = f64::from(window.1);
        (count == rate_limit(function) + 1.0).then(|| too_often(model, function, count))
    }
}

fn object_text(operation: &Operation<'_>) -> String {
    match operation.object {
        Object::None => String::new(),
        Object::Name(_) | Object::Member { .. } => {
            object_name(&operation.object).unwrap_or_default()
        }
        Object::Range { space, start, count } if count <= 1 => {
            format!("space {space}, point {start}")
        }
        Object::Range { space, start, count } => {
            let last = start.saturating_add(count - 1);
            format!("space {space}, points {start} to {last}")
        }
    }
}

fn why(command: &Command<'_>, kind: Deviation, value: Option<f64>, model: &CommandModel) -> String {
    let operation = &command.operation;
    let (from, to, name) = (command.from, command.to, operation.name);
    let number = value.map_or_else(String::new, |value| format!(" {value}"));
    let mut text = match kind {
        Deviation::NewPair => {
            format!("{from} speaks {} to {to} ({name}) and never did", command.protocol.name())
        }
        Deviation::Function => format!("{from} never asked {to} to {name}"),
        Deviation::Object => {
            format!("{from} never touched {} of {to} with {name}", object_text(operation))
        }
        Deviation::Value => format!("{from} writes{number} to {to}, a value never written there"),
        Deviation::Step => {
            format!("{from} changes a value of {to} to{number}, further at once than ever")
        }
        Deviation::Rate => {
            format!("{from} asks {to} to {name} more often than ever:{number} times in a window")
        }
        Deviation::Order => format!("{from} asks {to} to {name} after something it never follows"),
        Deviation::Refused => format!(
            "{from} refuses {to}: {name}, code{}",
            operation.refused.map_or_else(String::new, |code| format!(" {code}"))
        ),
    };
    if model.training.is_thin() {
        text.push_str(&format!(
            "; learned from {:.0} s and {} operations only, so it may just not have been seen yet",
            model.training.seconds, model.training.operations
        ));
    }
    text
}
