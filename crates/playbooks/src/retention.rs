//! What is old goes: rows of commands that could be taken back, and of mails that asked for answers.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;

use crate::PlaybooksError;
use crate::engine::Engine;
use crate::store::{effects, letters};

/// Pause between two looks, seconds.
const LOOK_EVERY_S: u64 = 3_600;
/// Rows that one transaction takes away: the writer is not held.
const BATCH_ROWS: i64 = 1_000;
/// Transactions of one look.
const MAX_BATCHES: usize = 100;
/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// The shortest time things are kept, days.
pub(crate) const MIN_KEEP_DAYS: u32 = 1;
/// The longest, days.
pub(crate) const MAX_KEEP_DAYS: u32 = 36_500;

/// Looks now and then until the node stops.
pub(crate) async fn run(engine: Arc<Engine>) {
    loop {
        match sweep(&engine).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "old rows of effects and mails were taken away"),
            Err(error) => tracing::warn!(%error, "old rows could not be taken away; trying later"),
        }
        tokio::time::sleep(Duration::from_secs(LOOK_EVERY_S)).await;
    }
}

/// Takes away what is older than the configuration says; gives how many rows.
pub(crate) async fn sweep(engine: &Engine) -> Result<u64, PlaybooksError> {
    let days = i64::from(engine.config.keep_days);
    let before: Timestamp = engine.platform.now().plus_secs(-days * DAY_S);
    let mut all = 0;
    for _ in 0..MAX_BATCHES {
        let gone: Result<u64, PlaybooksError> = engine
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let effects = effects::forget(tx.sql(), before, BATCH_ROWS).await?;
                    Ok(effects + letters::forget(tx.sql(), before, BATCH_ROWS).await?)
                })
            })
            .await;
        let gone = gone?;
        all += gone;
        if gone == 0 {
            break;
        }
    }
    metrics::counter!("sereno_playbook_rows_removed_total").increment(all);
    Ok(all)
}
