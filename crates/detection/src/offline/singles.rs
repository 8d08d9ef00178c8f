//! One kind of model of the visible list ([`analytics::models`]) for every device, on the rows the
//! shipped detector learns from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use analytics::detector::MAX_MEMORIES;
use analytics::features::ContextMemory;
use analytics::host::Host;
use analytics::metrics::ALL;
use analytics::model_file::ModelFile;
use analytics::models::{Learner, Lesson, Model, open};
use analytics::novelty::KnownKeys;
use analytics::preparation::Preparation;
use analytics::record::WindowRecord;
use analytics::train::{MAX_MODELS, TrainOptions, prepare};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scored::{ScoredWindow, Why};

/// The learned models of one kind.
pub(super) struct Singles {
    name: &'static str,
    devices: BTreeMap<Host, One>,
    pooled: Option<One>,
}

struct One {
    preparation: Preparation,
    model: Box<dyn Model>,
}

/// The stored form of one model.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    device: Option<Host>,
    model: Value,
}

impl Singles {
    /// Learns a model for each device with enough windows, and one for all others together.
    ///
    /// # Errors
    /// Why not a single model could be made.
    pub(super) fn learn(
        learner: &'static dyn Learner,
        records: &[WindowRecord],
        options: &TrainOptions,
    ) -> Result<Self, String> {
        let mut by_device: BTreeMap<Host, Vec<&WindowRecord>> = BTreeMap::new();
        for record in records {
            by_device.entry(record.device).or_default().push(record);
        }
        let mut devices = BTreeMap::new();
        let mut refusal = None;
        for (device, windows) in by_device.into_iter().take(MAX_MODELS) {
            match One::learn(learner, Some(device), windows, options) {
                Ok(one) => {
                    devices.insert(device, one);
                }
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        let pooled = One::learn(learner, None, records.iter().collect(), options);
        if devices.is_empty() && pooled.is_err() {
            return Err(refusal.unwrap_or_else(|| "no window of any device".to_owned()));
        }
        Ok(Self { name: learner.name(), devices, pooled: pooled.ok() })
    }

    /// The stored form, for [`Singles::open`].
    pub(super) fn stored(&self) -> serde_json::Result<Vec<u8>> {
        let devices = self
            .devices
            .iter()
            .map(|(device, one)| Stored { device: Some(*device), model: one.model.stored() });
        let pooled =
            self.pooled.iter().map(|one| Stored { device: None, model: one.model.stored() });
        serde_json::to_vec(&devices.chain(pooled).collect::<Vec<_>>())
    }

    /// Opens the stored form; scales and known keys are those of the shipped models beside it.
    ///
    /// # Errors
    /// When it is damaged, or belongs to other shipped models.
    pub(super) fn open(name: &str, bytes: &[u8], shipped: &ModelFile) -> Result<Self, String> {
        let learner = analytics::models::by_name(name)
            .ok_or_else(|| format!("this build knows no detector `{name}`"))?;
        let stored: Vec<Stored> = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let mut singles = Self { name: learner.name(), devices: BTreeMap::new(), pooled: None };
        for one in stored {
            let beside = match one.device {
                Some(_) => shipped.devices.iter().find(|model| model.device == one.device),
                None => shipped.pooled.as_ref(),
            };
            let beside = beside.ok_or_else(|| {
                let name = one.device.map_or_else(|| "all devices".to_owned(), |d| d.to_string());
                format!("a model of {name} stands beside no shipped one")
            })?;
            let opened = One { preparation: beside.preparation(), model: open(name, &one.model)? };
            match one.device {
                Some(device) => {
                    singles.devices.insert(device, opened);
                }
                None => singles.pooled = Some(opened),
            }
        }
        Ok(singles)
    }

    /// Name of the kind.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Keys the device's training knows; `None` where novelty is not judged.
    pub(super) fn known(&self, device: Host) -> Option<&KnownKeys> {
        let one = self.devices.get(&device)?;
        one.preparation.judges_novelty().then(|| one.preparation.known())
    }

    fn of(&self, device: Host) -> Option<&One> {
        self.devices.get(&device).or(self.pooled.as_ref())
    }
}

impl One {
    fn learn(
        learner: &dyn Learner,
        device: Option<Host>,
        windows: Vec<&WindowRecord>,
        options: &TrainOptions,
    ) -> Result<Self, String> {
        let prepared = prepare(device, windows, options).map_err(|error| error.to_string())?;
        let places = prepared.places();
        let lesson = Lesson::of(&prepared, &places, options.seed, options.alpha);
        let model = learner.learn(&lesson).ok_or_else(|| {
            learner.refusal(&lesson).unwrap_or_else(|| "too little to learn from".to_owned())
        })?;
        Ok(Self { preparation: prepared.preparation, model })
    }
}

/// Judges the windows of many devices, each device's in the order of time.
pub(super) struct SinglesJudge<'a> {
    singles: &'a Singles,
    memories: HashMap<Host, ContextMemory>,
    names: Names,
}

impl<'a> SinglesJudge<'a> {
    pub(super) fn new(singles: &'a Singles) -> Self {
        Self { singles, memories: HashMap::new(), names: Names::default() }
    }

    fn row(&mut self, record: &WindowRecord) -> Option<(&'a One, analytics::features::Values)> {
        let one = self.singles.of(record.device)?;
        if self.memories.len() >= MAX_MEMORIES && !self.memories.contains_key(&record.device) {
            self.memories.clear();
        }
        let memory = self.memories.entry(record.device).or_default();
        Some((one, one.preparation.values(record, memory)))
    }

    /// The judged window; `None` without a model for the device.
    pub(super) fn judge(&mut self, record: &WindowRecord) -> Option<ScoredWindow> {
        let (one, values) = self.row(record)?;
        let row = one.preparation.scale(&values);
        let score = finite(one.model.score(&row));
        let why = one.model.why(&row).and_then(|(place, expected)| {
            let expected = one.preparation.unscale(place, expected);
            Some(Why::numbers(ALL.get(place)?.name(), values[place], expected))
        });
        Some(ScoredWindow {
            device: self.names.of(record.device),
            group: None,
            start_us: record.start_us,
            end_us: record.end_us,
            score,
            alert: score > 1.0,
            detector: self.singles.name,
            why: why.into_iter().collect(),
        })
    }

    /// The score alone, for measuring the time it takes.
    pub(super) fn score(&mut self, record: &WindowRecord) -> Option<f64> {
        let (one, values) = self.row(record)?;
        Some(one.model.score(&one.preparation.scale(&values)))
    }
}

/// A score that is no number is the strongest: what cannot be judged must not look quiet.
fn finite(score: f64) -> f64 {
    if score.is_finite() { score } else { f64::from(f32::MAX) }
}

/// Addresses, printed once.
#[derive(Default)]
pub(super) struct Names(HashMap<Host, Arc<str>>);

impl Names {
    pub(super) fn of(&mut self, host: Host) -> Arc<str> {
        if self.0.len() >= MAX_MEMORIES {
            self.0.clear();
        }
        Arc::clone(self.0.entry(host).or_insert_with(|| host.to_string().into()))
    }
}
