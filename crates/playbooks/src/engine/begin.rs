//! What each type of step does when it begins.

use std::collections::{BTreeMap, BTreeSet};

use model::Outcome;
use serde_json::json;

use super::machine::Machine;
use super::tree::{At, Env, Frame, FrameKind, Token};
use super::work::{self, Item};
use super::{MAX_BRANCH_DEPTH, MAX_CALL_DEPTH, MAX_LOOP_TURNS, MAX_TOKENS, shape};
use crate::cacao::Step;
use crate::cacao::variables::bare;
use crate::cacao::variables::{Values, fill};
use crate::condition::Condition;
use crate::context;
use crate::run::StepState;
use crate::store::steps::StepRow;

/// What a condition answers.
enum Answer {
    Known(bool),
    /// A rehearsal does not know what outcomes would set.
    Unknown,
}

impl Machine<'_> {
    /// Begins a step whose delay is over.
    pub(super) fn begin(&mut self, token: u32, mut row: StepRow, step: &Step) {
        row.started_at = Some(self.now);
        row.due_at = None;
        row.state = StepState::Running;
        match step.kind.as_str() {
            "start" => {
                self.quietly_done(row);
                self.onward(token, step);
            }
            "end" => {
                self.quietly_done(row);
                self.end_branch(token);
            }
            "action" => self.arm(token, row, step),
            "if-condition" => self.decide(token, row, step),
            "switch-condition" => self.choose(token, row, step),
            "while-condition" => self.turn_first(token, row, step),
            "parallel" => self.fork_all(token, row, step),
            "playbook-action" => self.call(token, row, step),
            other => {
                let reason = format!("steps of the type {other} are not run here");
                self.step_failed(token, row, step, reason);
            }
        }
    }

    fn quietly_done(&mut self, mut row: StepRow) {
        row.state = StepState::Done;
        self.end(row);
    }

    /// Makes an action ready: recorded as running (or waiting) before anything is asked.
    fn arm(&mut self, token: u32, mut row: StepRow, step: &Step) {
        let item = match self.item(token, step, &row) {
            Ok(item) => item,
            Err(reason) => return self.step_failed(token, row, step, reason),
        };
        if row.deadline_at.is_none() {
            let usual_s =
                if item.manual { self.config.manual_timeout_s } else { self.config.step_timeout_s };
            row.deadline_at = Some(self.now.plus_secs(i64::from(usual_s)));
        }
        self.ask(&mut row, &item);
        let position = row.position;
        self.put(row);
        if item.manual && self.live.run.rehearsal {
            let summary = format!("a person would be asked: {}", instruction(&item));
            self.outcome(position, Outcome::Done { summary, data: json!({ "plan": item.shown }) });
        }
    }

    /// What the row's command asks.
    pub(super) fn item(&self, token: u32, step: &Step, row: &StepRow) -> Result<Item, String> {
        let playbook = self.playbook(token).ok_or("the playbook is not in the run's book")?;
        let values = self.values(token, step);
        let command = usize::try_from(row.command).unwrap_or(usize::MAX);
        work::item(playbook, step, &values, command)
    }

    /// Writes what will be asked into the row.
    pub(super) fn ask(&mut self, row: &mut StepRow, item: &Item) {
        row.actuator = Some(item.actuator.clone());
        row.verb = Some(item.verb.clone());
        row.arguments = Some(item.shown.clone());
        row.asked = false;
        row.due_at = None;
        row.state = if item.manual { StepState::Waiting } else { StepState::Running };
    }

    fn evaluate(&self, token: u32, step: &Step) -> Result<(Answer, serde_json::Value), String> {
        let text = step.condition.as_deref().unwrap_or_default();
        let values = self.values(token, step);
        let condition = Condition::parse(text).map_err(|cause| cause.to_string())?;
        let names: BTreeSet<String> =
            condition.variables().into_iter().map(|name| name.to_string()).collect();
        let unknown = self.unknown(token, names.iter());
        if !unknown.is_empty() {
            let seen = json!({ "condition": text, "unknown": unknown });
            return Ok((Answer::Unknown, seen));
        }
        let holds = condition.holds(&values).map_err(|cause| cause.to_string())?;
        let seen: BTreeMap<&String, &String> =
            names.iter().filter_map(|name| Some((name, values.get(name)?))).collect();
        Ok((Answer::Known(holds), json!({ "condition": text, "seen": seen })))
    }

    /// Those of the variables that a rehearsal knows no value of.
    fn unknown<'n>(&self, token: u32, names: impl Iterator<Item = &'n String>) -> Vec<String> {
        let tree = &self.live.run.tree;
        let scope = self.token(token).map_or(0, |token| tree.scope(token.env));
        names.filter(|name| tree.unknown.contains(&(scope, (*name).clone()))).cloned().collect()
    }

    fn decide(&mut self, token: u32, mut row: StepRow, step: &Step) {
        let (answer, seen) = match self.evaluate(token, step) {
            Ok(answer) => answer,
            Err(reason) => return self.step_failed(token, row, step, reason),
        };
        row.arguments = Some(seen);
        match answer {
            Answer::Known(holds) => {
                let target = if holds { &step.on_true } else { &step.on_false };
                let word = if holds { "yes" } else { "no" };
                let data = json!({ "condition": holds });
                self.branch(token, row, step, word.to_owned(), data, target.as_deref());
            }
            Answer::Unknown => {
                let both = [step.on_true.as_deref(), step.on_false.as_deref()];
                self.fork(token, row, step, &both);
            }
        }
    }

    fn choose(&mut self, token: u32, mut row: StepRow, step: &Step) {
        let text = shape::switch(step).unwrap_or_default();
        // `__name__` and `__name__:value` mean the same here.
        let text = if text.ends_with(":value") { text.to_owned() } else { format!("{text}:value") };
        let names: Vec<String> =
            crate::cacao::variables::references(&text).into_iter().map(str::to_owned).collect();
        let cases = shape::cases(step);
        let unknown = self.unknown(token, names.iter());
        if !unknown.is_empty() {
            row.arguments = Some(json!({ "switch": text, "unknown": unknown }));
            let all: Vec<Option<&str>> = cases.iter().map(|(_, to)| Some(*to)).collect();
            return self.fork(token, row, step, &all);
        }
        let value = match fill(&text, &self.values(token, step)) {
            Ok(value) => value,
            Err(cause) => return self.step_failed(token, row, step, cause.to_string()),
        };
        let find = |wanted: &str| cases.iter().find(|(case, _)| *case == wanted).copied();
        let chosen = find(&value).or_else(|| find("default"));
        row.arguments = Some(json!({ "switch": text, "seen": value }));
        let (word, target) = match chosen {
            Some((case, to)) => (format!("case {case}"), Some(to)),
            None => ("no case fits".to_owned(), None),
        };
        let data = json!({ "case": chosen.map(|(case, _)| case) });
        self.branch(token, row, step, word, data, target);
    }

    /// Goes into the branch that a condition chose. It comes back to what follows the condition when
    /// it reaches an end step (§4.8, §4.10).
    fn branch(
        &mut self,
        token: u32,
        row: StepRow,
        step: &Step,
        summary: String,
        data: serde_json::Value,
        target: Option<&str>,
    ) {
        let follows = shape::after(step).is_some() || step.on_failure.is_some();
        if follows && let Err(reason) = self.depth(token) {
            return self.step_failed(token, row, step, reason);
        }
        let (id, position, deadline) = (row.step.clone(), row.position, self.deadline(&row));
        self.end_with(row, Outcome::Done { summary, data });
        if follows && let Some(token) = self.token_mut(token) {
            token.frames.push(Frame { kind: FrameKind::Branch, step: id, position, deadline });
        }
        match target {
            Some(target) => self.go_to(token, target),
            None => self.end_branch(token),
        }
    }

    fn depth(&self, token: u32) -> Result<(), String> {
        if self.live.run.tree.around(token).len() >= MAX_BRANCH_DEPTH {
            return Err(format!("branches nest deeper than {MAX_BRANCH_DEPTH}"));
        }
        Ok(())
    }

    /// Keeps the row of a step that others run inside of, and the frame.
    fn inside(&mut self, token: u32, row: StepRow, kind: FrameKind) {
        let (step, position, deadline) = (row.step.clone(), row.position, self.deadline(&row));
        self.put(row);
        if let Some(token) = self.token_mut(token) {
            token.frames.push(Frame { kind, step, position, deadline });
        }
    }

    fn turn_first(&mut self, token: u32, row: StepRow, step: &Step) {
        if let Err(reason) = self.depth(token) {
            return self.step_failed(token, row, step, reason);
        }
        self.inside(token, row, FrameKind::Loop { turns: 0 });
        self.turn(token);
    }

    /// Asks the condition of the loop the token is in.
    pub(super) fn turn(&mut self, token: u32) {
        let Some(frame) = self.token_mut(token).and_then(|token| token.frames.pop()) else {
            return;
        };
        let FrameKind::Loop { turns } = frame.kind else { return };
        let Some(step) = self.step(token, &frame.step) else { return };
        let Some(mut row) = self.live.rows.get(&frame.position).cloned() else { return };
        let (answer, seen) = match self.evaluate(token, step) {
            Ok(answer) => answer,
            Err(reason) => return self.step_failed(token, row, step, reason),
        };
        // A rehearsal that cannot know goes round once.
        let (holds, assumed) = match answer {
            Answer::Known(holds) => (holds, false),
            Answer::Unknown => (turns == 0, true),
        };
        row.arguments = Some(seen);
        let ended = if turns == 1 { "1 turn".to_owned() } else { format!("{turns} turns") };
        if !holds {
            let summary = if assumed {
                format!("assumed: ends after {ended}")
            } else {
                format!("ended after {ended}")
            };
            self.end_with(row, Outcome::Done { summary, data: json!({ "turns": turns }) });
            return self.onward(token, step);
        }
        if turns >= MAX_LOOP_TURNS {
            let reason = format!("stopped after {MAX_LOOP_TURNS} turns, the limit of a loop");
            return self.step_failed(token, row, step, reason);
        }
        self.put(row);
        let kind = FrameKind::Loop { turns: turns + 1 };
        let target = step.on_true.clone();
        if let Some(token) = self.token_mut(token) {
            token.frames.push(Frame { kind, ..frame });
        }
        match target {
            Some(target) => self.go_to(token, &target),
            None => self.turn(token),
        }
    }

    fn fork_all(&mut self, token: u32, row: StepRow, step: &Step) {
        let branches: Vec<Option<&str>> = shape::next_steps(step).into_iter().map(Some).collect();
        self.fork(token, row, step, &branches);
    }

    /// Forks the token; it goes on when all branches have ended. Every branch writes variables of its
    /// own; they come together in the order of the branches.
    fn fork(&mut self, token: u32, row: StepRow, step: &Step, branches: &[Option<&str>]) {
        let tokens = self.live.run.tree.tokens.len();
        let refused = self.depth(token).err().or_else(|| {
            (tokens + branches.len() > MAX_TOKENS)
                .then(|| format!("more than {MAX_TOKENS} branches would be under way"))
        });
        if let Some(reason) = refused {
            return self.step_failed(token, row, step, reason);
        }
        let Some(env) = self.token(token).map(|token| token.env) else { return };
        self.inside(token, row, FrameKind::Fork);
        if let Some(token) = self.token_mut(token) {
            token.at = At::Join;
        }
        for (branch, target) in (0_u32..).zip(branches) {
            let tree = &mut self.live.run.tree;
            let (own, id) = (tree.mint(), tree.mint());
            let scope = Env { parent: Some(env), playbook: None, values: Values::new() };
            tree.envs.insert(own, scope);
            let at = match target {
                Some(step) => At::Go((*step).to_owned()),
                None => At::Ended(None),
            };
            let child = Token { parent: Some(token), branch, env: own, frames: vec![], at };
            tree.tokens.insert(id, child);
        }
        self.join(token);
    }

    fn call(&mut self, token: u32, mut row: StepRow, step: &Step) {
        let id = shape::called(step).unwrap_or_default();
        let Some(called) = self.book.playbook(Some(id)) else {
            return self.step_failed(token, row, step, format!("{id} is not stored here"));
        };
        if self.calls(token) >= MAX_CALL_DEPTH {
            let reason = format!("playbooks call each other deeper than {MAX_CALL_DEPTH}");
            return self.step_failed(token, row, step, reason);
        }
        if let Err(reason) = self.depth(token) {
            return self.step_failed(token, row, step, reason);
        }
        let Some(env) = self.token(token).map(|token| token.env) else { return };
        let seen = self.values(token, step);
        let given: Values = step
            .in_args
            .iter()
            .map(|name| bare(name))
            .filter_map(|name| Some((name.to_owned(), seen.get(name)?.clone())))
            .collect();
        let unknown = self.unknown(
            token,
            step.in_args.iter().map(|n| bare(n).to_owned()).collect::<Vec<_>>().iter(),
        );
        row.arguments = Some(json!({ "playbook": id, "name": called.name, "in": given }));
        self.inside(token, row, FrameKind::Call { env });
        let values = context::initial(called, &given);
        let tree = &mut self.live.run.tree;
        let own = tree.mint();
        tree.unknown.extend(unknown.into_iter().map(|name| (own, name)));
        tree.envs.insert(own, Env { parent: None, playbook: Some(id.to_owned()), values });
        if let Some(token) = self.token_mut(token) {
            token.env = own;
        }
        self.go_to(token, &called.workflow_start);
    }
}

fn instruction(item: &Item) -> &str {
    item.shown.get("instruction").and_then(|text| text.as_str()).unwrap_or_default()
}
