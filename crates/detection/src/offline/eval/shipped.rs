//! The shipped detector: the models of counts, joined with what judges messages.

use std::collections::HashMap;
use std::sync::Arc;

use analytics::detector::Detector;
use analytics::model_file::ModelFile;
use analytics::record::WindowRecord;
use analytics::train::{TrainOptions, Trained, train};

use super::contenders::{Contender, Learned, Pacer};
use super::machines::{Messages, score_messages};
use super::material::Captures;
use crate::offline::operations::COMMANDS;
use crate::offline::scored::ScoredWindow;
use crate::offline::singles::Names;
use crate::offline::store::ENSEMBLE;

/// The shipped models; where machines are commanded or speak GOOSE or MMS, that is judged too.
pub(super) struct Ensemble;

/// The shipped detector, learned or opened.
pub(super) struct LearnedEnsemble {
    pub(super) models: ModelFile,
    pub(super) messages: Messages,
}

impl Contender for Ensemble {
    fn name(&self) -> &'static str {
        ENSEMBLE
    }
    fn about(&self) -> String {
        "the shipped detector: all judges joined".to_owned()
    }
    fn draws(&self) -> bool {
        true
    }
    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String> {
        let machines = training.machines()?;
        let trained = match train(&training.records, options, |_| {}) {
            Ok(trained) => trained,
            // Who speaks GOOSE alone may have no window of counts.
            Err(_) if !machines.laws.is_empty() => Trained::default(),
            Err(error) => return Err(error.to_string()),
        };
        let policy = training.policy.clone();
        let models = ModelFile::new(trained, options, training.window_us, policy);
        Ok(Box::new(LearnedEnsemble { models, messages: Messages::of(&machines) }))
    }
}

impl Learned for LearnedEnsemble {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let mut detector = Detector::new(self.models.clone());
        let mut names = Names::default();
        let mut said: HashMap<(Arc<str>, i64), Vec<ScoredWindow>> = HashMap::new();
        let judged = score_messages(&self.messages, test)?;
        let laws = judged.laws.values().cloned();
        for window in judged.commands.into_iter().chain(laws) {
            let place = (Arc::clone(&window.device), window.start_us);
            said.entry(place).or_default().push(window);
        }
        let judge = |record: &WindowRecord| {
            let verdict = detector.judge(record);
            let device = names.of(record.device);
            let others = said.remove(&(Arc::clone(&device), record.start_us));
            let mut scored = ScoredWindow::of_verdict(device, record, &verdict);
            others.iter().flatten().for_each(|other| scored.join(other));
            scored.detector = ENSEMBLE;
            scored
        };
        let mut scored: Vec<ScoredWindow> = test.records.iter().map(judge).collect();
        // Windows of those who sent nothing that is counted.
        for ((start_us, _, _), law) in judged.laws {
            let mut others = said.remove(&(Arc::clone(&law.device), start_us)).unwrap_or_default();
            others.retain(|one| one.detector != COMMANDS);
            let joined = others.into_iter().reduce(|mut one, other| {
                one.join(&other);
                one
            });
            scored.extend(joined.map(|one| ScoredWindow { detector: ENSEMBLE, ..one }));
        }
        Ok(scored)
    }
    fn pacer(&self) -> Option<Pacer<'_>> {
        let mut detector = Detector::new(self.models.clone());
        Some(Box::new(move |test| {
            let mut alerts = 0_u64;
            for record in &test.records {
                alerts += u64::from(detector.judge(record).judgement.alert());
            }
            std::hint::black_box(alerts);
            test.records.len() as u64
        }))
    }
}
