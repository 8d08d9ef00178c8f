//! Transitions and the database: a run is loaded, moved on, written.

use std::sync::Arc;

use model::event::RunFinished;
use model::{Outcome, RunId, Timestamp};
use platform::db::{DbError, Tx};
use sqlx::AnyConnection;

use super::book::{Book, Texts};
use super::machine::{Changes, Live, Machine};
use super::{Engine, MAX_BOOKS_KEPT, lock};
use crate::PlaybooksError;
use crate::approvals::question::{about_step, version_of_step};
use crate::approvals::{Kind, asking};
use crate::run::{RunState, StepState};
use crate::store::runs::{self, Run};
use crate::store::steps::{self, StepRow};
use crate::store::{automation, books, notices};

/// Who acts when a run acts.
pub(super) fn actor(run: &Run) -> String {
    format!("playbook:{}", run.name)
}

/// A run with its open steps.
pub(crate) async fn load(
    connection: &mut AnyConnection,
    id: RunId,
) -> Result<Live, PlaybooksError> {
    let run = runs::one(connection, id).await?.ok_or(PlaybooksError::NoRun(id))?;
    let rows = steps::open(connection, id).await?;
    Ok(Live { run, rows: rows.into_iter().map(|row| (row.position, row)).collect() })
}

/// Writes one transition; false when the run has moved on meanwhile and nothing was written.
///
/// Facts of a rehearsal are not published: nothing has happened.
pub(crate) async fn write(tx: &mut Tx, changes: &Changes) -> Result<bool, PlaybooksError> {
    Ok(write_all(tx, &[changes]).await?.contains(&true))
}

/// Writes transitions of different runs; says of each whether it was written, as [`write`] does.
pub(super) async fn write_all(tx: &mut Tx, all: &[&Changes]) -> Result<Vec<bool>, PlaybooksError> {
    let mut written = Vec::with_capacity(all.len());
    for changes in all {
        written.push(runs::update(tx.sql(), &changes.run).await?);
    }
    let kept = || all.iter().zip(&written).filter(|(_, written)| **written).map(|(it, _)| *it);
    let rows: Vec<&StepRow> = kept().flat_map(|it| &it.rows).collect();
    steps::put(tx.sql(), &rows).await?;
    for changes in kept() {
        tell(tx, changes).await?;
    }
    Ok(written)
}

async fn tell(tx: &mut Tx, changes: &Changes) -> Result<(), PlaybooksError> {
    let now = tx.now();
    for (key, notice) in &changes.notices {
        notices::put(tx.sql(), key, notice, changes.run.tlp, now).await?;
    }
    if changes.run.rehearsal {
        return Ok(());
    }
    put_to_people(tx, changes).await?;
    let actor = actor(&changes.run);
    for fact in &changes.told {
        tx.publish(&actor, fact).await?;
    }
    if changes.finished {
        let run = &changes.run;
        let fact = RunFinished {
            run: run.id,
            playbook: run.name.clone(),
            incident: run.incident,
            state: run.state.word().to_owned(),
            tlp: run.tlp,
        };
        tx.publish(&actor, &fact).await?;
    }
    Ok(())
}

/// Has people asked by mail about manual steps that wait from now on, and once more when nobody answers in time.
async fn put_to_people(tx: &mut Tx, changes: &Changes) -> Result<(), PlaybooksError> {
    let waits = |row: &&StepRow| row.state == StepState::Waiting;
    if !changes.rows.iter().any(|row| waits(&row)) {
        return Ok(());
    }
    let policy = automation::current(tx.sql()).await?;
    if !policy.mail_links.on {
        return Ok(());
    }
    let now = tx.now();
    let later = now.plus_secs(i64::from(policy.escalate_after_s));
    for row in changes.rows.iter().filter(waits) {
        for (round, at) in [(asking::MADE, now), (asking::AGAIN, later)] {
            let about = about_step(row.run, row.position);
            let order = asking::Order { kind: Kind::Step, about, round: round.into(), to: None };
            asking::soon(tx, &order, &version_of_step(row), at).await?;
        }
    }
    Ok(())
}

impl Engine {
    /// What a run executes.
    pub(crate) async fn book(
        &self,
        connection: &mut AnyConnection,
        run: &Run,
    ) -> Result<Arc<Book>, PlaybooksError> {
        let corrupt = |cause: &dyn std::fmt::Display| {
            PlaybooksError::Db(DbError::corrupt("playbooks_books.body", cause))
        };
        let Some(hash) = &run.book else {
            let texts = Texts { own: run.body.clone(), ..Texts::default() };
            return Ok(Arc::new(texts.read().map_err(|cause| corrupt(&cause))?));
        };
        if let Some(book) = lock(&self.books).get(hash) {
            return Ok(Arc::clone(book));
        }
        let body = books::one(connection, hash).await?.ok_or_else(|| corrupt(&"it is gone"))?;
        let texts: Texts = serde_json::from_str(&body).map_err(|cause| corrupt(&cause))?;
        let book = Arc::new(texts.read().map_err(|cause| corrupt(&cause))?);
        let mut kept = lock(&self.books);
        if kept.len() >= MAX_BOOKS_KEPT {
            kept.clear();
        }
        kept.insert(hash.clone(), Arc::clone(&book));
        Ok(book)
    }

    /// Writes one transition durably; false when the run has moved on meanwhile.
    pub(crate) async fn record(&self, changes: Changes) -> Result<bool, PlaybooksError> {
        let (news, tlp) = (changes.notices.clone(), changes.run.tlp);
        let changes = Arc::new(changes);
        let together = self.together.write(&self.platform, Arc::clone(&changes)).await;
        let written: Result<bool, PlaybooksError> = match together {
            Some(written) => Ok(written),
            // Alone, so that one that cannot be written keeps no other from the disk.
            None => {
                self.platform
                    .db
                    .write(move |tx| Box::pin(async move { write(tx, &changes).await }))
                    .await
            }
        };
        if matches!(written, Ok(true)) {
            for (_, notice) in news {
                self.platform.live.send("notice", notices::news(&notice, tlp));
            }
        }
        written
    }

    /// Ends a run whose stored book cannot be read: nothing can be asked, and nothing tells what would follow.
    pub(super) async fn give_up(&self, id: RunId, why: &str) -> Result<(), PlaybooksError> {
        let reason = format!("what it executes cannot be read any more ({why}); start it anew");
        tracing::error!(run = %id, %reason, "a run was given up");
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let Live { mut run, rows } = load(tx.sql(), id).await?;
                    if !run.state.is_open() && rows.is_empty() && run.wake_at.is_none() {
                        return Ok(());
                    }
                    let now = tx.now();
                    let failed = Outcome::Failed { reason: reason.clone(), retry: false };
                    let rows: Vec<StepRow> = rows
                        .into_values()
                        .map(|row| StepRow {
                            state: StepState::Failed,
                            outcome: Some(failed.clone()),
                            due_at: None,
                            deadline_at: None,
                            ended_at: Some(now),
                            ..row
                        })
                        .collect();
                    run.wake_at = None;
                    let finished = run.ended_at.is_none();
                    if finished {
                        run.state = RunState::Failed;
                        run.note = Some(reason);
                        run.ended_at = Some(now);
                    }
                    let (told, notices) = (vec![], vec![]);
                    write(tx, &Changes { run, rows, told, notices, finished }).await?;
                    Ok(())
                })
            })
            .await
    }

    /// What the run of this id executes.
    pub(crate) async fn book_of(&self, id: RunId) -> Result<Arc<Book>, PlaybooksError> {
        let mut connection = self.platform.db.read().await?;
        let run = runs::one(&mut connection, id).await?.ok_or(PlaybooksError::NoRun(id))?;
        self.book(&mut connection, &run).await
    }

    /// A person moves a run on. `f` may refuse; then nothing is written.
    pub(crate) async fn change<F>(&self, id: RunId, f: F) -> Result<(), PlaybooksError>
    where
        F: FnOnce(&mut Machine<'_>) -> Result<(), PlaybooksError> + Send + 'static,
    {
        let book = self.book_of(id).await?;
        let config = self.config.clone();
        let changed: Result<(), PlaybooksError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut live = load(tx.sql(), id).await?;
                    let now: Timestamp = tx.now();
                    let mut machine = Machine::new(&config, &book, now, &mut live);
                    f(&mut machine)?;
                    machine.go();
                    if let Some(changes) = machine.changes() {
                        write(tx, &changes).await?;
                    }
                    Ok(())
                })
            })
            .await;
        changed?;
        self.touch(id);
        Ok(())
    }
}
