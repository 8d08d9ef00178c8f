//! Section `[gateway]`.

use serde::{Deserialize, Serialize};

/// Bounds and waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a command waits for a gateway's answer before it is asked again, milliseconds.
    pub answer_wait_ms: u64,
    /// Longest block that may be ordered, seconds.
    pub max_block_s: u32,
    /// Seconds for which a finding of the detectors makes its device a suspect at its gateway: of it only what was usual
    /// passes. 0: findings order nothing by themselves.
    pub suspect_s: u32,
    /// Counter rows kept per gateway and device.
    pub counter_rows: u32,
    /// Gateways that may be connected at the same time.
    pub max_gateways: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            answer_wait_ms: 3_000,
            max_block_s: 7 * 86_400,
            suspect_s: 0,
            counter_rows: 20_000,
            max_gateways: 64,
        }
    }
}
