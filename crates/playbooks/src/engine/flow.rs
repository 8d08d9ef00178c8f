//! Transitions inside a transaction: from an outcome to the next step that needs the outside.

use std::collections::BTreeMap;

use model::event::{RunFinished, StepFinished};
use model::{Outcome, RunId, Timestamp};
use platform::db::Tx;
use serde_json::json;

use super::work::{self, Item};
use super::{ADVANCE, MAX_BRANCH_DEPTH, MAX_STEPS_PER_RUN};
use crate::PlaybooksError;
use crate::cacao::{Playbook, Step};
use crate::condition::Condition;
use crate::config::Config;
use crate::run::{RunState, StepState};
use crate::store::runs::{self, Run};
use crate::store::steps::{self, StepRow};

/// Where to go.
pub(super) enum Next {
    /// To this step.
    Step(String),
    /// The branch, or the whole flow, ends.
    End,
    /// Nothing takes care of a failure.
    GiveUp(String),
}

impl Next {
    fn maybe(step: Option<&String>) -> Self {
        step.map_or(Self::End, |step| Self::Step(step.clone()))
    }
}

/// A run with its playbook, inside a transaction.
pub(super) struct Flow<'a> {
    pub config: &'a Config,
    pub playbook: &'a Playbook,
    pub run: Run,
}

impl Flow<'_> {
    /// Goes on until a step needs the outside or a person, or the run ends; stores the run.
    pub(super) async fn go(&mut self, tx: &mut Tx, mut next: Next) -> Result<(), PlaybooksError> {
        loop {
            let id = match next {
                Next::Step(id) => id,
                Next::End => match self.run.returns.pop() {
                    Some(id) => id,
                    None => break self.finish(tx, None).await?,
                },
                Next::GiveUp(why) => break self.finish(tx, Some(why)).await?,
            };
            let playbook = self.playbook;
            let Some(step) = playbook.workflow.get(&id) else {
                break self.finish(tx, Some(format!("{id} is no step of this workflow"))).await?;
            };
            if self.run.position >= MAX_STEPS_PER_RUN {
                let why = format!("stopped after {MAX_STEPS_PER_RUN} steps, the limit of a run");
                break self.finish(tx, Some(why)).await?;
            }
            self.run.position += 1;
            let mut row = self.row(&id, step, tx.now());
            next = match step.kind.as_str() {
                "start" => {
                    steps::insert(tx.sql(), &row).await?;
                    Next::maybe(step.on_completion.as_ref())
                }
                "end" => {
                    steps::insert(tx.sql(), &row).await?;
                    Next::End
                }
                "if-condition" => self.decide(tx, step, row).await?,
                "action" => match self.arm(tx, step, &mut row).await? {
                    None => break,
                    Some(next) => next,
                },
                other => {
                    let reason = format!("steps of the type {other} are not run here");
                    self.failed(tx, &id, step, row, reason).await?
                }
            };
        }
        Ok(runs::update(tx.sql(), &self.run).await?)
    }

    fn row(&self, id: &str, step: &Step, now: Timestamp) -> StepRow {
        StepRow {
            run: self.run.id,
            position: self.run.position,
            step: id.to_owned(),
            name: step.title().to_owned(),
            kind: step.kind.clone(),
            actuator: None,
            verb: None,
            arguments: None,
            state: StepState::Done,
            command: 0,
            outcomes: vec![],
            outcome: None,
            due_at: None,
            deadline_at: None,
            started_at: Some(now),
            ended_at: Some(now),
            attempts: 0,
        }
    }

    async fn decide(
        &mut self,
        tx: &mut Tx,
        step: &Step,
        mut row: StepRow,
    ) -> Result<Next, PlaybooksError> {
        let text = step.condition.as_deref().unwrap_or_default();
        let values = work::values_for(step, &self.run.variables);
        let answer = Condition::parse(text)
            .and_then(|condition| Ok((condition.holds(&values)?, condition)))
            .map_err(|cause| cause.to_string());
        let id = row.step.clone();
        let (holds, condition) = match answer {
            Ok(answer) => answer,
            Err(reason) => return self.failed(tx, &id, step, row, reason).await,
        };
        let seen: BTreeMap<&str, &String> = condition
            .variables()
            .into_iter()
            .filter_map(|name| Some((name, values.get(name)?)))
            .collect();
        row.arguments = Some(json!({ "condition": text, "seen": seen }));
        row.outcome = Some(Outcome::Done {
            summary: if holds { "yes" } else { "no" }.to_owned(),
            data: json!({ "condition": holds }),
        });
        steps::insert(tx.sql(), &row).await?;
        self.tell(tx, &row).await?;
        // A branch that reaches an end step comes back to what follows the condition (§4.8).
        if let Some(after) = step.on_completion.as_ref().or(step.on_success.as_ref()) {
            if self.run.returns.len() >= MAX_BRANCH_DEPTH {
                return Ok(Next::GiveUp(format!("branches nest deeper than {MAX_BRANCH_DEPTH}")));
            }
            self.run.returns.push(after.clone());
        }
        Ok(Next::maybe(if holds { step.on_true.as_ref() } else { step.on_false.as_ref() }))
    }

    /// Makes an action ready: recorded as running (or waiting) before anything is asked.
    async fn arm(
        &mut self,
        tx: &mut Tx,
        step: &Step,
        row: &mut StepRow,
    ) -> Result<Option<Next>, PlaybooksError> {
        let values = work::values_for(step, &self.run.variables);
        let id = row.step.clone();
        let item = match work::item(self.playbook, step, &values, 0) {
            Ok(item) => item,
            Err(reason) => return self.failed(tx, &id, step, row.clone(), reason).await.map(Some),
        };
        let now = tx.now();
        let begin = now.plus_micros(step.delay.unwrap_or(0).saturating_mul(1_000));
        let usual =
            if item.manual { self.config.manual_timeout_s } else { self.config.step_timeout_s };
        let allowed_ms = step.timeout.filter(|ms| *ms > 0).unwrap_or(i64::from(usual) * 1_000);
        row.ended_at = None;
        row.deadline_at = Some(begin.plus_micros(allowed_ms.saturating_mul(1_000)));
        row.started_at = (begin == now).then_some(now);
        row.due_at = Some(begin);
        self.ask(&item, row);
        if begin > now {
            // Whichever job drives the run now comes back when the delay is over.
            row.state = StepState::Pending;
            self.run.state = RunState::Running;
        }
        steps::insert(tx.sql(), row).await?;
        if row.state == StepState::Waiting {
            self.wake_at_deadline(tx, row).await?;
        }
        Ok(None)
    }

    /// Writes what will be asked into the row.
    pub(super) fn ask(&mut self, item: &Item, row: &mut StepRow) {
        row.actuator = Some(item.actuator.clone());
        row.verb = Some(item.verb.clone());
        row.arguments = Some(item.shown.clone());
        (row.state, self.run.state) = if item.manual {
            (StepState::Waiting, RunState::Waiting)
        } else {
            (StepState::Running, RunState::Running)
        };
    }

    pub(super) async fn wake_at_deadline(
        &self,
        tx: &mut Tx,
        row: &StepRow,
    ) -> Result<(), PlaybooksError> {
        if let Some(deadline) = row.deadline_at {
            let key = format!("{}/{}/deadline", row.position, row.command);
            wake(tx, self.run.id, &key, deadline).await?;
        }
        Ok(())
    }

    /// A step that could not even be asked.
    async fn failed(
        &mut self,
        tx: &mut Tx,
        id: &str,
        step: &Step,
        mut row: StepRow,
        reason: String,
    ) -> Result<Next, PlaybooksError> {
        row.state = StepState::Failed;
        row.outcome = Some(Outcome::Failed { reason, retry: false });
        row.ended_at = Some(tx.now());
        steps::insert(tx.sql(), &row).await?;
        self.tell(tx, &row).await?;
        Ok(self.after_failure(id, step))
    }

    /// Takes the outcome of the command being carried out; goes on when the step is through.
    pub(super) async fn take(
        &mut self,
        tx: &mut Tx,
        mut row: StepRow,
        outcome: Outcome,
    ) -> Result<(), PlaybooksError> {
        let playbook = self.playbook;
        let Some(step) = playbook.workflow.get(&row.step) else {
            let why = format!("{} is no step of this workflow", row.step);
            return self.go(tx, Next::GiveUp(why)).await;
        };
        let failed = matches!(outcome, Outcome::Failed { .. });
        row.outcomes.push(work::bounded(outcome));
        let following = usize::try_from(row.command + 1).unwrap_or(usize::MAX);
        if !failed && following < work::count(playbook, step) {
            let values = work::values_for(step, &self.run.variables);
            match work::item(playbook, step, &values, following) {
                Ok(item) => {
                    row.command += 1;
                    self.ask(&item, &mut row);
                    steps::update(tx.sql(), &row).await?;
                    if row.state == StepState::Waiting {
                        self.wake_at_deadline(tx, &row).await?;
                    }
                    return Ok(runs::update(tx.sql(), &self.run).await?);
                }
                Err(reason) => row.outcomes.push(Outcome::Failed { reason, retry: false }),
            }
        }
        self.close(tx, &mut row).await?;
        let next = if row.state == StepState::Failed {
            self.after_failure(&row.step, step)
        } else {
            work::take_out(step, &row.outcomes, &mut self.run.variables);
            if row.state == StepState::NotEnforced {
                self.run.not_enforced += 1;
            }
            Next::maybe(step.on_completion.as_ref().or(step.on_success.as_ref()))
        };
        self.run.state = RunState::Running;
        self.go(tx, next).await
    }

    /// Ends a step with what its commands came to.
    pub(super) async fn close(&self, tx: &mut Tx, row: &mut StepRow) -> Result<(), PlaybooksError> {
        let outcome = work::combined(&row.outcomes);
        row.state = match &outcome {
            Outcome::Done { .. } => StepState::Done,
            Outcome::NotEnforced { .. } => StepState::NotEnforced,
            Outcome::Failed { .. } => StepState::Failed,
        };
        row.outcome = Some(outcome);
        row.ended_at = Some(tx.now());
        steps::update(tx.sql(), row).await?;
        self.tell(tx, row).await
    }

    /// `on_failure`, else `on_completion`, else the workflow's exception step, else nothing.
    fn after_failure(&mut self, id: &str, step: &Step) -> Next {
        if let Some(next) = &step.on_failure {
            return Next::Step(next.clone());
        }
        self.run.failed += 1;
        if let Some(next) = &step.on_completion {
            return Next::Step(next.clone());
        }
        let exception = self.playbook.workflow_exception.as_ref();
        match exception.filter(|exception| exception.as_str() != id && self.run.note.is_none()) {
            Some(exception) => {
                self.run.note =
                    Some(format!("'{}' failed, the exception step took over", step.title()));
                self.run.returns.clear();
                Next::Step(exception.clone())
            }
            None => {
                Next::GiveUp(format!("'{}' failed and nothing takes care of that", step.title()))
            }
        }
    }

    pub(super) async fn tell(&self, tx: &mut Tx, row: &StepRow) -> Result<(), PlaybooksError> {
        let Some(outcome) = row.outcome.clone() else { return Ok(()) };
        let fact = StepFinished {
            run: self.run.id,
            incident: self.run.incident,
            step: row.step.clone(),
            name: row.name.clone(),
            actuator: row.actuator.clone(),
            outcome,
        };
        tx.publish(&actor(&self.run), &fact).await?;
        Ok(())
    }

    /// The run's end. Succeeded only when nothing failed unnoticed.
    async fn finish(&mut self, tx: &mut Tx, gave_up: Option<String>) -> Result<(), PlaybooksError> {
        let run = &mut self.run;
        run.state = if gave_up.is_some() || run.failed > 0 {
            RunState::Failed
        } else {
            RunState::Succeeded
        };
        let steps =
            |count: i64| if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
        let mut notes: Vec<String> = run.note.take().into_iter().chain(gave_up).collect();
        if run.not_enforced > 0 {
            notes.push(format!("{} not enforced here", steps(run.not_enforced)));
        }
        if run.failed > 0 {
            notes.push(format!("{} failed", steps(run.failed)));
        }
        run.note = (!notes.is_empty()).then(|| notes.join("; "));
        run.returns.clear();
        run.ended_at = Some(tx.now());
        finished(tx, run).await
    }
}

/// Tells that a run ended.
pub(super) async fn finished(tx: &mut Tx, run: &Run) -> Result<(), PlaybooksError> {
    let fact = RunFinished {
        run: run.id,
        playbook: run.name.clone(),
        incident: run.incident,
        state: run.state.word().to_owned(),
    };
    tx.publish(&actor(run), &fact).await?;
    Ok(())
}

/// Who acts when a run acts.
pub(super) fn actor(run: &Run) -> String {
    format!("playbook:{}", run.name)
}

/// Has the run looked at, once per `why`.
pub(super) async fn wake(
    tx: &mut Tx,
    run: RunId,
    why: &str,
    due: Timestamp,
) -> Result<(), PlaybooksError> {
    tx.enqueue(ADVANCE, &format!("{run}/{why}"), &json!({ "run": run }), due).await?;
    Ok(())
}
