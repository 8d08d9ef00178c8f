//! Model file and capture → one line of JSON per window and device.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use analytics::detector::{Detector, DetectorStats};
use analytics::host::Host;
use analytics::model_file::ModelFile;
use analytics::windows::{WindowConfig, Windower};
use ed25519_dalek::VerifyingKey;
use serde::Serialize;

use super::input::read_windows;
use super::jsonl::append_verdict;
use super::singles::{Singles, SinglesJudge};
use super::store::{ENSEMBLE, ModelStore, StoreError, Trust, key_text};
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

/// What to score, and with what.
#[derive(Clone, Debug)]
pub struct ScoreRequest {
    /// A file of [`super::train`], or a plain model file.
    pub model: PathBuf,
    /// The capture.
    pub capture: PathBuf,
    /// Detectors of the model file; the shipped `ensemble` alone when empty.
    pub detectors: Vec<String>,
    /// Who must have signed the model file; anyone or nobody when absent.
    pub signer: Option<VerifyingKey>,
}

impl ScoreRequest {
    /// With the shipped detector, whoever made the models.
    #[must_use]
    pub fn new(model: impl Into<PathBuf>, capture: impl Into<PathBuf>) -> Self {
        Self { model: model.into(), capture: capture.into(), detectors: Vec::new(), signer: None }
    }
}

/// What a scoring read and found.
#[derive(Clone, Debug, Serialize)]
pub struct ScoreSummary {
    /// The capture.
    pub capture: CaptureSummary,
    /// Windows judged by the shipped models, by model; zero where they were not asked for.
    pub judged: DetectorStats,
    /// Lines written for each detector.
    pub detectors: Vec<(String, u64)>,
    /// Key that signed the model file, if it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Alerts of all detectors asked for.
    pub alerts: u64,
    /// Devices with alerts, most alerts first, at most a hundred.
    pub devices: Vec<DeviceAlerts>,
}

/// Reads the shipped models of a file.
///
/// # Errors
/// When it cannot be read or is refused.
pub fn read_model(path: &Path) -> Result<ModelFile, OfflineError> {
    let store = ModelStore::read(path, Trust::Anyone)?;
    store.models().map_err(|source| OfflineError::Model { path: path.to_path_buf(), source })
}

/// Judges every window of a capture with the shipped detector and writes the lines to `out`.
///
/// # Errors
/// As [`score_with`].
pub fn score(
    model: &Path,
    capture: &Path,
    out: &Path,
    progress: impl FnMut(OfflineProgress),
) -> Result<ScoreSummary, OfflineError> {
    score_with(&ScoreRequest::new(model, capture), out, progress)
}

/// Judges every window of a capture and writes the lines to `out`: one line per window and detector.
///
/// # Errors
/// When a file cannot be read or written, or is not what it should be, or holds no such detector. A
/// capture that is cut off is no error: see [`CaptureSummary::error`].
pub fn score_with(
    request: &ScoreRequest,
    out: &Path,
    progress: impl FnMut(OfflineProgress),
) -> Result<ScoreSummary, OfflineError> {
    let trust = request.signer.as_ref().map_or(Trust::Anyone, Trust::Only);
    let store = ModelStore::read(&request.model, trust)?;
    let refused = |source| OfflineError::Model { path: request.model.clone(), source };
    let file = store.models().map_err(refused)?;
    let mut windower = Windower::new(WindowConfig {
        window_us: file.window_us,
        policy: file.policy.clone(),
        ..WindowConfig::default()
    })?;
    let others = open_others(&store, &file, &request.detectors).map_err(refused)?;
    let shipped = request.detectors.is_empty() || request.detectors.iter().any(|n| n == ENSEMBLE);
    let mut detector = shipped.then(|| Detector::new(file));
    let mut judges: Vec<(SinglesJudge<'_>, u64)> =
        others.iter().map(|singles| (SinglesJudge::new(singles), 0)).collect();
    let write_error = |source| OfflineError::Write { path: out.to_path_buf(), source };
    // Opened before the long work: a path that cannot be written is told at once.
    let mut lines = File::create(out).map_err(write_error)?;
    let mut alerts = Alerts::default();
    let mut buffer = Vec::with_capacity(WRITE_BYTES + 4_096);
    let capture = read_windows(&request.capture, &mut windower, progress, |windower| {
        let mut failed = Ok(());
        windower.drain(|record| {
            if let Some(detector) = &mut detector {
                let verdict = detector.judge(record);
                if verdict.judgement.alert() {
                    alerts.count(record.device, record.start_us, verdict.judgement.score);
                }
                append_verdict(&mut buffer, record, &verdict);
            }
            for (judge, written) in &mut judges {
                let Some(window) = judge.judge(record) else { continue };
                if window.alert {
                    alerts.count(record.device, record.start_us, window.score);
                }
                window.append_line(&mut buffer);
                *written += 1;
            }
            if buffer.len() >= WRITE_BYTES && failed.is_ok() {
                failed = lines.write_all(&buffer);
                buffer.clear();
            }
        });
        failed.map_err(write_error)
    })?;
    lines.write_all(&buffer).and_then(|()| lines.flush()).map_err(write_error)?;
    let judged = detector.map(|detector| detector.stats()).unwrap_or_default();
    let shipped =
        shipped.then(|| (ENSEMBLE.to_owned(), judged.own + judged.pooled + judged.without_model));
    let singles = others.iter().zip(&judges).map(|(one, judge)| (one.name().to_owned(), judge.1));
    Ok(ScoreSummary {
        capture,
        judged,
        detectors: shipped.into_iter().chain(singles).collect(),
        signed_by: store.signer().map(key_text),
        alerts: alerts.total,
        devices: alerts.named(),
    })
}

/// The detectors asked for beside the shipped one, each once.
pub(super) fn open_others(
    store: &ModelStore,
    file: &ModelFile,
    wanted: &[String],
) -> Result<Vec<Singles>, StoreError> {
    let mut opened: Vec<Singles> = Vec::new();
    for name in wanted.iter().filter(|name| *name != ENSEMBLE) {
        if opened.iter().any(|singles| singles.name() == name) {
            continue;
        }
        let bytes =
            store.section(name).ok_or_else(|| StoreError::NoSection(name.clone(), store.list()))?;
        opened.push(
            Singles::open(name, bytes, file)
                .map_err(|why| StoreError::Section(name.clone(), why))?,
        );
    }
    Ok(opened)
}

#[derive(Default)]
struct Alerts {
    devices: BTreeMap<Host, DeviceAlerts>,
    total: u64,
}

impl Alerts {
    fn count(&mut self, device: Host, start_us: i64, score: f64) {
        self.total += 1;
        if self.devices.len() >= MAX_COUNTED_DEVICES && !self.devices.contains_key(&device) {
            return;
        }
        let first = start_us as f64 / 1e6;
        let entry = self.devices.entry(device).or_insert(DeviceAlerts {
            device,
            alerts: 0,
            first,
            largest_score: 0.0,
        });
        entry.alerts += 1;
        entry.largest_score = entry.largest_score.max(score);
    }

    fn named(self) -> Vec<DeviceAlerts> {
        let mut named: Vec<DeviceAlerts> = self.devices.into_values().collect();
        named.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.device.cmp(&b.device)));
        named.truncate(MAX_NAMED_DEVICES);
        named
    }
}
