//! A model made ready to judge one device's windows.

use std::borrow::Cow;

use analytics::features::values_of;
use analytics::guard::keys::Key;
use analytics::metrics::{COUNTS, Metric};
use analytics::model::{DeviceModel, Judgement, Judges};
use analytics::model_file::{ModelFile, ModelFileError};
use analytics::novelty::{KnownKeys, Novelty, Usual};
use analytics::pace::Pace;
use analytics::record::{KeyCount, RECORD_VERSION, WindowRecord};

use crate::context::Context;
use crate::suppress::Suppression;

/// The model of one device, ready.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// SHA-256 of the model file.
    pub(crate) hash: String,
    /// Name of the detector in findings.
    pub(crate) detector: &'static str,
    judges: Judges,
    known: KnownKeys,
    novelty: bool,
    context: bool,
}

impl Watch {
    /// From the bytes of a model file that holds one model, a device's or a pooled one.
    pub(crate) fn from_bytes(bytes: &[u8], hash: &str) -> Result<Self, ModelFileError> {
        let mut file = ModelFile::from_bytes(bytes)?;
        match file.devices.pop().or(file.pooled) {
            Some(model) => Ok(Self::new(model, hash)),
            None => Err(ModelFileError::Damaged("it holds no model of a device".into())),
        }
    }

    /// From a fitted model.
    pub(crate) fn new(model: DeviceModel, hash: &str) -> Self {
        Self {
            hash: hash.to_owned(),
            detector: model.detector(),
            judges: model.judges(),
            context: model.has_context(),
            novelty: model.metrics.iter().any(|metric| metric.metric.is_novelty()),
            known: model.known,
        }
    }

    /// The same model that knows more keys.
    pub(crate) fn with_keys(&self, keys: &[Key]) -> Self {
        let mut more = self.clone();
        more.learn(keys);
        more
    }

    /// Learns keys; in a place of its own so that the stored model stays as it was signed.
    pub(crate) fn learn(&mut self, keys: &[Key]) {
        for (peer, protocol, port) in keys {
            let key = KeyCount::new(*peer, *protocol, *port, 1);
            self.known.learn(&window_of(key));
        }
    }

    /// Whether a conversation is known, or called normal.
    pub(crate) fn knows(&self, key: &KeyCount, normal: &[&Suppression]) -> bool {
        self.known.contains(key) || normal.iter().any(|one| one.covers_key(key))
    }

    /// Judges one window. The windows of a device must come in the order of time. Conversations that
    /// people called normal count as known.
    pub(crate) fn judge(
        &self,
        record: &WindowRecord,
        context: &mut Context,
        normal: &[&Suppression],
    ) -> Judgement {
        let covered = |key: &KeyCount| normal.iter().any(|one| one.covers_key(key));
        let seen = if normal.is_empty() || !record.keys.iter().any(covered) {
            Cow::Borrowed(record)
        } else {
            let mut rest = record.clone();
            rest.keys.retain(|key| !covered(key));
            Cow::Owned(rest)
        };
        let novelty =
            if self.novelty { self.known.compare(seen.as_ref()) } else { Novelty::default() };
        let mut values = values_of(record, novelty);
        if self.context {
            context.complete(record, &mut values, |key| {
                self.known.usual(key).or_else(|| covered(key).then(Usual::default))
            });
        }
        self.judges.judge(&values)
    }

    /// How much of one key was never seen in training: `(peer, peer and service together)`. A model
    /// that does not judge novelty calls nothing new.
    pub(crate) fn novelty(&self, key: KeyCount) -> (bool, bool) {
        if !self.novelty {
            return (false, false);
        }
        let novelty = self.known.compare(&window_of(KeyCount { packets: 1, ..key }));
        (novelty.peer > 0, novelty.combination > 0)
    }
}

/// A window that holds one conversation and nothing else.
fn window_of(key: KeyCount) -> WindowRecord {
    WindowRecord {
        version: RECORD_VERSION,
        device: key.peer,
        mac: None,
        start_us: 0,
        end_us: 1,
        counts: [0; COUNTS],
        keys: vec![key],
        overflow_packets: 0,
        pace: Pace::default(),
        talk: None,
    }
}

/// What a metric counts, in plain words, with the time it counts over.
pub(crate) fn meaning(metric: Metric, window_us: i64) -> String {
    let words = metric.describe();
    if metric.is_context() || metric.is_level() {
        return words.to_owned();
    }
    let seconds = window_us as f64 / 1e6;
    format!("{words} in {seconds} s")
}

/// Which judges a model has, for people.
pub(crate) fn judges_in_words(model: &DeviceModel) -> String {
    let judges = match (&model.network, model.network_votes) {
        (Some(_), true) => "range and random neural network",
        (Some(_), false) => "range; the random neural network only advises after a short training",
        (None, _) => "range",
    };
    if model.is_unreliable() {
        format!("{judges}; few windows: false alarms must be expected")
    } else {
        judges.to_owned()
    }
}
