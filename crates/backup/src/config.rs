//! The section `[backup]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// When backups are made by themselves, and where they go.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Hours between two backups; 0: none by themselves.
    pub every_h: u32,
    /// How many of those made by themselves are kept; the oldest goes when a new one is there. Those that people asked
    /// for stay until people remove them.
    pub keep: u32,
    /// Copies made before upgrades that are kept.
    pub keep_before_upgrade: u32,
    /// Where they go; `backups/` of the data folder when absent. Better another disk.
    pub folder: Option<PathBuf>,
    /// Age recipients (`age1…`) for whom backups made by themselves are sealed; none: they are not sealed.
    pub recipients: Vec<String>,
    /// Whether `keys/` goes in; only with recipients.
    pub keys: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            every_h: 24,
            keep: 3,
            keep_before_upgrade: 2,
            folder: None,
            recipients: vec![],
            keys: false,
        }
    }
}
