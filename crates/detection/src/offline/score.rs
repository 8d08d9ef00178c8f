//! Model file and capture → one line of JSON per window and device.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use analytics::detector::{Detector, DetectorStats};
use analytics::host::Host;
use analytics::model_file::{MAX_FILE_BYTES, ModelFile, ModelFileError};
use analytics::windows::{WindowConfig, Windower};
use serde::Serialize;

use super::input::read_windows;
use super::jsonl::append_verdict;
use super::{CaptureSummary, OfflineError, OfflineProgress};

/// Bytes of output gathered before they are written.
const WRITE_BYTES: usize = 128 * 1024;
/// Devices the summary names at most, those with the most alerts.
pub(super) const MAX_NAMED_DEVICES: usize = 100;
/// Devices whose alerts are counted one by one.
const MAX_COUNTED_DEVICES: usize = 16_384;

/// Alerts of one device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DeviceAlerts {
    /// The device.
    pub device: Host,
    /// Windows that alert.
    pub alerts: u64,
    /// Start of the first, Unix seconds.
    pub first: f64,
    /// Largest score.
    pub largest_score: f64,
}

/// What a scoring read and found.
#[derive(Clone, Debug, Serialize)]
pub struct ScoreSummary {
    /// The capture.
    pub capture: CaptureSummary,
    /// Windows judged, by model.
    pub judged: DetectorStats,
    /// Devices with alerts, most alerts first, at most a hundred.
    pub devices: Vec<DeviceAlerts>,
}

/// Reads a model file.
///
/// # Errors
/// When it cannot be read or is refused.
pub fn read_model(path: &Path) -> Result<ModelFile, OfflineError> {
    let read_error = |source| OfflineError::Read { path: path.to_path_buf(), source };
    let model_error = |source| OfflineError::Model { path: path.to_path_buf(), source };
    let size = std::fs::metadata(path).map_err(read_error)?.len();
    if size > MAX_FILE_BYTES as u64 {
        return Err(model_error(ModelFileError::TooLarge(
            usize::try_from(size).unwrap_or(usize::MAX),
        )));
    }
    let bytes = std::fs::read(path).map_err(read_error)?;
    ModelFile::from_bytes(&bytes).map_err(model_error)
}

/// Judges every window of a capture and writes the lines to `out`.
///
/// # Errors
/// When a file cannot be read or written, or is not what it should be. A capture that is cut off is
/// no error: see [`CaptureSummary::error`].
pub fn score(
    model: &Path,
    capture: &Path,
    out: &Path,
    progress: impl FnMut(OfflineProgress),
) -> Result<ScoreSummary, OfflineError> {
    let file = read_model(model)?;
    let mut windower = Windower::new(WindowConfig {
        window_us: file.window_us,
        policy: file.policy.clone(),
        ..WindowConfig::default()
    })?;
    let mut detector = Detector::new(file);
    let write_error = |source| OfflineError::Write { path: out.to_path_buf(), source };
    // Opened before the long work: a path that cannot be written is told at once.
    let mut lines = File::create(out).map_err(write_error)?;
    let mut alerts = Alerts::default();
    let mut buffer = Vec::with_capacity(WRITE_BYTES + 4_096);
    let capture = read_windows(capture, &mut windower, progress, |windower| {
        let mut failed = Ok(());
        windower.drain(|record| {
            let verdict = detector.judge(record);
            if verdict.judgement.alert() {
                alerts.count(record.device, record.start_us, verdict.judgement.score);
            }
            append_verdict(&mut buffer, record, &verdict);
            if buffer.len() >= WRITE_BYTES && failed.is_ok() {
                failed = lines.write_all(&buffer);
                buffer.clear();
            }
        });
        failed.map_err(write_error)
    })?;
    lines.write_all(&buffer).and_then(|()| lines.flush()).map_err(write_error)?;
    Ok(ScoreSummary { capture, judged: detector.stats(), devices: alerts.named() })
}

#[derive(Default)]
struct Alerts(BTreeMap<Host, DeviceAlerts>);

impl Alerts {
    fn count(&mut self, device: Host, start_us: i64, score: f64) {
        if self.0.len() >= MAX_COUNTED_DEVICES && !self.0.contains_key(&device) {
            return;
        }
        let first = start_us as f64 / 1e6;
        let entry = self.0.entry(device).or_insert(DeviceAlerts {
            device,
            alerts: 0,
            first,
            largest_score: 0.0,
        });
        entry.alerts += 1;
        entry.largest_score = entry.largest_score.max(score);
    }

    fn named(self) -> Vec<DeviceAlerts> {
        let mut named: Vec<DeviceAlerts> = self.0.into_values().collect();
        named.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.device.cmp(&b.device)));
        named.truncate(MAX_NAMED_DEVICES);
        named
    }
}
