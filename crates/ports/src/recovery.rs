//! What a recovery asks of those who watch.

use async_trait::async_trait;
use model::{DeviceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::PortError;

/// A place in the scores of a device. Packet time may run differently from the clock (a replay), so "fresh" is what
/// came after a mark, never what is younger than a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreMark {
    /// Start of the source.
    pub epoch: i64,
    /// Windows that begin from here on are fresh, microseconds of packet time: none of them began before the mark.
    pub end_us: i64,
}

/// What the detectors said since a mark.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fresh {
    /// Windows scored since: zero when no probe tells of the device.
    pub windows: u64,
    /// Of these, windows above the threshold.
    pub alerts: u64,
    /// The largest score; above 1 is an alert.
    pub highest: Option<f64>,
    /// End of the newest window, packet time.
    pub newest: Option<Timestamp>,
}

/// Tells how the detectors judge a device now.
#[async_trait]
pub trait FreshScore: Send + Sync {
    /// The newest place; `None` when no window of the device was ever scored.
    async fn mark(&self, device: DeviceId) -> Result<Option<ScoreMark>, PortError>;
    /// What was scored since.
    async fn since(&self, device: DeviceId, mark: ScoreMark) -> Result<Fresh, PortError>;
}
