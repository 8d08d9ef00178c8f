//! Captures of a benign time → model file.

use std::io::Write;
use std::path::{Path, PathBuf};

use analytics::host::Host;
use analytics::model::DeviceModel;
use analytics::model_file::{ModelFile, ModelFileError};
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::train::{MAX_TRAINING_WINDOWS, TrainOptions, Trained, VOTING_WINDOWS};
use analytics::windows::{DEFAULT_WINDOW_US, WindowConfig, Windower};
use ed25519_dalek::SigningKey;
use serde::Serialize;

use super::benign::suspicions;
use super::input::{read_windows, size_of};
use super::machines::{LearnedLaws, MachineModels};
use super::operations::COMMANDS;
use super::singles::Singles;
use super::store::{ModelStore, key_text};
use super::{CaptureSummary, OfflineError, OfflineProgress, lesson_failed};
use crate::laws::memory::Protocol;

const MINUTE_US: u64 = 60_000_000;
/// Devices with too little training that are told at most.
const MAX_SHORT_TOLD: usize = 20;

/// What to train, and how.
#[derive(Clone, Debug)]
pub struct TrainRequest {
    /// Captures of a benign time, in any order.
    pub captures: Vec<PathBuf>,
    /// Seed, false-alarm budget, smallest training.
    pub options: TrainOptions,
    /// Length of a window, microseconds.
    pub window_us: i64,
    /// Who counts as a device.
    pub policy: DevicePolicy,
    /// Whether the detectors to compare with are trained as well.
    pub baselines: bool,
    /// Key that signs the file.
    pub signer: Option<SigningKey>,
}

impl TrainRequest {
    /// A training with the usual options.
    #[must_use]
    pub fn new(captures: Vec<PathBuf>) -> Self {
        Self {
            captures,
            options: TrainOptions::default(),
            window_us: DEFAULT_WINDOW_US,
            policy: DevicePolicy::Local,
            baselines: true,
            signer: None,
        }
    }
}

/// What a training learned of one device.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceTraining {
    /// The device; absent for the pooled model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Host>,
    /// Windows with traffic.
    pub windows: u64,
    /// `aarnn`, or `range` where the training is too short for a network.
    pub detector: &'static str,
    /// Whether the network may raise an alert; after a short training it only advises.
    pub network_votes: bool,
    /// Windows of held-out training blocks that alert.
    pub held_out_alarms: u64,
    /// Measured false-alarm rate: `held_out_alarms / windows`.
    pub held_out_rate: f64,
    /// Too few windows for a useful false-alarm rate.
    pub unreliable: bool,
    /// More keys than a model keeps: some known ones will count as new.
    pub keys_saturated: bool,
}

impl DeviceTraining {
    fn new(model: &DeviceModel) -> Self {
        let facts = model.training;
        Self {
            device: model.device,
            windows: facts.windows,
            detector: model.detector(),
            network_votes: model.network.is_some() && model.network_votes,
            held_out_alarms: facts.held_out_alarms,
            held_out_rate: facts.held_out_alarms as f64 / facts.windows.max(1) as f64,
            unreliable: model.is_unreliable(),
            keys_saturated: model.known.is_saturated(),
        }
    }
}

/// What was learned to be lawful of one protocol.
#[derive(Clone, Debug, Serialize)]
pub struct LawTraining {
    /// `goose` or `mms`.
    pub detector: &'static str,
    /// Messages learned from.
    pub messages: u64,
    /// Time they span, capture by capture, minutes.
    pub minutes: f64,
    /// Control blocks, or kinds of messages between two ends.
    pub known: usize,
    /// Messages and names that were not learned: beyond the bounds of a window or of the model.
    pub not_learned: u64,
}

/// What a training read and made.
#[derive(Clone, Debug, Serialize)]
pub struct TrainSummary {
    /// The captures.
    pub captures: Vec<CaptureSummary>,
    /// Seed of every random draw.
    pub seed: u64,
    /// False-alarm budget asked for, share of windows.
    pub alpha: f64,
    /// One entry per device with a model.
    pub devices: Vec<DeviceTraining>,
    /// The model for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooled: Option<DeviceTraining>,
    /// Devices with too few windows for a model, each with its windows.
    pub too_few: Vec<(Host, usize)>,
    /// Devices beyond the limit of a model file.
    pub devices_beyond_limit: usize,
    /// Windows beyond the limit of a training: not used.
    pub windows_beyond_limit: u64,
    /// The laws of GOOSE and MMS, where the captures hold such messages.
    pub laws: Vec<LawTraining>,
    /// Detectors in the file.
    pub detectors: Vec<String>,
    /// Detectors that could not learn, each with the reason.
    pub not_trained: Vec<(String, String)>,
    /// What speaks against the training: too short, not benign.
    pub warnings: Vec<String>,
    /// Public key of the signature, if the file is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Bytes of the model file.
    pub model_bytes: usize,
}

/// Trains on captures and writes the model file. The file appears whole or not at all.
///
/// # Errors
/// When a file cannot be read or written, is no capture, or the captures hold too little.
pub fn train(
    request: &TrainRequest,
    out: &Path,
    mut progress: impl FnMut(OfflineProgress),
) -> Result<TrainSummary, OfflineError> {
    let lessons = Lessons::read(request, &mut progress)?;
    let machines = MachineModels::learn(&request.captures, request.window_us)?;
    let mut warnings = Vec::new();
    let trained = analytics::train::train(&lessons.records, &request.options, |now| {
        progress(OfflineProgress::Fitting { done: now.done, total: now.total });
    });
    let trained = match trained {
        Ok(trained) => trained,
        // Who speaks GOOSE alone has no window of counts; its laws need none.
        Err(cause) if !machines.laws.is_empty() => {
            warnings.push(format!("only the laws of messages are learned: {cause}"));
            Trained::default()
        }
        Err(cause) => return Err(lesson_failed(cause, &lessons.captures)),
    };
    let devices: Vec<DeviceTraining> = trained.devices.iter().map(DeviceTraining::new).collect();
    let pooled = trained.pooled.as_ref().map(DeviceTraining::new);
    let (too_few, devices_beyond_limit) = (trained.too_few.clone(), trained.beyond_limit);
    let file = ModelFile::new(trained, &request.options, request.window_us, request.policy.clone());
    let refused = |source: ModelFileError| OfflineError::Model {
        path: out.to_path_buf(),
        source: source.into(),
    };
    let mut store = ModelStore::new(&file).map_err(refused)?;
    let mut not_trained = if request.baselines {
        add_baselines(&mut store, &lessons, request, &mut progress)
    } else {
        Vec::new()
    };
    not_trained.extend(add_machines(&mut store, &machines).map_err(refused)?);
    let bytes = store.to_bytes(request.signer.as_ref()).map_err(refused)?;
    write_whole(out, &bytes)
        .map_err(|source| OfflineError::Write { path: out.to_path_buf(), source })?;
    warnings.extend(too_short(&devices, &too_few, request.window_us));
    warnings.extend(suspicions(&lessons.records).iter().map(ToString::to_string));
    warnings.extend(machines.doubts());
    Ok(TrainSummary {
        captures: lessons.captures,
        seed: request.options.seed,
        alpha: request.options.alpha,
        devices,
        pooled,
        too_few,
        devices_beyond_limit,
        windows_beyond_limit: lessons.windows_beyond_limit,
        laws: machines.laws.iter().map(LawTraining::new).collect(),
        detectors: store.names().map(str::to_owned).collect(),
        not_trained,
        warnings,
        signed_by: request.signer.as_ref().map(|key| key_text(&key.verifying_key())),
        model_bytes: bytes.len(),
    })
}

impl LawTraining {
    fn new(learned: &LearnedLaws) -> Self {
        let model = &learned.model;
        Self {
            detector: model.protocol().word(),
            messages: model.messages(),
            minutes: learned.span_us as f64 / 60e6,
            known: model.size(),
            not_learned: learned.untold + model.beyond(),
        }
    }
}

/// Adds commands and laws; names the protocols that were not heard.
fn add_machines(
    store: &mut ModelStore,
    machines: &MachineModels,
) -> Result<Vec<(String, String)>, ModelFileError> {
    let damaged = |error: serde_json::Error| ModelFileError::Damaged(error.to_string());
    if let Some(commands) = &machines.commands {
        store.add(COMMANDS, serde_json::to_vec(commands.as_ref()).map_err(damaged)?);
    }
    let mut not_heard = Vec::new();
    for protocol in Protocol::ALL {
        let name = protocol.word().to_owned();
        match machines.law(protocol) {
            Some(model) => store.add(&name, model.to_bytes().map_err(damaged)?),
            None => {
                let why = format!("the captures hold no {} message", protocol.title());
                not_heard.push((name, why));
            }
        }
    }
    Ok(not_heard)
}

/// The windows of all captures.
struct Lessons {
    records: Vec<WindowRecord>,
    captures: Vec<CaptureSummary>,
    windows_beyond_limit: u64,
}

impl Lessons {
    fn read(
        request: &TrainRequest,
        progress: &mut impl FnMut(OfflineProgress),
    ) -> Result<Self, OfflineError> {
        let total_bytes: u64 = request.captures.iter().map(|path| size_of(path)).sum();
        let mut lessons =
            Self { records: Vec::new(), captures: Vec::new(), windows_beyond_limit: 0 };
        let (mut bytes_before, mut packets_before) = (0, 0);
        for path in &request.captures {
            let mut windower = Windower::new(WindowConfig {
                window_us: request.window_us,
                policy: request.policy.clone(),
                ..WindowConfig::default()
            })?;
            let report = |now: OfflineProgress| {
                if let OfflineProgress::Reading { bytes, packets, .. } = now {
                    let (bytes, packets) = (bytes_before + bytes, packets_before + packets);
                    progress(OfflineProgress::Reading { bytes, total_bytes, packets });
                }
            };
            let (records, beyond) = (&mut lessons.records, &mut lessons.windows_beyond_limit);
            let mut keep = |windower: &mut Windower| {
                for record in windower.take_ready() {
                    if records.len() < MAX_TRAINING_WINDOWS {
                        records.push(record);
                    } else {
                        *beyond += 1;
                    }
                }
                Ok::<(), OfflineError>(())
            };
            let summary = read_windows(path, &mut windower, report, &mut keep)?;
            bytes_before += size_of(path);
            packets_before += summary.packets;
            lessons.captures.push(summary);
        }
        Ok(lessons)
    }
}

/// Every detector of the visible list; those that cannot learn are named with the reason.
fn add_baselines(
    store: &mut ModelStore,
    lessons: &Lessons,
    request: &TrainRequest,
    progress: &mut impl FnMut(OfflineProgress),
) -> Vec<(String, String)> {
    let learners = analytics::models::all();
    let mut not_trained = Vec::new();
    for (place, learner) in learners.iter().enumerate() {
        progress(OfflineProgress::Fitting { done: place, total: learners.len() });
        let stored = Singles::learn(*learner, &lessons.records, &request.options)
            .and_then(|singles| singles.stored().map_err(|error| error.to_string()));
        match stored {
            Ok(bytes) => store.add(learner.name(), bytes),
            Err(why) => not_trained.push((learner.name().to_owned(), why)),
        }
    }
    progress(OfflineProgress::Fitting { done: learners.len(), total: learners.len() });
    not_trained
}

/// Too little training is said with how much is missing.
fn too_short(devices: &[DeviceTraining], too_few: &[(Host, usize)], window_us: i64) -> Vec<String> {
    let learned = devices
        .iter()
        .filter_map(|device| Some((device.device?, usize::try_from(device.windows).ok()?)));
    learned
        .chain(too_few.iter().copied())
        .filter(|(_, windows)| *windows < VOTING_WINDOWS)
        .take(MAX_SHORT_TOLD)
        .map(|(device, windows)| short_training(&device.to_string(), windows, window_us))
        .collect()
}

/// In words: how much training is missing, and how long that takes.
pub(super) fn short_training(device: &str, windows: usize, window_us: i64) -> String {
    let missing = VOTING_WINDOWS.saturating_sub(windows);
    let missing_us = (missing as u64).saturating_mul(window_us.unsigned_abs());
    let minutes = missing_us.div_ceil(MINUTE_US);
    format!(
        "{device}: {windows} windows with traffic in training, {missing} too few for a measured \
         false-alarm rate; that is {minutes} more minutes of steady traffic, longer if it is idle"
    )
}

/// Writes beside the target and moves it there, so that a reader never sees half a model.
pub(super) fn write_whole(out: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = out.with_file_name(name);
    let written = std::fs::File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&partial, out));
    if moved.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = std::fs::remove_file(&partial);
    }
    moved
}
