//! Which devices are watched, as the situation shows it.

use async_trait::async_trait;
use platform::db::DbError;
use ports::PortError;
use ports::situation::{WatchBoard, WatchBrief};
use sqlx::Row;

use crate::Detection;
use crate::state::Phase;

/// The words of [`model::WatchState`].
fn word(phase: &str) -> &'static str {
    let is = |one: Phase| phase == one.word();
    if is(Phase::Watching) {
        "watching"
    } else if is(Phase::Learning) {
        "learning"
    } else if is(Phase::Failed) {
        "unprotected"
    } else {
        "training"
    }
}

#[async_trait]
impl WatchBoard for Detection {
    async fn watches(&self, limit: u32) -> Result<Vec<WatchBrief>, PortError> {
        let read = async {
            let mut sql = self.inner.platform.db.read().await?;
            // The words of the phases happen to sort by need: failed, learning, training, watching.
            let rows = sqlx::query(
                "SELECT device, phase, reason FROM detection_devices ORDER BY phase LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(&mut *sql)
            .await?;
            let briefs = rows.iter().map(|row| {
                let (device, phase): (String, String) =
                    (row.try_get("device")?, row.try_get("phase")?);
                let device = device.parse();
                Ok(WatchBrief {
                    device: device.map_err(|e| DbError::corrupt("detection_devices.device", e))?,
                    state: word(&phase).to_owned(),
                    reason: row.try_get("reason")?,
                })
            });
            briefs.collect::<Result<Vec<_>, DbError>>()
        };
        read.await.map_err(|error| PortError::Internal(error.to_string()))
    }
}
