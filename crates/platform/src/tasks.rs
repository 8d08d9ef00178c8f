//! Supervised background tasks and one shutdown for all of them, with a deadline.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tasks that end when the node is told to.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// Runs `task` until it ends or the node stops; a panic is logged and stops the node, because a
    /// node with a dead part that looks alive is worse than one that restarts.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.spawn_draining(name, async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Runs `task` until it ends by itself: it listens to [`Tasks::stopped`] and drains.
    #[allow(clippy::disallowed_methods)] // the one supervised spawn
    pub fn spawn_draining(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.tracker.spawn(async move {
            let inner = tokio::spawn(task);
            // A task cancelled by its dying runtime did nothing wrong.
            if let Err(cause) = inner.await
                && cause.is_panic()
            {
                tracing::error!(task = name, %cause, "background task ended abnormally; stopping the node");
                std::process::exit(3);
            }
        });
    }

    /// Resolves when the node is told to stop.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// The token, for code that needs to hand it on.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells every task to stop and waits up to `deadline`; false when some did not.
    pub async fn stop(&self, deadline: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(deadline, self.tracker.wait()).await.is_ok()
    }
}
