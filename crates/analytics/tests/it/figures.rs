//! Figures of merit over labelled windows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, HashMap};

use analytics::detector::{Basis, Detector};
use analytics::features::ContextMemory;
use analytics::host::Host;
use analytics::model_file::ModelFile;
use analytics::models::{Lesson, by_name};
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::threshold::DEFAULT_ALPHA;
use analytics::train::{TrainOptions, Trained, prepare, train_one};
use analytics::windows::DEFAULT_WINDOW_US;

use crate::stress::Case;

/// Alerts of one device closer than this are one to an operator.
const CORRELATED_US: i64 = 1_800_000_000;

/// A judged window: device, start, score, label.
type Scored = (Host, i64, f64, bool);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) positives: usize,
    pub(crate) negatives: usize,
    pub(crate) false_alarms: usize,
    pub(crate) tpr: f64,
    pub(crate) fpr: f64,
    pub(crate) area: f64,
    /// Positive windows up to and including the first that alerts, the most over the devices.
    pub(crate) delay: usize,
    /// False alarms after correlation, per device and day of test windows.
    pub(crate) per_day: f64,
}

impl Figures {
    pub(crate) fn balanced(&self) -> f64 {
        f64::midpoint(self.tpr, 1.0 - self.fpr)
    }

    fn of(scored: &[Scored]) -> Self {
        let count = |wanted: bool, alert: bool| {
            let of_label = scored.iter().filter(|(.., label)| *label == wanted);
            of_label.filter(|(_, _, score, _)| !alert || *score > 1.0).count()
        };
        let (positives, negatives) = (count(true, false), count(false, false));
        let false_alarms = count(false, true);
        Self {
            positives,
            negatives,
            false_alarms,
            tpr: count(true, true) as f64 / positives.max(1) as f64,
            fpr: false_alarms as f64 / negatives.max(1) as f64,
            area: area(scored),
            delay: delay(scored),
            per_day: per_day(scored),
        }
    }
}

/// Mann-Whitney with midranks.
fn area(scored: &[Scored]) -> f64 {
    let mut sorted: Vec<(f64, bool)> =
        scored.iter().map(|(_, _, score, label)| (*score, *label)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins, mut positives) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|entry| entry.1).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins += positive * (below + negative / 2.0);
        below += negative;
        positives += positive;
    }
    wins / (positives * below).max(1.0)
}

fn by_device(scored: &[Scored]) -> BTreeMap<Host, Vec<&Scored>> {
    let mut devices: BTreeMap<Host, Vec<&Scored>> = BTreeMap::new();
    scored.iter().for_each(|entry| devices.entry(entry.0).or_default().push(entry));
    devices
}

fn delay(scored: &[Scored]) -> usize {
    let delays = by_device(scored).into_values().filter_map(|windows| {
        let mut positives = windows.iter().filter(|entry| entry.3).peekable();
        positives.peek()?;
        let attack: Vec<bool> = positives.map(|entry| entry.2 > 1.0).collect();
        Some(attack.iter().position(|alert| *alert).map_or(attack.len() + 1, |place| place + 1))
    });
    delays.max().unwrap_or(0)
}

fn per_day(scored: &[Scored]) -> f64 {
    let (mut alarms, mut time_us) = (0_u32, 0);
    for windows in by_device(scored).into_values() {
        let mut last: Option<i64> = None;
        for (_, start_us, score, label) in &windows {
            if *score > 1.0 && !label {
                alarms += u32::from(last.is_none_or(|last| start_us - last > CORRELATED_US));
                last = Some(*start_us);
            }
        }
        time_us += windows.last().unwrap().1 - windows[0].1 + DEFAULT_WINDOW_US;
    }
    f64::from(alarms) / (time_us as f64 / 86_400e6)
}

fn training_of(case: &Case, device: Host) -> Vec<&WindowRecord> {
    case.training.iter().filter(|record| record.device == device).collect()
}

fn tested(case: &Case) -> impl Iterator<Item = (&WindowRecord, bool)> {
    let scored = case.test.iter().filter(|(record, _)| case.devices.contains(&record.device));
    scored.filter_map(|(record, label)| Some((record, (*label)?)))
}

/// The shipped ensemble.
pub(crate) fn ensemble(case: &Case, seed: u64) -> Figures {
    let options = TrainOptions { seed, ..TrainOptions::default() };
    let devices = case
        .devices
        .iter()
        .filter_map(|device| train_one(Some(*device), training_of(case, *device), &options).ok())
        .collect();
    let trained = Trained { devices, pooled: None, too_few: vec![], beyond_limit: 0 };
    let file = ModelFile::new(trained, &options, DEFAULT_WINDOW_US, DevicePolicy::Local);
    let mut detector = Detector::new(file);
    let mut why = BTreeMap::new();
    let mut scored = Vec::new();
    // Unscored windows are judged as well: the memory of the device does not know the labels.
    for (record, label) in
        case.test.iter().filter(|(record, _)| case.devices.contains(&record.device))
    {
        let verdict = detector.judge(record);
        assert_ne!(verdict.basis, Basis::None, "{}", case.name);
        let Some(label) = *label else { continue };
        scored.push((record.device, record.start_us, verdict.judgement.score, label));
        if verdict.judgement.alert() && !label {
            let reason = verdict.judgement.reasons().next().unwrap();
            *why.entry((reason.metric.name(), reason.judge.name())).or_insert(0) += 1;
        }
    }
    if seed == 1 {
        eprintln!("{:34} false alarms by {why:?}", case.name);
    }
    Figures::of(&scored)
}

/// A model of the list, trained on the same rows.
pub(crate) fn model(case: &Case, name: &str, seed: u64) -> Figures {
    let learner = by_name(name).unwrap();
    let mut models = HashMap::new();
    for device in &case.devices {
        let Ok(lesson) =
            prepare(Some(*device), training_of(case, *device), &TrainOptions::default())
        else {
            continue;
        };
        let places = lesson.places();
        let model = learner.learn(&Lesson::of(&lesson, &places, seed, DEFAULT_ALPHA)).unwrap();
        models.insert(*device, (lesson.preparation, model, ContextMemory::default()));
    }
    let scored: Vec<Scored> = tested(case)
        .filter_map(|(record, label)| {
            let (preparation, model, memory) = models.get_mut(&record.device)?;
            let row = preparation.row(record, memory);
            Some((record.device, record.start_us, model.score(&row), label))
        })
        .collect();
    Figures::of(&scored)
}

/// Figures over seeds, printed as minimum, median and maximum; the worst of each is returned.
pub(crate) fn over_seeds(case: &Case, seeds: u64) -> Figures {
    let runs: Vec<Figures> = (1..=seeds).map(|seed| ensemble(case, seed)).collect();
    let spread = |value: &dyn Fn(&Figures) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        (values[0], values[values.len() / 2], values[values.len() - 1])
    };
    let area = spread(&|run| run.area);
    let tpr = spread(&|run| run.tpr);
    let fpr = spread(&|run| run.fpr);
    let per_day = spread(&|run| run.per_day);
    let delay = runs.iter().map(|run| run.delay).max().unwrap();
    eprintln!(
        "{:34} ensemble AUC {:.4}/{:.4}/{:.4} TPR {:.4}/{:.4}/{:.4} FPR {:.4}/{:.4}/{:.4} ({} of {}; attack in {}) a day {:.2} delay {delay} balanced {:.4}",
        case.name,
        area.0,
        area.1,
        area.2,
        tpr.0,
        tpr.1,
        tpr.2,
        fpr.0,
        fpr.1,
        fpr.2,
        runs.iter().map(|run| run.false_alarms).max().unwrap(),
        runs[0].negatives,
        runs[0].positives,
        per_day.2,
        balanced(&runs),
    );
    Figures { tpr: tpr.0, fpr: fpr.2, area: area.0, per_day: per_day.2, delay, ..runs[0] }
}

fn balanced(runs: &[Figures]) -> f64 {
    runs.iter().map(Figures::balanced).fold(1.0, f64::min)
}
