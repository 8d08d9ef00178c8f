//! Drives runs: asks actuators, records what came of it, until the run rests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{Outcome, RunId};
use platform::jobs::{Job, JobEnd, JobHandler};
use ports::{ActuatorCommand, PortError};

use super::flow::Flow;
use super::work::{self, Item};
use super::{
    ADVANCE, ASK_TIMEOUT_S, Engine, MAX_INTERNAL_ATTEMPTS, MAX_PAUSE_MS, MAX_STEPS_PER_RUN,
    command_key,
};
use crate::PlaybooksError;
use crate::cacao::Playbook;
use crate::run::{RunState, StepState};
use crate::store::runs::{self, Run};
use crate::store::steps::{self, StepRow};

/// The handler of `playbooks.advance`.
pub(crate) struct Advance(pub Arc<Engine>);

/// What a look at a run came to.
enum Turn {
    /// Something moved; look again.
    Again,
    /// Nothing to do for this job.
    Rest,
    /// Look again later.
    Later { reason: String, after_ms: i64 },
}

/// What an attempt came to.
enum Answer {
    Outcome(Outcome),
    /// Not now.
    Away(String),
    /// Something broke inside; a few more tries.
    Broken(String),
}

#[async_trait]
impl JobHandler for Advance {
    fn kind(&self) -> &'static str {
        ADVANCE
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let run = job.payload.get("run").and_then(|run| run.as_str()).and_then(|r| r.parse().ok());
        let Some(run) = run else {
            return JobEnd::Failed { reason: "the job names no run".into() };
        };
        let Some(_claim) = self.0.claim(run) else {
            return JobEnd::Retry { reason: "another job drives this run".into(), after_ms: 200 };
        };
        // Each turn moves the run by a command at least; the bound is never reached by a sane run.
        for _ in 0..MAX_STEPS_PER_RUN * 64 {
            match self.0.turn(run).await {
                Ok(Turn::Again) => {}
                Ok(Turn::Rest) => return JobEnd::Done,
                Ok(Turn::Later { reason, after_ms }) => return JobEnd::Retry { reason, after_ms },
                Err(PlaybooksError::NoRun(id)) => {
                    return JobEnd::Failed { reason: format!("run {id} does not exist") };
                }
                Err(error) => {
                    tracing::warn!(%run, %error, "a run cannot go on; trying again");
                    return JobEnd::Retry { reason: error.to_string(), after_ms: 0 };
                }
            }
        }
        JobEnd::Failed { reason: "the run does not come to rest".into() }
    }
}

impl Engine {
    async fn turn(&self, id: RunId) -> Result<Turn, PlaybooksError> {
        let (run, row) = {
            let mut connection = self.platform.db.read().await?;
            let run = runs::one(&mut connection, id).await?.ok_or(PlaybooksError::NoRun(id))?;
            let row = steps::one(&mut connection, id, run.position).await?;
            (run, row)
        };
        let Some(row) = row else { return Ok(Turn::Rest) };
        if !run.state.is_open() {
            return self.leave(run, row).await;
        }
        let now = self.platform.now();
        match row.state {
            StepState::Pending => match row.due_at.filter(|due| *due > now) {
                Some(due) => {
                    let after_ms = (due.micros_since(now) / 1_000).max(1);
                    Ok(Turn::Later { reason: "waiting for the step's delay".into(), after_ms })
                }
                None => self.begin(&run, &row).await,
            },
            StepState::Running => self.carry_out(run, row).await,
            StepState::Waiting => match row.deadline_at.filter(|deadline| *deadline <= now) {
                Some(_) => {
                    let reason = "nobody answered in the time the step allows".to_owned();
                    self.record(&row, Outcome::Failed { reason, retry: false }).await
                }
                None => Ok(Turn::Rest),
            },
            _ => Ok(Turn::Rest),
        }
    }

    /// A delayed step's time has come.
    async fn begin(&self, run: &Run, row: &StepRow) -> Result<Turn, PlaybooksError> {
        let (playbook, config) = (parse(run)?, self.config.clone());
        let (id, position) = (run.id, row.position);
        let begun: Result<(), PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let Some((run, mut row)) =
                        current(tx, id, position, &[StepState::Pending]).await?
                    else {
                        return Ok(());
                    };
                    let mut flow = Flow { config: &config, playbook: &playbook, run };
                    row.started_at = Some(tx.now());
                    let item = match item_of(&playbook, &flow.run, &row) {
                        Ok(item) => item,
                        Err(reason) => {
                            return flow
                                .take(tx, row, Outcome::Failed { reason, retry: false })
                                .await;
                        }
                    };
                    flow.ask(&item, &mut row);
                    steps::update(tx.sql(), &row).await?;
                    if row.state == StepState::Waiting {
                        flow.wake_at_deadline(tx, &row).await?;
                    }
                    Ok(runs::update(tx.sql(), &flow.run).await?)
                })
            })
            .await;
        begun.map(|()| Turn::Again)
    }

    async fn carry_out(&self, run: Run, row: StepRow) -> Result<Turn, PlaybooksError> {
        let item = match item_of(&parse(&run)?, &run, &row) {
            Ok(item) => item,
            Err(reason) => {
                return self.record(&row, Outcome::Failed { reason, retry: false }).await;
            }
        };
        let (reason, broken) = match self.ask(&run, &row, item).await {
            Answer::Outcome(outcome) => return self.record(&row, outcome).await,
            Answer::Away(reason) => (reason, false),
            Answer::Broken(reason) => (reason, true),
        };
        let over = row.deadline_at.is_some_and(|deadline| deadline <= self.platform.now());
        if over || (broken && row.attempts + 1 >= MAX_INTERNAL_ATTEMPTS) {
            let tries = row.attempts + 1;
            let reason = format!("{reason}; given up after {tries} attempts");
            return self.record(&row, Outcome::Failed { reason, retry: false }).await;
        }
        let (id, position) = (row.run, row.position);
        let counted: Result<(), PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some((_, mut row)) =
                        current(tx, id, position, &[StepState::Running]).await?
                    {
                        row.attempts += 1;
                        steps::update(tx.sql(), &row).await?;
                    }
                    Ok(())
                })
            })
            .await;
        counted?;
        let after_ms = (200_i64 << row.attempts.clamp(0, 10)).min(MAX_PAUSE_MS);
        Ok(Turn::Later { reason, after_ms })
    }

    async fn ask(&self, run: &Run, row: &StepRow, item: Item) -> Answer {
        let Some(actuator) = self.actuator(&item.actuator) else {
            let reason = format!("there is no actuator '{}' here", item.actuator);
            return Answer::Outcome(Outcome::Failed { reason, retry: false });
        };
        let command = ActuatorCommand {
            key: command_key(run.id, row.position, row.command),
            verb: item.verb,
            arguments: item.arguments,
            run: run.id,
            incident: run.incident,
        };
        let limit = Duration::from_secs(ASK_TIMEOUT_S);
        match tokio::time::timeout(limit, actuator.perform(&command)).await {
            Err(_) => Answer::Away(format!("no answer within {ASK_TIMEOUT_S} s")),
            Ok(Ok(Outcome::Failed { reason, retry: true })) => Answer::Away(reason),
            Ok(Ok(outcome)) => Answer::Outcome(outcome),
            Ok(Err(PortError::Unavailable(reason))) => Answer::Away(reason),
            Ok(Err(PortError::Internal(reason))) => Answer::Broken(reason),
            Ok(Err(error)) => {
                Answer::Outcome(Outcome::Failed { reason: error.to_string(), retry: false })
            }
        }
    }

    async fn record(&self, row: &StepRow, outcome: Outcome) -> Result<Turn, PlaybooksError> {
        let config = self.config.clone();
        let (id, position, command) = (row.run, row.position, row.command);
        let recorded: Result<(), PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let asked = [StepState::Running, StepState::Waiting];
                    let Some((run, mut row)) = current(tx, id, position, &asked).await? else {
                        return Ok(());
                    };
                    if row.command != command {
                        return Ok(());
                    }
                    row.attempts += 1;
                    let playbook = parse(&run)?;
                    let open = run.state.is_open();
                    let mut flow = Flow { config: &config, playbook: &playbook, run };
                    if open {
                        return flow.take(tx, row, outcome).await;
                    }
                    // Cancelled meanwhile: what really happened is recorded all the same.
                    row.outcomes.push(work::bounded(outcome));
                    flow.close(tx, &mut row).await
                })
            })
            .await;
        recorded.map(|()| Turn::Again)
    }

    /// A run that was stopped: a command that was under way when the node died stays unknown.
    async fn leave(&self, run: Run, row: StepRow) -> Result<Turn, PlaybooksError> {
        if run.state != RunState::Cancelled || row.state != StepState::Running {
            return Ok(Turn::Rest);
        }
        let reason = "the run was cancelled while this was carried out; the actuator's own record \
                      says what came of it";
        self.record(&row, Outcome::Failed { reason: reason.into(), retry: false }).await?;
        Ok(Turn::Rest)
    }
}

fn parse(run: &Run) -> Result<Playbook, PlaybooksError> {
    Playbook::parse(&run.body).map_err(|cause| {
        PlaybooksError::Db(platform::db::DbError::corrupt("playbooks_runs.body", cause))
    })
}

fn item_of(playbook: &Playbook, run: &Run, row: &StepRow) -> Result<Item, String> {
    let step = playbook.workflow.get(&row.step).ok_or("the step is not in the workflow")?;
    let values = work::values_for(step, &run.variables);
    work::item(playbook, step, &values, usize::try_from(row.command).unwrap_or(usize::MAX))
}

/// The run and its step, if the run still stands at that step and the step in one of these states.
pub(super) async fn current(
    tx: &mut platform::db::Tx,
    run: RunId,
    position: i64,
    states: &[StepState],
) -> Result<Option<(Run, StepRow)>, PlaybooksError> {
    let Some(found) = runs::one(tx.sql(), run).await? else { return Ok(None) };
    let row = steps::one(tx.sql(), run, position).await?;
    let fits = |row: &StepRow| found.position == position && states.contains(&row.state);
    Ok(row.filter(fits).map(|row| (found, row)))
}
