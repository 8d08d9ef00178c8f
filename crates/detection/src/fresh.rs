//! How a device is judged now, for rooms that wait until it is well again.

use analytics::windows::DEFAULT_WINDOW_US;
use async_trait::async_trait;
use model::DeviceId;
use ports::PortError;
use ports::recovery::{Fresh, FreshScore, ScoreMark};

use crate::Detection;
use crate::state::moment;
use crate::store::scores;

fn failed(error: impl std::fmt::Display) -> PortError {
    PortError::Internal(error.to_string())
}

/// A newest window within so long before the clock is of a live source; otherwise packet time is that of a replay.
const LIVE_WITHIN_US: i64 = 86_400_000_000;

/// Packet time from which windows hold nothing of before this moment. The window under way does not count: it still
/// shows what the device did, or what stopped it, until now.
fn after_now(newest_end_us: i64, now_us: i64) -> i64 {
    let live = (0..=LIVE_WITHIN_US).contains(&now_us.saturating_sub(newest_end_us));
    let under_way_ends_us = newest_end_us.saturating_add(DEFAULT_WINDOW_US);
    if live { now_us } else { under_way_ends_us }
}

#[async_trait]
impl FreshScore for Detection {
    async fn mark(&self, device: DeviceId) -> Result<Option<ScoreMark>, PortError> {
        let mut sql = self.inner.platform.db.read().await.map_err(failed)?;
        let Some(epoch) = scores::newest_epoch(&mut sql, device).await.map_err(failed)? else {
            return Ok(None);
        };
        let span = scores::span(&mut sql, device, epoch).await.map_err(failed)?;
        let now_us = self.inner.platform.now().as_micros();
        Ok(span.map(|(_, end_us)| ScoreMark { epoch, end_us: after_now(end_us, now_us) }))
    }

    async fn since(&self, device: DeviceId, mark: ScoreMark) -> Result<Fresh, PortError> {
        let mut sql = self.inner.platform.db.read().await.map_err(failed)?;
        let since =
            scores::since(&mut sql, device, mark.epoch, mark.end_us).await.map_err(failed)?;
        Ok(Fresh {
            windows: since.windows.unsigned_abs(),
            alerts: since.alerts.unsigned_abs(),
            highest: since.highest,
            newest: since.newest_us.map(moment),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use model::Timestamp;
    use model::id::TypedId;
    use platform::db::DbError;
    use ports::fake::FakeAssets;

    use super::*;
    use crate::{Config, MIGRATIONS};

    #[tokio::test]
    async fn only_what_was_scored_after_the_mark_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let platform = platform::testing::platform(folder.path(), &[MIGRATIONS]).await.unwrap();
        let room =
            Detection::new(platform.clone(), Arc::<FakeAssets>::default(), Config::default())
                .unwrap();
        let device = DeviceId::mint(Timestamp::from_secs(1), [1; 10]);
        assert_eq!(room.mark(device).await.unwrap(), None);
        let score = async |epoch: i64, start: i64, score: Option<f64>, alert: i64| {
            let done: Result<(), DbError> = platform
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        sqlx::query(
                            "INSERT INTO detection_scores (device, epoch, start_us, end_us, place, score, alert, \
                             packets_out, packets_in, bytes_out, bytes_in) VALUES ($1, $2, $3, $4, $3, $5, $6, 0, 0, 0, 0)",
                        )
                        .bind(device.to_string())
                        .bind(epoch)
                        .bind(start)
                        .bind(start + DEFAULT_WINDOW_US)
                        .bind(score)
                        .bind(alert)
                        .execute(tx.sql())
                        .await?;
                        Ok(())
                    })
                })
                .await;
            done.unwrap();
        };
        const S: i64 = 1_000_000;
        score(3, 100 * S, Some(4.0), 1).await;
        let mark = room.mark(device).await.unwrap().unwrap();
        assert_eq!(mark, ScoreMark { epoch: 3, end_us: 120 * S });
        assert_eq!(room.since(device, mark).await.unwrap(), Fresh::default(), "silence");
        score(2, 500 * S, Some(9.0), 1).await;
        // The window that was under way when the mark was made says nothing of what came after.
        score(3, 110 * S, Some(7.0), 1).await;
        score(3, 120 * S, Some(0.5), 0).await;
        score(3, 130 * S, None, 0).await;
        let fresh = room.since(device, mark).await.unwrap();
        assert_eq!((fresh.windows, fresh.alerts, fresh.highest), (1, 0, Some(0.5)));
        // The source starts again: its packet time begins anew, and all of it is fresh.
        score(4, 5, Some(1.5), 1).await;
        let fresh = room.since(device, mark).await.unwrap();
        assert_eq!((fresh.windows, fresh.alerts, fresh.highest), (2, 1, Some(1.5)));
        platform.db.close().await;
    }
    #[test]
    fn a_live_source_goes_by_the_clock_and_a_replay_by_its_windows() {
        assert_eq!(after_now(1_000_000_000, 1_003_000_000), 1_003_000_000);
        assert_eq!(after_now(1_000_000_000, 1_600_000_000_000_000), 1_010_000_000);
        assert_eq!(
            after_now(1_000_000_000, 900_000_000),
            1_010_000_000,
            "a clock behind the edge's"
        );
    }
}
