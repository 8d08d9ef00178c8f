//! What people do with runs: start, cancel, pause, answer, settle.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::event::QuestionAnswered;
use model::{IncidentReport, Outcome, RunId};
use serde_json::{Map, Value, json};

use super::machine::Machine;
use super::start::{Order, start};
use super::{Engine, record};
use crate::PlaybooksError;
use crate::approvals::question::{about_step, version_of_step};
use crate::approvals::{Kind, Said};
use crate::cacao::Playbook;
use crate::cacao::variables::{MAX_VALUE_BYTES, Values, is_name};
use crate::run::{RunState, StepState};
use crate::store::playbooks::Stored;
use crate::store::steps::StepRow;

/// Longest text of an answer.
const MAX_ANSWER_CHARS: usize = 4_000;
/// Variables that one answer or one start may give.
const MAX_GIVEN_VARIABLES: usize = 100;

/// What a person wants to run.
pub(crate) struct Wanted {
    pub stored: Stored,
    pub report: Option<IncidentReport>,
    /// Values of external variables.
    pub variables: BTreeMap<String, String>,
    pub rehearsal: bool,
    pub person: String,
}

/// A person's answer to a manual step.
pub(crate) struct Answered {
    pub approve: bool,
    pub text: String,
    /// Values that the step gives back.
    pub variables: BTreeMap<String, String>,
}

/// What a person says of a command that was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Settled {
    /// It took effect: the run goes on.
    Done,
    /// It did not: it is asked once more.
    NotDone,
    /// The step fails.
    GiveUp,
}

/// `name`, `__name__` and `__name__:value` mean the same.
fn named(name: &str) -> String {
    let bare = name.strip_suffix(":value").unwrap_or(name);
    if bare.starts_with("__") { bare.to_owned() } else { format!("__{bare}__") }
}

fn given(variables: BTreeMap<String, String>) -> Result<Values, PlaybooksError> {
    if variables.len() > MAX_GIVEN_VARIABLES {
        let text = format!("at most {MAX_GIVEN_VARIABLES} variables are given at once");
        return Err(PlaybooksError::invalid(text));
    }
    let values: Values = variables.into_iter().map(|(name, value)| (named(&name), value)).collect();
    for (name, value) in &values {
        if !is_name(name) {
            let shown: String = name.chars().take(64).collect();
            return Err(PlaybooksError::invalid(format!("'{shown}' is no name of a variable")));
        }
        if value.len() > MAX_VALUE_BYTES {
            let text = format!("the value of {name} is longer than {MAX_VALUE_BYTES} bytes");
            return Err(PlaybooksError::invalid(text));
        }
    }
    Ok(values)
}

/// The values given, if the playbook takes all of them from outside.
fn external(stored: &Stored, values: &Values) -> Result<(), PlaybooksError> {
    let Ok(playbook) = Playbook::parse(&stored.body) else { return Ok(()) };
    let refused: Vec<String> = values
        .keys()
        .filter(|name| !playbook.playbook_variables.get(*name).is_some_and(|it| it.external))
        .map(|name| format!("{name} is no external variable of the playbook"))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let summary = format!("'{}' does not take these variables", stored.name);
    Err(PlaybooksError::Invalid { summary, errors: refused })
}

impl Engine {
    /// A person starts a playbook, or rehearses it.
    pub(crate) async fn start_by(
        self: &Arc<Self>,
        wanted: Wanted,
    ) -> Result<RunId, PlaybooksError> {
        let values = given(wanted.variables)?;
        external(&wanted.stored, &values)?;
        let engine = Arc::clone(self);
        let started: Result<RunId, PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let key: model::EventId = tx.mint();
                    let verb = if wanted.rehearsal { "rehearsed" } else { "started" };
                    let order = Order {
                        stored: &wanted.stored,
                        report: wanted.report.as_ref(),
                        given: values,
                        tlp: None,
                        trigger: format!("{verb} by {}", wanted.person),
                        start_key: format!("by hand/{key}"),
                        rehearsal: wanted.rehearsal,
                        by_itself: false,
                        refuse: true,
                    };
                    start(tx, &engine, order).await?.ok_or_else(|| {
                        PlaybooksError::Conflict("the run was started before".into())
                    })
                })
            })
            .await;
        let id = started?;
        self.touch(id);
        Ok(id)
    }

    /// A person stops a run. A command that is being carried out is not taken back.
    pub(crate) async fn cancel(&self, id: RunId, person: String) -> Result<(), PlaybooksError> {
        self.change(id, move |machine| {
            let state = machine.live.run.state;
            if state == RunState::Cancelled {
                return Ok(());
            }
            open(state)?;
            machine.live.run.note = None;
            machine.stop(RunState::Cancelled, &format!("cancelled by {person}"));
            Ok(())
        })
        .await
    }

    /// A person holds a run: what is being carried out ends, nothing new begins.
    pub(crate) async fn pause(&self, id: RunId) -> Result<(), PlaybooksError> {
        self.change(id, |machine| {
            open(machine.live.run.state)?;
            if machine.live.run.paused_at.is_none() {
                machine.pause();
            }
            Ok(())
        })
        .await
    }

    /// A person lets a run go on.
    pub(crate) async fn resume(&self, id: RunId) -> Result<(), PlaybooksError> {
        self.change(id, |machine| {
            open(machine.live.run.state)?;
            machine.resume();
            Ok(())
        })
        .await
    }

    /// A person answers the manual step a run waits at. `step`: its CACAO id, or its position. What allows the answer (a
    /// link, a delegation) is spent and looked at in the transaction that takes it.
    pub(crate) async fn answer(
        &self,
        id: RunId,
        step: String,
        answer: Answered,
        said: Said,
    ) -> Result<(), PlaybooksError> {
        let text = answer.text.trim().to_owned();
        if text.chars().count() > MAX_ANSWER_CHARS {
            let summary = format!("an answer has at most {MAX_ANSWER_CHARS} characters");
            return Err(PlaybooksError::invalid(summary));
        }
        let (values, approve) = (given(answer.variables)?, answer.approve);
        let book = self.book_of(id).await?;
        let config = self.config.clone();
        let changed: Result<(), PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut live = record::load(tx.sql(), id).await?;
                    said.admit(tx, Kind::Step, live.run.playbook).await?;
                    let mut machine = Machine::new(&config, &book, tx.now(), &mut live);
                    let row = waiting(&machine, &step, StepState::Waiting)?;
                    if said.link.as_ref().is_some_and(|it| it.version != version_of_step(&row)) {
                        let gone = "the step asks something else by now; answer on the console";
                        return Err(PlaybooksError::Conflict(gone.into()));
                    }
                    let run = &machine.live.run;
                    let fact = QuestionAnswered {
                        question: about_step(id, row.position),
                        what: format!("step '{}' of '{}'", row.name, run.name),
                        incident: run.incident,
                        by: said.person.clone(),
                        giver: said.giver_name().map(str::to_owned),
                        method: said.method.words().into(),
                        accept: approve,
                        comment: text.clone(),
                        tlp: run.tlp,
                    };
                    let rehearsal = run.rehearsal;
                    machine.outcome(row.position, outcome_of(approve, &text, values, &said));
                    machine.go();
                    // Nothing has happened in a rehearsal.
                    if !rehearsal {
                        tx.publish(&said.person, &fact).await?;
                    }
                    if let Some(changes) = machine.changes() {
                        record::write(tx, &changes).await?;
                    }
                    Ok(())
                })
            })
            .await;
        changed?;
        self.touch(id);
        Ok(())
    }

    /// A person says what became of a command that was interrupted.
    pub(crate) async fn settle(
        &self,
        id: RunId,
        step: String,
        settled: Settled,
        person: String,
    ) -> Result<(), PlaybooksError> {
        self.change(id, move |machine| {
            let mut row = waiting(machine, &step, StepState::Unsure)?;
            match settled {
                Settled::Done => {
                    let summary = format!("{person} says it was done");
                    let data = json!({ "by": person });
                    machine.outcome(row.position, Outcome::Done { summary, data });
                }
                Settled::GiveUp => {
                    let reason = format!("given up by {person}; it may have been done or not");
                    machine.outcome(row.position, Outcome::Failed { reason, retry: false });
                }
                Settled::NotDone => {
                    row.state = StepState::Running;
                    row.asked = false;
                    row.due_at = None;
                    let allowed_s = i64::from(machine.config.step_timeout_s);
                    row.deadline_at = Some(machine.now.plus_secs(allowed_s));
                    machine.put(row);
                }
            }
            Ok(())
        })
        .await
    }
}

fn outcome_of(approve: bool, text: &str, values: Values, said: &Said) -> Outcome {
    let (who, more) = (said.words(), if text.is_empty() { "" } else { ": " });
    if !approve {
        return Outcome::Failed { reason: format!("declined by {who}{more}{text}"), retry: false };
    }
    let mut data: Map<String, Value> = values
        .into_iter()
        .map(|(name, value)| (name.trim_matches('_').to_owned(), value.into()))
        .collect();
    data.insert("approved".into(), true.into());
    data.insert("answer".into(), text.into());
    data.insert("by".into(), json!(who));
    Outcome::Done { summary: format!("approved by {who}{more}{text}"), data: data.into() }
}

fn open(state: RunState) -> Result<(), PlaybooksError> {
    if state.is_open() {
        return Ok(());
    }
    Err(PlaybooksError::Conflict(format!("the run has ended before ({})", state.word())))
}

/// The step that waits for a person, by CACAO id or position.
fn waiting(machine: &Machine<'_>, step: &str, state: StepState) -> Result<StepRow, PlaybooksError> {
    let position = step.parse::<i64>().ok();
    let fits =
        |row: &&StepRow| row.state == state && (row.step == step || Some(row.position) == position);
    machine.live.rows.values().find(fits).cloned().ok_or_else(|| {
        let shown: String = step.chars().take(100).collect();
        PlaybooksError::Conflict(format!("the run does not wait for an answer to {shown}"))
    })
}
