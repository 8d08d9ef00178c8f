//! A run that failed is tried again from a step: a new run with the old one's playbooks and
//! variables. The old one stays as it was.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use model::RunId;
use platform::db::DbError;

use super::book::{Texts, lacks};
use super::start::{Begin, begin, fresh};
use super::tree::{Frame, FrameKind};
use super::{Engine, shape};
use crate::PlaybooksError;
use crate::cacao::{Playbook, Step};
use crate::run::StepState;
use crate::store::runs::{self, Run};
use crate::store::steps::{self, StepRow};
use crate::store::{books, playbooks};
use crate::trust::unsigned;

impl Engine {
    /// Tries an ended run again from `step`; without one from where it failed.
    pub(crate) async fn retry(
        self: &Arc<Self>,
        id: RunId,
        step: Option<String>,
        person: String,
    ) -> Result<RunId, PlaybooksError> {
        let engine = Arc::clone(self);
        let started: Result<RunId, PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let old = runs::one(tx.sql(), id).await?.ok_or(PlaybooksError::NoRun(id))?;
                    if old.state.is_open() {
                        let text = "the run is still under way; cancel it, then try it again";
                        return Err(PlaybooksError::Conflict(text.into()));
                    }
                    let texts = texts(tx, &old).await?;
                    let own = Playbook::parse(&texts.own)
                        .map_err(|cause| DbError::corrupt("playbooks_books.body", cause))?;
                    let rows = steps::of(tx.sql(), id).await?;
                    let wanted = match step {
                        Some(step) => step,
                        None => failed_at(&own, &rows),
                    };
                    let (from, frames) = way_to(&own, &wanted).ok_or_else(|| {
                        let shown: String = wanted.chars().take(100).collect();
                        PlaybooksError::invalid(format!(
                            "{shown} is no step that this run's playbook reaches"
                        ))
                    })?;
                    let given: Vec<String> = old.variables.keys().cloned().collect();
                    let mut missing = lacks(&engine.abilities, &texts.own, &given, tx.now());
                    missing.extend(unsigned(&engine.config, tx, &texts).await?);
                    if !missing.is_empty() {
                        let summary = format!("'{}' cannot run here", old.name);
                        return Err(PlaybooksError::Invalid { summary, errors: missing });
                    }
                    let stored = playbooks::one(tx.sql(), old.playbook)
                        .await?
                        .ok_or(PlaybooksError::NoPlaybook(old.playbook))?;
                    let name = own.workflow.get(&from).map_or("?", Step::title).to_owned();
                    let key: model::EventId = tx.mint();
                    let run = Run {
                        name: old.name.clone(),
                        incident: old.incident,
                        tlp: old.tlp,
                        trigger: format!("tried again from '{name}' by {person}"),
                        variables: old.variables.clone(),
                        rehearsal: old.rehearsal,
                        retry_of: Some(old.id),
                        ..fresh(tx, &engine, &stored, &from, frames)
                    };
                    let start_key = format!("retry/{key}");
                    begin(tx, &engine, Begin { run, texts, start_key, missing }).await?.ok_or_else(
                        || PlaybooksError::Conflict("the run was started before".into()),
                    )
                })
            })
            .await;
        let id = started?;
        self.touch(id);
        Ok(id)
    }
}

async fn texts(tx: &mut platform::db::Tx, run: &Run) -> Result<Texts, PlaybooksError> {
    let Some(hash) = &run.book else {
        return Ok(Texts { own: run.body.clone(), ..Texts::default() });
    };
    let body = books::one(tx.sql(), hash).await?;
    let body = body.ok_or_else(|| DbError::corrupt("playbooks_books.body", "it is gone"))?;
    Ok(serde_json::from_str(&body)
        .map_err(|cause| DbError::corrupt("playbooks_books.body", cause))?)
}

/// The last step of the run's own playbook that did not go well; else its start.
fn failed_at(own: &Playbook, rows: &[StepRow]) -> String {
    let bad = |row: &&StepRow| {
        row.playbook.is_none() && matches!(row.state, StepState::Failed | StepState::Skipped)
    };
    let action = rows.iter().rev().filter(bad).find(|row| row.kind.ends_with("action"));
    let found = action.or_else(|| rows.iter().rev().find(bad));
    found.map_or_else(|| own.workflow_start.clone(), |row| row.step.clone())
}

/// Where a run begins that is to reach `wanted`, and what follows. A step inside of a parallel
/// branch, a loop or a playbook called begins again with that whole.
fn way_to(own: &Playbook, wanted: &str) -> Option<(String, Vec<Frame>)> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut todo: VecDeque<(&str, Vec<Frame>, Option<String>)> = VecDeque::new();
    todo.push_back((&own.workflow_start, vec![], None));
    if let Some(exception) = &own.workflow_exception {
        todo.push_back((exception, vec![], None));
    }
    while let Some((id, frames, whole)) = todo.pop_front() {
        let Some(step) = own.workflow.get(id) else { continue };
        if id == wanted {
            return Some((whole.unwrap_or_else(|| id.to_owned()), frames));
        }
        if !seen.insert(id) {
            continue;
        }
        let next = [&step.on_completion, &step.on_success, &step.on_failure];
        for next in next.into_iter().flatten() {
            todo.push_back((next, frames.clone(), whole.clone()));
        }
        for inner in branches(step) {
            let unit = matches!(step.kind.as_str(), "parallel" | "while-condition");
            let follows = shape::after(step).is_some() || step.on_failure.is_some();
            let mut frames = frames.clone();
            if !unit && follows && whole.is_none() {
                let (kind, step) = (FrameKind::Branch, id.to_owned());
                frames.push(Frame { kind, step, position: 0, deadline: None });
            }
            let whole = whole.clone().or_else(|| unit.then(|| id.to_owned()));
            todo.push_back((inner, frames, whole));
        }
    }
    None
}

fn branches(step: &Step) -> Vec<&str> {
    let mut all: Vec<&str> =
        [&step.on_true, &step.on_false].into_iter().filter_map(|to| to.as_deref()).collect();
    all.extend(shape::next_steps(step));
    all.extend(shape::cases(step).into_iter().map(|(_, to)| to));
    all
}
