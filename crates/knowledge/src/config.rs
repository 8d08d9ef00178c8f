//! Section `[knowledge]`.

use serde::{Deserialize, Serialize};

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest bundle imported in one request, bytes (64 MiB).
    pub max_import_bytes: usize,
    /// Objects exported in one answer at most.
    pub max_export_objects: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_import_bytes: 64 << 20, max_export_objects: 50_000 }
    }
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// One sentence that names the key, the limit and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let rules = [
            (
                (1_024..=1 << 30).contains(&self.max_import_bytes),
                "knowledge.max_import_bytes must lie between 1024 and 1073741824",
            ),
            (
                (1..=1_000_000).contains(&self.max_export_objects),
                "knowledge.max_export_objects must lie between 1 and 1000000",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(format!("{broken}; leave it out for the default")),
            None => Ok(()),
        }
    }
}
