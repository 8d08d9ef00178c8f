//! How steps and branches end, and where failures go.
//!
//! A failure goes to the step's `on_failure`; else to its `on_completion`, and the run remembers it;
//! else the step that it is inside of has failed in turn; else the playbook's `workflow_exception`
//! takes over (§3.1, §4.1); else the run fails.

use model::Outcome;
use serde_json::json;

use super::machine::Machine;
use super::tree::{At, Frame, FrameKind, ROOT};
use super::{shape, work};
use crate::cacao::Step;
use crate::cacao::variables::Values;
use crate::cacao::variables::bare;
use crate::run::{RunState, StepState};
use crate::store::steps::StepRow;

impl Machine<'_> {
    /// On to what follows a step that went well.
    pub(super) fn onward(&mut self, token: u32, step: &Step) {
        match shape::after(step) {
            Some(next) => self.go_to(token, next),
            None => self.end_branch(token),
        }
    }

    /// A step ended in failure, asked or not.
    pub(super) fn step_failed(&mut self, token: u32, row: StepRow, step: &Step, reason: String) {
        let told = format!("'{}' failed: {reason}", step.title());
        self.end_with(row, Outcome::Failed { reason, retry: false });
        self.failure(token, step, told);
    }

    fn failure(&mut self, token: u32, step: &Step, reason: String) {
        if !self.taken_care_of(token, step) {
            self.unwind(token, reason);
        }
    }

    fn taken_care_of(&mut self, token: u32, step: &Step) -> bool {
        if let Some(next) = &step.on_failure {
            self.go_to(token, next);
            return true;
        }
        if let Some(next) = &step.on_completion {
            self.live.run.failed += 1;
            self.go_to(token, next);
            return true;
        }
        false
    }

    fn unwind(&mut self, token: u32, reason: String) {
        while let Some(frame) = self.token_mut(token).and_then(|token| token.frames.pop()) {
            if frame.kind == FrameKind::Then {
                continue;
            }
            if let FrameKind::Call { env } = frame.kind {
                if self.exception(token, &reason, Some(&frame)) {
                    return;
                }
                self.leave_scope(token, env);
            }
            let Some(step) = self.step(token, &frame.step) else { continue };
            if let Some(row) = self.live.rows.get(&frame.position).cloned() {
                self.end_with(row, Outcome::Failed { reason: reason.clone(), retry: false });
            }
            if self.taken_care_of(token, step) {
                return;
            }
        }
        if let Some(parent) = self.token(token).and_then(|token| token.parent) {
            if let Some(token) = self.token_mut(token) {
                token.at = At::Ended(Some(reason));
            }
            return self.join(parent);
        }
        if !self.exception(token, &reason, None) {
            self.live.run.failed += 1;
            self.stop(RunState::Failed, &format!("{reason}; nothing takes care of that"));
        }
    }

    /// The exception step of the token's playbook takes over, once.
    fn exception(&mut self, token: u32, reason: &str, call: Option<&Frame>) -> bool {
        let Some(env) = self.token(token).map(|token| token.env) else { return false };
        let scope = self.live.run.tree.scope(env);
        let exception = self.playbook(token).and_then(|it| it.workflow_exception.as_ref());
        let Some(step) = exception else { return false };
        if !self.live.run.tree.excepted.insert(scope) {
            return false;
        }
        if scope == ROOT {
            self.live.run.failed += 1;
            self.live.run.note = Some(format!("{reason}; the exception step took over"));
        }
        if let Some(call) = call.cloned()
            && let Some(token) = self.token_mut(token)
        {
            token.frames.push(call);
        }
        self.go_to(token, step);
        true
    }

    /// A branch reached its end: what it is inside of goes on.
    pub(super) fn end_branch(&mut self, token: u32) {
        while let Some(frame) = self.token_mut(token).and_then(|token| token.frames.pop()) {
            match frame.kind {
                FrameKind::Then => return self.go_to(token, &frame.step),
                FrameKind::Loop { .. } => {
                    if let Some(token) = self.token_mut(token) {
                        token.frames.push(frame);
                    }
                    return self.turn(token);
                }
                FrameKind::Call { env } => return self.returned(token, &frame, env),
                FrameKind::Branch | FrameKind::Fork => {
                    if let Some(next) =
                        self.step(token, &frame.step).and_then(|step| shape::after(step))
                    {
                        return self.go_to(token, next);
                    }
                }
            }
        }
        match self.token(token).and_then(|token| token.parent) {
            Some(parent) => {
                if let Some(token) = self.token_mut(token) {
                    token.at = At::Ended(None);
                }
                self.join(parent);
            }
            None => {
                let failed = self.live.run.failed > 0;
                self.stop(if failed { RunState::Failed } else { RunState::Succeeded }, "");
            }
        }
    }

    /// A playbook called has ended: its out arguments become variables of the caller.
    fn returned(&mut self, token: u32, frame: &Frame, caller: u32) {
        let Some(own) = self.token(token).map(|token| token.env) else { return };
        let tree = &self.live.run.tree;
        let values = tree.envs.get(&own).map(|env| env.values.clone()).unwrap_or_default();
        let failed = tree.excepted.contains(&own);
        let unknown: Vec<String> = tree
            .unknown
            .iter()
            .filter(|(scope, _)| *scope == own)
            .map(|(_, name)| name.clone())
            .collect();
        self.leave_scope(token, caller);
        let Some(step) = self.step(token, &frame.step) else { return };
        let Some(row) = self.live.rows.get(&frame.position).cloned() else { return };
        if failed {
            let reason = "the exception step of the playbook called took over".to_owned();
            return self.step_failed(token, row, step, reason);
        }
        let mut out = Values::new();
        let scope = self.live.run.tree.scope(caller);
        for name in step.out_args.iter().map(|name| bare(name)) {
            if unknown.iter().any(|it| it == name) {
                self.live.run.tree.unknown.insert((scope, name.to_owned()));
            }
            if let Some(value) = values.get(name) {
                self.set(caller, name, value.clone());
                out.insert(name.to_owned(), value.clone());
            }
        }
        let summary = "the playbook called has ended".to_owned();
        self.end_with(row, Outcome::Done { summary, data: json!({ "out": out }) });
        self.onward(token, step);
    }

    fn leave_scope(&mut self, token: u32, caller: u32) {
        let Some(own) = self.token(token).map(|token| token.env) else { return };
        let tree = &mut self.live.run.tree;
        tree.envs.remove(&own);
        tree.unknown.retain(|(scope, _)| *scope != own);
        tree.excepted.remove(&own);
        if let Some(token) = self.token_mut(token) {
            token.env = caller;
        }
    }

    /// Brings the branches of a token together when all have ended.
    pub(super) fn join(&mut self, parent: u32) {
        let children = self.live.run.tree.children(parent);
        let mut failed = Vec::new();
        for id in &children {
            match self.token(*id).map(|token| &token.at) {
                Some(At::Ended(None)) => {}
                Some(At::Ended(Some(reason))) => failed.push(reason.clone()),
                _ => return,
            }
        }
        let Some(env) = self.token(parent).map(|token| token.env) else { return };
        for id in &children {
            let tree = &mut self.live.run.tree;
            let child = tree.tokens.remove(id);
            let own = child.and_then(|child| tree.envs.remove(&child.env));
            for (name, value) in own.into_iter().flat_map(|own| own.values) {
                self.set(env, &name, value);
            }
        }
        let Some(frame) = self.token_mut(parent).and_then(|token| token.frames.pop()) else {
            return;
        };
        let Some(step) = self.step(parent, &frame.step) else { return };
        let Some(row) = self.live.rows.get(&frame.position).cloned() else { return };
        let count = children.len();
        if !failed.is_empty() {
            let reason =
                format!("{} of {count} branches failed: {}", failed.len(), failed.join("; "));
            return self.step_failed(parent, row, step, reason);
        }
        let summary = if step.kind == "parallel" {
            format!("{count} branches ended")
        } else {
            format!("assumed: every one of {count} answers")
        };
        self.end_with(row, Outcome::Done { summary, data: json!({ "branches": count }) });
        self.onward(parent, step);
    }

    /// Takes the outcome of the command being carried out; goes on when the step is through.
    pub(crate) fn outcome(&mut self, position: i64, outcome: Outcome) {
        let Some(mut row) = self.live.rows.get(&position).cloned() else { return };
        let failed = matches!(outcome, Outcome::Failed { .. });
        row.outcomes.push(work::bounded(outcome));
        row.attempts += 1;
        let token = self.live.run.tree.token_at(position);
        let found = token
            .and_then(|token| Some((token, self.playbook(token)?, self.step(token, &row.step)?)));
        // Nothing waits for it any more: what really happened is recorded all the same.
        let Some((token, playbook, step)) = found else {
            let outcome = work::combined(&row.outcomes);
            return self.end_with(row, outcome);
        };
        let following = usize::try_from(row.command + 1).unwrap_or(usize::MAX);
        if !failed && following < work::count(playbook, step) {
            row.command += 1;
            match self.item(token, step, &row) {
                Ok(item) => {
                    self.ask(&mut row, &item);
                    return self.put(row);
                }
                Err(reason) => row.outcomes.push(Outcome::Failed { reason, retry: false }),
            }
        }
        self.through(token, row, step);
    }

    /// All commands of a step are through, or one failed.
    fn through(&mut self, token: u32, row: StepRow, step: &Step) {
        let outcomes = row.outcomes.clone();
        let outcome = work::combined(&outcomes);
        if let Outcome::Failed { reason, .. } = &outcome {
            let told = format!("'{}' failed: {reason}", step.title());
            self.end_with(row, outcome);
            return self.failure(token, step, told);
        }
        if matches!(outcome, Outcome::NotEnforced { .. }) {
            self.live.run.not_enforced += 1;
        }
        self.end_with(row, outcome);
        let Some(env) = self.token(token).map(|token| token.env) else { return };
        if self.live.run.rehearsal {
            let tree = &mut self.live.run.tree;
            let scope = tree.scope(env);
            let names = step.out_args.iter().map(|name| (scope, bare(name).to_owned()));
            tree.unknown.extend(names);
        } else {
            let mut out = Values::new();
            work::take_out(step, &outcomes, &mut out);
            for (name, value) in out {
                self.set(env, &name, value);
            }
        }
        self.onward(token, step);
    }

    /// A step that others are inside of took too long: they are left, and it failed.
    pub(super) fn expire(&mut self, token: u32, depth: usize) {
        let Some(frame) = self.token(token).and_then(|it| it.frames.get(depth)).cloned() else {
            return;
        };
        for child in self.live.run.tree.children(token) {
            self.drop_token(child);
        }
        if let Some(At::Step(position)) = self.token(token).map(|token| token.at.clone()) {
            self.abandon(position);
        }
        while self.token(token).is_some_and(|it| it.frames.len() > depth + 1) {
            let inner = self.token_mut(token).and_then(|token| token.frames.pop());
            if let Some(inner) = inner {
                self.abandon(inner.position);
                if let FrameKind::Call { env } = inner.kind {
                    self.leave_scope(token, env);
                }
            }
        }
        if let Some(token) = self.token_mut(token) {
            token.frames.pop();
        }
        if let FrameKind::Call { env } = frame.kind {
            self.leave_scope(token, env);
        }
        let Some(step) = self.step(token, &frame.step) else { return };
        let reason = format!("ACTION_TIMEOUT: '{}' took longer than its step allows", step.title());
        if let Some(row) = self.live.rows.get(&frame.position).cloned() {
            self.end_with(row, Outcome::Failed { reason: reason.clone(), retry: false });
        }
        self.failure(token, step, reason);
    }

    fn drop_token(&mut self, id: u32) {
        for child in self.live.run.tree.children(id) {
            self.drop_token(child);
        }
        let Some(token) = self.live.run.tree.tokens.remove(&id) else { return };
        if let At::Step(position) = token.at {
            self.abandon(position);
        }
        for frame in &token.frames {
            self.abandon(frame.position);
        }
        self.live.run.tree.envs.remove(&token.env);
    }

    /// The state of a row whose command was interrupted and must not simply be asked again.
    pub(crate) fn unsure(&mut self, position: i64, why: &str) {
        let Some(mut row) = self.live.rows.get(&position).cloned() else { return };
        row.state = StepState::Unsure;
        row.attempts += 1;
        row.due_at = None;
        row.deadline_at = Some(self.now.plus_secs(i64::from(self.config.manual_timeout_s)));
        let run = &self.live.run;
        let title = format!("Was this done? '{}' of {}", row.name, run.name);
        let body = format!(
            "{why} Look whether it took effect, then answer on the run's page or with \
             `sereno playbook settle {} {position} done|not-done|give-up`.",
            run.id
        );
        let link = Some(format!("/runs/{}", run.id));
        let key = format!("unsure/{}/{position}/{}", run.id, row.attempts);
        self.notices.push((key, ports::Notice { title, body, link }));
        self.put(row);
    }
}
