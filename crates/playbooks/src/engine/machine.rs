//! Transitions, as a pure function: from a run as it stands and what happened to the run as it
//! stands next, with the rows and facts that are written in the same transaction.
//!
//! No database, no clock, no actuator: tests drive it through thousands of runs (see `laws`).

use std::collections::{BTreeMap, BTreeSet};

use model::event::StepFinished;
use model::{Outcome, Timestamp};
use ports::Notice;
use serde_json::{Value, json};

use super::book::Book;
use super::tree::{At, FrameKind, ROOT, Token, Tree};
use super::{MAX_RUN_OUTPUT_BYTES, MAX_STEPS_PER_RUN, MAX_STEPS_PER_TRANSITION, work};
use crate::cacao::variables::Values;
use crate::cacao::{Playbook, Step};
use crate::config::Config;
use crate::run::{RunState, StepState};
use crate::store::runs::Run;
use crate::store::steps::StepRow;

/// A run with the rows of its steps that have not ended.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub run: Run,
    pub rows: BTreeMap<i64, StepRow>,
}

/// What one transition writes.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    /// The run after it; its version is the one before.
    pub run: Run,
    pub rows: Vec<StepRow>,
    pub told: Vec<StepFinished>,
    /// Messages to people, by key.
    pub notices: Vec<(String, Notice)>,
    /// The run ended in this transition.
    pub finished: bool,
}

/// One transition in the making.
pub(crate) struct Machine<'a> {
    pub config: &'a Config,
    pub book: &'a Book,
    pub now: Timestamp,
    pub live: &'a mut Live,
    changed: BTreeSet<i64>,
    closed: Vec<StepRow>,
    pub(super) told: Vec<StepFinished>,
    pub(super) notices: Vec<(String, Notice)>,
    finished: bool,
    moved: bool,
    /// Steps that may still be entered in this transition.
    left: usize,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(
        config: &'a Config,
        book: &'a Book,
        now: Timestamp,
        live: &'a mut Live,
    ) -> Self {
        Self {
            config,
            book,
            now,
            live,
            changed: BTreeSet::new(),
            closed: vec![],
            told: vec![],
            notices: vec![],
            finished: false,
            moved: false,
            left: MAX_STEPS_PER_TRANSITION,
        }
    }

    /// What is to be written; nothing when nothing moved. Ended rows leave [`Live`].
    pub(crate) fn changes(mut self) -> Option<Changes> {
        let before = self.live.run.wake_at;
        self.rest();
        let past = |time: Option<Timestamp>| time.is_some_and(|time| time <= self.now);
        // Otherwise a run without anything to do would be looked at for ever.
        let rests_now = past(before) && !past(self.live.run.wake_at);
        if !rests_now && !self.moved && self.changed.is_empty() && self.closed.is_empty() {
            return None;
        }
        let mut rows = self.closed;
        rows.extend(self.changed.iter().filter_map(|at| self.live.rows.get(at)).cloned());
        rows.sort_by_key(|row| row.position);
        let run = self.live.run.clone();
        self.live.run.version += 1;
        let (told, notices, finished) = (self.told, self.notices, self.finished);
        Some(Changes { run, rows, told, notices, finished })
    }

    /// Enters steps until every token rests, or the transition has grown large enough.
    pub(crate) fn go(&mut self) {
        while self.live.run.state.is_open() && self.live.run.paused_at.is_none() && self.left > 0 {
            let next = self.live.run.tree.tokens.iter().find_map(|(id, token)| match &token.at {
                At::Go(step) => Some((*id, step.clone())),
                _ => None,
            });
            let Some((token, step)) = next else { return };
            self.left -= 1;
            self.enter(token, &step);
        }
    }

    fn enter(&mut self, token: u32, id: &str) {
        self.moved = true;
        let Some(step) = self.step(token, id) else {
            return self.stop(RunState::Failed, &format!("{id} is no step of this workflow"));
        };
        if self.live.run.position >= MAX_STEPS_PER_RUN {
            let why = format!("stopped after {MAX_STEPS_PER_RUN} steps, the limit of a run");
            return self.stop(RunState::Failed, &why);
        }
        self.live.run.position += 1;
        let mut row = self.row(token, id, step);
        let delay_ms = step.delay.filter(|ms| *ms > 0 && !self.live.run.rehearsal);
        let begin = self.now.plus_micros(delay_ms.unwrap_or(0).saturating_mul(1_000));
        let allowed_ms = step.timeout.filter(|ms| *ms > 0);
        row.deadline_at = allowed_ms.map(|ms| begin.plus_micros(ms.saturating_mul(1_000)));
        self.stand(token, row.position);
        if begin > self.now {
            row.state = StepState::Pending;
            row.due_at = Some(begin);
            row.started_at = None;
            self.put(row);
        } else {
            self.begin(token, row, step);
        }
    }

    fn row(&self, token: u32, id: &str, step: &Step) -> StepRow {
        let run = &self.live.run;
        let env = self.token(token).map_or(ROOT, |token| token.env);
        StepRow {
            run: run.id,
            position: run.position,
            step: id.to_owned(),
            name: step.title().to_owned(),
            kind: step.kind.clone(),
            actuator: None,
            verb: None,
            arguments: None,
            state: StepState::Running,
            command: 0,
            outcomes: vec![],
            outcome: None,
            due_at: None,
            deadline_at: None,
            started_at: Some(self.now),
            ended_at: None,
            attempts: 0,
            asked: false,
            parent: run
                .tree
                .around(token)
                .first()
                .map(|frame| frame.position)
                .filter(|position| *position > 0),
            playbook: run.tree.playbook(env).map(str::to_owned),
        }
    }

    /// What every transition ends with: what people see, and when to look again.
    fn rest(&mut self) {
        let run = &mut self.live.run;
        let mut wake = run.deadline_at;
        let mut at = |time: Option<Timestamp>| {
            wake = match (wake, time) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        };
        if !run.state.is_open() {
            // What is still carried out tells its outcome, and then nothing wakes the run again.
            run.wake_at = (!self.live.rows.is_empty()).then_some(self.now);
            return;
        }
        if run.paused_at.is_some() {
            (run.state, run.wake_at) = (RunState::Paused, run.deadline_at);
            return;
        }
        at(run.tree.first_deadline());
        let mut waits = false;
        for row in self.live.rows.values() {
            match row.state {
                StepState::Waiting | StepState::Unsure => {
                    waits = true;
                    at(row.deadline_at);
                }
                StepState::Pending => at(row.due_at),
                _ if row.kind == "action" => at(Some(row.due_at.unwrap_or(self.now))),
                _ => {}
            }
        }
        if run.tree.tokens.values().any(|token| matches!(token.at, At::Go(_))) {
            at(Some(self.now));
        }
        run.state = if waits { RunState::Waiting } else { RunState::Running };
        run.wake_at = wake;
    }

    /// The run's end, whatever is under way.
    pub(crate) fn stop(&mut self, state: RunState, note: &str) {
        let open: Vec<i64> = self.live.rows.keys().copied().collect();
        for position in open {
            self.abandon(position);
        }
        let run = &mut self.live.run;
        run.tree.tokens.clear();
        run.tree.envs.clear();
        run.state = state;
        run.paused_at = None;
        run.ended_at = Some(self.now);
        let steps = |count: i64| {
            if count == 1 { "1 step".to_owned() } else { format!("{count} steps") }
        };
        let given = (!note.is_empty()).then(|| note.to_owned());
        let mut notes: Vec<String> = run.note.take().into_iter().chain(given).collect();
        if state != RunState::Cancelled {
            if run.not_enforced > 0 {
                notes.push(format!("{} not enforced here", steps(run.not_enforced)));
            }
            if run.failed > 0 {
                notes.push(format!("{} failed", steps(run.failed)));
            }
        }
        run.note = (!notes.is_empty()).then(|| notes.join("; "));
        (self.finished, self.moved) = (true, true);
    }

    /// A step that nothing waits for any more. A command that is being carried out goes on, and its
    /// outcome is recorded.
    pub(super) fn abandon(&mut self, position: i64) {
        let Some(row) = self.live.rows.get(&position) else { return };
        if row.state == StepState::Running && row.kind == "action" && !self.live.run.rehearsal {
            return;
        }
        let mut row = row.clone();
        row.state = StepState::Skipped;
        self.end(row);
    }

    /// Has the run written, whatever else moved.
    pub(super) fn moved(&mut self) {
        self.moved = true;
    }

    // What the other files of the engine build on.

    pub(super) fn token(&self, id: u32) -> Option<&Token> {
        self.live.run.tree.tokens.get(&id)
    }

    pub(super) fn token_mut(&mut self, id: u32) -> Option<&mut Token> {
        self.moved = true;
        self.live.run.tree.tokens.get_mut(&id)
    }

    pub(super) fn go_to(&mut self, token: u32, step: &str) {
        if let Some(token) = self.token_mut(token) {
            token.at = At::Go(step.to_owned());
        }
    }

    pub(super) fn stand(&mut self, token: u32, position: i64) {
        if let Some(token) = self.token_mut(token) {
            token.at = At::Step(position);
        }
    }

    /// The playbook a token is in.
    pub(super) fn playbook(&self, token: u32) -> Option<&'a Playbook> {
        let env = self.token(token)?.env;
        self.book.playbook(self.live.run.tree.playbook(env))
    }

    pub(super) fn step(&self, token: u32, id: &str) -> Option<&'a Step> {
        self.playbook(token)?.workflow.get(id)
    }

    /// What a step sees: its own variables over those of its branch and its playbook.
    pub(super) fn values(&self, token: u32, step: &Step) -> Values {
        let run = &self.live.run;
        let env = self.token(token).map_or(ROOT, |token| token.env);
        work::values_for(step, &run.tree.visible(env, &run.variables))
    }

    /// Keeps a row that has not ended.
    pub(super) fn put(&mut self, row: StepRow) {
        self.changed.insert(row.position);
        self.live.rows.insert(row.position, row);
    }

    /// Ends a row.
    pub(super) fn end(&mut self, mut row: StepRow) {
        row.ended_at = Some(self.now);
        row.due_at = None;
        self.changed.remove(&row.position);
        self.live.rows.remove(&row.position);
        self.closed.push(row);
    }

    /// Ends a row with an outcome, and tells.
    pub(super) fn end_with(&mut self, mut row: StepRow, outcome: Outcome) {
        row.state = match &outcome {
            Outcome::Done { .. } => StepState::Done,
            Outcome::NotEnforced { .. } => StepState::NotEnforced,
            Outcome::Failed { .. } => StepState::Failed,
        };
        row.outcome = Some(self.within(work::bounded(outcome)));
        if self.live.run.tree.output_bytes > MAX_RUN_OUTPUT_BYTES {
            row.outcomes.iter_mut().for_each(strip);
        }
        self.tell(&row);
        self.end(row);
    }

    /// The outcome without its data once the run's have grown beyond [`MAX_RUN_OUTPUT_BYTES`].
    fn within(&mut self, outcome: Outcome) -> Outcome {
        let cut = |data: Value, tree: &mut Tree| {
            let size = data.to_string().len();
            tree.output_bytes = tree.output_bytes.saturating_add(size);
            if tree.output_bytes <= MAX_RUN_OUTPUT_BYTES {
                return data;
            }
            json!({ "trimmed": true, "size_bytes": size, "limit_of_run_bytes": MAX_RUN_OUTPUT_BYTES })
        };
        let tree = &mut self.live.run.tree;
        match outcome {
            Outcome::Done { summary, data } => Outcome::Done { summary, data: cut(data, tree) },
            Outcome::NotEnforced { reason, data } => {
                Outcome::NotEnforced { reason, data: cut(data, tree) }
            }
            failed @ Outcome::Failed { .. } => failed,
        }
    }

    fn tell(&mut self, row: &StepRow) {
        let Some(outcome) = row.outcome.clone() else { return };
        let run = &self.live.run;
        self.told.push(StepFinished {
            run: run.id,
            incident: run.incident,
            step: row.step.clone(),
            name: row.name.clone(),
            actuator: row.actuator.clone(),
            outcome,
            tlp: run.tlp,
        });
    }

    /// Sets a variable where the token's variables are; a constant stays.
    pub(super) fn set(&mut self, env: u32, name: &str, value: String) {
        let constant = self
            .book
            .playbook(self.live.run.tree.playbook(env))
            .and_then(|playbook| playbook.playbook_variables.get(name))
            .is_some_and(|variable| variable.constant);
        if constant {
            return;
        }
        let run = &mut self.live.run;
        if env == ROOT {
            run.variables.insert(name.to_owned(), value);
        } else if let Some(env) = run.tree.envs.get_mut(&env) {
            env.values.insert(name.to_owned(), value);
        }
    }

    /// The deadline that a step's row gives to what is inside of it.
    pub(super) fn deadline(&self, row: &StepRow) -> Option<Timestamp> {
        row.deadline_at.filter(|_| !self.live.run.rehearsal)
    }

    /// How deep the token is inside of playbooks called.
    pub(super) fn calls(&self, token: u32) -> usize {
        let frames = self.live.run.tree.around(token);
        frames.iter().filter(|frame| matches!(frame.kind, FrameKind::Call { .. })).count()
    }
}

/// Takes the data away; what was said stays.
fn strip(outcome: &mut Outcome) {
    if let Outcome::Done { data, .. } | Outcome::NotEnforced { data, .. } = outcome {
        *data = Value::Null;
    }
}
