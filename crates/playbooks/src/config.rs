//! Section `[playbooks]`.

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Install the playbooks that come with the program, with their triggers.
    pub install_shipped: bool,
    /// How long a command may take when its step does not say, seconds.
    pub step_timeout_s: u32,
    /// How long a manual step waits when it does not say, seconds.
    pub manual_timeout_s: u32,
    /// How long a whole run may take, seconds.
    pub run_timeout_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            install_shipped: true,
            step_timeout_s: 600,
            manual_timeout_s: 86_400,
            run_timeout_s: 604_800,
        }
    }
}
