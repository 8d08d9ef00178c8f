//! Model file and capture → one line of JSON per window and device.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use analytics::commands::CommandModel;
use analytics::detector::{Detector, DetectorStats};
use analytics::host::Host;
use analytics::model_file::ModelFile;
use analytics::windows::{WindowConfig, Windower};
use ed25519_dalek::VerifyingKey;
use protocols::packet::decode;
use serde::Serialize;

use super::input::read_frames;
use super::operations::COMMANDS;
use super::row_files::ROWS;
use super::scoring::Scoring;
use super::sides::{CommandSide, LawSide};
use super::singles::Singles;
use super::store::{ENSEMBLE, ModelStore, StoreError, Trust, key_text};
use super::{CaptureSummary, OfflineError, OfflineProgress};
use crate::laws::memory::{LawModel, Protocol};

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
    /// What the laws of GOOSE and MMS judged, where the model file holds some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub laws: Option<LawsScored>,
    /// Key that signed the model file, if it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Alerts of all detectors asked for.
    pub alerts: u64,
    /// Devices with alerts, most alerts first, at most a hundred.
    pub devices: Vec<DeviceAlerts>,
}

/// What the laws of GOOSE and MMS judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LawsScored {
    /// Lines of `ensemble` that exist by laws alone: the device sent nothing that is counted.
    pub alone: u64,
    /// Messages that were not judged, because a window held too many.
    pub untold: u64,
    /// Windows in which laws proved broken after their line was written: not told.
    pub late: u64,
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
    if store.section(ROWS).is_some() {
        return Err(OfflineError::Unknown(format!(
            "{} was trained on rows, {} is a capture: train on captures of the same network",
            request.model.display(),
            request.capture.display()
        )));
    }
    let opened = Opened::new(&store, request).map_err(refused)?;
    let mut windower = Windower::new(WindowConfig {
        window_us: opened.file.window_us,
        policy: opened.file.policy.clone(),
        ..WindowConfig::default()
    })?;
    let write_error = |source| OfflineError::Write { path: out.to_path_buf(), source };
    // Opened before the long work: a path that cannot be written is told at once.
    let lines = File::create(out).map_err(write_error)?;
    let Opened { file, shipped, others, commands, laws } = opened;
    let detector = shipped.then(|| Detector::new(file));
    let mut work = Scoring::new(lines, detector, &others, (commands, laws));
    let (mut flawed, mut undecodable) = (0, 0);
    let mut capture = read_frames(&request.capture, progress, |frame| {
        let packet = decode(frame.link, frame.captured, frame.wire_len);
        if let Ok(packet) = &packet {
            flawed += u64::from(packet.flaw.is_some());
            windower.push(frame.ts_ns, packet);
        }
        if windower.has_ready() {
            windower.drain(|record| work.judge(record));
        }
        // What the frame says belongs to its time: a clock may have been set with it.
        work.time(frame.ts_ns);
        match &packet {
            Ok(packet) => work.packet(frame.ts_ns, packet, &mut windower),
            Err(_) => undecodable += 1,
        }
        work.written().map_err(write_error)
    })?;
    windower.finish();
    windower.drain(|record| work.judge(record));
    work.finish().map_err(write_error)?;
    capture.windows = windower.stats();
    (capture.flawed, capture.undecodable) = (flawed, undecodable);
    Ok(work.summary(capture, store.signer().map(key_text)))
}

/// What a request asks of a model file.
struct Opened {
    file: ModelFile,
    /// Whether the joint detector is asked for.
    shipped: bool,
    others: Vec<Singles>,
    commands: Option<CommandSide>,
    laws: Option<LawSide>,
}

impl Opened {
    fn new(store: &ModelStore, request: &ScoreRequest) -> Result<Self, StoreError> {
        let file = store.models()?;
        let asked = |name: &str| request.detectors.iter().any(|wanted| wanted == name);
        let shipped = request.detectors.is_empty() || asked(ENSEMBLE);
        let others = open_others(store, &file, &request.detectors)?;
        let window_us = file.window_us;
        let mut commands = None;
        if shipped || asked(COMMANDS) {
            let own = asked(COMMANDS);
            commands =
                open_commands(store, own)?.map(|model| CommandSide::new(model, window_us, own));
        }
        let own: Vec<Protocol> =
            Protocol::ALL.into_iter().filter(|protocol| asked(protocol.word())).collect();
        let mut models = Vec::new();
        for protocol in Protocol::ALL {
            if shipped || own.contains(&protocol) {
                models.extend(open_laws(store, protocol, own.contains(&protocol))?);
            }
        }
        let laws = (!models.is_empty())
            .then(|| LawSide::new(models, window_us, file.policy.clone(), (shipped, own)));
        Ok(Self { file, shipped, others, commands, laws })
    }
}

/// The model of commands; where it is asked for by name, its absence is an error.
pub(super) fn open_commands(
    store: &ModelStore,
    asked: bool,
) -> Result<Option<CommandModel>, StoreError> {
    let Some(bytes) = section(store, COMMANDS, asked)? else { return Ok(None) };
    serde_json::from_slice(bytes)
        .map(Some)
        .map_err(|error| StoreError::Section(COMMANDS.to_owned(), error.to_string()))
}

/// The laws of a protocol; where they are asked for by name, their absence is an error.
pub(super) fn open_laws(
    store: &ModelStore,
    protocol: Protocol,
    asked: bool,
) -> Result<Option<LawModel>, StoreError> {
    let Some(bytes) = section(store, protocol.word(), asked)? else { return Ok(None) };
    LawModel::from_bytes(protocol, bytes)
        .map(Some)
        .map_err(|why| StoreError::Section(protocol.word().to_owned(), why))
}

fn section<'s>(
    store: &'s ModelStore,
    name: &str,
    asked: bool,
) -> Result<Option<&'s [u8]>, StoreError> {
    let found = store.section(name);
    if found.is_none() && asked {
        return Err(StoreError::NoSection(name.to_owned(), store.list()));
    }
    Ok(found)
}

/// Detectors of a model file that judge messages and not windows of counts.
pub(super) fn judges_messages(name: &str) -> bool {
    name == COMMANDS || Protocol::from_word(name).is_some()
}

/// The detectors asked for beside the shipped one, each once.
pub(super) fn open_others(
    store: &ModelStore,
    file: &ModelFile,
    wanted: &[String],
) -> Result<Vec<Singles>, StoreError> {
    let mut opened: Vec<Singles> = Vec::new();
    for name in wanted.iter().filter(|name| *name != ENSEMBLE && !judges_messages(name)) {
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

/// Alerts so far.
#[derive(Default)]
pub(super) struct Alerts {
    devices: BTreeMap<Host, DeviceAlerts>,
    pub(super) total: u64,
}

impl Alerts {
    pub(super) fn count(&mut self, device: Host, start_us: i64, score: f64) {
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

    pub(super) fn named(self) -> Vec<DeviceAlerts> {
        let mut named: Vec<DeviceAlerts> = self.devices.into_values().collect();
        named.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.device.cmp(&b.device)));
        named.truncate(MAX_NAMED_DEVICES);
        named
    }
}
