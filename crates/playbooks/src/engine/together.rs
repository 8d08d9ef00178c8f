//! Transitions of many runs in one write: what is recorded while a commit is under way goes into the next one, with
//! one statement for the steps of several runs. Each is still answered when it is on disk, and not before.

use std::sync::{Arc, Mutex};

use platform::Platform;
use platform::db::Tx;
use tokio::sync::oneshot;

use super::machine::Changes;
use super::{lock, record};
use crate::PlaybooksError;

/// Rows of one write: more wait for the next, so that others' writes come in between.
const MAX_ROWS_TOGETHER: usize = 512;

struct Waiting {
    changes: Arc<Changes>,
    /// `Some(written)`; `None`: try alone.
    answer: oneshot::Sender<Option<bool>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// A task writes until nothing waits.
    writing: bool,
}

/// What waits to be written.
#[derive(Clone, Default)]
pub(super) struct Together(Arc<Mutex<Queue>>);

impl Together {
    /// True when it is on disk, false when its run had moved on; `None` when it was not written with the others.
    pub(super) async fn write(&self, platform: &Platform, changes: Arc<Changes>) -> Option<bool> {
        let (answer, reply) = oneshot::channel();
        let idle = {
            let mut queue = lock(&self.0);
            queue.waiting.push(Waiting { changes, answer });
            !std::mem::replace(&mut queue.writing, true)
        };
        if idle {
            let (own, platform) = (self.clone(), platform.clone());
            // It ends by itself, so that what waits is written although the node stops.
            let tasks = platform.tasks.clone();
            tasks.spawn_draining("transitions", async move { own.write_all(&platform).await });
        }
        reply.await.ok().flatten()
    }

    /// Writes until nothing waits.
    async fn write_all(&self, platform: &Platform) {
        loop {
            let (changes, answers): (Vec<Arc<Changes>>, Vec<_>) = {
                let mut queue = lock(&self.0);
                let some = fitting(&queue.waiting);
                if some == 0 {
                    // Said under the same lock: whoever comes next starts another task.
                    queue.writing = false;
                    return;
                }
                queue.waiting.drain(..some).map(|it| (it.changes, it.answer)).unzip()
            };
            let written: Result<Vec<bool>, PlaybooksError> = platform
                .db
                .write(move |tx: &mut Tx| {
                    Box::pin(async move {
                        let all: Vec<&Changes> = changes.iter().map(AsRef::as_ref).collect();
                        record::write_all(tx, &all).await
                    })
                })
                .await;
            let written = written.ok();
            for (at, answer) in answers.into_iter().enumerate() {
                // Whoever asked may be gone; what was written stays.
                let _ = answer.send(written.as_ref().and_then(|all| all.get(at).copied()));
            }
        }
    }
}

/// How many of those that wait fit into one write; at least one, when any waits.
fn fitting(waiting: &[Waiting]) -> usize {
    let mut rows = 0;
    let some = waiting.iter().take_while(|it| {
        rows += it.changes.rows.len();
        rows <= MAX_ROWS_TOGETHER
    });
    some.count().max(usize::from(!waiting.is_empty()))
}
