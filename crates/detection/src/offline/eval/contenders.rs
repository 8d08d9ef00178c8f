//! The detectors that are compared, behind one trait: learn from a training part, score a test part.

use std::collections::HashMap;
use std::sync::Arc;

use analytics::commands::CommandModel;
use analytics::detector::Detector;
use analytics::model_file::ModelFile;
use analytics::models::Learner;
use analytics::record::WindowRecord;
use analytics::train::{TrainOptions, train};

use super::material::Captures;
use super::others::{Published, Together};
use crate::offline::operations::{COMMANDS, CommandWatch, each_command, scored};
use crate::offline::scored::ScoredWindow;
use crate::offline::singles::{Names, Singles, SinglesJudge};
use crate::offline::store::ENSEMBLE;

/// Learns from captures.
pub(super) trait Contender {
    /// Name in the output contract.
    fn name(&self) -> &'static str;
    /// What it is, in a few words.
    fn about(&self) -> String;
    /// Whether random draws decide: it is then trained with every seed.
    fn draws(&self) -> bool;
    /// Learns, or says why not.
    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String>;
}

/// Has learned. Scoring starts anew each time.
pub(super) trait Learned {
    /// Judges every window, in the order of the records.
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String>;
    /// The same without keeping anything, made ready to measure the time it takes; `None` where a time
    /// per window would compare the incomparable.
    fn pacer(&self) -> Option<Pacer<'_>>;
}

/// Judges every window of a test once and returns how many that were.
pub(super) type Pacer<'a> = Box<dyn FnMut(&Captures) -> u64 + 'a>;

/// Every detector for captures, the shipped one first.
pub(super) fn for_captures() -> Vec<Box<dyn Contender>> {
    let mut list: Vec<Box<dyn Contender>> = vec![Box::new(Ensemble)];
    list.push(Box::new(Commands));
    list.extend(
        analytics::models::all()
            .iter()
            .map(|learner| Box::new(Single(*learner)) as Box<dyn Contender>),
    );
    list.push(Box::new(Published));
    list.push(Box::new(Together));
    list
}

/// The shipped models; where machines are commanded, their commands are judged too.
struct Ensemble;

struct LearnedEnsemble {
    models: ModelFile,
    commands: Option<Arc<CommandModel>>,
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
        let trained =
            train(&training.records, options, |_| {}).map_err(|error| error.to_string())?;
        let policy = training.policy.clone();
        let models = ModelFile::new(trained, options, training.window_us, policy);
        Ok(Box::new(LearnedEnsemble { models, commands: training.commands()? }))
    }
}

impl Learned for LearnedEnsemble {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let mut detector = Detector::new(self.models.clone());
        let mut names = Names::default();
        let mut commands: HashMap<(Arc<str>, i64), ScoredWindow> = HashMap::new();
        if let Some(model) = &self.commands {
            for window in score_commands(model, test)? {
                commands.insert((Arc::clone(&window.device), window.start_us), window);
            }
        }
        let judge = |record: &WindowRecord| {
            let verdict = detector.judge(record);
            let device = names.of(record.device);
            let command = commands.get(&(Arc::clone(&device), record.start_us));
            let mut scored = ScoredWindow::of_verdict(device, record, &verdict);
            if let Some(command) = command {
                scored.join(command);
            }
            scored.detector = ENSEMBLE;
            scored
        };
        Ok(test.records.iter().map(judge).collect())
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

/// Commands to machines alone, one by one.
struct Commands;

struct LearnedCommands(Arc<CommandModel>);

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
        let model = training.commands()?;
        let model = model.ok_or("the training part holds no command of an industrial protocol")?;
        Ok(Box::new(LearnedCommands(model)))
    }
}

impl Learned for LearnedCommands {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        score_commands(&self.0, test)
    }

    fn pacer(&self) -> Option<Pacer<'_>> {
        None // It judges operations, not windows.
    }
}

fn score_commands(model: &Arc<CommandModel>, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
    let mut watch = CommandWatch::new(Arc::clone(model), test.window_us);
    each_command(&test.paths, |command| watch.push(command)).map_err(|error| error.to_string())?;
    let mut names = Names::default();
    let windows = watch.finish();
    Ok(windows.iter().map(|window| scored(names.of(window.device), window)).collect())
}

/// One model of the list for each device, on the rows the shipped detector learns from.
struct Single(&'static dyn Learner);

impl Contender for Single {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn about(&self) -> String {
        self.0.describe().to_owned()
    }

    fn draws(&self) -> bool {
        self.0.draws()
    }

    fn learn(
        &self,
        training: &Captures,
        options: &TrainOptions,
    ) -> Result<Box<dyn Learned>, String> {
        let singles = Singles::learn(self.0, &training.records, options)?;
        Ok(Box::new(singles))
    }
}

impl Learned for Singles {
    fn score(&self, test: &Captures) -> Result<Vec<ScoredWindow>, String> {
        let mut judge = SinglesJudge::new(self);
        Ok(test.records.iter().filter_map(|record| judge.judge(record)).collect())
    }

    fn pacer(&self) -> Option<Pacer<'_>> {
        let mut judge = SinglesJudge::new(self);
        Some(Box::new(move |test| {
            let (mut sum, mut judged) = (0.0_f64, 0);
            for score in test.records.iter().filter_map(|record| judge.score(record)) {
                sum += score;
                judged += 1;
            }
            std::hint::black_box(sum);
            judged
        }))
    }
}
