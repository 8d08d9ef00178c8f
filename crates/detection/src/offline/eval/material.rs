//! What a detector may see of a part of a scenario: packets and windows, never a label.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::train::MAX_TRAINING_WINDOWS;
use analytics::windows::{WindowConfig, Windower};

use crate::offline::input::read_windows;
use crate::offline::machines::MachineModels;
use crate::offline::{CaptureSummary, OfflineError, OfflineProgress};

/// Captures with their windows.
#[derive(Debug)]
pub(super) struct Captures {
    pub(super) paths: Vec<PathBuf>,
    pub(super) records: Vec<WindowRecord>,
    pub(super) summaries: Vec<CaptureSummary>,
    pub(super) window_us: i64,
    pub(super) policy: DevicePolicy,
    /// Windows beyond [`MAX_TRAINING_WINDOWS`], left out.
    pub(super) left_out: u64,
    machines: OnceCell<Result<Arc<MachineModels>, String>>,
}

impl Captures {
    pub(super) fn read(
        paths: Vec<PathBuf>,
        policy: &DevicePolicy,
        window_us: i64,
        progress: &mut dyn FnMut(OfflineProgress),
    ) -> Result<Self, OfflineError> {
        let mut captures = Self {
            paths: Vec::new(),
            records: Vec::new(),
            summaries: Vec::new(),
            window_us,
            policy: policy.clone(),
            left_out: 0,
            machines: OnceCell::new(),
        };
        for path in paths {
            captures.add(&path, progress)?;
            captures.paths.push(path);
        }
        Ok(captures)
    }

    fn add(
        &mut self,
        path: &Path,
        progress: &mut dyn FnMut(OfflineProgress),
    ) -> Result<(), OfflineError> {
        let mut windower = Windower::new(WindowConfig {
            window_us: self.window_us,
            policy: self.policy.clone(),
            ..WindowConfig::default()
        })?;
        let (records, left_out) = (&mut self.records, &mut self.left_out);
        let summary =
            read_windows(path, &mut windower, progress, &mut |windower: &mut Windower| {
                windower.drain(|record| {
                    if records.len() < MAX_TRAINING_WINDOWS {
                        records.push(record.clone());
                    } else {
                        *left_out += 1;
                    }
                });
                Ok::<(), OfflineError>(())
            })?;
        self.summaries.push(summary);
        Ok(())
    }

    /// What machines say to each other in the captures, learned once.
    pub(super) fn machines(&self) -> Result<Arc<MachineModels>, String> {
        let learn = || {
            MachineModels::learn(&self.paths, self.window_us)
                .map(Arc::new)
                .map_err(|error| error.to_string())
        };
        self.machines.get_or_init(learn).clone()
    }

    /// Frames read.
    pub(super) fn packets(&self) -> u64 {
        self.summaries.iter().map(|summary| summary.packets).sum()
    }

    /// What should be said of the files: damage, and what was left out.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for summary in &self.summaries {
            let name = summary.path.file_name().unwrap_or_default().to_string_lossy();
            if let Some(error) = &summary.error {
                notes.push(format!("{name} breaks off: {error}; everything before was used"));
            }
            if summary.undecodable + summary.flawed > 0 {
                notes.push(format!(
                    "{name}: {} frames could not be read, {} are damaged",
                    summary.undecodable, summary.flawed
                ));
            }
        }
        if self.left_out > 0 {
            notes.push(format!(
                "{} windows beyond the limit of {MAX_TRAINING_WINDOWS} were left out",
                self.left_out
            ));
        }
        notes
    }
}
