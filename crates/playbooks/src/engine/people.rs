//! What people do with runs: start, cancel, answer.

use model::{IncidentReport, Outcome, RunId};
use serde_json::json;

use super::flow::{self, Flow, wake};
use super::start::{Order, start};
use super::{Engine, job::current};
use crate::PlaybooksError;
use crate::cacao::Playbook;
use crate::run::{RunState, StepState};
use crate::store::playbooks::Stored;
use crate::store::runs;
use crate::store::steps;

/// Longest text of an answer.
const MAX_ANSWER_CHARS: usize = 4_000;

impl Engine {
    /// A person starts a playbook.
    pub(crate) async fn start_by(
        &self,
        stored: Stored,
        report: Option<IncidentReport>,
        person: String,
    ) -> Result<RunId, PlaybooksError> {
        let missing = self.missing(&stored);
        if !missing.is_empty() {
            return Err(PlaybooksError::Invalid {
                summary: format!("'{}' cannot run here", stored.name),
                errors: missing,
            });
        }
        let config = self.config.clone();
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let key: model::EventId = tx.mint();
                    let order = Order {
                        stored: &stored,
                        report: report.as_ref(),
                        trigger: format!("started by {person}"),
                        start_key: format!("by hand/{key}"),
                        missing: vec![],
                    };
                    start(tx, &config, order).await?.ok_or_else(|| {
                        PlaybooksError::Conflict("the run was started before".into())
                    })
                })
            })
            .await
    }

    /// A person stops a run. A command that is being carried out is not taken back.
    pub(crate) async fn cancel(&self, id: RunId, person: String) -> Result<(), PlaybooksError> {
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut run =
                        runs::one(tx.sql(), id).await?.ok_or(PlaybooksError::NoRun(id))?;
                    if run.state == RunState::Cancelled {
                        return Ok(());
                    }
                    if !run.state.is_open() {
                        let text = format!("the run has ended before ({})", run.state.word());
                        return Err(PlaybooksError::Conflict(text));
                    }
                    let idle = [StepState::Pending, StepState::Waiting];
                    if let Some((_, mut row)) = current(tx, id, run.position, &idle).await? {
                        row.state = StepState::Skipped;
                        row.ended_at = Some(tx.now());
                        steps::update(tx.sql(), &row).await?;
                    }
                    run.state = RunState::Cancelled;
                    run.note = Some(format!("cancelled by {person}"));
                    run.ended_at = Some(tx.now());
                    runs::update(tx.sql(), &run).await?;
                    flow::finished(tx, &run).await?;
                    let now = tx.now();
                    wake(tx, id, "cancelled", now).await
                })
            })
            .await
    }

    /// A person answers the manual step a run waits at.
    pub(crate) async fn answer(
        &self,
        id: RunId,
        step: String,
        approve: bool,
        text: String,
        person: String,
    ) -> Result<(), PlaybooksError> {
        let text = text.trim().to_owned();
        if text.chars().count() > MAX_ANSWER_CHARS {
            let summary = format!("an answer has at most {MAX_ANSWER_CHARS} characters");
            return Err(PlaybooksError::invalid(summary));
        }
        let config = self.config.clone();
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let run = runs::one(tx.sql(), id).await?.ok_or(PlaybooksError::NoRun(id))?;
                    let position = run.position;
                    let waiting = current(tx, id, position, &[StepState::Waiting]).await?;
                    let Some((run, row)) = waiting
                        .filter(|(run, row)| row.step == step && run.state == RunState::Waiting)
                    else {
                        let text = format!("the run does not wait for an answer to {step}");
                        return Err(PlaybooksError::Conflict(text));
                    };
                    let said = if text.is_empty() { String::new() } else { format!(": {text}") };
                    let outcome = if approve {
                        let data = json!({ "approved": true, "answer": text, "by": person });
                        Outcome::Done { summary: format!("approved by {person}{said}"), data }
                    } else {
                        Outcome::Failed {
                            reason: format!("declined by {person}{said}"),
                            retry: false,
                        }
                    };
                    let playbook = Playbook::parse(&run.body).map_err(|cause| {
                        platform::db::DbError::corrupt("playbooks_runs.body", cause)
                    })?;
                    let command = row.command;
                    Flow { config: &config, playbook: &playbook, run }
                        .take(tx, row, outcome)
                        .await?;
                    let now = tx.now();
                    wake(tx, id, &format!("{position}/{command}/answered"), now).await
                })
            })
            .await
    }
}
