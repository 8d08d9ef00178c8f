//! Detectors of what machines say to each other: commands one by one, GOOSE and MMS message by
//! message.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use analytics::commands::CommandModel;
use analytics::host::Host;
use analytics::laws::LawWindow;
use analytics::train::TrainOptions;

use super::contenders::{Contender, Learned, Pacer};
use super::material::Captures;
use crate::laws::memory::{LawModel, Protocol};
use crate::offline::laws::{self, LawWatch, Speakers};
use crate::offline::machines::{Heard, MachineModels, listen};
use crate::offline::operations::{self, COMMANDS, CommandWatch};
use crate::offline::scored::ScoredWindow;
use crate::offline::singles::Names;

/// Models of messages, as many as there are.
#[derive(Clone, Default)]
pub(super) struct Messages {
    pub(super) commands: Option<Arc<CommandModel>>,
    pub(super) laws: Vec<LawModel>,
}

impl Messages {
    pub(super) fn of(machines: &MachineModels) -> Self {
        Self { commands: machines.commands.clone(), laws: machines.law_models() }
    }
}

/// Windows of messages.
#[derive(Default)]
pub(super) struct JudgedMessages {
    pub(super) commands: Vec<ScoredWindow>,
    /// By start, device and detector; of those who are no devices, what alerts.
    pub(super) laws: BTreeMap<(i64, Host, &'static str), ScoredWindow>,
}

/// Judges every message of the test part, in one pass.
pub(super) fn score_messages(models: &Messages, test: &Captures) -> Result<JudgedMessages, String> {
    let mut judged = JudgedMessages::default();
    if models.commands.is_none() && models.laws.is_empty() {
        return Ok(judged);
    }
    let mut names = Names::default();
    let mut speakers = Speakers::new(test.policy.clone());
    test.records.iter().for_each(|record| speakers.see(record));
    let mut broken: Vec<(LawModel, LawWindow)> = Vec::new();
    for path in &test.paths {
        let commands = models.commands.as_ref();
        let mut commands = commands.map(|own| CommandWatch::new(Arc::clone(own), test.window_us));
        let mut watch = LawWatch::new(models.laws.clone(), test.window_us);
        let mut put = |model: &LawModel, window: &LawWindow| {
            broken.push((model.clone(), window.clone()));
        };
        listen(path, |heard| match heard {
            Heard::Message(sighting) => {
                if let Some(commands) = &mut commands {
                    commands.message(sighting);
                }
                speakers.hear(sighting);
                watch.message(sighting);
            }
            Heard::Time(ts_us) => {
                watch.time(ts_us, &mut put);
            }
        })
        .map_err(|error| error.to_string())?;
        watch.finish(&mut put);
        let windows = commands.map(CommandWatch::finish).unwrap_or_default();
        let scored = windows.iter().map(|one| operations::scored(names.of(one.device), one));
        judged.commands.extend(scored);
    }
    for (model, window) in &broken {
        let device = speakers.device(window.device);
        let row = laws::scored(names.of(device), window, model);
        // Control blocks of several addresses of one device, or captures that overlap.
        match judged.laws.entry((window.start_us, device, row.detector)) {
            Entry::Vacant(place) => {
                place.insert(row);
            }
            Entry::Occupied(mut known) => known.get_mut().join(&row),
        }
    }
    judged.laws.retain(|(_, device, _), row| row.alert || speakers.is_device(*device));
    Ok(judged)
}

/// Commands to machines alone, one by one.
pub(super) struct Commands;

/// Commands, learned or opened.
pub(super) struct LearnedCommands(pub(super) Arc<CommandModel>);

impl Contender for Commands {
    fn name(&self) -> &'static str {
        COMMANDS
    }
    fn about(&self) -> String {
        "every command to a machine against those of its pair in training".to_owned()
    }
    fn draws(&self) -> bool {
        false
    }
    fn learn(&self, training: &Captures, _: &TrainOptions) -> Result<Box<dyn Learned>, String> {
        let model = training.machines()?.commands.clone();
        let model = model.ok_or("the training part holds no command of an industrial protocol")?;
        Ok(Box::new(LearnedCommands(model)))
    }
}

impl Learned for LearnedCommands {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let models = Messages { commands: Some(Arc::clone(&self.0)), laws: Vec::new() };
        Ok(score_messages(&models, test)?.commands)
    }
    fn pacer(&self) -> Option<Pacer<'_>> {
        None // It judges operations, not windows.
    }
}

/// The laws of one protocol alone.
pub(super) struct Laws(pub(super) Protocol);

/// Laws, learned or opened.
pub(super) struct LearnedLaws(pub(super) LawModel);

impl Contender for Laws {
    fn name(&self) -> &'static str {
        self.0.word()
    }
    fn about(&self) -> String {
        match self.0 {
            Protocol::Goose => "laws of GOOSE publishers: state, sequence, time, contents",
            Protocol::Mms => "laws of MMS associations: services, names, questions and answers",
        }
        .to_owned()
    }
    fn draws(&self) -> bool {
        false
    }
    fn applies(&self, training: &Captures) -> bool {
        training.machines().is_ok_and(|machines| machines.law(self.0).is_some())
    }
    fn learn(&self, training: &Captures, _: &TrainOptions) -> Result<Box<dyn Learned>, String> {
        let machines = training.machines()?;
        let model = machines
            .law(self.0)
            .cloned()
            .ok_or_else(|| format!("the training part holds no {} message", self.0.title()))?;
        Ok(Box::new(LearnedLaws(model)))
    }
}

impl Learned for LearnedLaws {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let models = Messages { commands: None, laws: vec![self.0.clone()] };
        let judged = score_messages(&models, test)?;
        Ok(judged.laws.into_values().collect())
    }
    fn pacer(&self) -> Option<Pacer<'_>> {
        None // It judges messages, not windows.
    }
}
