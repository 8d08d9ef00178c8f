//! Whether the node still does its work, asked where it is done: by the database.

use std::time::Duration;

use platform::Platform;
use platform::db::DbError;

use super::Node;

impl Node {
    /// Calls `well` every `every`, as long as the writer and a reader of the database answer within that time. Silence
    /// is the alarm: a service manager restarts a node that has stopped answering.
    pub fn while_well(&self, every: Duration, well: impl Fn() + Send + 'static) {
        let platform = self.platform.clone();
        self.platform.tasks.spawn("watchdog", async move {
            loop {
                match tokio::time::timeout(every, answers(&platform)).await {
                    Ok(true) => well(),
                    Ok(false) => tracing::error!("the database does not take part any more"),
                    Err(_) => tracing::error!(
                        waited_s = every.as_secs(),
                        "the database does not answer; the service manager is told nothing"
                    ),
                }
                tokio::time::sleep(every).await;
            }
        });
    }
}

/// A write that changes nothing goes through the queue of all writes and is committed like any other. A full disk is an
/// answer too: starting again would not help there.
async fn answers(platform: &Platform) -> bool {
    let written: Result<(), DbError> = platform.db.write(|_| Box::pin(async { Ok(()) })).await;
    let writer = !matches!(written, Err(DbError::Stopped | DbError::Panicked));
    let Ok(mut connection) = platform.db.read().await else { return false };
    writer && sqlx::query("SELECT 1").fetch_one(&mut *connection).await.is_ok()
}
