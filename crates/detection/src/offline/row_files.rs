//! Row scenarios → model file → one line of JSON per window: `sereno detect train` and `score` for
//! rows. The scores are those that `sereno detect eval` measures.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analytics::goose::GooseModel;
use analytics::host::Host;
use analytics::mms::MmsModel;
use analytics::model_file::{ModelFile, ModelFileError};
use analytics::policy::DevicePolicy;
use analytics::rows::GenericModel;
use analytics::train::{TrainOptions, Trained};
use analytics::windows::DEFAULT_WINDOW_US;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::rows::{self, Form, RowModels, RowSummary, RowsSpec, Shape};
use super::scenario::Scenario;
use super::score::{ScoreRequest, open_others};
use super::scored::ScoredWindow;
use super::singles::{Singles, SinglesJudge};
use super::store::{ENSEMBLE, ModelStore, StoreError, Trust, key_text};
use super::train::write_whole;
use super::{OfflineError, OfflineProgress};

/// Section of a model file that holds what was learned of rows.
pub(super) const ROWS: &str = "rows";
/// Version of the section. A newer one is refused.
const VERSION: u32 = 1;

/// What a model file keeps of rows: how to read them, and the models of their protocol.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    version: u32,
    form: Form,
    named: BTreeMap<String, String>,
    devices: Vec<Host>,
    shape: Shape,
    goose: Option<GooseModel>,
    mms: Option<MmsModel>,
    generic: Option<(GenericModel, Vec<String>)>,
}

/// How to train on rows.
#[derive(Debug, Default)]
pub struct RowTraining {
    /// Seed, false-alarm budget, smallest training.
    pub options: TrainOptions,
    /// Whether the detectors to compare with are trained as well.
    pub baselines: bool,
    /// Key that signs the file.
    pub signer: Option<SigningKey>,
}

/// What a training on rows read and made.
#[derive(Clone, Debug, Serialize)]
pub struct RowTrainSummary {
    /// The file of rows.
    pub path: PathBuf,
    /// What the rows are.
    pub shape: Shape,
    /// Rows read and skipped.
    #[serde(flatten)]
    pub rows: RowSummary,
    /// Detectors in the file.
    pub detectors: Vec<String>,
    /// Detectors that could not learn, each with the reason.
    pub not_trained: Vec<(String, String)>,
    /// Public key of the signature, if the file is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Bytes of the model file.
    pub model_bytes: usize,
}

/// What a scoring of rows read and found.
#[derive(Clone, Debug, Serialize)]
pub struct RowScoreSummary {
    /// The file of rows.
    pub path: PathBuf,
    /// Rows read and skipped.
    #[serde(flatten)]
    pub rows: RowSummary,
    /// Lines written for each detector.
    pub detectors: Vec<(String, u64)>,
    /// Alerts of all detectors asked for.
    pub alerts: u64,
    /// Key that signed the model file, if it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
}

/// Trains on the training part of a row scenario and writes the model file, whole or not at all.
///
/// # Errors
/// When the scenario has no training rows, they cannot be read or hold nothing to learn from, or the
/// file cannot be written.
pub fn train_rows(
    scenario: &Scenario,
    training: &RowTraining,
    out: &Path,
    mut progress: impl FnMut(OfflineProgress),
) -> Result<RowTrainSummary, OfflineError> {
    let spec = rows::read_spec(scenario)?;
    let path = scenario.train.as_ref().ok_or_else(|| {
        OfflineError::Unknown(format!(
            "{} has no training part: add train.csv or train.jsonl to it",
            scenario.name
        ))
    })?;
    let options = &training.options;
    let models = rows::learn(path, &spec, options)?;
    let refused = |source: ModelFileError| OfflineError::Model {
        path: out.to_path_buf(),
        source: source.into(),
    };
    let windows = models.windows.clone().unwrap_or_else(|| nothing(options, &spec));
    let mut store = ModelStore::new(&windows).map_err(refused)?;
    let (shape, summary) = (models.shape, models.summary.clone());
    let bytes = serde_json::to_vec(&Stored::of(models, spec.clone()))
        .map_err(|error| refused(ModelFileError::Damaged(error.to_string())))?;
    store.add(ROWS, bytes);
    let not_trained = if training.baselines {
        add_baselines(&mut store, path, &spec, options, &mut progress)?
    } else {
        Vec::new()
    };
    let bytes = store.to_bytes(training.signer.as_ref()).map_err(refused)?;
    write_whole(out, &bytes)
        .map_err(|source| OfflineError::Write { path: out.to_path_buf(), source })?;
    Ok(RowTrainSummary {
        path: path.clone(),
        shape,
        rows: summary,
        detectors: store.names().map(str::to_owned).collect(),
        not_trained,
        signed_by: training.signer.as_ref().map(|key| key_text(&key.verifying_key())),
        model_bytes: bytes.len(),
    })
}

/// Models of windows where rows gave none.
fn nothing(options: &TrainOptions, spec: &RowsSpec) -> ModelFile {
    let policy = if spec.devices.is_empty() {
        DevicePolicy::Local
    } else {
        DevicePolicy::Listed(spec.devices.clone())
    };
    ModelFile::new(Trained::default(), options, DEFAULT_WINDOW_US, policy)
}

fn add_baselines(
    store: &mut ModelStore,
    path: &Path,
    spec: &RowsSpec,
    options: &TrainOptions,
    progress: &mut impl FnMut(OfflineProgress),
) -> Result<Vec<(String, String)>, OfflineError> {
    let (records, _) = rows::records(path, spec)?;
    let records: Vec<_> = records.into_iter().map(|(_, record)| record).collect();
    let learners = analytics::models::all();
    let mut not_trained = Vec::new();
    for (place, learner) in learners.iter().enumerate() {
        progress(OfflineProgress::Fitting { done: place, total: learners.len() });
        let stored = Singles::learn(*learner, &records, options)
            .and_then(|singles| singles.stored().map_err(|error| error.to_string()));
        match stored {
            Ok(bytes) => store.add(learner.name(), bytes),
            Err(why) => not_trained.push((learner.name().to_owned(), why)),
        }
    }
    Ok(not_trained)
}

impl Stored {
    fn of(models: RowModels, spec: RowsSpec) -> Self {
        Self {
            version: VERSION,
            form: spec.form,
            named: spec.named,
            devices: spec.devices,
            shape: models.shape,
            goose: models.goose.map(Arc::unwrap_or_clone),
            mms: models.mms.map(Arc::unwrap_or_clone),
            generic: models.generic,
        }
    }

    fn read(store: &ModelStore) -> Result<Self, StoreError> {
        let bytes = store
            .section(ROWS)
            .ok_or_else(|| StoreError::NoSection(ROWS.to_owned(), store.list()))?;
        let broken = |error: String| StoreError::Section(ROWS.to_owned(), error);
        let stored: Self =
            serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        if stored.version > VERSION {
            return Err(broken(format!(
                "version {}: this build reads version {VERSION}; train again with this build",
                stored.version
            )));
        }
        Ok(stored)
    }

    fn open(self, windows: ModelFile) -> (RowModels, RowsSpec) {
        let spec = RowsSpec { form: self.form, named: self.named, devices: self.devices };
        let learned = !windows.devices.is_empty() || windows.pooled.is_some();
        let models = RowModels {
            shape: self.shape,
            goose: self.goose.map(Arc::new),
            mms: self.mms.map(Arc::new),
            windows: learned.then_some(windows),
            generic: self.generic,
            summary: RowSummary::default(),
        };
        (models, spec)
    }
}

/// Whether a model file was trained on rows.
///
/// # Errors
/// When it cannot be read or is refused.
pub fn is_of_rows(model: &Path) -> Result<bool, OfflineError> {
    Ok(ModelStore::read(model, Trust::Anyone)?.section(ROWS).is_some())
}

/// Judges the rows of the file that the request names as its capture, and writes one line per window
/// and detector. Columns are named as they were in training.
///
/// # Errors
/// When a file cannot be read or written, was not trained on rows, or holds no such detector.
pub fn score_rows(request: &ScoreRequest, out: &Path) -> Result<RowScoreSummary, OfflineError> {
    let trust = request.signer.as_ref().map_or(Trust::Anyone, Trust::Only);
    let store = ModelStore::read(&request.model, trust)?;
    let refused = |source| OfflineError::Model { path: request.model.clone(), source };
    let file = store.models().map_err(refused)?;
    let (models, spec) = Stored::read(&store).map_err(refused)?.open(file.clone());
    let (own, compared): (Vec<String>, Vec<String>) =
        request.detectors.iter().cloned().partition(|name| OWN.contains(&name.as_str()));
    let others = open_others(&store, &file, &compared).map_err(refused)?;
    let own = if request.detectors.is_empty() { vec![ENSEMBLE.to_owned()] } else { own };
    let write_error = |source| OfflineError::Write { path: out.to_path_buf(), source };
    let mut lines = File::create(out).map_err(write_error)?;
    let scores = rows::score(&request.capture, &spec, &models)?;
    let mut windows = scores.windows;
    windows.retain(|window| own.iter().any(|name| name == window.detector));
    if !others.is_empty() {
        let (records, _) = rows::records(&request.capture, &spec)?;
        for singles in &others {
            windows.extend(score_runs(singles, &records));
        }
    }
    windows.sort_by(|a, b| {
        (a.start_us, &a.device, &a.group, a.detector)
            .cmp(&(b.start_us, &b.device, &b.group, b.detector))
    });
    let mut counts: BTreeMap<&str, u64> = own.iter().map(|name| (name.as_str(), 0)).collect();
    counts.extend(others.iter().map(|singles| (singles.name(), 0)));
    let (mut alerts, mut buffer) = (0, Vec::new());
    for window in &windows {
        *counts.entry(window.detector).or_default() += 1;
        alerts += u64::from(window.alert);
        window.append_line(&mut buffer);
    }
    lines.write_all(&buffer).and_then(|()| lines.flush()).map_err(write_error)?;
    Ok(RowScoreSummary {
        path: request.capture.clone(),
        rows: scores.summary,
        detectors: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        alerts,
        signed_by: store.signer().map(key_text),
    })
}

/// Detectors that the section of rows gives.
const OWN: [&str; 5] = [ENSEMBLE, "goose", "mms", "rows", "windows"];

/// Each run starts without the context of the one before.
pub(super) fn score_runs(
    singles: &Singles,
    records: &[(Option<Arc<str>>, analytics::record::WindowRecord)],
) -> Vec<ScoredWindow> {
    let mut judges: BTreeMap<Option<Arc<str>>, SinglesJudge<'_>> = BTreeMap::new();
    records
        .iter()
        .filter_map(|(group, record)| {
            let judge = judges.entry(group.clone()).or_insert_with(|| SinglesJudge::new(singles));
            Some(ScoredWindow { group: group.clone(), ..judge.judge(record)? })
        })
        .collect()
}
