//! Takes out text, relations and values of what an upgrade carried over, in small steps beside the daily work.

use std::time::Duration;

use platform::db::DbError;

use crate::room::Cti;

/// Pause between two steps, so that nobody waits for the writer.
const PAUSE: Duration = Duration::from_millis(20);
/// Pause after a step that failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Runs until nothing is left.
pub(crate) async fn run(cti: Cti) {
    loop {
        let step: Result<i64, DbError> = cti
            .platform()
            .db
            .write(|tx| Box::pin(async move { ::intel::catch_up::step(tx.sql()).await }))
            .await;
        let pause = match step {
            Ok(0) | Err(DbError::Stopped) => return,
            Ok(left) => {
                tracing::info!(left, "taking out what stored objects say");
                PAUSE
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take out what stored objects say; trying again");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}
