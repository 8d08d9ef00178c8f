//! Findings per device and window, for detectors that are compared by windows.

use std::collections::BTreeMap;

use super::Command;
use super::finding::CommandFinding;
use crate::host::Host;

/// Windows kept; the oldest are given up beyond it, and counted.
const MAX_WINDOWS: usize = 1_000_000;
/// Findings a window tells.
const TOLD: usize = 3;

/// One device and window with operations.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandWindow {
    /// The device.
    pub device: Host,
    /// Start, microseconds.
    pub start_us: i64,
    /// End (exclusive), microseconds.
    pub end_us: i64,
    /// Operations sent and received.
    pub operations: u64,
    /// Findings, also those that only inform.
    pub findings: u64,
    /// Largest score, 0 without findings; above 1 alerts.
    pub score: f64,
    /// The strongest findings.
    pub told: Vec<CommandFinding>,
}

/// Gathers operations and findings into windows.
#[derive(Debug)]
pub struct CommandWindows {
    window_us: i64,
    windows: BTreeMap<(i64, Host), CommandWindow>,
    given_up: u64,
}

impl CommandWindows {
    /// Windows of this length, at least a microsecond.
    #[must_use]
    pub fn new(window_us: i64) -> Self {
        Self { window_us: window_us.max(1), windows: BTreeMap::new(), given_up: 0 }
    }

    fn slot(&mut self, device: Host, ts_us: i64) -> &mut CommandWindow {
        let start_us = ts_us.div_euclid(self.window_us).saturating_mul(self.window_us);
        let key = (start_us, device);
        if self.windows.len() >= MAX_WINDOWS && !self.windows.contains_key(&key) {
            self.windows.pop_first();
            self.given_up += 1;
        }
        self.windows.entry(key).or_insert(CommandWindow {
            device,
            start_us,
            end_us: start_us.saturating_add(self.window_us),
            operations: 0,
            findings: 0,
            score: 0.0,
            told: Vec::new(),
        })
    }

    /// Counts an operation for both ends.
    pub fn command(&mut self, command: &Command<'_>) {
        for device in [command.from, command.to] {
            self.slot(device, command.ts_us).operations += 1;
        }
    }

    /// Takes a finding, for both ends: who commands and who is commanded.
    pub fn finding(&mut self, finding: &CommandFinding) {
        for device in [finding.from, finding.to] {
            let window = self.slot(device, finding.ts_us);
            window.findings += 1;
            window.score = window.score.max(finding.score);
            window.told.push(finding.clone());
            window.told.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.ts_us.cmp(&b.ts_us)));
            window.told.truncate(TOLD);
        }
    }

    /// Windows given up because they were too many.
    #[must_use]
    pub const fn given_up(&self) -> u64 {
        self.given_up
    }

    /// The windows that ended before a time, in order.
    pub fn close_before(&mut self, ts_us: i64) -> Vec<CommandWindow> {
        let mut closed = Vec::new();
        while let Some(entry) = self.windows.first_entry() {
            if entry.get().end_us > ts_us {
                break;
            }
            closed.push(entry.remove());
        }
        closed
    }

    /// Every window, in order.
    #[must_use]
    pub fn finish(self) -> Vec<CommandWindow> {
        self.windows.into_values().collect()
    }
}
