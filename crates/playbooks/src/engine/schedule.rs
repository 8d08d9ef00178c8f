//! Which runs are driven, and when: the database says when a run has to be looked at, and nothing
//! is asked in between. A run that waits costs no memory and no time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use model::{RunId, Timestamp};
use tokio::sync::Notify;

use super::{Engine, MAX_ACTIVE_RUNS, MAX_SLEEP_S, lock};
use crate::PlaybooksError;
use crate::store::runs;

/// A run that is being driven.
#[derive(Default)]
pub(crate) struct Active {
    /// Somebody else moved the run.
    pub changed: Notify,
    /// The same, for when nobody waits.
    pub dirty: AtomicBool,
}

/// Wakes the scheduler.
pub(crate) struct Bell {
    notify: Notify,
    /// When the next run has to be looked at, microseconds.
    due: AtomicI64,
    /// The newest fact that tells of a run begun inside somebody else's transaction.
    started: AtomicI64,
    /// More runs are due than can be driven.
    backlog: AtomicBool,
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            notify: Notify::new(),
            due: AtomicI64::new(i64::MIN),
            started: AtomicI64::new(0),
            backlog: AtomicBool::new(false),
        }
    }
}

impl Bell {
    /// A run has to be looked at.
    pub(crate) fn ring(&self, at: Timestamp) {
        if self.due.fetch_min(at.as_micros(), Ordering::SeqCst) > at.as_micros() {
            self.notify.notify_one();
        }
    }

    /// A run begins when the fact with this number is committed.
    pub(crate) fn begins_with(&self, seq: i64) {
        self.started.fetch_max(seq, Ordering::SeqCst);
    }
}

impl Engine {
    /// Somebody moved a run: whoever drives it looks again.
    pub(crate) fn touch(&self, id: RunId) {
        if let Some(active) = lock(&self.active).get(&id) {
            active.dirty.store(true, Ordering::SeqCst);
            active.changed.notify_one();
            return;
        }
        self.bell.ring(self.platform.now());
    }

    /// Drives runs until the node stops.
    pub(crate) async fn schedule(self: Arc<Self>) {
        let mut committed = self.platform.db.committed();
        let mut seen = 0;
        loop {
            if let Err(error) = self.take_due().await {
                tracing::warn!(%error, "cannot look for runs; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.bell.due.store(i64::MIN, Ordering::SeqCst);
                continue;
            }
            loop {
                let now = self.platform.now().as_micros();
                let due = self.bell.due.load(Ordering::SeqCst);
                if due <= now {
                    break;
                }
                // A clock that jumps is noticed within the longest sleep.
                let pause = Duration::from_micros(due.saturating_sub(now).unsigned_abs())
                    .min(Duration::from_secs(MAX_SLEEP_S));
                tokio::select! {
                    () = self.bell.notify.notified() => {}
                    changed = committed.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let started = self.bell.started.load(Ordering::SeqCst);
                        if started > seen && *committed.borrow_and_update() >= started {
                            seen = started;
                            break;
                        }
                    }
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }

    async fn take_due(self: &Arc<Self>) -> Result<(), PlaybooksError> {
        // Rings from here on count for the next look.
        self.bell.due.store(i64::MAX, Ordering::SeqCst);
        let now = self.platform.now();
        let driven = lock(&self.active).len();
        let limit = i64::try_from(MAX_ACTIVE_RUNS + 1).unwrap_or(i64::MAX);
        let (due, next) = {
            let mut connection = self.platform.db.read().await?;
            let due =
                runs::due(&mut connection, now, limit + i64::try_from(driven).unwrap_or(0)).await?;
            (due, runs::next_wake(&mut connection, now).await?)
        };
        let mut backlog = false;
        for id in due {
            let active = {
                let mut driven = lock(&self.active);
                if driven.contains_key(&id) {
                    continue;
                }
                if driven.len() >= MAX_ACTIVE_RUNS {
                    backlog = true;
                    break;
                }
                let active = Arc::new(Active::default());
                driven.insert(id, Arc::clone(&active));
                active
            };
            let engine = Arc::clone(self);
            self.platform.tasks.spawn("run", async move { engine.keep_driving(id, &active).await });
        }
        self.bell.backlog.store(backlog, Ordering::SeqCst);
        if let Some(next) = next {
            self.bell.ring(next);
        }
        Ok(())
    }

    async fn keep_driving(&self, id: RunId, active: &Active) {
        let mut failures = 0_u32;
        let wake = loop {
            let wake = match self.drive(id, active).await {
                Ok(wake) => wake,
                Err(PlaybooksError::NoRun(_)) => None,
                Err(error) => {
                    tracing::warn!(run = %id, %error, "a run cannot go on; trying again");
                    failures += 1;
                    tokio::time::sleep(Duration::from_millis(250 << failures.min(7))).await;
                    continue;
                }
            };
            let mut driven = lock(&self.active);
            if !active.dirty.load(Ordering::SeqCst) {
                driven.remove(&id);
                break wake;
            }
        };
        if self.bell.backlog.load(Ordering::SeqCst) {
            self.bell.ring(self.platform.now());
        } else if let Some(wake) = wake {
            self.bell.ring(wake);
        }
    }
}
