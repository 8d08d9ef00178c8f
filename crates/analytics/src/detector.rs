//! Judges the windows of many devices with the models of a training.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::features::ContextMemory;
use crate::host::Host;
use crate::memo::Memo;
use crate::model::{DeviceModel, Judgement, Judges};
use crate::model_file::ModelFile;
use crate::preparation::Preparation;
use crate::record::{KeyCount, WindowRecord};

/// Devices whose context is remembered; beyond, the memory of all is dropped and the drop counted.
pub const MAX_MEMORIES: usize = 65_536;

/// Which model judged a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The device's own.
    Own,
    /// The pooled one: the device was not in the training, or too briefly. Novelty is not judged.
    Pooled,
    /// None: the window is not judged, and says so.
    None,
}

impl Basis {
    /// Name in the output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Pooled => "pooled",
            Self::None => "none",
        }
    }
}

/// A judged window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Score and reasons.
    pub judgement: Judgement,
    /// Whose model judged.
    pub basis: Basis,
    /// `ensemble` or `none`.
    pub detector: &'static str,
}

/// One conversation of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Peer, protocol, service port and packets.
    pub key: KeyCount,
    /// Whether training saw it; `None` where novelty is not judged.
    pub known: Option<bool>,
}

/// Windows judged so far, by basis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DetectorStats {
    /// Windows judged by the device's own model.
    pub own: u64,
    /// Windows judged by the pooled model.
    pub pooled: u64,
    /// Windows of devices without any model: not judged.
    pub without_model: u64,
    /// Windows above the threshold.
    pub alerts: u64,
    /// Times the context memories were dropped because of too many devices.
    pub memory_drops: u64,
}

#[derive(Debug)]
struct Ready {
    judges: Judges,
    preparation: Preparation,
    detector: &'static str,
}

impl Ready {
    fn new(model: DeviceModel) -> Self {
        Self {
            judges: model.judges(),
            preparation: model.preparation(),
            detector: model.detector(),
        }
    }
}

/// The models of a file, ready to judge, with the memory their context counts need.
#[derive(Debug)]
pub struct Detector {
    window_us: i64,
    models: Vec<Ready>,
    by_device: HashMap<Host, usize>,
    pooled: Option<usize>,
    memories: HashMap<Host, ContextMemory>,
    memo: Memo,
    stats: DetectorStats,
}

impl Detector {
    /// Makes the models ready.
    #[must_use]
    pub fn new(file: ModelFile) -> Self {
        let mut models = Vec::with_capacity(file.devices.len() + 1);
        let mut by_device = HashMap::new();
        for model in file.devices {
            if let Some(device) = model.device {
                by_device.insert(device, models.len());
                models.push(Ready::new(model));
            }
        }
        let pooled = file.pooled.map(|model| {
            models.push(Ready::new(model));
            models.len() - 1
        });
        Self {
            window_us: file.window_us,
            models,
            by_device,
            pooled,
            memories: HashMap::new(),
            memo: Memo::new(),
            stats: DetectorStats::default(),
        }
    }

    /// Length the windows must have, microseconds.
    #[must_use]
    pub fn window_us(&self) -> i64 {
        self.window_us
    }

    /// What was judged so far.
    #[must_use]
    pub fn stats(&self) -> DetectorStats {
        self.stats
    }

    /// Whether a device has a model of its own.
    #[must_use]
    pub fn knows(&self, device: Host) -> bool {
        self.by_device.contains_key(&device)
    }

    /// What a window's traffic was, for a finding: unknown keys first, then by packets.
    #[must_use]
    pub fn evidence(&self, record: &WindowRecord, limit: usize) -> Vec<Evidence> {
        let known = self
            .by_device
            .get(&record.device)
            .map(|place| &self.models[*place].preparation)
            .filter(|preparation| preparation.judges_novelty())
            .map(Preparation::known);
        let mut evidence: Vec<Evidence> = record
            .keys
            .iter()
            .map(|key| Evidence { key: *key, known: known.map(|known| known.contains(key)) })
            .collect();
        evidence.sort_by(|a, b| {
            let order = (a.known.unwrap_or(true), std::cmp::Reverse(a.key.packets));
            order
                .cmp(&(b.known.unwrap_or(true), std::cmp::Reverse(b.key.packets)))
                .then_with(|| a.key.cmp(&b.key))
        });
        evidence.truncate(limit);
        evidence
    }

    /// Judges one window. The windows of a device must come in the order of time.
    pub fn judge(&mut self, record: &WindowRecord) -> Verdict {
        let own = self.by_device.get(&record.device).copied();
        let basis = match (own, self.pooled) {
            (Some(_), _) => Basis::Own,
            (None, Some(_)) => Basis::Pooled,
            (None, None) => Basis::None,
        };
        let place = own.or(self.pooled);
        let Some((place, model)) = place.and_then(|place| Some((place, self.models.get(place)?)))
        else {
            self.stats.without_model += 1;
            return Verdict { judgement: Judgement::none(), basis, detector: "none" };
        };
        let mut none = ContextMemory::default();
        let memory = if model.preparation.judges_context() {
            if self.memories.len() >= MAX_MEMORIES && !self.memories.contains_key(&record.device) {
                self.memories.clear();
                self.stats.memory_drops += 1;
            }
            self.memories.entry(record.device).or_default()
        } else {
            &mut none
        };
        let values = model.preparation.values(record, memory);
        // Remembering pays where a network would have to be asked again.
        let judgement = if model.judges.network_votes() {
            self.memo.get_or(place, &values, || model.judges.judge_by_votes(&values))
        } else {
            model.judges.judge_by_votes(&values)
        };
        match basis {
            Basis::Own => self.stats.own += 1,
            Basis::Pooled | Basis::None => self.stats.pooled += 1,
        }
        self.stats.alerts += u64::from(judgement.alert());
        Verdict { judgement, basis, detector: model.detector }
    }
}
