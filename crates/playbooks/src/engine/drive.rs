//! Drives one run: asks actuators, records what came of it, until the run rests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::{Outcome, RunId, Timestamp};
use platform::db::DbError;
use ports::{Actuator, ActuatorCommand, PortError, Repeat};
use serde_json::json;

use super::book::Book;
use super::machine::{Live, Machine};
use super::schedule::Active;
use super::{
    ASK_TIMEOUT_S, Engine, LAST_TRY_MS, MAX_ASKS_PER_RUN, MAX_INTERNAL_ATTEMPTS, MAX_PAUSE_MS,
    command_key, record,
};
use crate::PlaybooksError;
use crate::run::{RunState, StepState};
use crate::store::steps::StepRow;

/// What an attempt came to.
#[derive(Clone)]
enum Answer {
    Outcome(Outcome),
    /// Nothing was done; not now.
    Away(String),
    /// Something broke inside; a few more tries.
    Broken(String),
    /// It may have been done or not, and must not be asked twice.
    Unsure(String),
}

/// A command that is being carried out: position and number.
type Flight = (i64, i64);

/// A command ready to be asked.
struct Ask {
    flight: Flight,
    actuator: Arc<dyn Actuator>,
    command: ActuatorCommand,
    repeat: Repeat,
    limit: Duration,
    rehearsal: bool,
}

/// What a look at the rows came to.
enum Look {
    /// These can be asked.
    Ask(Vec<Ask>),
    /// These too, and something was written: look again.
    Again(Vec<Ask>),
    /// The run has moved on meanwhile.
    Stale,
}

impl Engine {
    /// Until the run rests; gives when it has to be looked at again.
    pub(super) async fn drive(
        &self,
        id: RunId,
        active: &Active,
    ) -> Result<Option<Timestamp>, PlaybooksError> {
        let mut asks = FuturesUnordered::new();
        let mut flights: BTreeSet<Flight> = BTreeSet::new();
        // An answer that could not be written, because somebody else moved the run meanwhile.
        let mut kept: Option<(Flight, Answer)> = None;
        'load: loop {
            active.dirty.store(false, Ordering::SeqCst);
            let (mut live, book) = {
                let mut connection = self.platform.db.read().await?;
                let live = record::load(&mut connection, id).await?;
                match self.book(&mut connection, &live.run).await {
                    Ok(book) => (live, book),
                    // Another try would find the same.
                    Err(PlaybooksError::Db(cause @ DbError::Corrupt { .. })) => {
                        drop(connection);
                        self.give_up(id, &cause.to_string()).await?;
                        return Ok(None);
                    }
                    Err(other) => return Err(other),
                }
            };
            if let Some((flight, answer)) = kept.clone() {
                if !self.take(&mut live, &book, flight, answer).await? {
                    continue 'load;
                }
                kept = None;
            }
            loop {
                if !self.advance(&mut live, &book, &flights).await? {
                    continue 'load;
                }
                let (ready, again) = match self.look(&mut live, &book, &flights).await? {
                    Look::Stale => continue 'load,
                    Look::Again(ready) => (ready, true),
                    Look::Ask(ready) => (ready, false),
                };
                for ask in ready {
                    flights.insert(ask.flight);
                    asks.push(answer(ask));
                }
                if again {
                    continue;
                }
                let now = self.platform.now();
                let wake = live.run.wake_at;
                if asks.is_empty() && wake.is_none_or(|wake| wake > now) {
                    return Ok(wake);
                }
                if asks.is_empty() {
                    continue;
                }
                // What is being asked holds the wake time in the past; other rows have their own.
                let pause = next_due(&live, now);
                tokio::select! {
                    Some((flight, answer)) = asks.next() => {
                        flights.remove(&flight);
                        if !self.take(&mut live, &book, flight, answer.clone()).await? {
                            kept = Some((flight, answer));
                            continue 'load;
                        }
                    }
                    () = active.changed.notified() => continue 'load,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }

    /// Moves on what needs nobody; false when the run has moved on meanwhile.
    async fn advance(
        &self,
        live: &mut Live,
        book: &Book,
        flights: &BTreeSet<Flight>,
    ) -> Result<bool, PlaybooksError> {
        let now = self.platform.now();
        let mut machine = Machine::new(&self.config, book, now, live);
        machine.tick();
        machine.orphans(|row| flights.contains(&(row.position, row.command)));
        machine.go();
        match machine.changes() {
            Some(changes) => self.record(changes).await,
            None => Ok(true),
        }
    }

    /// Commands that can be asked now. One that must not be asked twice is written down as asked
    /// first; one that was, and of which nothing is known, waits for a person.
    async fn look(
        &self,
        live: &mut Live,
        book: &Book,
        flights: &BTreeSet<Flight>,
    ) -> Result<Look, PlaybooksError> {
        let now = self.platform.now();
        let mut ready = Vec::new();
        if !live.run.state.is_open() || live.run.paused_at.is_some() {
            return Ok(Look::Ask(ready));
        }
        let mut machine = Machine::new(&self.config, book, now, live);
        let mut room = MAX_ASKS_PER_RUN.saturating_sub(flights.len());
        for row in machine.to_ask() {
            if room == 0 {
                break;
            }
            if flights.contains(&(row.position, row.command)) {
                continue;
            }
            room -= 1;
            match self.prepare(&machine, &row, now) {
                Err(reason) => {
                    machine.outcome(row.position, Outcome::Failed { reason, retry: false });
                }
                Ok(ask) if ask.repeat == Repeat::Safe || ask.rehearsal => ready.push(ask),
                Ok(_) if row.asked => machine.unsure(
                    row.position,
                    "The node stopped, or the other side fell silent, while this was carried out.",
                ),
                Ok(ask) => {
                    machine.mark_asked(row.position);
                    ready.push(ask);
                }
            }
        }
        machine.go();
        match machine.changes() {
            None => Ok(Look::Ask(ready)),
            Some(changes) => {
                if !self.record(changes).await? {
                    return Ok(Look::Stale);
                }
                Ok(Look::Again(ready))
            }
        }
    }

    fn prepare(&self, machine: &Machine<'_>, row: &StepRow, now: Timestamp) -> Result<Ask, String> {
        let run = &machine.live.run;
        let token = run.tree.token_at(row.position).ok_or("the step is no longer waited for")?;
        let step = machine.step(token, &row.step).ok_or("the step is not in the workflow")?;
        let item = machine.item(token, step, row)?;
        let actuator = self
            .actuator(&item.actuator)
            .ok_or_else(|| format!("there is no actuator '{}' here", item.actuator))?;
        let left_ms = row.deadline_at.map_or(i64::MAX, |at| at.micros_since(now) / 1_000).max(1);
        let limit =
            Duration::from_secs(ASK_TIMEOUT_S).min(Duration::from_millis(left_ms.unsigned_abs()));
        Ok(Ask {
            flight: (row.position, row.command),
            actuator: Arc::clone(actuator),
            repeat: actuator.repeat(&item.verb, &item.arguments),
            command: ActuatorCommand {
                key: command_key(run.id, row.position, row.command),
                verb: item.verb,
                arguments: item.arguments,
                run: run.id,
                incident: run.incident,
            },
            limit,
            rehearsal: run.rehearsal,
        })
    }

    /// Records what came of an attempt; false when the run has moved on meanwhile.
    async fn take(
        &self,
        live: &mut Live,
        book: &Book,
        flight: Flight,
        answer: Answer,
    ) -> Result<bool, PlaybooksError> {
        let now = self.platform.now();
        let (position, command) = flight;
        let Some(row) = live.rows.get(&position).filter(|row| row.command == command).cloned()
        else {
            return Ok(true);
        };
        if row.state != StepState::Running {
            return Ok(true);
        }
        // An attempt that has no time left would only hide what the one before said.
        let last = row.deadline_at.map(|deadline| deadline.plus_micros(-LAST_TRY_MS * 1_000));
        let over = last.is_some_and(|last| last <= now);
        let ended = !live.run.state.is_open();
        let mut machine = Machine::new(&self.config, book, now, live);
        let failed = |reason: String| Outcome::Failed { reason, retry: false };
        let tries = row.attempts + 1;
        match answer {
            Answer::Outcome(outcome) => machine.outcome(position, outcome),
            Answer::Unsure(reason) if ended => machine.outcome(position, failed(reason)),
            Answer::Unsure(reason) => machine.unsure(position, &format!("{reason}.")),
            Answer::Away(reason) | Answer::Broken(reason) if over || ended => {
                let reason = format!("ACTION_TIMEOUT: {reason}; given up after {tries} attempts");
                machine.outcome(position, failed(reason));
            }
            Answer::Broken(reason) if tries >= MAX_INTERNAL_ATTEMPTS => {
                let reason = format!("{reason}; given up after {tries} attempts");
                machine.outcome(position, failed(reason));
            }
            Answer::Away(_) | Answer::Broken(_) => {
                let pause_ms = (200_i64 << row.attempts.clamp(0, 10)).min(MAX_PAUSE_MS);
                let due = now.plus_micros(pause_ms.saturating_mul(1_000));
                machine.again(position, last.map_or(due, |last| due.min(last)));
            }
        }
        machine.go();
        match machine.changes() {
            Some(changes) => self.record(changes).await,
            None => Ok(true),
        }
    }
}

async fn answer(ask: Ask) -> (Flight, Answer) {
    let flight = ask.flight;
    if ask.rehearsal {
        return (flight, planned(&ask).await);
    }
    let safe = ask.repeat == Repeat::Safe;
    let answer = match tokio::time::timeout(ask.limit, ask.actuator.perform(&ask.command)).await {
        Err(_) => {
            let text = format!("no answer within {} ms", ask.limit.as_millis());
            if safe { Answer::Away(text) } else { Answer::Unsure(text) }
        }
        Ok(Ok(Outcome::Failed { reason, retry: true })) => Answer::Away(reason),
        Ok(Ok(outcome)) => Answer::Outcome(outcome),
        Ok(Err(PortError::Unavailable(reason))) => Answer::Away(reason),
        Ok(Err(PortError::Internal(reason))) if safe => Answer::Broken(reason),
        Ok(Err(PortError::Internal(reason))) => Answer::Unsure(reason),
        Ok(Err(error)) => {
            Answer::Outcome(Outcome::Failed { reason: error.to_string(), retry: false })
        }
    };
    (flight, answer)
}

/// What the command would do: the outcome of a rehearsed step.
async fn planned(ask: &Ask) -> Answer {
    let outcome = match tokio::time::timeout(ask.limit, ask.actuator.plan(&ask.command)).await {
        Ok(Ok(plan)) => Outcome::Done { summary: plan.summary, data: json!({ "plan": plan.data }) },
        Ok(Err(error)) => Outcome::Failed { reason: error.to_string(), retry: false },
        Err(_) => Outcome::Failed { reason: "no plan in the time allowed".into(), retry: false },
    };
    Answer::Outcome(outcome)
}

/// How long to wait for answers before time itself moves something.
fn next_due(live: &Live, now: Timestamp) -> Duration {
    let rows = live.rows.values().flat_map(|row| {
        let deadline =
            row.deadline_at.filter(|_| matches!(row.state, StepState::Waiting | StepState::Unsure));
        [row.due_at, deadline]
    });
    let times = rows.chain([live.run.tree.first_deadline(), live.run.deadline_at]);
    let next = times.flatten().filter(|at| *at > now).min();
    let micros = next.map_or(i64::MAX, |at| at.micros_since(now));
    Duration::from_micros(micros.unsigned_abs()).min(Duration::from_secs(ASK_TIMEOUT_S))
}

impl Machine<'_> {
    /// Actions that can be asked now.
    fn to_ask(&self) -> Vec<StepRow> {
        let run = &self.live.run;
        let due = |row: &&StepRow| {
            row.state == StepState::Running
                && row.kind == "action"
                && row.due_at.is_none_or(|due| due <= self.now)
                && run.tree.token_at(row.position).is_some()
        };
        self.live.rows.values().filter(due).cloned().collect()
    }

    /// Commands that nothing waits for and nobody carries out: the node stopped meanwhile.
    fn orphans(&mut self, flies: impl Fn(&StepRow) -> bool) {
        let run = &self.live.run;
        let lost: Vec<i64> = self
            .live
            .rows
            .values()
            .filter(|row| run.tree.token_at(row.position).is_none() && row.kind == "action")
            .filter(|row| !flies(row))
            .map(|row| row.position)
            .collect();
        let why = match run.state {
            RunState::Cancelled => "the run was cancelled",
            _ => "the run went on without it",
        };
        for position in lost {
            let reason = format!(
                "{why} while this was carried out; the actuator's own record says what came of it"
            );
            self.outcome(position, Outcome::Failed { reason, retry: false });
        }
    }

    fn mark_asked(&mut self, position: i64) {
        if let Some(mut row) = self.live.rows.get(&position).cloned() {
            row.asked = true;
            self.put(row);
        }
    }

    /// An attempt that did nothing; another one at `due`.
    fn again(&mut self, position: i64, due: Timestamp) {
        if let Some(mut row) = self.live.rows.get(&position).cloned() {
            row.attempts += 1;
            row.asked = false;
            row.due_at = Some(due);
            self.put(row);
        }
    }
}
