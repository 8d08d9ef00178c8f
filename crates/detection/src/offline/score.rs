//! Model file and capture → one line of JSON per window and device.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analytics::commands::CommandModel;
use analytics::detector::{Detector, DetectorStats};
use analytics::host::Host;
use analytics::model_file::ModelFile;
use analytics::record::WindowRecord;
use analytics::windows::{WindowConfig, Windower};
use ed25519_dalek::VerifyingKey;
use protocols::packet::{PacketView, decode};
use serde::Serialize;

use super::input::read_frames;
use super::jsonl::append_verdict;
use super::operations::{COMMANDS, CommandWatch, Operations, scored};
use super::row_files::ROWS;
use super::scored::ScoredWindow;
use super::singles::{Names, Singles, SinglesJudge};
use super::store::{ENSEMBLE, ModelStore, StoreError, Trust, key_text};
use super::{CaptureSummary, OfflineError, OfflineProgress};

/// Bytes of output gathered before they are written.
const WRITE_BYTES: usize = 128 * 1024;
/// Devices the summary names at most, those with the most alerts.
pub(super) const MAX_NAMED_DEVICES: usize = 100;
/// Devices whose alerts are counted one by one.
const MAX_COUNTED_DEVICES: usize = 16_384;

/// Windows of commands that may wait for their record; the oldest are given up beyond it.
const MAX_WAITING: usize = 65_536;

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
    if store.section(ROWS).is_some() {
        return Err(OfflineError::Unknown(format!(
            "{} was trained on rows, {} is a capture: train on captures of the same network",
            request.model.display(),
            request.capture.display()
        )));
    }
    let file = store.models().map_err(refused)?;
    let mut windower = Windower::new(WindowConfig {
        window_us: file.window_us,
        policy: file.policy.clone(),
        ..WindowConfig::default()
    })?;
    let others = open_others(&store, &file, &request.detectors).map_err(refused)?;
    let asked = |name: &str| request.detectors.iter().any(|wanted| wanted == name);
    let shipped = request.detectors.is_empty() || asked(ENSEMBLE);
    let commands = if shipped || asked(COMMANDS) {
        open_commands(&store, asked(COMMANDS)).map_err(refused)?
    } else {
        None
    };
    let window_us = file.window_us;
    let write_error = |source| OfflineError::Write { path: out.to_path_buf(), source };
    // Opened before the long work: a path that cannot be written is told at once.
    let lines = File::create(out).map_err(write_error)?;
    let mut work = Scoring {
        detector: shipped.then(|| Detector::new(file)),
        judges: others.iter().map(|singles| (SinglesJudge::new(singles), 0)).collect(),
        commands: commands.map(|model| CommandSide::new(model, window_us, asked(COMMANDS))),
        alerts: Alerts::default(),
        buffer: Vec::with_capacity(WRITE_BYTES + 4_096),
        lines,
        written: Ok(()),
    };
    let (mut flawed, mut undecodable) = (0, 0);
    let mut capture = read_frames(&request.capture, progress, |frame| {
        match decode(frame.link, frame.captured, frame.wire_len) {
            Ok(packet) => {
                flawed += u64::from(packet.flaw.is_some());
                windower.push(frame.ts_ns, &packet);
                if let Some(commands) = &mut work.commands {
                    commands.push(frame.ts_ns, &packet);
                }
            }
            Err(_) => undecodable += 1,
        }
        if windower.has_ready() {
            windower.drain(|record| work.judge(record));
        }
        work.written().map_err(write_error)
    })?;
    windower.finish();
    windower.drain(|record| work.judge(record));
    work.finish().map_err(write_error)?;
    capture.windows = windower.stats();
    (capture.flawed, capture.undecodable) = (flawed, undecodable);
    Ok(work.summary(capture, &others, store.signer().map(key_text)))
}

/// A scoring at work.
struct Scoring<'a> {
    detector: Option<Detector>,
    judges: Vec<(SinglesJudge<'a>, u64)>,
    commands: Option<CommandSide>,
    alerts: Alerts,
    buffer: Vec<u8>,
    lines: File,
    written: std::io::Result<()>,
}

impl Scoring<'_> {
    fn judge(&mut self, record: &WindowRecord) {
        let command = self
            .commands
            .as_mut()
            .and_then(|commands| commands.window(record, &mut self.buffer, &mut self.alerts));
        if let Some(detector) = &mut self.detector {
            let verdict = detector.judge(record);
            let mut score = verdict.judgement.score;
            match command.filter(|command| command.score > score) {
                None => append_verdict(&mut self.buffer, record, &verdict),
                Some(command) => {
                    let device: Arc<str> = record.device.to_string().into();
                    let mut window = ScoredWindow::of_verdict(device, record, &verdict);
                    window.join(&command);
                    score = window.score;
                    window.append_line(&mut self.buffer);
                }
            }
            if score > 1.0 {
                self.alerts.count(record.device, record.start_us, score);
            }
        }
        for (judge, written) in &mut self.judges {
            let Some(window) = judge.judge(record) else { continue };
            if window.alert {
                self.alerts.count(record.device, record.start_us, window.score);
            }
            window.append_line(&mut self.buffer);
            *written += 1;
        }
        if self.buffer.len() >= WRITE_BYTES && self.written.is_ok() {
            self.written = self.lines.write_all(&self.buffer);
            self.buffer.clear();
        }
    }

    /// What became of the writing so far; an error is told once.
    fn written(&mut self) -> std::io::Result<()> {
        std::mem::replace(&mut self.written, Ok(()))
    }

    fn finish(&mut self) -> std::io::Result<()> {
        if let Some(commands) = &mut self.commands {
            commands.close(i64::MAX, &mut self.buffer, &mut self.alerts);
        }
        self.written()?;
        self.lines.write_all(&self.buffer)?;
        self.lines.flush()
    }

    fn summary(
        self,
        capture: CaptureSummary,
        others: &[Singles],
        signed_by: Option<String>,
    ) -> ScoreSummary {
        let shipped = self.detector.is_some();
        let judged = self.detector.map(|detector| detector.stats()).unwrap_or_default();
        let shipped = shipped
            .then(|| (ENSEMBLE.to_owned(), judged.own + judged.pooled + judged.without_model));
        let singles =
            others.iter().zip(&self.judges).map(|(one, judge)| (one.name().to_owned(), judge.1));
        let commands = self.commands.filter(|commands| commands.own);
        let commands = commands.map(|commands| (COMMANDS.to_owned(), commands.written));
        ScoreSummary {
            capture,
            judged,
            detectors: shipped.into_iter().chain(commands).chain(singles).collect(),
            signed_by,
            alerts: self.alerts.total,
            devices: self.alerts.named(),
        }
    }
}

/// Commands to machines, beside the windows.
struct CommandSide {
    operations: Operations,
    watch: CommandWatch,
    names: Names,
    /// Ended windows that wait for the record of the same device and time.
    waiting: BTreeMap<(i64, Host), ScoredWindow>,
    /// Whether the detector is asked for by itself, with lines of its own.
    own: bool,
    written: u64,
}

impl CommandSide {
    fn new(model: CommandModel, window_us: i64, own: bool) -> Self {
        Self {
            operations: Operations::new(),
            watch: CommandWatch::new(Arc::new(model), window_us),
            names: Names::default(),
            waiting: BTreeMap::new(),
            own,
            written: 0,
        }
    }

    fn push(&mut self, ts_ns: i64, packet: &PacketView<'_>) {
        let watch = &mut self.watch;
        self.operations.push(ts_ns, packet, &mut |command| watch.push(command));
    }

    /// Takes over the windows that ended before a time.
    fn close(&mut self, until_us: i64, out: &mut Vec<u8>, alerts: &mut Alerts) {
        for window in self.watch.close_before(until_us) {
            let line = scored(self.names.of(window.device), &window);
            if self.own {
                line.append_line(out);
                self.written += 1;
                if line.alert {
                    alerts.count(window.device, window.start_us, window.score);
                }
            }
            if self.waiting.len() >= MAX_WAITING {
                self.waiting.pop_first();
            }
            self.waiting.insert((window.start_us, window.device), line);
        }
    }

    /// What the commands of a record's device say of its window.
    fn window(
        &mut self,
        record: &WindowRecord,
        out: &mut Vec<u8>,
        alerts: &mut Alerts,
    ) -> Option<ScoredWindow> {
        self.close(record.end_us, out, alerts);
        self.waiting.remove(&(record.start_us, record.device))
    }
}

fn open_commands(store: &ModelStore, asked: bool) -> Result<Option<CommandModel>, StoreError> {
    let Some(bytes) = store.section(COMMANDS) else {
        return if asked {
            Err(StoreError::NoSection(COMMANDS.to_owned(), store.list()))
        } else {
            Ok(None)
        };
    };
    serde_json::from_slice(bytes)
        .map(Some)
        .map_err(|error| StoreError::Section(COMMANDS.to_owned(), error.to_string()))
}

/// The detectors asked for beside the shipped one, each once.
pub(super) fn open_others(
    store: &ModelStore,
    file: &ModelFile,
    wanted: &[String],
) -> Result<Vec<Singles>, StoreError> {
    let mut opened: Vec<Singles> = Vec::new();
    for name in wanted.iter().filter(|name| *name != ENSEMBLE && *name != COMMANDS) {
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
