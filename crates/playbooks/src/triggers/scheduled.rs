//! Schedules: a durable job for each next moment.
//!
//! The moment is the key of the start, and moments depend on the schedule alone: whatever the clock does, and whoever dies, a
//! moment starts once. After a moment the next one is armed in the same transaction.

use std::sync::Arc;

use async_trait::async_trait;
use model::{Timestamp, TriggerId};
use platform::db::{DbError, Tx};
use platform::jobs::{self, Job, JobEnd, JobHandler};
use serde_json::json;

use super::launch::{Launch, before, launch};
use super::{CatchUp, OnSchedule, Trigger};
use crate::PlaybooksError;
use crate::automation::proposals::ProposalState;
use crate::context;
use crate::engine::Engine;
use crate::store::triggers::{self, Kept};
use crate::store::{proposals, runs};

/// Kind of the job that comes at a moment.
pub(crate) const SCHEDULED: &str = "playbooks.scheduled";
/// A moment so late, in seconds, was missed: the node was down, or the clock was set.
pub(crate) const LATE_S: i64 = 300;
/// How long jobs that ended are kept, seconds: a day.
const KEEP_JOBS_S: i64 = 86_400;

/// Sets the next moment after `after`, and a job for it; the caller keeps the trigger.
pub(crate) async fn arm(tx: &mut Tx, kept: &mut Kept, after: Timestamp) -> Result<(), DbError> {
    let Trigger::Schedule(schedule) = &kept.trigger else {
        kept.next_at = None;
        return Ok(());
    };
    kept.next_at = schedule.next_after(after);
    let Some(at) = kept.next_at else { return Ok(()) };
    let key = format!("{}/{}/{}", kept.id, kept.revision, at.as_micros());
    let payload = json!({ "trigger": kept.id, "revision": kept.revision, "at": at.as_micros() });
    tx.enqueue(SCHEDULED, &key, &payload, at).await?;
    Ok(())
}

/// Starts what a moment starts.
pub(crate) struct Scheduled(pub(crate) Arc<Engine>);

#[async_trait]
impl JobHandler for Scheduled {
    fn kind(&self) -> &'static str {
        SCHEDULED
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let number = |name: &str| job.payload.get(name).and_then(serde_json::Value::as_i64);
        let id = job.payload.get("trigger").and_then(|id| id.as_str());
        let (Some(id), Some(revision), Some(at)) =
            (id.and_then(|id| id.parse::<TriggerId>().ok()), number("revision"), number("at"))
        else {
            return JobEnd::Failed { reason: "the job names no moment of a trigger".into() };
        };
        let (engine, at) = (Arc::clone(&self.0), Timestamp::from_micros(at));
        let done: Result<(), PlaybooksError> = self
            .0
            .platform
            .db
            .write(move |tx| Box::pin(async move { came(tx, &engine, (id, revision), at).await }))
            .await;
        match done {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

/// A moment of a trigger has come.
async fn came(
    tx: &mut Tx,
    engine: &Engine,
    (id, revision): (TriggerId, i64),
    at: Timestamp,
) -> Result<(), PlaybooksError> {
    let Some(mut kept) = triggers::one(tx.sql(), id).await? else { return Ok(()) };
    // Changed meanwhile, or armed for another moment because the clock was set.
    if kept.revision != revision || kept.next_at != Some(at) {
        return Ok(());
    }
    let Trigger::Schedule(schedule) = kept.trigger.clone() else { return Ok(()) };
    let now = tx.now();
    let start_key = format!("schedule/{id}/{}", at.as_micros());
    // The clock went back over it.
    if before(tx, &start_key).await?.is_none() {
        moment(tx, engine, (&mut kept, &schedule), (at, start_key)).await?;
    }
    arm(tx, &mut kept, now.max(at)).await?;
    jobs::forget_ended(tx, SCHEDULED, now.plus_secs(-KEEP_JOBS_S)).await?;
    triggers::put(tx.sql(), &kept).await?;
    Ok(())
}

/// Starts what a moment starts, or says why not.
async fn moment(
    tx: &mut Tx,
    engine: &Engine,
    (kept, schedule): (&mut Kept, &OnSchedule),
    (at, start_key): (Timestamp, String),
) -> Result<(), PlaybooksError> {
    let now = tx.now();
    let missed = schedule.passed(at, now);
    if missed > 0 {
        kept.skipped += missed;
        let at = now.to_millis_text();
        kept.note = Some(format!("{at}: {missed} more moments passed before the node looked"));
    }
    let late = now.micros_since(at) > LATE_S * 1_000_000;
    if late && schedule.catch_up == CatchUp::Skip {
        skip(kept, now, format!("the moment {at} was missed"));
        return Ok(());
    }
    if let Some(why) = under_way(tx, schedule, kept).await? {
        skip(kept, now, why);
        return Ok(());
    }
    let why = match late {
        true => format!("the moment {at}, {missed} more were missed"),
        false => format!("the moment {at}"),
    };
    let cause = Launch {
        report: None,
        given: context::of_moment(at),
        tlp: None,
        criticality: None,
        why,
        start_key,
    };
    launch(tx, engine, kept, cause).await?;
    Ok(())
}

fn skip(kept: &mut Kept, now: Timestamp, why: String) {
    kept.skipped += 1;
    kept.note = Some(format!("{}: {why}", now.to_millis_text()));
}

/// Why a moment starts nothing: the last run of this trigger goes on, or its proposal waits.
async fn under_way(
    tx: &mut Tx,
    schedule: &OnSchedule,
    kept: &Kept,
) -> Result<Option<String>, PlaybooksError> {
    if schedule.overlap {
        return Ok(None);
    }
    let mut run = kept.last_run;
    if let Some(id) = kept.last_proposal
        && let Some(proposal) = proposals::one(tx.sql(), id).await?
    {
        if proposal.state == ProposalState::Open && proposal.expires_at > tx.now() {
            return Ok(Some("the last proposal of this trigger still waits".into()));
        }
        run = proposal.run;
    }
    let Some(run) = run else { return Ok(None) };
    let open = runs::one(tx.sql(), run).await?.is_some_and(|run| run.state.is_open());
    Ok(open.then(|| format!("the last run of this trigger, {run}, goes on")))
}

/// Arms schedules that wait for a later moment than their next one: the clock was set back.
pub(crate) async fn mend(tx: &mut Tx) -> Result<(), PlaybooksError> {
    let now = tx.now();
    for mut kept in triggers::on(tx.sql(), "schedule").await? {
        if astray(&kept, now) {
            // The key of the job may have been used before the clock went back.
            kept.revision += 1;
            arm(tx, &mut kept, now).await?;
            triggers::put(tx.sql(), &kept).await?;
        }
    }
    Ok(())
}

/// Whether [`mend`] has something to do.
pub(crate) fn astray(kept: &Kept, now: Timestamp) -> bool {
    let Trigger::Schedule(schedule) = &kept.trigger else { return false };
    // What is met again has started what it starts; what was never reached must not wait for the far one.
    kept.next_at.is_some_and(|at| schedule.next_after(now).is_some_and(|next| next < at))
}
